"""What a model with denormal numbers takes when they are flushed to zero, as a caution. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.analysis.statistics import ratio_interval
from bench.records import CaseRepetition, Caution

CODE = "denormal"
ALIKE = 1.03  # a ratio up to here, or down to its inverse, is told as no difference


def retiming_cautions(tries: Sequence[CaseRepetition]) -> tuple[Caution, ...]:
    """The ratio of time with denormal=zero to time without, over the repetitions that have one."""
    logs = [math.log(one.flushed_ratio) for one in tries if one.flushed_ratio]
    if not logs:
        return ()
    ratio = ratio_interval(logs)
    bounds = "one repetition" if ratio.low is None or ratio.high is None else f"{ratio.low:.2f} to {ratio.high:.2f}"
    told = f"{ratio.estimate:.2f}x the time ({bounds})"
    low, high = ratio.low or ratio.estimate, ratio.high or ratio.estimate
    if 1 / ALIKE <= ratio.estimate <= ALIKE or low <= 1 <= high:
        text = f"with denormal=zero it takes {told}: no difference on this processor, others may be slowed down"
    else:
        way_on = "try it where its outputs still agree" if ratio.estimate < 1 else "leave them as they are"
        text = f"with denormal=zero it takes {told}: {way_on}"
    return (Caution(code=CODE, text=text),)
