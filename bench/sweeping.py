"""A stored report and the grid that it was measured for -> everything that is told of the sweep.

Joins report and analysis; decides nothing about numbers itself, measures nothing, and reads only what was saved.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bench.analysis.sweep_points import Point, Swept, sweep_of
from bench.errors import UsageError
from bench.records import SweepPlan
from bench.report.store import Report
from bench.rows import Row

_FLOAT = "float32"  # what published accuracy is for


def sweep_of_report(plan: SweepPlan, report: Report) -> Swept:
    """The sweep as it stands; UsageError where the report is not of this grid."""
    rows = report.rows()
    known = {point.model: point for point in plan.points}
    if strange := sorted({row.model for row in rows} - known.keys()):
        raise UsageError(
            f"reading sweep {report.path}: {strange[0]} is not in its grid; take report and sweep.json together"
        )
    latencies, peaks = _latencies(report), _peaks(report)
    batches = {row.batch_size for row in rows}
    points = [
        Point(
            row=row,
            values=known[row.model].values,
            series=_series(row, batches),
            published=known[row.model].published if row.precision == _FLOAT else {},
            latencies_ns=latencies.get(row.case_id, {}),
            peaks_bytes=peaks.get(row.case_id, {}),
        )
        for row in rows
    ]
    return sweep_of(plan, points)


def _series(row: Row, batches: set[int]) -> str:
    name = row.runtime_spec or row.runtime
    return f"{name}, batch {row.batch_size}" if len(batches) > 1 else name


def _latencies(report: Report) -> dict[str, dict[int, float]]:
    """By case and repetition that is whole: the median over rounds of a turn's fastest timed call, in ns."""
    timed = report.samples[report.samples["kind"] == "timed"]
    best = timed.groupby(["case_id", "repetition", "round"])["latency_ns"].min().clip(lower=1)
    return _by_case(best.groupby(["case_id", "repetition"]).median(), _whole(report))


def _peaks(report: Report) -> dict[str, dict[int, float]]:
    """By case and repetition that is whole: peak resident memory while timed, in bytes."""
    known = report.processes[report.processes["rss_peak_bytes"].notna()]
    return _by_case(known.set_index(["case_id", "repetition"])["rss_peak_bytes"], _whole(report))


def _whole(report: Report) -> set[tuple[str, int]]:
    processes = report.processes[report.processes["complete"].fillna(False)]
    return set(zip(processes["case_id"], processes["repetition"], strict=True))


def _by_case(values: pd.Series[float], whole: set[tuple[str, int]]) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    keys: Sequence[tuple[str, int]] = list(values.index)
    for (case_id, repetition), value in zip(keys, values, strict=True):
        if (case_id, repetition) in whole:
            found.setdefault(case_id, {})[int(repetition)] = float(value)
    return found
