"""What a folder or a file is that was given for a report's folder and is none, and how to go on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from bench.report.journal import has_journal

_SWEEP, _PROFILE, _GATE = "sweep.json", "profile.json", "gate.json"
_PICTURES = {".png", ".svg"}


def not_a_report(path: Path) -> str:
    """What it is, as far as its files tell, and which command shows it or where its page is."""
    if path.is_file():
        return _of_file(path)
    if not path.exists():
        return "no such folder. `bench run` says where it put its report; --out chooses"
    if has_journal(path):
        return f"its run ended before anything was saved. Go on with `{way_on(path)}`"
    if (path / _PROFILE).is_file():
        return f"this is a profile, not a report. {_pages(path, 'profile')}`bench profile --diff A B` compares two"
    if (path / _GATE).is_file():
        return f"this is what `bench gate` has left, not a report. Its verdicts and pairs are in {path / _GATE}"
    if (path / _SWEEP).is_file():
        return "this is a sweep whose report is gone. Take its whole folder from where it was copied, or measure again"
    if reports := _reports_in(path):
        return _of_several(path, reports)
    return f"no environment.json in it, so it is not a report. {_pictured(path)}Name a folder made by `bench run`"


def way_on(folder: Path) -> str:
    """The command that goes on with the interrupted run of a folder."""
    return f"bench {'sweep' if (folder / _SWEEP).is_file() else 'run'} --resume {shlex.quote(str(folder))}"


def _of_file(path: Path) -> str:
    if path.suffix == ".html":
        return "a page, not a report. Open it in a browser; a report is a folder"
    return "a file, but a report is a folder. Name the folder that it is in"


def _pages(folder: Path, name: str) -> str:
    """A profile that was killed has none."""
    found = [str(folder / file) for file in (f"{name}.html", f"{name}.md") if (folder / file).is_file()]
    return f"Open {' or '.join(found)}; " if found else ""


def _reports_in(folder: Path) -> list[Path]:
    return sorted(one.parent for one in folder.glob("*/environment.json"))


def _of_several(folder: Path, reports: Sequence[Path]) -> str:
    if len(reports) == 1:
        return f"no report, but one is in it: name {reports[0]}"
    return (
        f"no report, but {len(reports)} are in it: name one, as {reports[-1]}, or see them together with "
        f"`bench history {folder}`"
    )


def _pictured(folder: Path) -> str:
    """Pictures, as those of a history, say nothing of what they were made of."""
    is_of_pictures = any(one.suffix in _PICTURES for one in folder.glob("*"))
    return "It holds pictures, to be opened as they are. " if is_of_pictures else ""
