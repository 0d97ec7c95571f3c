"""A comparison as one tidy DataFrame. Every column is built with its dtype: nothing is guessed, names stay names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.check.comparability import spell_difference
from bench.check.compare import compare
from bench.check.compare_records import METRICS, Compared, Comparison, Difference, ReportFacts, Side
from bench.report.results_columns import RESULTS
from bench.report.store import read_environment
from bench.report.table_files import read_rows
from bench.rows import Row

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_COPIED = (
    "model", "runtime", "runtime_spec", "runtime_version", "batch_size", "threads", "streams", "boundary", "precision",
    "status", "status_reason", "agreement", "agreement_reason", *(metric.column for metric in METRICS),
    "ratio_to_reference", "ratio_low", "ratio_high", "interval_level", "reference_runtime", "processes", "calls",
)  # fmt: skip
_IDENTITY = ("model", "runtime", "batch_size", "threads", "streams", "boundary", "precision")
_OWN = {
    "case": "string",
    "report": "string",
    "path": "string",
    "standing": "string",
    "reason": "string",
    "is_comparable": "boolean",
    "differences": "string",
}
_RATIOS = {f"{metric.name}_ratio": "Float64" for metric in METRICS}
DTYPES: dict[str, str] = {
    **_OWN,
    **{column.name: column.dtype for name in _COPIED for column in RESULTS if column.name == name},
    **_RATIOS,
}


def compare_reports(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Stored reports side by side: one row for every case and report, absent ones too.

    The first report is the reference; reports are lettered A, B, ... in ``report``. ``standing`` is ``reference`` for
    its rows, else same, disagrees, failed, gone, unverified, unmeasured, recovered or new; ``absent`` is the
    reference's place of a new case. ``is_comparable`` is null where there is nothing to compare; ``differences`` names
    the fields that hinder it, with both values. Numbers are those of ``results.parquet``, in its units. A ``*_ratio``
    is this report's number over the reference's: between two runs never a verdict. ``ratio_to_reference`` with its
    bounds is the ratio to the reference runtime of the report's own run, whose rounds both shared.

    One report alone: its cases against its reference runtime, one row a case, ``latency_ratio`` with the bounds beside.
    All dtypes are pandas' nullable ones. UsageError where a path is no report or a case comes twice in one.
    """
    return comparison_frame(compare(load_sides(paths)))


def load_sides(paths: Sequence[str | Path]) -> list[Side]:
    """The reports in these folders, lettered: environments and results, no more. UsageError as ``load_report``."""
    sides = []
    for number, path in enumerate(paths):
        environment = read_environment(Path(path))
        rows = read_rows(Path(path), environment.schema_version)
        letter = LETTERS[number] if number < len(LETTERS) else f"R{number + 1}"
        sides.append(Side(letter=letter, path=str(path), environment=environment, rows=tuple(rows)))
    return sides


def comparison_frame(comparison: Comparison) -> pd.DataFrame:
    """One row for every case and report, in the order of cases; its columns and dtypes are ``DTYPES``."""
    lines = list(_lines(comparison))
    return pd.DataFrame(
        {name: pd.array([line.get(name) for line in lines], dtype=dtype) for name, dtype in DTYPES.items()}  # type: ignore[call-overload]
    )


def _lines(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Case by case: the reference's line, then one of each other report."""
    by_run = {run.report: run.differences for run in comparison.runs}
    paths = {facts.letter: facts.path for facts in comparison.reports}
    for same_case in _by_case(comparison).values():
        if len(comparison.reports) > 1:
            yield _reference_line(same_case, comparison.reports[0])
        yield from (_line(one, by_run[one.report], paths[one.report]) for one in same_case)


def _by_case(comparison: Comparison) -> dict[tuple[str, str, str], list[Compared]]:
    found: dict[tuple[str, str, str], list[Compared]] = {}
    for one in comparison.cases:
        found.setdefault((one.case, one.group, one.runtime), []).append(one)
    return found


def _reference_line(same_case: Sequence[Compared], facts: ReportFacts) -> dict[str, Any]:
    row = same_case[0].reference
    standing = "absent" if row is None else "reference"
    where = {"case": same_case[0].case, "report": facts.letter, "path": facts.path}
    known = _copied(row) if row is not None else _identity(same_case[0].other)
    return {**known, **where, "standing": standing, "reason": "", "differences": ""}


def _line(compared: Compared, of_run: Sequence[Difference], path: str) -> dict[str, Any]:
    return {
        **(_copied(compared.other) if compared.other is not None else _identity(compared.reference)),
        **{f"{change.metric}_ratio": change.ratio for change in compared.changes},
        "case": compared.case,
        "report": compared.report,
        "path": path,
        "standing": compared.standing,
        "reason": compared.reason,
        "is_comparable": compared.is_comparable if compared.standing == "same" else None,
        "differences": "; ".join(map(spell_difference, (*of_run, *compared.differences))),
    }


def _copied(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _COPIED}


def _identity(row: Row | None) -> dict[str, Any]:
    """What is known of an absent case from the side that has it."""
    return {name: getattr(row, name) for name in _IDENTITY}
