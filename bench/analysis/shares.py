"""A share of trials and its exact interval. Pure; scipy only when one is asked for."""

from __future__ import annotations

from functools import cache

LEVEL = 0.95


@cache
def exact_interval(k: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Clopper and Pearson's bounds of a rate of which ``k`` of ``n`` were seen, ``level`` two-sided."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = 0.0 if k == 0 else float(beta.ppf(tail, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(1 - tail, k + 1, n - k))
    return low, high
