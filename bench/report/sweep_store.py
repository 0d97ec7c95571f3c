"""The files that a sweep leaves in the folder of its report: ``sweep.json`` and ``sweep.parquet``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.analysis.sweep_compare import fronted, fronts
from bench.analysis.sweep_points import Point, Swept
from bench.errors import UsageError
from bench.records import SweepAxis, SweepPlan
from bench.report import atomic, scrub
from bench.report.column import Column, real, text, whole
from bench.report.frame import ARROW_TYPES
from bench.report.store import to_json
from bench.report.versioned import read_versioned

SWEEP_VERSION = 1
HISTORY = {1: "The first: axes, points, published accuracy."}
PLAN_FILE = "sweep.json"
TABLE_FILE = "sweep.parquet"
_VERSION_KEY = b"bench_sweep_version"

# Before them stand the axes, by their names (one that is a name of these columns as axis_NAME), after them the columns
# of published accuracy, each with NAME_front: whether no point of the series' front is preferable to it.
SWEEP = (
    text("case_id", "The case, as in results.parquet."),
    text("model", "The model of the point, in canonical form."),
    text("series", "What one line is fitted through: the runtime, with its batch size where there are several."),
    text("runtime", "The runtime's name."),
    text("runtime_version", "The version that the worker reported."),
    whole("batch_size", "items", "none", "Items in one call."),
    whole("threads", "threads", "none", "The thread budget."),
    text("precision", "Number format of the computation."),
    text("status", "As in results.parquet."),
    text("agreement", "As in results.parquet."),
    text(
        "why_not",
        "Why the point is in no fit, comparison and front; empty where it is. Its numbers are null.",
        free=True,
    ),
    whole("macs", "operations", "none", "Multiply-adds of the model for one item."),
    whole("params", "parameters", "none", "Trainable parameters."),
    real("latency_ns_best", "ns", "lower", "Median over rounds of the fastest timed call of a turn, per call."),
    real("latency_ns_best_low", "ns", "lower", "Lower end of its interval over repetitions."),
    real("latency_ns_best_high", "ns", "lower", "Upper end of its interval over repetitions."),
    real("interval_level", "share", "none", "Level of the interval; below 0.9 a range, which decides nothing."),
    whole("repetitions", "processes", "none", "Repetitions that it rests on."),
    real("line_ns", "ns", "lower", "The fitted line's latency at macs times batch_size; null where no line holds."),
    real("throughput_items_per_s", "items/s", "higher", "Items per second."),
    whole("rss_peak_bytes", "bytes", "lower", "Peak resident memory while timed."),
    real("ratio_to_reference", "ratio", "lower", "Latency over the reference's in the same round."),
    real("ratio_low", "ratio", "lower", "Lower end of the interval of the ratio."),
    real("ratio_high", "ratio", "lower", "Upper end of the interval of the ratio."),
    text("accuracy_file", "Where published accuracy is from; null where there is none."),
)
_MEASURED = {"throughput_items_per_s", "rss_peak_bytes", "ratio_to_reference", "ratio_low", "ratio_high"}


def write_plan(folder: Path, plan: SweepPlan) -> None:
    """``sweep.json``: what the grid is, so that a stopped sweep can go on."""
    atomic.write_bytes(folder / PLAN_FILE, to_json(plan))


def read_plan(folder: Path) -> SweepPlan:
    """The grid of the sweep in a folder; UsageError where there is none."""
    path = folder / PLAN_FILE
    if not path.is_file():
        raise UsageError(
            f"reading sweep {folder}: no {PLAN_FILE} in it, so it is no sweep. Name a folder made by `bench sweep`"
        )
    restore = "Take the folder from where it was copied, or sweep again with `bench sweep`"
    return read_versioned(path, SweepPlan, SWEEP_VERSION, doing=f"reading sweep {folder}", restore=restore)


def write_table(folder: Path, swept: Swept) -> None:
    """``sweep.parquet``: one row a point and series."""
    table = sweep_table(swept)
    atomic.write_with(folder / TABLE_FILE, partial(_write, table=table))


def _write(path: Path, table: Any) -> None:
    pq.write_table(table, path, compression="zstd")


def sweep_table(swept: Swept) -> Any:
    """The points as an Arrow table: axes, measured columns, published accuracy."""
    columns = [*_axis_columns(swept), *SWEEP, *_accuracy_columns(swept)]
    private, on_front = scrub.this_machine(), fronts(swept)
    records = [_record(swept, point, on_front, private) for point in swept.points]
    schema = pa.schema([(column.name, ARROW_TYPES[column.dtype]) for column in columns])
    table = pa.Table.from_pylist(records, schema=schema)
    return table.replace_schema_metadata({_VERSION_KEY: str(SWEEP_VERSION).encode()})


def _axis_columns(swept: Swept) -> Iterator[Column]:
    for axis in swept.plan.axes:
        yield Column(axis_column(swept, axis), _dtype(axis), "", "none", f"The model's argument {axis.name}.")


def _accuracy_columns(swept: Swept) -> Iterator[Column]:
    for name in swept.accuracies:
        yield real(name, "", "higher", "Published, not measured.")
        yield Column(
            f"{name}_front",
            "boolean",
            "",
            "none",
            "On the front of this accuracy against latency; none without intervals.",
        )


def axis_column(swept: Swept, axis: SweepAxis) -> str:
    """An axis' column: its name; where that is another column's too, as often ``axis_`` before it as it takes."""
    others = {other.name for other in swept.plan.axes if other is not axis}
    taken = others | {column.name for column in (*SWEEP, *_accuracy_columns(swept))}
    name = axis.name
    while name in taken:
        name = f"axis_{name}"
    return name


def _dtype(axis: SweepAxis) -> Any:
    """Whole numbers beyond 64 bits stay text: as floats they would be other numbers."""
    if all(_is(int, value) for value in axis.values):
        return "Int64" if all(-_BEYOND <= int(value) < _BEYOND for value in axis.values) else "string"
    return "Float64" if all(_is(float, value) for value in axis.values) else "string"


_BEYOND = 2**63


def _is(kind: type[int] | type[float], value: str) -> bool:
    try:
        kind(value)
    except ValueError:
        return False
    return True


def _record(swept: Swept, point: Point, on_front: Mapping[str, set[str]], private: scrub.Private) -> dict[str, object]:
    row, latency, fit = point.row, point.latency, swept.latency[point.series]
    convert = {"Int64": int, "Float64": float, "string": str}
    record: dict[str, object] = {
        axis_column(swept, axis): convert[_dtype(axis)](point.values[axis.name]) for axis in swept.plan.axes
    }
    for column in SWEEP:
        if hasattr(row, column.name) and (column.name not in _MEASURED or not point.why_not):
            record[column.name] = getattr(row, column.name)
    record |= {
        "series": point.series,
        "why_not": scrub.scrub_text(point.why_not, private),
        "latency_ns_best": latency.estimate if latency else None,
        "latency_ns_best_low": latency.low if latency else None,
        "latency_ns_best_high": latency.high if latency else None,
        "interval_level": latency.level if latency else None,
        "repetitions": latency.n if latency else 0,
        "line_ns": fit.line.at(point.macs_millions) if fit.line and fit.holds and point.macs_millions else None,
        "accuracy_file": swept.plan.accuracy_file or None,
    }
    for name in swept.accuracies:
        record[name] = point.published.get(name)
        known = name in point.published and latency is not None and point.series in fronted(swept, on_front[name])
        record[f"{name}_front"] = row.case_id in on_front[name] if known else None
    return record
