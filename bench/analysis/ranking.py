"""Rows of one group -> which are told to be faster than which, and the ranks that follow. Pure.

A row is told to be faster than another where its interval of the ratio to their reference lies wholly below the
other's; the reference's own is the point 1. A rank is 1 plus the number of rows that are told to be faster. That is an
interval order, so a row that is alone in rank 1 lies below every other: the one that the verdict calls the fastest.
Each comparison has the level of the intervals; nothing is corrected for how many there are. Simulated, like rows over
five repetitions: a rank above 1 is by chance in 6 % of tables of two, 17 % of four and 25 % of six; a lone rank 1 in
6 % of two and 0.1 % of four or more.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis.doubts import INTERVAL_LEVEL
from bench.rows import Row

Bounds = tuple[float, float]


def bounds_of(row: Row) -> Bounds | None:
    """The interval of the ratio to the reference; None where nothing bounds it."""
    if row.ratio_to_reference == 1 and row.reference_runtime == (row.runtime_spec or row.runtime):
        return 1.0, 1.0
    return None if row.ratio_low is None or row.ratio_high is None else (row.ratio_low, row.ratio_high)


def is_told_faster(row: Row, other: Row) -> bool:
    """Whether the row's interval lies wholly below the other's."""
    ours, theirs = bounds_of(row), bounds_of(other)
    return ours is not None and theirs is not None and ours[1] < theirs[0]


def ranks(able: Sequence[Row]) -> dict[str, int]:
    """By case_id, of rows that can win, which shared one reference: 1 is the best. A row without bounds has none.

    Empty where that says nothing: fewer than two rows, or references of several parts.
    """
    ranked = [row for row in able if bounds_of(row) is not None]
    if len(ranked) < 2 or len({row.reference_runtime for row in ranked}) > 1:
        return {}
    return {row.case_id: 1 + sum(is_told_faster(other, row) for other in ranked) for row in ranked}


def is_only_a_range(rows: Sequence[Row]) -> bool:
    """Whether a row among these has no interval, or one of a level that decides nothing."""
    others = [row for row in rows if bounds_of(row) != (1.0, 1.0)]
    return any(
        bounds_of(row) is None or row.interval_level is None or row.interval_level < INTERVAL_LEVEL for row in others
    )
