"""Percentiles and exact signed-rank statistics: pure functions of numbers, no clock, no files, no scipy.

The unit of evidence is a repetition. Bounds over repetitions are order statistics of the Walsh averages (all means of
two values, each with itself included), whose levels are exact by counting the signs: nothing is simulated or
approximated. Assumption: repetitions are independent and each is spread symmetrically about the value sought.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import combinations_with_replacement
from statistics import median

from bench.records import Record

SAMPLES_BEYOND = 5.0  # how many samples must lie beyond a percentile for it to be told
LEVEL = 0.95
_ROUNDING = 1e-9  # of p * n, which is no whole number in floating point


class Interval(Record, frozen=True):
    """An estimate with two exact bounds; bounds and level are None over a single value."""

    estimate: float
    low: float | None
    high: float | None
    level: float | None  # probability that the bounds hold the value sought
    n: int  # values it rests on


def percentile(samples: Sequence[float], p: float) -> float | None:
    """The nearest-rank percentile, always an observed value: the least that a share ``p`` of the samples stays within.

    None unless 5 samples lie beyond it: above the median ``n * (1 - p) >= 5`` (p90 from 50, p95 from 100, p99 from
    500), below it ``n * p >= 5``. The median needs one sample; of an even number it is the lower of the middle two.
    """
    if not 0 < p < 1:
        raise ValueError(f"a percentile lies between 0 and 1, got {p}")
    if len(samples) < samples_needed(p):
        return None
    return sorted(samples)[math.ceil(p * len(samples) - _ROUNDING) - 1]


def samples_needed(p: float) -> int:
    """How many samples a percentile needs: 500 for p99."""
    return 1 if p == 0.5 else math.ceil(SAMPLES_BEYOND / min(p, 1 - p) - _ROUNDING)


@cache
def signed_rank_counts(n: int) -> tuple[int, ...]:
    """How many of the ``2 ** n`` choices of signs give each sum of positive ranks, from 0 to ``n * (n + 1) / 2``."""
    counts = [1]
    for rank in range(1, n + 1):
        without, with_ = counts + [0] * rank, [0] * rank + counts
        counts = [a + b for a, b in zip(without, with_, strict=True)]
    return tuple(counts)


def tail_probability(n: int, k: int) -> float:
    """Chance that the k-th smallest Walsh average of n values lies above their centre of symmetry (0 for k = 0).

    That is the chance that fewer than k averages lie below it: the sum of ranks is at most ``k - 1``.
    """
    return sum(signed_rank_counts(n)[:k]) / float(2**n)


def rank_of_size(n: int, size: float) -> int:
    """The greatest k whose one-sided chance of error is at most ``size``; 0 where even the first is likelier wrong."""
    k = 0
    while k < n * (n + 1) // 2 and tail_probability(n, k + 1) <= size:
        k += 1
    return k


def walsh_averages(values: Sequence[float]) -> list[float]:
    """All ``n * (n + 1) / 2`` means of two of the values, each with itself included, in ascending order."""
    return sorted((a + b) / 2 for a, b in combinations_with_replacement(values, 2))


def hodges_lehmann(values: Sequence[float]) -> float:
    """The median of the Walsh averages: as robust as a median, nearly as precise as a mean."""
    if not values:
        raise ValueError("no values to estimate from")
    return median(walsh_averages(values))


def lower_bound(values: Sequence[float], k: int) -> float:
    """The k-th smallest Walsh average: the value sought is below it with chance ``tail_probability(n, k)``."""
    return _averages_with_rank(values, k)[k - 1]


def upper_bound(values: Sequence[float], k: int) -> float:
    """The k-th largest Walsh average: the value sought is above it with chance ``tail_probability(n, k)``."""
    return _averages_with_rank(values, k)[-k]


def signed_rank_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Hodges-Lehmann with two-sided bounds, whose exact level is the nearest to ``level`` from below.

    From below because few repetitions can't reach 95 %: 5 give 93.75 %, 8 give 94.53 % (k = 5). Where the narrowest
    choice is above it (6 or more values), k goes up until the level is not. Below that the extremes are the bounds: 3
    values give a range of 75 %.
    """
    n, estimate = len(values), hodges_lehmann(values)
    if n < 2:
        return Interval(estimate=estimate, low=None, high=None, level=None, n=n)
    k = two_sided_rank(n, level)
    return Interval(
        estimate=estimate,
        low=lower_bound(values, k),
        high=upper_bound(values, k),
        level=1 - 2 * tail_probability(n, k),
        n=n,
    )


def two_sided_rank(n: int, level: float = LEVEL) -> int:
    """The least k with ``1 - 2 * tail_probability(n, k) <= level``."""
    return next(k for k in range(1, n * (n + 1) // 2 + 1) if 1 - 2 * tail_probability(n, k) <= level)


def ratio_interval(log_ratios: Sequence[float], level: float = LEVEL) -> Interval:
    """A ratio with its bounds, from the logarithm of the ratio in each repetition."""
    logs = signed_rank_interval(log_ratios, level)
    return Interval(
        estimate=math.exp(logs.estimate),
        low=None if logs.low is None else math.exp(logs.low),
        high=None if logs.high is None else math.exp(logs.high),
        level=logs.level,
        n=logs.n,
    )


def _averages_with_rank(values: Sequence[float], k: int) -> list[float]:
    averages = walsh_averages(values)
    if not 1 <= k <= len(averages):
        raise ValueError(f"rank {k} of {len(averages)} Walsh averages")
    return averages
