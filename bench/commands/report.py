"""``bench report``: one table of formats; each is text that is printed, or written with ``-o FILE``.

Pages and pictures are always files: ``report_files.py`` writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.console import Console
from bench.commands.report_files import FILES, write_report_files, written_to
from bench.errors import EXIT_OK, UsageError
from bench.rows import Row

if TYPE_CHECKING:
    from bench.records import Environment
    from bench.report.store import Report


@dataclass(frozen=True)
class Source:
    """What is printed: a stored report, or the rows of bench in a file of pytest-benchmark."""

    rows: Sequence[Row]
    environment: Environment | None
    report: Report | None  # of a file None
    console: Console  # for its width, and for words beside the text


def print_report(path: Path, format_name: str, *, console: Console, out: Path | None = None) -> int:
    """Print a stored report, or a JSON file of benchmarks, in one of FORMATS; with ``out`` into that file.

    As one of FILES it is written for people to look at, and the paths are printed.
    """
    if format_name in FILES:
        return write_report_files(path, format_name, out, console=console)
    if format_name not in FORMATS:
        raise UsageError(f"--format {format_name}: expected one of {', '.join((*FORMATS, *FILES))}")
    if out is not None and out.is_dir():
        raise UsageError(f"-o {out}: this is a folder; name the file")
    text = _of_file(path, format_name, console) if path.suffix == ".json" and path.is_file() else None
    if text is None:
        from bench.report.store import load_report

        report = load_report(path)
        text = FORMATS[format_name](Source(report.rows(), report.environment, report, console))
    _tell(text, out, console)
    return EXIT_OK


def _tell(text: str, out: Path | None, console: Console) -> None:
    if out is None:
        console.say(text.rstrip("\n"))
        return
    from bench.report import atomic

    with written_to(out, "name another file with -o"):
        atomic.write_bytes(out, text.encode("utf-8", "backslashreplace"))
    console.warn(f"written: {out}")


def _of_file(path: Path, format_name: str, console: Console) -> str:
    """What bench wrote as a report's rows; of a file with none of ours, what it says itself."""
    from bench.commands import report_json

    file = report_json.read(path)
    if format_name == file.kind:
        raise UsageError(f"--format {format_name}: {path.name} is such a file already")
    if file.rows:
        return FORMATS[format_name](Source(file.rows, None, None, console))
    if format_name not in ("text", "csv"):
        raise UsageError(f"--format {format_name}: {path.name} holds no case of bench; expected text or csv")
    return file.as_csv() if format_name == "csv" else file.as_text()


# --- formats ----------------------------------------------------------------------------------------------------------


def _text(source: Source) -> str:
    from bench.report import render

    console = source.console
    return render.render_text(source.rows, source.environment, width=console.width, colour=console.colour)


def _markdown(source: Source) -> str:
    from bench.report import render

    return render.render_markdown(source.rows, source.environment)


def _csv(source: Source) -> str:
    from bench.report import render

    return render.render_csv(source.rows)


def _json(source: Source) -> str:
    from bench.report import render

    return render.render_json(source.rows)


def _pytest_benchmark(source: Source) -> str:
    from bench.report.pytest_benchmark import left_out, render_pytest_benchmark, timed_seconds

    if source.report is None:
        raise UsageError("--format pytest-benchmark: this needs a report's folder, whose samples it writes")
    reasons = left_out(source.rows, timed_seconds(source.report))
    _warn_of(reasons, "not among the benchmarks, kept beside them", source.console)
    return render_pytest_benchmark(source.report)


def _github_action_benchmark(source: Source) -> str:
    from bench.report.exchange_dashboards import left_out, render_github_action_benchmark

    _warn_of(left_out(source.rows), "left out", source.console)
    return render_github_action_benchmark(source.rows)


def _bencher(source: Source) -> str:
    from bench.report.exchange_dashboards import left_out, render_bencher

    _warn_of(left_out(source.rows), "left out", source.console)
    return render_bencher(source.rows)


def _junit(source: Source) -> str:
    from bench.report.exchange_junit import render_junit

    return render_junit(source.rows, source.environment)


def _github_summary(source: Source) -> str:
    from bench.report.exchange_summary import render_summary

    return render_summary(source.rows, source.environment)


def _warn_of(reasons: Mapping[str, str], what: str, console: Console) -> None:
    from bench.report.text import visible

    for case_id, reason in reasons.items():
        console.warn(visible(f"{case_id}: {what}: {reason}"))


FORMATS: dict[str, Callable[[Source], str]] = {
    "text": _text,
    "md": _markdown,
    "csv": _csv,
    "json": _json,
    "pytest-benchmark": _pytest_benchmark,
    "github-action-benchmark": _github_action_benchmark,
    "bencher": _bencher,
    "junit": _junit,
    "github-summary": _github_summary,
}
