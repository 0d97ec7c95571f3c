"""The right numbers in wrong places: reversed, shifted, other axes, another order of items, another name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations, product

import numpy as np

from bench.analysis.distance import Array
from bench.analysis.hypotheses.trial import MOST_ENTRIES, Trial, error_of, in_float64

MOST_ITEMS = 64  # pairs of items are compared, so their number is bounded
MOST_AXES = 5  # of an output whose axes are tried in every order: 24 orders
_IMAGE, _VOLUME = 4, 5  # axes of a batch of images; of volumes
_FEW = 4  # channels of a picture at most; and classes or pixels from which on a shift by one tells something
_LAYOUTS: dict[tuple[int, ...], str] = {(0, 3, 1, 2): ", NCHW for NHWC", (0, 2, 3, 1): ", NHWC for NCHW"}
_CROP = 8  # this part of a picture at each edge is not looked at after a shift: padding reaches inward


def arrangements(truth: Array, output: Array) -> Iterator[Trial]:
    """Every arrangement that is worth a try, the likelier first."""
    if truth.ndim != output.ndim or truth.ndim < 2:
        yield from _other_shapes(truth, output)
        return
    yield from _orders_of_axes(truth, output)
    if truth.shape == output.shape:
        yield from _reversed(truth, output)
        yield from _relabelled(truth, output)
        yield from _shifted_classes(truth, output)
        yield from _shifted_pixels(truth, output)
    else:
        yield from _other_shapes(truth, output)


def other_names(name: str, truth: Array, outputs: Mapping[str, Array]) -> Iterator[Trial]:
    """Each other output as if it were this one."""
    for other, array in outputs.items():
        if other != name:
            said = (
                f"output {other!r} holds what {name!r} should: the outputs appear to be permuted, and taken from there"
            )
            yield Trial("outputs swapped", said, truth, array)


def orders_of_items(truth: Array, output: Array) -> Iterator[Trial]:
    """Each item of the output beside that item of the truth that is nearest to it."""
    if truth.shape != output.shape or truth.ndim < 1 or not 2 <= len(truth) <= MOST_ITEMS:
        return
    if error_of(truth, output) is None:
        return
    t, y = (in_float64(array).reshape(len(array), -1) for array in (truth, output))
    step = -(-t.size // MOST_ENTRIES)
    nearest = [int(np.abs(t[:, ::step] - row).max(axis=1).argmin()) for row in y[:, ::step]]
    if nearest == list(range(len(t))):
        return
    said = _said_of_order(nearest)
    code = "items permuted" if len(set(nearest)) == len(nearest) else "items repeated"
    yield Trial(code, said, truth[nearest], output)


def _said_of_order(nearest: list[int]) -> str:
    count = len(nearest)
    if len(set(nearest)) < count:
        first = next(item for item, held in enumerate(nearest) if held != item)
        return f"some items hold what others should (item {first} that of item {nearest[first]}): taken so"
    shown = ", ".join(map(str, nearest[: _FEW * 2])) + (", ..." if count > _FEW * 2 else "")
    by = nearest[0]
    if nearest == [(item + by) % count for item in range(count)]:
        return f"the items match in another order, shifted by {by if by <= count // 2 else by - count}: so"
    return f"the items match in another order ({shown}): so"


def _orders_of_axes(truth: Array, output: Array) -> Iterator[Trial]:
    """The output's axes taken back to the truth's, the items staying in front."""
    if not 3 <= truth.ndim <= MOST_AXES:
        return
    for rest in permutations(range(1, truth.ndim)):
        order = (0, *rest)
        if list(order) == sorted(order) or tuple(truth.shape[axis] for axis in order) != output.shape:
            continue
        back = tuple(int(axis) for axis in np.argsort(order))
        said = f"its axes are in the order {_listed(order)}{_layout(order)}: put back,"
        yield Trial("axes transposed", said, truth, output.transpose(back))


def _relabelled(truth: Array, output: Array) -> Iterator[Trial]:
    """Numbers in one layout under the shape of another: reshaped where it should have been transposed."""
    if truth.ndim not in (3, _IMAGE, _VOLUME):
        return
    last = truth.ndim - 1
    for order in dict.fromkeys([(0, last, *range(1, last)), (0, *range(2, last + 1), 1)]):
        said = f"its numbers are in the order of axes {_listed(order)}{_layout(order)} under the right shape: so read,"
        yield Trial("axes relabelled", said, truth.transpose(order).reshape(truth.shape), output)


def _reversed(truth: Array, output: Array) -> Iterator[Trial]:
    last = truth.ndim - 1
    for axis in range(last, 0, -1):
        first_is_channels = axis == 1 and truth.ndim >= _IMAGE and truth.shape[1] <= _FEW < truth.shape[last]
        if truth.shape[axis] > 1 and (axis == last or first_is_channels):
            yield Trial("channels reversed", "with its channels reversed", truth, np.flip(output, axis))
        elif truth.shape[axis] > 1:
            yield Trial("mirrored", f"with axis {axis} reversed", truth, np.flip(output, axis))


def _shifted_classes(truth: Array, output: Array) -> Iterator[Trial]:
    last = truth.shape[-1]
    if truth.ndim > 3 or last < _FEW:
        return
    for by in (1, -1):
        said = f"its classes are shifted by {by:+d}: moved back, the one at the edge left out,"
        yield Trial("classes shifted", said, *_overlap(truth, output, {truth.ndim - 1: by}, crop=0))


def _shifted_pixels(truth: Array, output: Array) -> Iterator[Trial]:
    axes = _places(truth.shape)
    for by in sorted(product((0, 1, -1), repeat=len(axes)), key=lambda by: sum(map(abs, by))):
        if any(by):
            moved = {axis: step for axis, step in zip(axes, by, strict=True) if step}
            shown = " and ".join(f"{step:+d} along axis {axis}" for axis, step in moved.items())
            said = f"it is shifted by one pixel ({shown}): moved back, its edges left out,"
            yield Trial("shifted by a pixel", said, *_overlap(truth, output, moved, crop=_CROP))


def _places(shape: tuple[int, ...]) -> list[int]:
    """Axes of height and width (length of a signal), channels last or first; none where they are too short."""
    if not 3 <= len(shape) <= _IMAGE:
        return []
    first = len(shape) == _IMAGE and shape[1] < shape[2] and shape[3] < _FEW * shape[2]
    axes = range(2, len(shape)) if first else range(1, len(shape) - 1)
    return [axis for axis in axes if shape[axis] > _FEW]


def _overlap(truth: Array, output: Array, moved: dict[int, int], crop: int) -> tuple[Array, Array]:
    """What both have when ``output[i + by]`` is ``truth[i]`` along each axis, less a part ``1/crop`` at the edges."""
    ours, theirs = [slice(None)] * truth.ndim, [slice(None)] * truth.ndim
    for axis, by in moved.items():
        edge, size = max(1, truth.shape[axis] // crop if crop else 1), truth.shape[axis]
        low, high = (edge, size - edge) if crop else (max(0, -by), size - max(0, by))
        ours[axis], theirs[axis] = slice(low, high), slice(low + by, high + by)
    return truth[tuple(ours)], output[tuple(theirs)]


def _other_shapes(truth: Array, output: Array) -> Iterator[Trial]:
    if output.size == truth.size and len(output) == len(truth):
        yield Trial("reshaped", "the same numbers in another shape: reshaped,", truth, output.reshape(truth.shape))
    if truth.ndim == output.ndim and truth.ndim > 1 and output.shape[:-1] == truth.shape[:-1]:
        if output.shape[-1] == truth.shape[-1] + 1:
            yield Trial("classes shifted", "it has one class more in front: without it", truth, output[..., 1:])
            yield Trial("one class more", "it has one class more at the end: without it", truth, output[..., :-1])
        if output.shape[-1] == truth.shape[-1] - 1:
            yield Trial("classes shifted", "the first class is missing: of the others", truth[..., 1:], output)


def _listed(order: tuple[int, ...]) -> str:
    return "(" + ",".join(map(str, order)) + ")"


def _layout(order: tuple[int, ...]) -> str:
    return _LAYOUTS.get(order, "")
