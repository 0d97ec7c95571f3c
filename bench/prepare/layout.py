"""How an input's items look: their shape, whether they are images and how, their range and numpy type. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.errors import UsageError
from bench.records import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
Range = tuple[float, float]

_LEAST_SIDE = 4  # pixels; anything narrower is a feature vector that happens to have three axes
_LEVELS = 255


@dataclass(frozen=True)
class ImageLayout:
    """An input that takes images."""

    height: int
    width: int
    channels: int  # 1, 3 or 4
    channels_first: bool


def item_shape(tensor: Tensor) -> tuple[int, ...]:
    """Shape of one item, the batch left out. Raises UsageError where an axis is free."""
    shape = tensor.shape[1:] if tensor.batched else tensor.shape
    if any(axis is None for axis in shape):
        example = ",".join("N" if axis is None else str(axis) for axis in ((1, *shape) if tensor.batched else shape))
        raise UsageError(
            f"input {tensor.name!r} has free axes {_text(shape)}: give its shape, "
            f"for example --input-shapes {tensor.name}:[{example}]"
        )
    return tuple(int(axis) for axis in shape if axis is not None)


def image_layout(shape: tuple[int, ...]) -> ImageLayout | None:
    """The layout of ``[H, W, 1|3|4]`` or ``[1|3, H, W]``, or None. Channels last wins where both would fit."""
    if len(shape) != 3:
        return None
    last = ImageLayout(shape[0], shape[1], shape[2], channels_first=False)
    first = ImageLayout(shape[1], shape[2], shape[0], channels_first=True)
    for layout, channels in ((last, (1, 3, 4)), (first, (1, 3))):
        if layout.channels in channels and min(layout.height, layout.width) >= _LEAST_SIDE:
            return layout
    return None


def numpy_dtype(tensor: Tensor) -> np.dtype[Any]:
    """Numpy's type of an input. Raises UsageError for text and for types numpy does not know."""
    if tensor.dtype == "bfloat16":
        import ml_dtypes  # type: ignore[import-untyped,unused-ignore]  # comes with TensorFlow

        bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    try:
        dtype: np.dtype[Any] = np.dtype(tensor.dtype)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "biufc":
        raise UsageError(
            f"input {tensor.name!r} has type {tensor.dtype}: only numbers can be made or loaded; "
            "export the part of the model behind its text processing"
        )
    return dtype


def value_range(tensor: Tensor, ranges: Mapping[str, Range]) -> Range:
    """Range by the input's name, else by ``""``, else [0, 255] for 8-bit images, else [0, 1]."""
    low, high = ranges.get(tensor.name) or ranges.get("") or _default_range(tensor)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise UsageError(f"range of input {tensor.name!r}: low must be below high and both finite, not {low},{high}")
    if tensor.dtype.startswith(("int", "uint")):
        limits = np.iinfo(tensor.dtype)
        if low < limits.min or high > limits.max or np.ceil(low) > np.floor(high):
            raise UsageError(f"range of input {tensor.name!r}: {low},{high} holds no values that {tensor.dtype} has")
    return float(low), float(high)


def place_image(levels: Array, layout: ImageLayout, bounds: Range, dtype: np.dtype[Any]) -> Array:
    """Levels 0 to 255, uint8 [H, W, C], as an input wants them: its order of axes, range and type."""
    low, high = bounds
    values = low + (high - low) * (levels.astype(np.float64) / _LEVELS)
    if dtype.kind in "iu":
        values = np.rint(values)
    if layout.channels_first:
        values = np.moveaxis(values, -1, 0)
    return np.ascontiguousarray(values.astype(dtype))


def _default_range(tensor: Tensor) -> Range:
    shape = tensor.shape[1:] if tensor.batched else tensor.shape
    is_image = image_layout(tuple(axis or _LEAST_SIDE for axis in shape)) is not None
    return (0.0, 255.0) if is_image and tensor.dtype == "uint8" else (0.0, 1.0)


def _text(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("?" if axis is None else str(axis) for axis in shape) + "]"
