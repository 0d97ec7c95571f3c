"""``bench profile --diff``: which operators explain the change between two profiles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.analysis.profile_diff import ProfileDiff, diff_profiles
from bench.analysis.profiled import Profile
from bench.analysis.roofline import roof_of
from bench.check.profile_sides import Sides, sides_of
from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.errors import EXIT_CANNOT_TELL, EXIT_OK, UsageError, strongest_exit
from bench.report.profile_diff_text import (
    DIFF_HEADER,
    DIFF_NUMBERS,
    diff_cells,
    diff_legend,
    diff_sentence,
    diff_sentences,
)
from bench.report.profile_doubts import doubt_sentences
from bench.report.text import visible

_MOST_LINES = 20
_Found = tuple[Sides, ProfileDiff | None]  # None where the two can't be compared


def diff_folders(folders: Sequence[str], *, as_json: bool, console: Console) -> int:
    """Print what explains the change from the first folder to the second; 0 where it is told, else 5."""
    if len(folders) != 2:
        raise UsageError(f"--diff: expected two folders that bench profile has left, got {len(folders)}")
    from bench.report.profile_store import load_profile

    a, b = (load_profile(Path(folder)) for folder in folders)
    found = _diffs(a, b)
    console.say(_json(found) if as_json else _text(found))
    return _exit(found)


def diff_exit(a: Profile, b: Profile | None = None) -> int:
    """The strongest of all pairs."""
    return _exit(_diffs(a, b))


def diff_text(a: Profile, b: Profile | None = None) -> str:
    """For each pair its sentence, both sides, and the lines that explain most."""
    return _text(_diffs(a, b))


def diff_json(a: Profile, b: Profile | None = None) -> str:
    """The same with every line."""
    return _json(_diffs(a, b))


def _diffs(a: Profile, b: Profile | None) -> list[_Found]:
    return [(sides, _diff(sides, a, b)) for sides in sides_of(a, b)]


def _exit(found: Sequence[_Found]) -> int:
    return strongest_exit([EXIT_OK if diff is not None and diff.is_told else EXIT_CANNOT_TELL for _, diff in found])


def _text(found: Sequence[_Found]) -> str:
    return "\n\n".join(_one_text(sides, diff) for sides, diff in found)


def _json(found: Sequence[_Found]) -> str:
    pairs = [_one_json(sides, diff) for sides, diff in found]
    return json.dumps({"exit_code": _exit(found), "pairs": pairs}, indent=2, ensure_ascii=False)


def _diff(sides: Sides, a: Profile, b: Profile | None) -> ProfileDiff | None:
    """None where the two can't be compared."""
    if sides.forbidden:
        return None
    roofs = (None, None) if b is None else (roof_of(a.roofs), roof_of(b.roofs))
    barred = "; ".join(sides.barred)
    cpus = min(one.environment.machine.effective_cpus for one in (a, b or a))
    return diff_profiles(sides.a, sides.b, is_paired=sides.is_paired, roofs=roofs, cpus=cpus, barred=barred)


def _one_text(sides: Sides, diff: ProfileDiff | None) -> str:
    if diff is None:
        lines = [f"not comparable: {'; '.join(sides.forbidden)}"]
        return "\n".join(visible(line) for line in [*lines, *_differing(sides)])
    lines = [diff_sentence(diff), "", *diff_sentences(diff), *_differing(sides), *_doubts(sides)]
    table = draw_table(
        DIFF_HEADER, [[visible(cell) for cell in row] for row in diff_cells(diff, _MOST_LINES)], DIFF_NUMBERS
    )
    return "\n".join([*(visible(line) for line in lines), "", table, *diff_legend(diff)])


def _differing(sides: Sides) -> list[str]:
    return [f"Besides, these differ: {'; '.join(sides.told)}."] if sides.told else []


def _doubts(sides: Sides) -> list[str]:
    return [*doubt_sentences(sides.a.row, "A"), *doubt_sentences(sides.b.row, "B")]


def _one_json(sides: Sides, diff: ProfileDiff | None) -> dict[str, Any]:
    told = f"not comparable: {'; '.join(sides.forbidden)}" if diff is None else diff_sentence(diff)
    return {
        "a": sides.a.row.case_id,
        "b": sides.b.row.case_id,
        "verdict": told,
        "not_comparable": list(sides.forbidden),
        "differ": list(sides.told),
        "doubts": _doubts(sides),
        "diff": None if diff is None else json.loads(msgspec.json.encode(diff)),
    }
