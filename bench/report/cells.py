"""Rows -> the sections of a report as plain text: titles, verdicts, cells and notes. Pure; knows no output format.

Rows stay in the order asked for, which is the axis of a sweep; the rank says what is known of their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench import units
from bench.analysis.ranking import is_only_a_range, ranks
from bench.report import row_cells, verdict
from bench.report.legend import usual_interval
from bench.report.notes import notes_of, numbered
from bench.rows import Row, groups_of


class Cells(NamedTuple):
    """One row of a table; the fields are its columns."""

    runtime: str
    precision: str
    rank: str
    status: str
    speed: str
    best: str
    p50: str
    p90: str
    items: str
    agreement: str
    tolerance: str
    max_error: str
    top1: str
    placement: str
    memory: str
    soak: str
    cold_start: str
    pareto: str
    notes: str


HEADER = Cells(
    runtime="runtime",
    precision="precision",
    rank="rank",
    status="status",
    speed="speed",
    best="best",
    p50="p50",
    p90="p90",
    items="items/s",
    agreement="agreement",
    tolerance="tolerance",
    max_error="max error",
    top1="top-1",
    placement="placement",
    memory="memory",
    soak="soak",
    cold_start="cold start",
    pareto="Pareto",
    notes="notes",
)
# to the left; numbers go to the right
TEXTUAL = {"runtime", "precision", "status", "speed", "agreement", "placement", "soak", "notes"}
_TIMED = (
    "runtime", "precision", "rank", "speed", "best", "p50", "p90", "items", "agreement", "placement", "memory", "soak",
    "cold_start", "pareto", "notes",
)  # fmt: skip
_CHECKED = ("runtime", "precision", "status", "agreement", "tolerance", "max_error", "top1", "placement", "notes")
_WHERE_SAID = {
    "precision",
    "rank",
    "placement",
    "soak",
    "pareto",
    "notes",
}  # columns that are left out where no row fills them


class Remark(NamedTuple):
    """Something that must be said of a row."""

    runtime: str
    text: str
    reproduce: str = ""


class Section(NamedTuple):
    """One group of cases: same model, batch, threads, streams and boundary."""

    title: str
    facts: str  # of the model; "" where none are known
    verdict: str
    columns: list[str]  # fields of Cells to show
    cells: list[Cells]
    states: list[str]  # by row: "good", "bad", "doubt" or "plain"
    remarks: list[Remark]  # rows that cannot win, with their reasons
    notes: list[str]  # cautions; cells refer to them by number from 1


def sections(rows: Sequence[Row]) -> list[Section]:
    """A section per group, in the order in which the groups first come."""
    usual = usual_interval(rows)
    return [_section(group, usual) for group in groups_of(rows)]


def _section(rows: Sequence[Row], usual: tuple[float, int] | None) -> Section:
    split = verdict.is_split(rows)
    ranked = {} if split else ranks(verdict.able(rows))
    unsure = "~" * is_only_a_range(verdict.able(rows))  # bounds of a range decide nothing
    numbers, notes = numbered([notes_of(row, usual, split=split) for row in rows])
    cells = [
        _cells(row, rows, rank=f"{unsure}{ranked[row.case_id]}" if row.case_id in ranked else "", unsure=unsure)
        for row in rows
    ]
    cells = [cell._replace(notes=of_row) for cell, of_row in zip(cells, numbers, strict=True)]
    return Section(
        title=title(rows),
        facts=_facts(rows),
        verdict=verdict.sentence(rows),
        columns=_columns(rows, cells),
        cells=cells,
        states=[row_cells.state(row) for row in rows],
        remarks=[remark for row in rows for remark in _remarks(row, rows)],
        notes=notes,
    )


def _columns(rows: Sequence[Row], cells: Sequence[Cells]) -> list[str]:
    """The columns of the section; those that only some sections have a use for, where a row fills them."""
    filled = {name for name in Cells._fields if any(getattr(cell, name) not in ("", units.UNKNOWN) for cell in cells)}
    left_out = _WHERE_SAID - filled
    if not any(verdict.is_elsewhere(row) for row in rows):
        left_out |= {"placement"}
    return [name for name in (_CHECKED if verdict.is_agreement_alone(rows) else _TIMED) if name not in left_out]


def _cells(row: Row, rows: Sequence[Row], *, rank: str, unsure: str) -> Cells:
    measured = row.latency_ns_best is not None
    speed = "reference" if verdict.is_reference(row) else verdict.comparison(row)
    name = verdict.name(row, rows)
    return Cells(
        runtime=f"{name} [{row.status}]" if measured and row.status != "ok" else name,
        precision=row.precision if _is_precision_a_column(rows) else "",
        rank=rank,
        status=row.status,
        speed=speed if measured else row.status,
        best=units.duration(row.latency_ns_best),
        p50=units.duration(row.latency_ns_p50),
        p90=units.duration(row.latency_ns_p90),
        items=units.count(row.throughput_items_per_s),
        agreement=row_cells.agreement(row),
        tolerance=units.error(row.tolerance),
        max_error=units.error(row.max_abs_error),
        top1=units.percent(row.top1_agreement),
        placement=row_cells.placement(row),
        memory=row_cells.memory(row),
        soak=row_cells.soak(row),
        cold_start=row_cells.cold_start(row),
        pareto=f"{unsure}*" if row.pareto else "",
        notes="",
    )


def _is_precision_a_column(rows: Sequence[Row]) -> bool:
    """Where precisions differ and the names do not tell them, as ``:precision=int8`` in a name does."""
    untold = any(row.precision != "float32" and f"precision={row.precision}" not in row.runtime_spec for row in rows)
    return untold and len({row.precision for row in rows}) > 1


def _remarks(row: Row, rows: Sequence[Row]) -> list[Remark]:
    """Why a row has no place in the verdict, and how to see it again."""
    doubt = verdict.why_not(row)
    alone = verdict.is_agreement_alone(rows)
    if doubt is None or (alone and row.status == "ok" and row.agreement == "agrees"):
        return []
    start = "" if row.status != "ok" or alone else "cannot win, "
    return [Remark(verdict.name(row, rows), f"{start}{doubt}", row.reproduce)]


def title(rows: Sequence[Row]) -> str:
    """What the rows of a group share: ``net, batch 1, 2 threads``."""
    row = rows[0]
    parts = [row.model, f"batch {row.batch_size}", f"{row.threads} thread{'s' * (row.threads != 1)}"]
    parts += [f"{row.streams} streams"] * (row.streams != 1) + [f"{row.boundary} boundary"] * (row.boundary != "host")
    only = {one.precision for one in rows} - {"float32"}
    return ", ".join([*parts, *(only if all(one.precision in only for one in rows) and len(only) == 1 else ())])


def _facts(rows: Sequence[Row]) -> str:
    macs = next((row.macs for row in rows if row.macs is not None), None)
    params = next((row.params for row in rows if row.params is not None), None)
    known = [f"{units.count(macs)} multiply-adds"] * (macs is not None)
    known += [f"{units.count(params)} parameters"] * (params is not None)
    truths = sorted({row.truth for row in rows if row.truth})
    return ", ".join(known + [f"truth: {', '.join(truths)}"] * bool(truths))
