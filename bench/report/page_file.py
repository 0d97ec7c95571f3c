"""``report.html`` in a report's folder. Drawing never costs a report: what goes wrong is said, no more."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError, first_line
from bench.report import atomic

if TYPE_CHECKING:
    from bench.report.store import Report

NAME = "report.html"


def write_page(report: Report, path: Path) -> None:
    """The page of a stored report, whose texts are scrubbed. Raises BenchError where it can't be written."""
    from bench.report.pages.html import render_page  # these load altair and Vega: a second or two
    from bench.report.report_page import report_page

    atomic.write_bytes(path, render_page(report_page(report)).encode("utf-8", "backslashreplace"))


def leave_page(folder: Path, warn: Callable[[str], None]) -> None:
    """Put the page beside ``report.md`` at the end of a run; where that fails, one line to ``warn``.

    Nothing where no report is: the run ended before anything was saved.
    """
    from bench.report.store import load_report

    if not (folder / "environment.json").is_file():
        return
    try:
        write_page(load_report(folder), folder / NAME)
    except BenchError as error:
        warn(f"{NAME} was not written, the report itself is whole: {error}")
    except Exception as error:  # a bug of ours in a picture: the numbers are safe, and it must not hide
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {first_line(error)} ({Path(where.filename).name}:{where.lineno})"
        warn(f"{NAME} was not written, the report itself is whole; please report this: {reason}")
