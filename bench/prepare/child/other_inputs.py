"""What a runtime may have got in place of the inputs: other channels, ranges, places, another input's values.

Arrays in, arrays out; ``hypotheses.py`` runs the model on them. Runs in the child.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations, zip_longest
from typing import NamedTuple

import numpy as np

from bench.prepare.child.reference import Array, Arrays
from bench.records import Tensor

_IMAGE = 4  # axes: items, height, width, channels in either order
_SIGNAL = 3  # axes: items, places, channels
_FEW = 4  # channels of a picture at most
_COLOURS = 3
_MEAN, _STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # of ImageNet in [0, 1], RGB
_MEAN_BGR = np.array([103.939, 116.779, 123.68])  # of ImageNet in [0, 255]


class OtherFeed(NamedTuple):
    """Inputs in place of the pool's."""

    code: str
    said: str  # ends "with ...": "the channels of input 'image' reversed"
    feed: Arrays


Change = tuple[str, str, Callable[[Array], Array]]  # code, said, what is done


def other_feeds(inputs: Sequence[Tensor], pool: Arrays) -> Iterator[OtherFeed]:
    """Every feed worth a run, the likelier first; inputs take turns, those that are the same for all items left out."""
    yield from _swapped(inputs, pool)
    varied = [tensor for tensor in inputs if tensor.batched and pool[tensor.name].dtype.kind in "fiu"]
    turns = [_of_one(tensor.name, pool) for tensor in varied]
    for turn in zip_longest(*turns):
        yield from (feed for feed in turn if feed is not None)
    if len(varied) > 1:
        yield from (_with(tensor.name, pool, *change) for tensor in varied for change in _ITEMS)


def _swapped(inputs: Sequence[Tensor], pool: Arrays) -> Iterator[OtherFeed]:
    """Inputs of one shape and type in another order: any two of them, and three in a circle."""
    names = [tensor.name for tensor in inputs]
    for first, *rest in permutations(names, min(2, len(names))):
        second = rest[0] if rest else first
        if first < second and _form(pool[first]) == _form(pool[second]):
            feed = {**pool, first: pool[second], second: pool[first]}
            yield OtherFeed("inputs swapped", f"inputs {first!r} and {second!r} swapped", feed)
    for circle in permutations(names, _COLOURS):
        if circle[0] == min(circle) and len({_form(pool[name]) for name in circle}) == 1:
            turned = dict(zip(circle, (pool[name] for name in (*circle[1:], circle[0])), strict=True))
            yield OtherFeed("inputs swapped", f"inputs {', '.join(map(repr, circle))} in a circle", {**pool, **turned})


def _form(array: Array) -> tuple[object, ...]:
    return array.shape, array.dtype


def _of_one(name: str, pool: Arrays) -> Iterator[OtherFeed]:
    array = pool[name]
    changes = _of_floats(array) if array.dtype.kind == "f" else _of_integers(array)
    yield from (_with(name, pool, *change) for change in changes)


def _with(name: str, pool: Arrays, code: str, said: str, change: Callable[[Array], Array]) -> OtherFeed:
    array = pool[name]
    wide = array.astype(np.float64) if array.dtype.kind == "f" else array
    changed = np.ascontiguousarray(change(wide)).astype(array.dtype)
    return OtherFeed(code, said.format(f"input {name!r}"), {**pool, name: changed})


def _of_floats(array: Array) -> Iterator[Change]:
    channels = _channels(array)
    if channels is not None:
        yield "input channels reversed", "the channels of {} reversed", lambda x: np.flip(x, channels)
    yield from _RANGES
    if channels is not None and array.shape[channels] == _COLOURS:
        yield from _colours(channels)
    yield from _places(array)
    yield "input all zeros", "zeros in place of {}", np.zeros_like


def _of_integers(array: Array) -> Iterator[Change]:
    yield "input off by one", "1 added to {}", lambda x: x + 1
    yield "input off by one", "1 taken from {}", lambda x: np.where(x > 0, x - 1, x)
    yield from _places(array)
    yield "input all zeros", "zeros in place of {}", np.zeros_like


