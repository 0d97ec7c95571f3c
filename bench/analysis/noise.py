"""How much of an output is noise: what a number format of few bits is judged by. Pure functions of arrays.

prepare imports this module too, as it does ``distance``.
"""

from __future__ import annotations

import numpy as np

from bench.analysis import distance as far
from bench.analysis.distance import Array


def precision_error(truth: Array, output: Array) -> float | None:
    """How much of what the truth says is lost: the rms difference over the spread; 1 is what a constant answer has.

    Rounding to few bits spreads over all elements, and the largest entry says little of it: a right int8 MobileNet is
    16 spreads off in one class of its softmax, a constant answer 45. For values without distances it is the share of
    entries that differ. None where the two can't be compared or are not finite, or where the spread is 0.
    """
    if far.structural_problem(truth, output) or truth.size == 0:
        return None
    if far.dtype_class(truth) not in ("float", "complex"):
        return float(far.differing(truth, output).mean())
    if far.nonfinite_count(truth) or far.nonfinite_count(output):
        return None
    spread = far.spread(truth)
    if not spread > 0:
        return None
    difference = (far.as_float64(output) - far.as_float64(truth)) / spread
    return float(np.sqrt(np.mean(np.square(difference))))
