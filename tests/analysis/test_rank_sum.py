from __future__ import annotations

from itertools import combinations
from math import comb

import pytest

from bench.analysis.rank_sum import rank_sum_counts, shift_interval


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (5, 5), (4, 2)])
def test_counts_are_those_of_every_order_written_out(m: int, n: int) -> None:
    counts = [0] * (m * n + 1)
    for places in combinations(range(m + n), m):
        counts[sum(place - rank for rank, place in enumerate(places))] += 1
    assert rank_sum_counts(m, n) == tuple(counts)
    assert sum(counts) == comb(m + n, m)


def test_bounds_of_five_and_five_and_of_three_and_three() -> None:
    five = shift_interval([1, 2, 3, 4, 5], [11, 12, 13, 14, 15])
    assert five.estimate == 10
    assert five.level == pytest.approx(1 - 2 * 7 / 252)
    assert (five.low, five.high) == (8, 12)  # of 25 differences the fourth from either end
    three = shift_interval([1, 2, 3], [1, 2, 3])
    assert (three.low, three.estimate, three.high) == (-2, 0, 2)
    assert three.level == pytest.approx(0.9)


def test_a_single_value_on_a_side_has_no_bounds() -> None:
    found = shift_interval([1], [3, 4])
    assert (found.estimate, found.low, found.high, found.level) == (2.5, None, None, None)
