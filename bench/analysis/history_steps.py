"""How large a step in a series of numbers has to be, to be noticed as a change point. Pure.

Levels are told apart by Student's t-test on logarithms: ratios matter, and noise grows with the number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from scipy import stats

_BEYOND = math.log(1000)  # no number of ours does this for a reason


def noticeable_step(values: Sequence[float], starts: Sequence[int], max_p: float) -> float | None:
    """The share by which numbers must grow at the middle of the series to be noticed one time in two.

    ``values`` above 0 with the levels that begin at ``starts`` (0 not among them) taken out; None where they are too
    few or vary too much to say, 0.0 where they don't vary at all.
    """
    logs = [math.log(value) for value in values]
    levels = [logs[a:b] for a, b in pairwise([0, *starts, len(logs)])]
    free = len(logs) - len(levels)
    if free < 2:
        return None
    spread = math.sqrt(sum((one - fmean(level)) ** 2 for level in levels for one in level) / free)
    at = len(logs) / 2
    step = float(stats.t.isf(max_p / 2, len(logs) - 2)) * spread * math.sqrt(2 / at)
    return math.expm1(step) if step < _BEYOND else None
