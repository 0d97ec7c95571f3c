from __future__ import annotations

import math
import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.statistics import (
    hodges_lehmann,
    lower_bound,
    percentile,
    rank_of_size,
    ratio_interval,
    samples_needed,
    signed_rank_counts,
    signed_rank_interval,
    tail_probability,
    two_sided_rank,
    upper_bound,
    walsh_averages,
)

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12)


def sums_by_enumeration(n: int) -> list[int]:
    counts = [0] * (n * (n + 1) // 2 + 1)
    for signs in product((0, 1), repeat=n):
        counts[sum(rank for rank, sign in enumerate(signs, start=1) if sign)] += 1
    return counts


@pytest.mark.parametrize("n", range(1, 13))
def test_signed_rank_counts_are_those_of_enumerating_every_choice_of_signs(n: int) -> None:
    assert list(signed_rank_counts(n)) == sums_by_enumeration(n)


@pytest.mark.parametrize("n", range(1, 9))
def test_the_level_of_a_walsh_bound_is_the_share_of_sign_flips_that_leave_it_on_the_wrong_side(n: int) -> None:
    magnitudes = [1 + 2.0**-i + i for i in range(n)]  # no ties, also among their averages
    flips = [[m * s for m, s in zip(magnitudes, signs, strict=True)] for signs in product((-1, 1), repeat=n)]
    for k in range(1, n * (n + 1) // 2 + 1):
        wrong = sum(lower_bound(values, k) > 0 for values in flips)
        assert wrong / len(flips) == tail_probability(n, k)
        assert sum(upper_bound(values, k) < 0 for values in flips) == wrong


@pytest.mark.parametrize(
    ("n", "k", "size"),
    [
        (5, 1, 1 / 32),
        (8, 1, 1 / 256),
        (8, 2, 2 / 256),
        (12, 6, 10 / 4096),
        (12, 8, 19 / 4096),
        (16, 17, 0.0026),
        (16, 21, 0.0055),
    ],
)
def test_one_sided_sizes_are_those_of_the_gates_table(n: int, k: int, size: float) -> None:
    assert tail_probability(n, k) == pytest.approx(size, abs=5e-5)


def test_a_rank_is_the_greatest_whose_error_is_allowed_and_0_where_none_is() -> None:
    assert rank_of_size(8, 0.004) == 1
    assert rank_of_size(12, 0.0025) == 6
    assert rank_of_size(5, 0.01) == 0
    assert rank_of_size(5, 1 / 32) == 1


@pytest.mark.parametrize(
    ("n", "k", "level"), [(2, 1, 0.5), (3, 1, 0.75), (4, 1, 0.875), (5, 1, 0.9375), (6, 2, 0.9375), (8, 5, 0.9453125)]
)
def test_the_level_of_an_interval_is_exact_and_nearest_to_95_percent_from_below(n: int, k: int, level: float) -> None:
    interval = signed_rank_interval([float(i) for i in range(n)])
    assert two_sided_rank(n) == k
    assert (interval.level, interval.n) == (level, n)


def test_one_value_has_an_estimate_and_no_bounds() -> None:
    interval = signed_rank_interval([3.0])
    assert (interval.estimate, interval.low, interval.high, interval.level) == (3.0, None, None, None)


def test_five_values_are_bounded_by_their_extremes_and_estimated_by_the_median_walsh_average() -> None:
    interval = signed_rank_interval([1.0, 2.0, 4.0, 8.0, 100.0])
    assert walsh_averages([1.0, 2.0, 4.0]) == [1.0, 1.5, 2.0, 2.5, 3.0, 4.0]
    assert (interval.low, interval.estimate, interval.high) == (1.0, 5.0, 100.0)


def test_an_outlier_moves_the_estimate_less_than_it_moves_a_mean() -> None:
    assert hodges_lehmann([1.0, 1.1, 0.9, 1.0, 50.0]) == pytest.approx(1.05)


def test_eight_values_leave_four_averages_beyond_each_bound() -> None:
    values = [float(2**i) for i in range(8)]
    interval = signed_rank_interval(values)
    assert interval.low == walsh_averages(values)[4]
    assert interval.high == walsh_averages(values)[-5]


def test_a_ratio_comes_back_from_its_logarithms() -> None:
    interval = ratio_interval([math.log(r) for r in (0.4, 0.5, 0.5, 0.5, 0.625)])
    assert interval.estimate == pytest.approx(0.5)
    assert interval.low == pytest.approx(0.4)
    assert interval.high == pytest.approx(0.625)
    assert interval.level == 0.9375


def test_no_values_have_no_estimate_and_a_rank_beyond_the_averages_no_bound() -> None:
    with pytest.raises(ValueError, match="no values"):
        hodges_lehmann([])
    with pytest.raises(ValueError, match="rank 4 of 3"):
        lower_bound([1.0, 2.0], 4)
    with pytest.raises(ValueError, match="rank 0"):
        upper_bound([1.0, 2.0], 0)


@pytest.mark.parametrize(
    ("n", "p50", "p90", "p95", "p99"),
    [
        (0, None, None, None, None),
        (1, 1, None, None, None),
        (2, 1, None, None, None),
        (10, 5, None, None, None),
        (49, 25, None, None, None),
        (50, 25, 45, None, None),
        (100, 50, 90, 95, None),
        (499, 250, 450, 475, None),
        (500, 250, 450, 475, 495),
    ],
)
def test_percentiles_are_observed_values_by_nearest_rank_and_none_where_samples_are_too_few(
    n: int, p50: int | None, p90: int | None, p95: int | None, p99: int | None
) -> None:
    samples = list(range(n, 0, -1))
    assert [percentile(samples, p) for p in (0.5, 0.9, 0.95, 0.99)] == [p50, p90, p95, p99]


def test_a_percentile_needs_five_samples_beyond_it() -> None:
    assert [samples_needed(p) for p in (0.5, 0.9, 0.95, 0.99, 0.999, 0.1)] == [1, 50, 100, 500, 5000, 50]
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile([1.0], 99)


@given(NUMBERS)
def test_an_estimate_and_its_bounds_lie_within_the_values_in_order(values: list[float]) -> None:
    interval = signed_rank_interval(values)
    assert min(values) <= interval.estimate <= max(values)
    if interval.low is not None and interval.high is not None:
        assert min(values) <= interval.low <= interval.estimate <= interval.high <= max(values)


@given(NUMBERS, st.randoms())
def test_an_interval_ignores_the_order_of_its_values(values: list[float], order: random.Random) -> None:
    shuffled = values[:]
    order.shuffle(shuffled)
    assert signed_rank_interval(shuffled) == signed_rank_interval(values)


@given(NUMBERS)
def test_an_interval_of_the_negated_values_is_the_mirror_image(values: list[float]) -> None:
    interval, mirrored = signed_rank_interval(values), signed_rank_interval([-v for v in values])
    assert mirrored.estimate == -interval.estimate
    assert mirrored.low == (None if interval.high is None else -interval.high)


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=600), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_percentile_is_a_sample_that_the_right_share_does_not_exceed(samples: list[int], p: float) -> None:
    value = percentile(samples, p)
    if len(samples) < samples_needed(p):
        assert value is None
        return
    assert value in samples
    assert sum(s <= value for s in samples) >= p * len(samples) - 1e-6
    assert sum(s < value for s in samples) < p * len(samples)
