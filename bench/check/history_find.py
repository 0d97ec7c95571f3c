"""Folders as they are named -> the folders of reports in them. Looks at names of files alone.

The search is bounded in depth and number, follows no links below what was named, and never goes into a report.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.check.bundle import BUNDLE_FILE
from bench.check.gate_store import GATE_FILE
from bench.check.history_records import LeftOut
from bench.errors import UsageError
from bench.report.store import has_journal

DEEPEST = 6  # folders below the one that was named
MOST_FOLDERS = 50_000  # that are looked at below one
_REPORT_FILES = ("environment.json", "results.parquet")


class Found(NamedTuple):
    """What the named places hold."""

    reports: list[Path]  # each once, in the order in which they were found
    left_out: list[LeftOut]  # gates and bundles, and where the search ended at a bound


def find_reports(places: Sequence[str]) -> Found:
    """Every report in ``places``: each is a report, a folder with reports somewhere below it, or a pattern of either.

    UsageError where one is not there, or holds no report, gate or bundle at all.
    """
    found = Found([], [])
    for place in places:
        before = len(found.reports) + len(found.left_out)
        for folder in _named(place):
            _search(folder, found)
        if len(found.reports) + len(found.left_out) == before:
            raise UsageError(
                f"history of {place}: no report in it, to {DEEPEST} folders below; name folders of `bench run`, or "
                "one that holds them"
            )
    return Found(_each_once(found.reports), found.left_out)


def _named(place: str) -> list[Path]:
    """The folders of that name, else those of that pattern."""
    if os.path.lexists(place):
        if not Path(place).is_dir():
            raise UsageError(f"history of {place}: not a folder, but a report is one; name the folder that it is in")
        return [Path(place)]
    matches = [Path(one) for one in sorted(glob.glob(place, recursive=True))]
    folders = [one for one in matches if one.is_dir()]
    if not folders:
        raise UsageError(
            f"history of {place}: no such folder; name folders made by `bench run`, or one that holds them"
        )
    return folders


def _search(top: Path, found: Found) -> None:
    """Depth by depth, so that what is near is found before a bound is reached."""
    level, looked_at = [top], 0
    for depth in range(DEEPEST + 1):
        below: list[Path] = []
        for folder in level:
            looked_at += 1
            if not _take(folder, found) and depth < DEEPEST:
                below += _folders_in(folder)
            if looked_at + len(below) > MOST_FOLDERS:
                found.left_out.append(
                    LeftOut(str(top), f"the search ended after {looked_at} folders; name one nearer to the reports")
                )
                return
        level = below


def _take(folder: Path, found: Found) -> bool:
    """Whether the folder is one of ours, which is put where it belongs."""
    if any((folder / name).is_file() for name in _REPORT_FILES) or has_journal(folder):
        found.reports.append(folder)
    elif (folder / GATE_FILE).is_file():
        found.left_out.append(LeftOut(str(folder), "the folder of a gate, which has a verdict of its own (`bench ci`)"))
    elif (folder / BUNDLE_FILE).is_file():
        found.left_out.append(LeftOut(str(folder), "a bundle, which has no numbers"))
    else:
        return False
    return True


def _folders_in(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)]
    except OSError:  # it may not be looked into: nothing of the user's choice
        return
    yield from (folder / name for name in sorted(names))


def _each_once(folders: Sequence[Path]) -> list[Path]:
    return list({os.path.realpath(folder): folder for folder in reversed(folders)}.values())[::-1]
