"""The statistics that the rules of other tools rest on. Pure; draws are the same every time."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

RESAMPLES = 2000
LEVEL = 0.05  # of every two-sided test
_SEED = 20_231


def mann_whitney_p(a: Array, b: Array, method: str = "auto") -> float:
    """The two-sided p value; 1 where every value is the same."""
    from scipy.stats import mannwhitneyu

    return 1.0 if np.ptp(np.concatenate([a, b])) == 0 else float(mannwhitneyu(a, b, method=method).pvalue)


def t_test_slower(a: Array, b: Array, *, equal_variances: bool) -> bool:
    """Two-sided p below the level, and ``b`` has the larger mean."""
    from scipy.stats import ttest_ind

    if np.ptp(a) == 0 and np.ptp(b) == 0:
        return bool(b[0] > a[0])
    return bool(ttest_ind(a, b, equal_var=equal_variances).pvalue < LEVEL and b.mean() > a.mean())


def welch_statistic(a: Array, b: Array) -> Array:
    """Welch's statistic of every row; 0 where neither side varies."""
    error = np.sqrt(a.var(axis=1, ddof=1) / a.shape[1] + b.var(axis=1, ddof=1) / b.shape[1])
    difference = a.mean(axis=1) - b.mean(axis=1)
    quotient: Array = np.divide(difference, error, out=np.zeros_like(error), where=error > 0)
    return quotient


@cache
def resampled_indices(n: int, size: int, stream: int) -> Array:
    """[RESAMPLES, size] of indices below n; another stream gives others."""
    return np.random.default_rng((_SEED, stream)).integers(0, n, size=(RESAMPLES, size), dtype=np.int32)


def block_means(calls: Array, blocks: int) -> Array:
    """Means of so many consecutive blocks of one length; what is left over at the end is not used."""
    length = len(calls) // blocks
    return np.asarray(calls[: length * blocks].reshape(blocks, length).mean(axis=1))
