"""The likely cause of a difference, from cheap trials: another output's values, items in another order, a constant.

Words for a person behind a verdict that stands already; nothing here changes a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bench.analysis import distance as far
from bench.analysis.distance import Array

CLOSE = 1e-2  # relative error below which an arrangement explains a difference
MOST_ITEMS = 64  # pairs of items are compared, so their number is bounded
MOST_ENTRIES = 4_000_000  # and so are their sizes


def likely_cause(name: str, truth: Array, outputs: Mapping[str, Array]) -> str:
    """A half sentence that begins with ``"; "``, or nothing. Both sides are numbers of one shape."""
    twin = next((other for other, array in outputs.items() if other != name and _close(truth, array)), None)
    if twin is not None:
        return f"; output {twin!r} holds what {name!r} should: the outputs appear to be permuted"
    output = outputs[name]
    if _close_in_another_order(truth, output):
        return "; the items match in another order"
    if truth.ndim == 4 and truth.shape[-1] in (3, 4) and _close(truth, output[..., ::-1]):
        return "; it matches with its channels reversed"
    return "" if far.spread(output) > 0 else "; it is the same for every input"


def _close(truth: Array, output: Array) -> bool:
    if far.structural_problem(truth, output) or far.nonfinite_count(output) or far.dtype_class(output) != "float":
        return False
    error = far.relative_error(truth, output)
    return error is not None and error <= CLOSE


def _close_in_another_order(truth: Array, output: Array) -> bool:
    """Whether giving each item of the truth its nearest item of the output is one-to-one and close."""
    if truth.ndim < 1 or not 2 <= len(truth) <= MOST_ITEMS or truth.size > MOST_ENTRIES:
        return False
    t, y = (far.as_float64(array).reshape(len(array), -1) for array in (truth, output))
    nearest = np.array([int(np.abs(y - row).max(axis=1).argmin()) for row in t])
    return len(set(nearest.tolist())) == len(t) and _close(truth, output[nearest])
