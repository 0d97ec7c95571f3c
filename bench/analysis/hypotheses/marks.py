"""Marks that a fault leaves in the output itself: nothing is undone, so most have no error of their own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.analysis import distance as far
from bench.analysis.distance import Array
from bench.analysis.hypotheses.trial import LEAST_ENTRIES
from bench.records import Finding

_CONSTANT = 1e-6  # of the truth's spread: rounding noise of an answer that does not depend on the input
_ROUNDINGS = 64  # the largest difference, in roundings of the largest value: many layers add up
_FEW_VALUES = 16  # distinct values from which on it means something that all have few bits
_AT_BOUND = 0.005  # share of entries at a bound from which on an output is saturated there
_BEYOND = 0.05  # of the spread: the truth goes beyond the bound by more, on average over those entries
_CLIPPED = 5.0  # cutting the truth as well must lower the error this many times
_BITS = {"bfloat16": 8, "float16": 11}  # significant, the implicit one included


def nonfinite(truth: Array, output: Array) -> Iterator[Finding]:
    """NaN or infinities where the truth has none: how many and where they begin."""
    bad = ~np.isfinite(far.as_float64(output)) & np.isfinite(far.as_float64(truth))
    count = int(bad.sum())
    if count:
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        items = int(bad.reshape(len(bad), -1).any(axis=1).sum())
        kind = "NaN" if np.isnan(far.as_float64(output)[first]) else "infinite"
        text = f"{count} entries of {items} of {len(bad)} items are not finite where the truth is, the first ({kind})"
        yield Finding(code="NaN or infinite", text=f"{text} at {first}")


def constant(truth: Array, output: Array) -> Iterator[Finding]:
    """An output that does not depend on the input."""
    if len(output) > 1 and far.spread(output) <= _CONSTANT * far.spread(truth):
        what = "it is all zeros" if not np.any(output) else "it is the same for every input"
        yield Finding(code="constant output", text=f"{what}: the runtime appears to ignore its input")


def rounded(truth: Array, output: Array) -> Iterator[Finding]:
    """Every value has so few bits that the whole difference may be their rounding. Both finite float64."""
    for name, bits in _BITS.items():
        if _has_bits(output, bits) and not _has_bits(truth.astype(np.float32), bits):
            allowed = _ROUNDINGS * 2.0**-bits * float(np.abs(truth).max())
            if float(np.abs(truth - output).max()) <= allowed and len(np.unique(output)) >= _FEW_VALUES:
                text = f"every value is one that {name} has: it was rounded to {name}, perhaps computed in it"
                yield Finding(code=f"rounded to {name}", text=text)
                return


def saturated(truth: Array, output: Array, before: float | None) -> Iterator[Finding]:
    """Many entries at the largest or smallest value, where the truth goes on. Both finite float64."""
    low, high, spread = float(output.min()), float(output.max()), far.spread(truth)
    for word, bound, beyond in (("largest", high, truth - high), ("smallest", low, low - truth)):
        at = output == bound
        many = int(at.sum()) >= max(LEAST_ENTRIES, _AT_BOUND * output.size)
        if not many or bound == 0 or float(beyond[at].mean()) <= _BEYOND * spread:
            continue
        after = far.relative_error(np.clip(truth, low, high), output)
        if after is not None and before is not None and after * _CLIPPED <= before:
            goes = float((truth[at]).max() if word == "largest" else truth[at].min())
            text = (
                f"{at.mean():.1%} of the entries are the {word} value {bound:.4g}, the truth there goes to {goes:.4g}: "
                f"with the truth cut there as well the error falls from {before:.2g} to {after:.2g}"
            )
            yield Finding(code="saturated", text=text, error=after)


def _has_bits(values: Array, bits: int) -> bool:
    """Whether every value has at most so many significant bits, float16's range set aside."""
    fraction, _ = np.frexp(np.asarray(values, np.float64))
    scaled = fraction * 2.0**bits
    return bool((scaled == np.rint(scaled)).all())
