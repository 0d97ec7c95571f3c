"""A step against its tensor: the tensor's rows in the layer's layout, how far they are off, the first step that is.

Pure. Used on the file by the child that takes a model apart, and on a runtime's tensors by ``bench bisect``.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.analysis import distance as far
from bench.prepare.dissection import Step

Array = np.ndarray[Any, np.dtype[Any]]
NOT_A_NUMBER = sys.float_info.max  # the error where NaN, infinity or nothing stands where the truth has numbers


def in_layout(step: Step, tensor: Array, batch: int = 1) -> Array:
    """A tensor as one run of ``batch`` items gave it, as [batch, ...] in the layer's own layout.

    ``batch`` is 1, or what the model's batch is fixed to. Raises ValueError where the tensor has not the step's size.
    """
    moved = tensor if step.axes is None else np.transpose(tensor, step.axes)
    return moved.reshape(batch, *step.shape[1:])


def step_error(truth: Array, value: Array, unit: float | None = None) -> float:
    """How far [items, ...] is from the truth: largest difference in units of the truth's spread over items.

    Where the truth is the same for all items its root mean square stands for the spread; for integers and booleans it
    is the share that differs; ``NOT_A_NUMBER`` where NaN and infinities are not those of the truth. ``unit`` is
    ``unit_of(truth)``, where it is known already.
    """
    if truth.shape != value.shape:
        return NOT_A_NUMBER
    if far.dtype_class(truth) not in ("float", "complex"):
        return float(np.mean(truth != value)) if truth.size else 0.0
    if far.nonfinite_count(truth) or far.nonfinite_count(value):
        if not far.same_nonfinite(truth, value):
            return NOT_A_NUMBER
        truth, value = np.nan_to_num(truth, posinf=0, neginf=0), np.nan_to_num(value, posinf=0, neginf=0)
    if not truth.size:
        return 0.0
    difference = float(np.abs(far.as_float64(value) - far.as_float64(truth)).max())
    return _over(difference, unit_of(truth) if unit is None else unit)


def unit_of(truth: Array) -> float:
    """What errors of a step are measured in: the truth's spread over items, or its root mean square without one."""
    wide = np.nan_to_num(far.as_float64(truth), posinf=0, neginf=0)
    return far.spread(wide) or math.sqrt(float(np.mean(np.square(wide)))) if wide.size else 0.0


def with_rounding(yardstick: float | None, truth: Array) -> float | None:
    """A yardstick no less than what one rounding to float32 of the largest value costs; None for integers."""
    if far.dtype_class(truth) not in ("float", "complex") or not truth.size:
        return None
    wide, unit = np.nan_to_num(far.as_float64(truth), posinf=0, neginf=0), unit_of(truth)
    least = far.rounding(wide, np.zeros(1, np.float32)) / unit if unit > 0 else 0.0
    return max(yardstick or 0.0, least) or None


def tolerance(yardstick: float | None) -> float:
    """From which error on a step is wrong."""
    return max(far.YARDSTICKS * (yardstick or 0.0), far.LEAST_TOLERANCE)


def first_wrong(steps: Sequence[Step], errors: Sequence[float | None]) -> int | None:
    """The place of the first step whose error is beyond its tolerance; None where none is."""
    for place, (step, error) in enumerate(zip(steps, errors, strict=True)):
        if error is not None and error > tolerance(step.yardstick):
            return place
    return None


def to_blame(steps: Sequence[Step], place: int) -> str:
    """The layer to name where a step is the first that is wrong: ``"layer conv, Conv2D in encoder"``."""
    name = steps[place].blame or steps[place].name
    kind = next((step.kind for step in steps if step.name == name), steps[place].kind)
    outer, _, own = name.rpartition("/")
    return f"layer {own}, {kind}" + (f" in {outer}" if outer else "")


def _over(difference: float, unit: float) -> float:
    if difference == 0.0:
        return 0.0
    return min(difference / unit, NOT_A_NUMBER) if unit > 0 else NOT_A_NUMBER
