"""The right numbers before or after a function: scaled, shifted, an activation missing or applied twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from bench.analysis.distance import Array
from bench.analysis.hypotheses.trial import Trial

_SAME = 1e-3  # a fitted scale so near 1, or shift so near 0 (of the spread), counts as none
_SUMS = 1e-3  # probabilities of an item add up to 1 so closely


def functions(truth: Array, output: Array) -> Iterator[Trial]:
    """Every function worth a try. Both are finite float64 of one shape."""
    yield from _fits(truth, output)
    yield from _activations(truth, output)
    yield from _bias(truth, output)


def _fits(truth: Array, output: Array) -> Iterator[Trial]:
    """Least squares with one or two numbers, the fewest that do."""
    shift = float((truth - output).mean())
    yield Trial("shift", f"with {shift:.4g} added", truth, output + shift)
    square = float(np.vdot(output, output))
    if square > 0:
        scale = float(np.vdot(output, truth)) / square
        flipped = abs(scale + 1) < _SAME
        said = "with its sign flipped" if flipped else f"times {scale:.4g}"
        yield Trial("sign flipped" if flipped else "scale", said, truth, output * (-1.0 if flipped else scale))
    centred = output - output.mean()
    square = float(np.vdot(centred, centred))
    if square > 0:
        a = float(np.vdot(centred, truth)) / square
        b = float(truth.mean()) - a * float(output.mean())
        if abs(a - 1) > _SAME and abs(b) > _SAME * float(truth.std()):
            yield Trial("scale and shift", f"times {a:.4g} with {b:.4g} added", truth, a * output + b)


def _bias(truth: Array, output: Array) -> Iterator[Trial]:
    """One number a channel, the same for all items and places: a bias that was dropped or added twice."""
    axes = tuple(range(truth.ndim - 1))
    rows = truth.size // max(1, truth.shape[-1]) if truth.ndim > 1 else 0
    if rows > 1 and truth.shape[-1] > 1:
        bias = (truth - output).mean(axis=axes, keepdims=True)
        if np.ptp(bias) <= _SAME * float(truth.std()):  # one for all: a shift
            return
        said = f"with a number of its own added to each channel ({bias.min():.2g} to {bias.max():.2g}: a bias?)"
        yield Trial("bias", said, truth, output + bias)


def _activations(truth: Array, output: Array) -> Iterator[Trial]:
    """The truth's last activation done to the output, or one done to the truth as well."""
    holds_logs = _is_probability(truth) and _is_probability(_exp(output))
    if holds_logs:
        yield Trial("log-softmax", "after exp (it holds log-softmax)", truth, _exp(output))
    for code, said, activation, reached in _ACTIVATIONS:
        if not holds_logs and reached(truth) and not reached(output):
            yield Trial(f"{code} missing", f"after {said}", truth, activation(output))
    is_probability = _is_probability(truth)
    if truth.ndim > 1 and truth.shape[-1] > 1:
        twice = "softmax twice" if is_probability else "softmax added"
        yield Trial(twice, "beside a softmax of the truth", _softmax(truth), output)
        if not is_probability:
            yield Trial("log-softmax", "beside a log-softmax of the truth", np.log(_softmax(truth) + _TINY), output)
    twice = "sigmoid twice" if _is_unit(truth) else "sigmoid added"
    yield Trial(twice, "beside a sigmoid of the truth", _sigmoid(truth), output)
    if truth.min() < 0 <= output.min():
        yield Trial("relu added", "beside the truth without what is negative", _relu(truth), output)


_TINY = 1e-300


def _exp(x: Array) -> Array:
    return np.asarray(np.exp(np.minimum(x, 1.0)))  # a logarithm of a probability is never above 0


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _softmax_of_channels(x: Array) -> Array:
    return np.moveaxis(_softmax(np.moveaxis(x, 1, -1)), -1, 1)


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def _relu(x: Array) -> Array:
    return np.maximum(x, 0.0)


def _tanh(x: Array) -> Array:
    return np.asarray(np.tanh(x))


def _is_unit(x: Array) -> bool:
    return bool(x.min() >= 0 and x.max() <= 1)


def _is_probability(x: Array) -> bool:
    return bool(x.ndim > 1 and x.shape[-1] > 1 and _is_unit(x) and np.abs(x.sum(axis=-1) - 1).max() < _SUMS)


def _is_probability_of_channels(x: Array) -> bool:
    return x.ndim > 2 and _is_probability(np.moveaxis(x, 1, -1))


_ACTIVATIONS: tuple[tuple[str, str, Callable[[Array], Array], Callable[[Array], bool]], ...] = (
    ("softmax", "a softmax", _softmax, _is_probability),
    ("softmax", "a softmax over axis 1", _softmax_of_channels, _is_probability_of_channels),
    ("sigmoid", "a sigmoid", _sigmoid, lambda x: _is_unit(x) and not _is_probability(x)),
    ("tanh", "a tanh", _tanh, lambda x: bool(np.abs(x).max() <= 1 and x.min() < 0)),
    ("relu", "a relu", _relu, lambda x: bool(x.min() >= 0)),
)
