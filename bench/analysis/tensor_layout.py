"""Rows of a file's tensor in the layout of the layer that it holds the result of, and back. Pure.

Rows come from calls, one an item: the tensor without its first axis where that is the batch, and the whole tensor
where it is not (time first, batch second).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.analysis.distance import Array
from bench.prepare.dissection import Step
from bench.prepare.steps import in_layout


def as_layer(rows: Array, step: Step) -> Array:
    """Rows as [items, ...] in the layer's layout; as they are where they have not the step's size."""
    try:
        return np.concatenate([in_layout(step, row.reshape(_whole(row.shape, step))) for row in rows])
    except ValueError:
        return rows


def as_rows(values: Array, step: Step, row: Sequence[int]) -> Array:
    """The layer's values, [items, ...], as rows of that shape: what ``as_layer`` undoes."""
    if step.axes is None:
        return values.reshape(len(values), *row)
    whole, back = _whole(row, step), np.argsort(step.axes)
    moved = [whole[axis] for axis in step.axes]
    return np.stack([value.reshape(moved).transpose(back).reshape(row) for value in values])


def _whole(row: Sequence[int], step: Step) -> tuple[int, ...]:
    """Shape of the tensor that a row is of."""
    return tuple(row) if step.axes is not None and len(row) == len(step.axes) else (1, *row)
