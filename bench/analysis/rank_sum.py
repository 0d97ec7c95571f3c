"""How far one set of repetitions lies above another that was measured apart from it: exact, without pairs. Pure.

The shift of Hodges and Lehmann: bounds are order statistics of all differences, their level from the exact distribution
of the rank sum (Mann and Whitney). Assumption: both sets are independent draws of one shape, moved by the shift.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from statistics import median

from bench.analysis.statistics import LEVEL, Interval


@cache
def rank_sum_counts(m: int, n: int) -> tuple[int, ...]:
    """How many of the orders of m and n values have each number of differences that are positive, from 0 to m n."""
    if m == 0 or n == 0:
        return (1,)
    last_of_first, last_of_second = rank_sum_counts(m - 1, n), rank_sum_counts(m, n - 1)
    counts = [0] * (m * n + 1)
    for place, count in enumerate(last_of_second):
        counts[place] += count
    for place, count in enumerate(last_of_first):  # the greatest of all is above all n of the others
        counts[place + n] += count
    return tuple(counts)


def shift_interval(first: Sequence[float], second: Sequence[float], level: float = LEVEL) -> Interval:
    """How much ``second`` is above ``first``; the exact level is the nearest to ``level`` from below that can be had.

    5 and 5 repetitions give 94.4 %, 3 and 3 the range of all differences, 90 %; a single one on either side no bounds.
    """
    differences = sorted(b - a for a in first for b in second)
    m, n = len(first), len(second)
    if min(m, n) < 2:
        return Interval(estimate=median(differences), low=None, high=None, level=None, n=min(m, n))
    k = next(k for k in range(1, m * n + 1) if 1 - 2 * _tail(m, n, k) <= level)
    return Interval(
        estimate=median(differences),
        low=differences[k - 1],
        high=differences[-k],
        level=1 - 2 * _tail(m, n, k),
        n=min(m, n),
    )


def _tail(m: int, n: int, k: int) -> float:
    """Chance that the shift lies below the k-th smallest difference."""
    return sum(rank_sum_counts(m, n)[:k]) / math.comb(m + n, m)
