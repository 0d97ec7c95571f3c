"""Which rows of a group are a sensible choice: no other is better in latency, peak memory and error at once. Pure.

A row is off the front where another is worse in none of the three and better in one. Differences that mean nothing
count as none, or noise would keep every row on it:

- latency is better only where the two are told apart, as in ``ranking.py``: intervals of rounds that they shared;
- memory, which has no interval, by more than ``SAME_MEMORY``: repeats of one case were seen to differ by 2.2 % within
  a run and by 2.6 % between two;
- errors within the tolerance of the group's float32 rows are equal: their outputs are the same thing by our own rule.
  Above it, where reduced precision pays with error, any difference counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis.ranking import bounds_of, is_told_faster
from bench.rows import Row

SAME_MEMORY = 1.03


def pareto_rows(able: Sequence[Row]) -> dict[str, bool]:
    """By case_id, of rows that can win and were measured together: whether the row is on the front.

    A row that lacks a number which others have is not in it: nothing is known of its place. A number that none has
    does not count. A row alone is in no contest.
    """
    with_memory = any(row.rss_peak_bytes is not None for row in able)
    with_error = any(row.relative_error is not None for row in able)
    known = [
        row
        for row in able
        if row.latency_ns_best is not None
        and (row.rss_peak_bytes is not None or not with_memory)
        and (row.relative_error is not None or not with_error)
    ]
    if len(known) < 2:
        return {}
    equal = max((row.tolerance or 0.0 for row in known if row.precision == "float32"), default=0.0)
    front = {row.case_id for row in known if not any(_dominates(other, row, equal) for other in known)}
    # orders with room for noise can go round in a circle: then nothing is ruled out
    return {row.case_id: row.case_id in front or not front for row in known}


def _dominates(row: Row, other: Row, equal: float) -> bool:
    """Whether ``row`` is worse than ``other`` in nothing and better in something."""
    if any(_better(other, row, equal)):
        return False
    return any(_better(row, other, equal))


def _better(row: Row, other: Row, equal: float) -> tuple[bool, bool, bool]:
    memory = row.rss_peak_bytes or 0, other.rss_peak_bytes or 0
    error, theirs = (max(one.relative_error or 0.0, equal) for one in (row, other))
    return _is_faster(row, other), memory[0] * SAME_MEMORY < memory[1], error < theirs


def _is_faster(row: Row, other: Row) -> bool:
    """By intervals; by the numbers themselves where one has none, as in a run of a single repetition."""
    if bounds_of(row) is None or bounds_of(other) is None:
        return (row.latency_ns_best or 0.0) < (other.latency_ns_best or 0.0)
    return is_told_faster(row, other)
