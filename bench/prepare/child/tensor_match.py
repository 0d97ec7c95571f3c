"""Which tensor of a file holds a layer's result, by its values: up to the order of its axes. Pure.

Tensors are [runs, ...]: a run is one item, or as many as the batch is fixed to.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.analysis import distance as far
from bench.prepare import steps

Array = np.ndarray[Any, np.dtype[Any]]
Axes = tuple[int, ...]
_MOST_AXES = 5  # that are longer than 1; 120 orders
_ROOM = 1.01  # for the rounding of the bound itself


@dataclass(frozen=True)
class Match:
    """A tensor that a step's result was compared with."""

    tensor: str
    axes: Axes | None
    error: float


class Sought:
    """A step's truth [items, ...] and what is asked of it again and again."""

    def __init__(self, truth: Array) -> None:
        self.truth = truth
        self.kind = far.dtype_class(truth)
        self.unit = steps.unit_of(truth) if self.kind in ("float", "complex") else 1.0
        self.extremes = _extremes(truth) if self.kind == "float" else (0.0, 0.0)


class Tensors:
    """The file's tensors by their sizes, and their extremes: what no order of axes changes."""

    def __init__(self, values: Mapping[str, Array]) -> None:
        self.values = values  # [runs, ...], in the graph's order
        self._by_size: dict[int, list[str]] = {}
        self._extremes: dict[str, tuple[float, float]] = {}
        for name, rows in values.items():
            if rows.size:
                self._by_size.setdefault(rows.size, []).append(name)

    def sized(self, sought: Sought) -> list[str]:
        """Names of the tensors of a truth's size and kind of values."""
        names = self._by_size.get(sought.truth.size, ())
        return [name for name in names if far.dtype_class(self.values[name]) == sought.kind]

    def equal(self, sought: Sought, tolerance: float) -> list[Match]:
        """Those that hold the truth within the tolerance, in the graph's order."""
        near = [name for name in self.sized(sought) if self._near(name, sought, tolerance)]
        return [match for match in (self.best(name, sought, tolerance) for name in near) if match.error <= tolerance]

    def best(self, name: str, sought: Sought, enough: float = 0.0) -> Match:
        """A tensor of the truth's size with the first order of axes that is within ``enough``, or the best of all."""
        rows, truth = self.values[name], sought.truth
        best = Match(name, None, math.inf)
        for axes in _orders(rows.shape[1:], truth.shape, len(rows)):
            error = steps.step_error(truth, in_order(rows, axes, truth.shape), sought.unit)
            is_reshape = axes is None and best.error < math.inf  # of other lengths: no match unless it is equal
            if error < best.error and (error <= enough or not is_reshape):
                best = Match(name, axes, error)
            if best.error <= enough:
                break
        return best

    def _near(self, name: str, sought: Sought, tolerance: float) -> bool:
        """Whether the extremes allow that a tensor is within the tolerance: cheap, and rules nearly all out."""
        if sought.kind != "float":
            return True
        if name not in self._extremes:
            self._extremes[name] = _extremes(self.values[name])
        room = tolerance * sought.unit * _ROOM
        pairs = zip(self._extremes[name], sought.extremes, strict=True)
        return all(abs(ours - theirs) <= room for ours, theirs in pairs)


def in_order(rows: Array, axes: Axes | None, shape: tuple[int, ...]) -> Array:
    """Rows [runs, ...] in the layer's layout, [items, ...]: what ``steps.in_layout`` does for one run."""
    moved = rows if axes is None else np.transpose(rows, (0, *(axis + 1 for axis in axes)))
    return moved.reshape(shape)


def _orders(shape: tuple[int, ...], truth: tuple[int, ...], runs: int) -> Iterator[Axes | None]:
    """Orders of the axes whose lengths are the truth's, the own one (None) first; axes of length 1 do not count.

    Where the own order has other lengths it comes last: a reshape.
    """
    wanted = [length for length in (truth[0] // runs, *truth[1:]) if length != 1]
    ones = tuple(axis for axis, length in enumerate(shape) if length == 1)
    longer = tuple(axis for axis, length in enumerate(shape) if length != 1)
    fits = [shape[axis] for axis in longer] == wanted
    if fits:
        yield None
    if len(longer) == len(wanted) <= _MOST_AXES:
        for order in itertools.permutations(longer):
            if order != longer and [shape[axis] for axis in order] == wanted:
                yield (*ones, *order)
    if not fits:
        yield None


def _extremes(values: Array) -> tuple[float, float]:
    wide = far.as_float64(values)
    finite = wide[np.isfinite(wide)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
