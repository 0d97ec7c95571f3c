"""What every hypothesis that undoes a fault shares: two arrays that should be near one another, and when they are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from bench.analysis import distance as far
from bench.analysis.distance import Array
from bench.records import Finding

CLOSE = 1e-2  # relative error below which a hypothesis explains a difference ...
FALL = 10.0  # ... if the error is this many times less than without it: a small difference is not explained by anything
DIFFERENT = 1e-4  # a smaller error is rounding to float32, which needs no explanation
LEAST_ENTRIES = 8  # fewer are near one another by chance
_LEAST = 1e-7  # errors below it are all as good as none
_WORSE = 100.0  # an explanation so many times worse than the best is none: it only looks a little like it
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
    if after is None or not explains(before, after):
        return None
    fell = f"the error falls from {before:.2g} to {after:.2g}" if before is not None else f"its error is {after:.2g}"
    return Finding(code=trial.code, text=f"{trial.said} {fell}", error=after)


def explains(before: float | None, after: float) -> bool:
    """Whether what is left is little, and little of what there was."""
    return after <= CLOSE and (before is None or (before > DIFFERENT and after * FALL <= before))


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


def ranked(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """By their error's order of magnitude, then as they came; those without one go last. One of each code."""
    once: dict[str, Finding] = {}
    for finding in sorted(found, key=rank):
        once.setdefault(finding.code, finding)
    findings = list(once.values())
    best = max(findings[0].error or _LEAST, _LEAST) if findings else _LEAST
    return tuple(finding for finding in findings if (finding.error or 0.0) <= _WORSE * best)


def rank(finding: Finding) -> float:
    """What findings are in order by: the order of magnitude of their error; those without one come last."""
    return math.inf if finding.error is None else math.floor(math.log10(max(finding.error, _LEAST)))
