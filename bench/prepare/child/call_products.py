"""Multiply-adds of one call of a layer that works by others: a cell in a loop, attention between projections.

Runs in a child process. Only of the classes that Keras itself has: a subclass may compute something else. None is
never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

import tensorflow as tf
from keras import layers

from bench.prepare.child.layer_products import known_shape, own_weights, products_of

_CELLS = (layers.SimpleRNNCell, layers.GRUCell, layers.LSTMCell)  # of kernel and recurrent kernel, both matrices


class Call(NamedTuple):
    """One call of a layer with its tensors."""

    layer: Any
    arguments: tuple[Any, ...] = ()  # all tensors that it is given
    leaving: Any = None  # the first that it gives
    within: Mapping[int, Any] = {}  # by id of a layer that it calls in sight, the first tensor that this gives


def products_of_call(call: Call) -> int | None:
    """Of the call itself; those of layers that it calls in sight are left to these.

    0 where the kind sums no products, None where the kind is not known or a shape is free.
    """
    counter = next((count for kinds, count in _COUNTERS if type(call.layer) in kinds), None)
    if counter is None:
        return products_of(call.layer, next(iter(call.arguments), None), call.leaving)
    return counter(call)


def counted_weights(layer: Any) -> list[Any]:
    """A layer's own, and those of a part that never is a call in sight but is counted with it."""
    parts = _cells(layer) if type(layer) in _RECURRENT else [layer.layer] if type(layer) in _STEPWISE else []
    return [weight for one in (layer, *parts) for weight in own_weights(one)]


def _recurrent(call: Call) -> int | None:
    """Every step multiplies what comes in by the kernel, and the state by the recurrent kernel."""
    layer, inputs = call.layer, _first_shape(call)
    if layer.unroll or id(layer.cell) in call.within:
        return 0 if layer.unroll and id(layer.cell) in call.within else None
    cells = _cells(layer)
    if inputs is None or len(inputs) != 3 or not all(_is_known(cell) for cell in cells):
        return None
    return prod(inputs[:2]) * sum(_of_step(cell) for cell in cells)


def _cell(call: Call) -> int | None:
    """A step that is called by itself."""
    inputs = _first_shape(call)
    return None if inputs is None or len(inputs) != 2 else inputs[0] * _of_step(call.layer)


def _convolutional(call: Call) -> int | None:
    """Every step convolves both, the state to its own size; kernels [..., inputs, outputs of all gates]."""
    layer, inputs, outputs = call.layer, _first_shape(call), known_shape(call.leaving)
    kernel = tuple(layer.cell.kernel.shape)
    rank = len(kernel) - 2
    if inputs is None or outputs is None or len(inputs) != rank + 3 or id(layer.cell) in call.within:
        return None
    end = len(outputs) - (layer.cell.data_format == "channels_last")
    return prod(inputs[:2]) * prod(outputs[end - rank : end]) * _of_step(layer.cell)


def _attention(call: Call) -> int | None:
    """Scores of each query against all keys, and the values weighted by them; projections are calls of their own.

    They give [items, places..., heads, size].
    """
    layer = call.layer
    parts = [getattr(layer, f"_{name}_dense", None) for name in ("query", "key", "value")]
    query, keys, values = (known_shape(call.within.get(id(part))) for part in parts)
    if query is None or keys is None or values is None:
        return None
    axes = getattr(layer, "_attention_axes", (1,))
    return prod(keys[axis] for axis in axes) * (prod(query) + prod(query[:-1]) * values[-1])


def _dot_attention(call: Call) -> int | None:
    """The same of one head without projections: query and value [items, places, size]."""
    shapes = [known_shape(tensor) for tensor in call.arguments[:2]]
    if call.layer.score_mode != "dot" or len(shapes) != 2 or None in shapes:
        return None
    query, values = (shape or () for shape in shapes)
    if len(query) != 3 or len(values) != 3:
        return None
    return prod(query) * values[1] + prod(query[:-1]) * prod(values[1:])


def _dot(call: Call) -> int | None:
    """Each output sums over the axis that both lose."""
    inputs, outputs = _first_shape(call), known_shape(call.leaving)
    if inputs is None or outputs is None:
        return None
    axes = call.layer.axes
    return prod(outputs) * inputs[axes if isinstance(axes, int) else axes[0]]


def _stepwise(call: Call) -> int | None:
    """The layer within, once a step; one that calls others does so in sight."""
    inputs, outputs = _first_shape(call), known_shape(call.leaving)
    if inputs is None or outputs is None:
        return None
    arriving, leaving = (tf.TensorSpec((*shape[:1], *shape[2:])) for shape in (inputs, outputs))
    each = products_of_call(Call(call.layer.layer, (arriving,), leaving))
    return None if each is None else each * inputs[1]


def _cells(layer: Any) -> list[Any]:
    return layer.cell.cells if type(layer.cell) is layers.StackedRNNCells else [layer.cell]


def _is_known(cell: Any) -> bool:
    """Of Keras itself, and its activation holds no weights."""
    return type(cell) in _CELLS and len(cell.weights) == len(own_weights(cell))


def _of_step(cell: Any) -> int:
    return int(prod(cell.kernel.shape) + prod(cell.recurrent_kernel.shape))


def _first_shape(call: Call) -> tuple[int, ...] | None:
    return known_shape(next(iter(call.arguments), None))


_STEPWISE = (layers.TimeDistributed,)
_CONVOLUTIONAL = (layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D)
_RECURRENT = (layers.RNN, layers.SimpleRNN, layers.GRU, layers.LSTM, *_CONVOLUTIONAL)
_COUNTERS = (
    (_CONVOLUTIONAL, _convolutional),
    (_RECURRENT, _recurrent),
    (_CELLS, _cell),
    ((layers.MultiHeadAttention, layers.GroupQueryAttention), _attention),
    ((layers.Attention,), _dot_attention),
    ((layers.Dot,), _dot),
    (_STEPWISE, _stepwise),
)
