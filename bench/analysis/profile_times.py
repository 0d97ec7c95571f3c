"""Times of kernels and calls in a repetition, and over repetitions. Pure.

A time in a repetition is the mean over its usual calls, the middle half by wall time (of three calls the middle one):
the same calls for every kernel, so that kernels and what none explains add up to the wall time. (Medians of kernels
would not: what disturbs a call hits another kernel each time, and the sum of medians leaves it out.) The estimate is
the median over repetitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, median

from bench.analysis.profiled import Kernel, ProfiledCase
from bench.analysis.statistics import Interval, signed_rank_interval


def typical(values: Sequence[float]) -> Interval:
    """The median of the repetitions with the house's bounds: of 5 the least and the greatest, at 93.75 %."""
    bounds, estimate = signed_rank_interval(values), median(values)
    if bounds.low is None or bounds.high is None:
        return Interval(estimate=estimate, low=None, high=None, level=None, n=len(values))
    low, high = min(bounds.low, estimate), max(bounds.high, estimate)
    return Interval(estimate=estimate, low=low, high=high, level=bounds.level, n=len(values))


def usual_calls(case: ProfiledCase) -> list[list[int]]:
    """Places of the profiled calls in the middle half by wall time, by repetition; of three the middle one."""
    found = []
    for walls in case.calls_ns:
        ordered = sorted(range(len(walls)), key=walls.__getitem__)
        cut = (len(ordered) + 1) // 4
        found.append(ordered[cut : len(ordered) - cut])
    return found


def kernel_times(kernel: Kernel, usual: Sequence[Sequence[int]]) -> list[float]:
    """Time in each repetition: the mean over its usual calls, 0 where it did not run."""
    both = zip(kernel.time_ns, usual, strict=True)
    return [fmean(calls[place] for place in places) if calls else 0.0 for calls, places in both]


def wall_times(case: ProfiledCase) -> list[float]:
    """Wall time of a profiled call in each repetition: the mean over its usual calls."""
    both = zip(case.calls_ns, usual_calls(case), strict=True)
    return [fmean(walls[place] for place in places) for walls, places in both]


def summed(kernels: Iterable[Kernel], case: ProfiledCase) -> list[float]:
    """Time of all of them in each repetition of the case."""
    usual = usual_calls(case)
    times = [kernel_times(kernel, usual) for kernel in kernels]
    return [sum(one[place] for one in times) for place in range(len(usual))]


def residual(estimate: float, values: Sequence[float]) -> Interval:
    """What is left of a total once every other line is taken away; its bounds hold the estimate."""
    bounds = typical(values)
    low = None if bounds.low is None else min(bounds.low, estimate)
    high = None if bounds.high is None else max(bounds.high, estimate)
    return Interval(estimate=estimate, low=low, high=high, level=bounds.level, n=bounds.n)
