"""How large a step in a series of numbers has to be, to be noticed as a change point. Pure.

Levels are told apart by Student's t-test on logarithms: ratios matter, and noise grows with the number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from scipy import stats

WINDOW, WINDOW_P = 50, 10  # of longer series Otava looks at so many first, with a limit of p so many times as lax
_BEYOND = math.log(1000)  # no number of ours does this for a reason


def noticeable_step(values: Sequence[float], starts: Sequence[int], max_p: float) -> float | None:
    """The share by which numbers must grow at the middle of the series to be noticed one time in two, or oftener.

    ``values`` above 0 with the levels that begin at ``starts`` (0 not among them) taken out; None where they are too
    few or vary too much to say, 0.0 where they don't vary at all.
    """
    logs = [math.log(value) for value in values]
    levels = [logs[a:b] for a, b in pairwise([0, *starts, len(logs)])]
    free = len(logs) - len(levels)
    if free < 2:
        return None
    spread = math.sqrt(sum((one - fmean(level)) ** 2 for level in levels for one in level) / free)
    looks = [(len(logs), max_p), *([(WINDOW, WINDOW_P * max_p)] if len(logs) > WINDOW else [])]
    step = spread * max(_errors(*look) for look in looks)
    return math.expm1(step) if step < _BEYOND else None


def _errors(count: int, p: float) -> float:
    """The difference of two halves of ``count`` numbers that has this p, in standard deviations of one."""
    return float(stats.t.isf(p / 2, count - 2)) * 2 / math.sqrt(count)
