"""The pool of inputs that every runtime gets: made from ``(seed, i)``, or the user's own. Pure numpy.

Item ``i`` of a pool depends only on the seed, ``i`` and the inputs' shapes, types and ranges: not on who asks, nor on
how many items are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.prepare.images import natural_image
from bench.prepare.input_files import load_pool
from bench.prepare.layout import Range, image_layout, item_shape, numpy_dtype, place_image, value_range
from bench.records import Tensor

__all__ = ["load_pool", "make_pool"]

Array = np.ndarray[Any, np.dtype[Any]]

_GRID = 1 << 16  # steps from low to high: the same values on every machine's mathematics library


def make_pool(tensors: Sequence[Tensor], ranges: Mapping[str, Range], seed: int, items: int) -> dict[str, Array]:
    """Input name -> array [items, *item_shape].

    Image-shaped inputs get pictures, other numbers are drawn from the input's range, each item with a distribution of
    its own. ``ranges`` is by input name, ``""`` for every other; without a range: [0, 1], 8-bit images [0, 255].
    Raises UsageError for a free axis, a type that holds no numbers, and a range the type cannot hold.
    """
    pool = {}
    for place, tensor in enumerate(tensors):
        streams = (np.random.default_rng([seed, index, place]) for index in range(items))
        bounds, shape, dtype = value_range(tensor, ranges), item_shape(tensor), numpy_dtype(tensor)
        pool[tensor.name] = np.stack([_item(rng, shape, dtype, bounds) for rng in streams])
    return pool


def _item(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any], bounds: Range) -> Array:
    layout = image_layout(shape)
    if layout is not None and dtype.kind != "b":
        return place_image(natural_image(rng, layout.height, layout.width, layout.channels), layout, bounds, dtype)
    if dtype.kind == "b":
        return rng.random(shape) < rng.uniform(0.2, 0.8)
    low, high = bounds
    if dtype.kind in "iu":
        return rng.integers(int(np.ceil(low)), int(np.floor(high)), shape, endpoint=True).astype(dtype)
    if dtype.kind == "c":
        return (_numbers(rng, shape, bounds) + 1j * _numbers(rng, shape, bounds)).astype(dtype)
    return _numbers(rng, shape, bounds).astype(dtype)


def _numbers(rng: np.random.Generator, shape: tuple[int, ...], bounds: Range) -> Array:
    """Numbers in the range whose mean and spread differ between items, so that averaging does not make items alike."""
    skew = 2.0 ** rng.uniform(-1.5, 1.5)
    share = np.rint(rng.random(shape) ** skew * _GRID) / _GRID
    return np.asarray(bounds[0] + (bounds[1] - bounds[0]) * share)
