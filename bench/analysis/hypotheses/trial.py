"""What every hypothesis that undoes a fault shares: two arrays that should be near one another, and when they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.analysis import distance as far
from bench.analysis.distance import Array
from bench.records import Finding

CLOSE = 1e-2  # relative error below which a hypothesis explains a difference ...
FALL = 10.0  # ... if the error is this many times less than without it: a small difference is not explained by anything
LEAST_ENTRIES = 8  # fewer are near one another by chance
MOST_ENTRIES = 1_000_000  # of an array: further items are left out, so that all trials together take a second or two


class Trial(NamedTuple):
    """A fault undone: on the output, or done to the truth as well."""

    code: str
    said: str  # begins the sentence: "with its channels reversed"
    truth: Array
    output: Array


def judge(trial: Trial, before: float | None) -> Finding | None:
    """The finding, where the two are near; ``before`` is the error as it is, None where that has no number."""
    after = error_of(trial.truth, trial.output)
    if after is None or after > CLOSE or (before is not None and after * FALL > before):
        return None
    fell = f"the error falls from {before:.2g} to {after:.2g}" if before is not None else f"its error is {after:.2g}"
    return Finding(code=trial.code, text=f"{trial.said} {fell}", error=after)


def error_of(truth: Array, output: Array) -> float | None:
    """The relative error of two arrays of finite floats of one shape; None of others, or of a constant truth."""
    if truth.size < LEAST_ENTRIES or far.structural_problem(truth, output) or far.dtype_class(truth) != "float":
        return None
    if far.nonfinite_count(truth) or far.nonfinite_count(output):
        return None
    return far.relative_error(truth, output)


def shortened(array: Array) -> Array:
    """The first items, as many as the bound allows and two at least."""
    a_row = max(1, array.size // max(1, len(array)))
    return array[: max(2, MOST_ENTRIES // a_row)]


def in_float64(array: Array) -> Array:
    """The same numbers, ready to be computed with, as long as they are floats."""
    return far.as_float64(array) if far.dtype_class(array) == "float" else np.asarray(array)
