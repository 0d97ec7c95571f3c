"""``bench report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.console import Console
from bench.errors import EXIT_OK, UsageError
from bench.rows import Row

if TYPE_CHECKING:
    from pandas import DataFrame

    from bench.records import Environment
    from bench.report.store import Report

FORMATS = ("text", "md", "csv", "json", "pytest-benchmark")
_HEADER = ("benchmark", "min", "median", "mean", "stddev", "rounds")


def print_report(path: Path, format_name: str, *, console: Console) -> int:
    """Print a stored report, or a JSON file of pytest-benchmark, in one of FORMATS."""
    if format_name not in FORMATS:
        raise UsageError(f"--format {format_name}: expected one of {', '.join(FORMATS)}")
    if path.is_file() and path.suffix == ".json":
        return _print_file(path, format_name, console)

    from bench.report.store import load_report

    report = load_report(path)
    if format_name == "pytest-benchmark":
        console.say(_exchanged(report, console))
    else:
        console.say(_rendered(report.rows(), report.environment, format_name, console))
    return EXIT_OK


def _exchanged(report: Report, console: Console) -> str:
    from bench.report.pytest_benchmark import left_out, render_pytest_benchmark, timed_seconds
    from bench.report.text import visible

    for case_id, reason in left_out(report.rows(), timed_seconds(report)).items():
        console.warn(visible(f"{case_id}: not among the benchmarks, kept beside them: {reason}"))
    return render_pytest_benchmark(report).rstrip("\n")


def _print_file(path: Path, format_name: str, console: Console) -> int:
    """What bench wrote as a report's rows; of a file with none of ours, what pytest-benchmark says."""
    from bench.report.pytest_benchmark_file import read_pytest_benchmark

    if format_name == "pytest-benchmark":
        raise UsageError(f"--format {format_name}: {path.name} is such a file already")
    file = read_pytest_benchmark(path)
    if file.rows:
        console.say(_rendered(file.rows, None, format_name, console))
        return EXIT_OK
    if format_name not in ("text", "csv"):
        raise UsageError(f"--format {format_name}: {path.name} holds no case of bench; expected text or csv")
    if format_name == "csv":
        console.say(file.benchmarks.to_csv(index=False).rstrip("\n"))
        return EXIT_OK

    console.say(_table(file.benchmarks))
    return EXIT_OK


def _table(benchmarks: DataFrame) -> str:
    from bench.commands.tables import draw_table
    from bench.units import duration

    times = ("latency_ns_min", "latency_ns_p50", "latency_ns_mean", "latency_ns_stddev")
    columns = [benchmarks[name].astype(object).where(benchmarks[name].notna(), None) for name in times]
    cells = [[duration(value) for value in column] for column in columns]
    lines = list(zip(benchmarks["fullname"], *cells, map(str, benchmarks["rounds"]), strict=True))
    return draw_table(_HEADER, lines, numeric=range(1, len(_HEADER)))


def _rendered(rows: Sequence[Row], environment: Environment | None, format_name: str, console: Console) -> str:
    from bench.report import render

    if format_name == "md":
        text = render.render_markdown(rows, environment)
    elif format_name == "csv":
        text = render.render_csv(rows)
    elif format_name == "json":
        text = render.render_json(rows)
    else:
        text = render.render_text(rows, environment, width=console.width, colour=console.colour)
    return text.rstrip("\n")
