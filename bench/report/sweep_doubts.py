"""What the rows of a sweep are doubted for, said once for all of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bench.analysis.sweep_points import Swept
from bench.report.notes import is_said_by_remarks, split_cautions

_TOLD_ELSEWHERE = ("few samples", "few repetitions")  # of percentiles, which a sweep does not show; of its brackets


class Doubt(NamedTuple):
    """A kind of caution."""

    code: str
    rows: int  # that have it
    example: str


def doubts_of(swept: Swept) -> list[Doubt]:
    """Each kind of caution once, with one row's words."""
    found: dict[str, list[str]] = {}
    for point in swept.points:
        for caution in dict.fromkeys(split_cautions(point.row.cautions)):
            code = caution.partition(": ")[0]
            if code not in _TOLD_ELSEWHERE and not is_said_by_remarks(caution):
                text = caution.partition(": ")[2].replace("bench run --resume", "bench sweep --resume")
                found.setdefault(code, []).append(f"{point.series}, {point.name}: {text}")
    return [Doubt(code, len(said), said[0]) for code, said in found.items()]


def rows_doubted(swept: Swept) -> Iterator[str]:
    """A sentence for each kind of caution: how many rows have it, and one of them in words."""
    for one in doubts_of(swept):
        of = f"{one.rows} of {len(swept.points)} cases"
        yield f"Doubts, {one.code}: {of}, such as {one.example}. All are in report.md."
