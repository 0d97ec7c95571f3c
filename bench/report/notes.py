"""What must be said of rows besides their cells: numbered notes that rows share. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.report import row_cells, verdict
from bench.report.legend import interval_text, own_interval
from bench.rows import Row

_SAID_BY_REMARKS = ("unverified: ", "disagrees: ", "vacuous: ")  # cautions that only say that a row cannot win
_MOST = re.compile(r"up to (\d+)%")


def split_cautions(cautions: str) -> list[str]:
    """The cautions of a row: ``code: sentence`` each, also where a sentence has a semicolon of its own."""
    found: list[str] = []
    for part in cautions.split("; "):
        if found and not re.match(r"[a-z][a-z0-9 _-]{0,40}: ", part):
            found[-1] += f"; {part}"
        elif part:
            found.append(part)
    return found


def is_said_by_remarks(caution: str) -> bool:
    """Whether a caution only says that its row cannot win, which a remark tells with the reason."""
    return caution.startswith(_SAID_BY_REMARKS)


def notes_of(row: Row, usual: tuple[float, int] | None, *, split: bool) -> list[str]:
    """Everything that is to be noted of a row; ``usual`` is the interval that the legend tells of."""
    said = [caution for caution in split_cautions(row.cautions) if not is_said_by_remarks(caution)]
    said += row_cells.own_notes(row)
    own = own_interval(row)
    if own and own != usual:
        said.append(f"in brackets the {interval_text(own)}")
    if split and row.reference_runtime and not verdict.is_reference(row):
        said.append(f"speed is against {row.reference_runtime} of its own part")
    return said


def numbered(said: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
    """For each row the numbers of its notes, and the notes.

    Equal ones share a number, as do those that differ in an ``up to 12%`` alone: the greatest stands for all.
    """
    notes: dict[str, str] = {}
    for note in (note for of_row in said for note in of_row):
        known = notes.get(_alike(note))
        notes[_alike(note)] = note if known is None or _most(note) > _most(known) else known
    numbers = {key: number for number, key in enumerate(notes, start=1)}
    return [_listed({numbers[_alike(note)] for note in of_row}) for of_row in said], list(notes.values())


def _alike(note: str) -> str:
    return _MOST.sub("up to", note)


def _most(note: str) -> int:
    return max((int(found) for found in _MOST.findall(note)), default=0)


def _listed(numbers: set[int]) -> str:
    return ",".join(map(str, sorted(numbers)))
