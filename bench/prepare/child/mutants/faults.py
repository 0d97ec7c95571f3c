"""What can be wrong with a weight: each fault gives a new array. None knows where in the network it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.prepare.child.mutants.surgery import Array

_TF32_BITS = 13  # of float32's 23 that are rounded away


def times(factor: float) -> Callable[[Array], Array]:
    """Every weight times a factor."""
    return lambda weight: weight * factor


def through(dtype: Any) -> Callable[[Array], Array]:
    """Rounded to a shorter type."""
    return lambda weight: weight.astype(dtype).astype(weight.dtype)


def through_int8(kernel: Array) -> Array:
    """Rounded to 255 steps, one scale for the whole kernel."""
    step = np.abs(kernel).max() / 127
    return np.asarray(np.rint(kernel / step) * step) if step > 0 else kernel


def with_nan(kernel: Array) -> Array:
    """The first weight is NaN."""
    return np.where(np.arange(kernel.size).reshape(kernel.shape) == 0, np.nan, kernel)


def largest_negated(kernel: Array) -> Array:
    """The largest weight has the other sign."""
    return np.where(np.abs(kernel) == np.abs(kernel).max(), -kernel, kernel)


def channels_reversed(kernel: Array) -> Array:
    """Input channels in the other order, as BGR for RGB."""
    return kernel[:, ::-1]


def flipped(kernel: Array) -> Array:
    """Mirrored along the last axis."""
    return kernel[..., ::-1]


def height_for_width(kernel: Array) -> Array:
    """The last two axes exchanged."""
    return kernel.swapaxes(-1, -2)


def outputs_for_inputs(kernel: Array) -> Array:
    """The first two axes exchanged."""
    return kernel.swapaxes(0, 1)


def two_filters_swapped(kernel: Array) -> Array:
    """The first two filters exchanged."""
    return kernel if len(kernel) < 2 else kernel[[1, 0, *range(2, len(kernel))]]


def one_filter_zeroed(kernel: Array) -> Array:
    """The first filter is zero."""
    return np.concatenate([np.zeros_like(kernel[:1]), kernel[1:]])


def halves_exchanged(pads: Array) -> Array:
    """Pads: what was below and right goes above and left."""
    return np.roll(pads, len(pads) // 2)


def through_tf32(kernel: Array) -> Array:
    """Rounded to the 10 bits that TF32 multiplies; float32 only."""
    if kernel.dtype != np.float32:
        return kernel
    half, mask = np.uint32(1 << (_TF32_BITS - 1)), np.uint32(0xFFFFFFFF << _TF32_BITS & 0xFFFFFFFF)
    return np.asarray(((np.ascontiguousarray(kernel).view(np.uint32) + half) & mask).view(np.float32))


def rolled(axis: int, by: int) -> Callable[[Array], Array]:
    """Moved along an axis, what leaves at its end comes in at its beginning."""
    return lambda weight: np.roll(weight, by, axis)


def columns_rolled_by_half(kernel: Array) -> Array:
    """The first half of the last axis exchanged with the second: heads of an attention mixed."""
    return np.roll(kernel, max(kernel.shape[-1] // 2, 1), -1)