_ITEMS: tuple[Change, ...] = (
    ("input items permuted", "the items of {} shifted by one", lambda x: np.roll(x, 1, axis=0)),
    ("input items permuted", "the items of {} shifted by minus one", lambda x: np.roll(x, -1, axis=0)),
    ("input items permuted", "the items of {} in reverse order", lambda x: x[::-1]),
)
_RANGES: tuple[Change, ...] = (
    ("input in another range", "{} divided by 255", lambda x: x / 255),
    ("input in another range", "{} times 255", lambda x: x * 255),
    ("input in another range", "{} taken from [0, 1] to [-1, 1]", lambda x: 2 * x - 1),
    ("input in another range", "{} taken from [-1, 1] to [0, 1]", lambda x: (x + 1) / 2),
    ("input in another range", "{} taken from [0, 255] to [-1, 1]", lambda x: x / 127.5 - 1),
    ("input in another range", "{} taken from [-1, 1] to [0, 255]", lambda x: (x + 1) * 127.5),
)


def _colours(axis: int) -> Iterator[Change]:
    """ImageNet's means and deviations, as torchvision and as Caffe have them."""
    mean, std, caffe = (_along(values, axis) for values in (_MEAN, _STD, _MEAN_BGR))
    code = "input in another range"
    yield code, "ImageNet's mean and deviation taken from {} in [0, 1]", lambda x: (x - mean) / std
    yield code, "ImageNet's mean and deviation taken from {} in [0, 255]", lambda x: (x / 255 - mean) / std
    yield code, "{} as Caffe takes it (BGR less its mean)", lambda x: np.flip(x, axis) - caffe


def _along(values: Array, axis: int) -> Array:
    return values.reshape(-1, 1, 1) if axis == 1 else values


def _places(array: Array) -> Iterator[Change]:
    axes = _axes_of_places(array)
    for axis in reversed(axes):
        word = {1: "in reverse", 2: "mirrored"}[len(axes)]
        yield "input mirrored", f"{{}} {word} along axis {axis}", partial(np.flip, axis=axis)
    if len(axes) == 2 and array.shape[axes[0]] == array.shape[axes[1]]:
        yield "input transposed", "height and width of {} swapped", lambda x: np.swapaxes(x, *axes)
    yield from _layouts(array)
    for axis in axes:
        for by in (1, -1):
            said = f"{{}} shifted by {by:+d} along axis {axis}"
            yield "input shifted", said, partial(_shifted, axis=axis, by=by)
            yield "input shifted", f"{said}, round the edge", partial(np.roll, shift=by, axis=axis)


def _layouts(array: Array) -> Iterator[Change]:
    """The other layout's numbers under this one's shape."""
    if array.ndim != _IMAGE:
        return
    for order, said in (((0, 3, 1, 2), "NCHW for NHWC"), ((0, 2, 3, 1), "NHWC for NCHW")):
        text = f"the numbers of {{}} read as {said}"
        yield "input layout", text, partial(_relabelled, order=order)


def _relabelled(x: Array, order: tuple[int, ...]) -> Array:
    return x.transpose(order).reshape(x.shape)


def _shifted(x: Array, axis: int, by: int) -> Array:
    """Moved by one place, zeros coming in."""
    moved = np.roll(x, by, axis)
    edge = [slice(None)] * x.ndim
    edge[axis] = slice(0, 1) if by > 0 else slice(-1, None)
    moved[tuple(edge)] = 0
    return moved


def _channels(array: Array) -> int | None:
    """The axis of few channels: the last, or the first after the items."""
    if array.ndim == _IMAGE and 1 < array.shape[1] <= _FEW < array.shape[-1]:
        return 1
    return array.ndim - 1 if array.ndim > 1 and array.shape[-1] > 1 else None


def _axes_of_places(array: Array) -> list[int]:
    """Height and width, length of a signal, or place in a text."""
    if array.ndim == _IMAGE:
        return [2, 3] if _channels(array) == 1 else [1, 2]
    if array.ndim == _SIGNAL or (array.ndim == 2 and array.dtype.kind in "iu"):
        return [1]
    return []
