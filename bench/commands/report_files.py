"""``bench report --format html|png|svg``: files for people to look at, one page or a picture each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.console import Console
from bench.errors import EXIT_OK, BenchError, UsageError

if TYPE_CHECKING:
    from bench.report.picture import PictureFormat
    from bench.report.store import Report

FILES = ("html", "png", "svg")
_FOLDER = "pictures"
_MEASURED = ("environment.json", "outputs.json", "sweep.json", "profile.json", "gate.json")  # and every .parquet


def write_report_files(folder: Path, format_name: str, out: Path | None, *, console: Console) -> int:
    """Write the page, or every picture, of the report in ``folder``; prints the paths.

    Without ``out`` they go into the report's folder: ``report.html``, ``pictures/NAME.png``.
    """
    if folder.is_file():
        raise UsageError(f"--format {format_name}: {folder.name} is a file; this needs a report's folder")
    from bench.report.store import load_report

    report = load_report(folder)
    if format_name == "html":
        paths = [_write_page(report, out)]
    else:
        paths = _write_pictures(report, "png" if format_name == "png" else "svg", out)
    if paths:
        console.say("\n".join(map(str, paths)))
    else:
        console.warn(f"{folder}: no case of it ran, there is nothing to draw")
    return EXIT_OK


@contextlib.contextmanager
def written_to(path: Path, way_on: str) -> Iterator[None]:
    """What goes wrong in writing ``path`` as one line: where, what the system said, and ``way_on``.

    What was measured is never written over.
    """
    if path.is_file() and (path.suffix == ".parquet" or path.name in _MEASURED):
        raise UsageError(f"-o {path}: that file holds what was measured; {way_on}")
    try:
        yield
    except (OSError, BenchError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(cause, OSError):
            raise
        raise UsageError(f"writing {path}: {cause.strerror or cause}; {way_on}") from error


def _write_page(report: Report, out: Path | None) -> Path:
    from bench.report import page_file

    path = out or report.path / page_file.NAME
    if path.is_dir():
        raise UsageError(f"-o {path}: this is a folder; name the file")
    with written_to(path, "name another file with -o"):
        page_file.write_page(report, path)
    return path


def _write_pictures(report: Report, kind: PictureFormat, out: Path | None) -> list[Path]:
    from bench.report.picture import write_pictures
    from bench.report.pictures.every import pictures_of
    from bench.report.pictures.scene import Scene

    folder = out or report.path / _FOLDER
    pictures = pictures_of(Scene(report))
    with written_to(folder, "name another folder with -o"):
        return write_pictures(pictures, folder, kind) if pictures else []
