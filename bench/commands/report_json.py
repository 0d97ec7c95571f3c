"""JSON files of benchmarks that ``bench report FILE`` reads: pytest-benchmark, github-action-benchmark, Bencher's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.rows import Row

if TYPE_CHECKING:
    from pandas import DataFrame

_HEADER = ("benchmark", "min", "median", "mean", "stddev", "rounds")
_TIMES = ("latency_ns_min", "latency_ns_p50", "latency_ns_mean", "latency_ns_stddev")


@dataclass(frozen=True)
class BenchmarkJson:
    """What such a file holds."""

    kind: str  # the format's name at --format
    rows: Sequence[Row]  # of bench; a dashboard's file holds none
    as_text: Callable[[], str]
    as_csv: Callable[[], str]


def read(path: Path) -> BenchmarkJson:
    """The file, by what it looks like. Raises UsageError where it is none of them."""
    content = _content(path)
    for kind, entries in (("github-action-benchmark", _actions_entries), ("bencher", _bencher_entries)):
        if found := entries(content):
            return _dashboard(kind, found)

    from bench.report.pytest_benchmark_file import read_pytest_benchmark

    file = read_pytest_benchmark(path)
    frame = file.benchmarks
    return BenchmarkJson("pytest-benchmark", file.rows, lambda: _table(frame), lambda: frame.to_csv(index=False))


def _content(path: Path) -> Any:
    """None where it is no JSON: whoever reads it next says so."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _actions_entries(content: Any) -> list[tuple[str, ...]]:
    """Of an array of entries with a name and a value; else none."""
    if not isinstance(content, list) or not all(
        isinstance(one, dict) and {"name", "value"} <= set(one) for one in content
    ):
        return []
    return [tuple(str(one.get(key, "")) for key in ("name", "value", "unit", "range")) for one in content]


def _bencher_entries(content: Any) -> list[tuple[str, ...]]:
    """Of benchmarks that hold measures that hold a value; else none."""
    measures = [one for one in content.values() if isinstance(one, dict)] if isinstance(content, dict) else []
    values = [value for one in measures for value in one.values()]
    if not values or len(measures) < len(content) or not all(isinstance(v, dict) and "value" in v for v in values):
        return []
    return [
        (
            name,
            str(value["value"]),
            slug,
            " to ".join(str(value[key]) for key in ("lower_value", "upper_value") if key in value),
        )
        for name, of_name in content.items()
        for slug, value in of_name.items()
    ]


def _dashboard(kind: str, entries: Sequence[tuple[str, ...]]) -> BenchmarkJson:
    header = ("benchmark", "value", "measure" if kind == "bencher" else "unit", "range")
    return BenchmarkJson(kind, [], lambda: _drawn(header, entries), lambda: _written(header, entries))


def _drawn(header: Sequence[str], entries: Sequence[tuple[str, ...]]) -> str:
    from bench.commands.tables import draw_table
    from bench.report.text import visible

    return draw_table(header, [tuple(map(visible, entry)) for entry in entries], numeric=[1])


def _written(header: Sequence[str], entries: Sequence[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *entries])
    return out.getvalue()


def _table(benchmarks: DataFrame) -> str:
    from bench.commands.tables import draw_table
    from bench.units import duration

    columns = [benchmarks[name].astype(object).where(benchmarks[name].notna(), None) for name in _TIMES]
    cells = [[duration(value) for value in column] for column in columns]
    lines = list(zip(benchmarks["fullname"], *cells, map(str, benchmarks["rounds"]), strict=True))
    return draw_table(_HEADER, lines, numeric=range(1, len(_HEADER)))
