"""What a model costs by its layers: multiply-adds of one item, and trainable parameters. Runs in a child process."""

from __future__ import annotations

from math import prod
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from bench.prepare.child.watching import LayerCall, watched_calls

_Shape = tuple[int, ...]  # of one item

_BY_OUTPUT = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_FREE = (  # weights, but no products summed over inputs: the convention of the papers leaves them out
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.GroupNormalization,
    layers.UnitNormalization,
    layers.Normalization,
    layers.Embedding,
    layers.PReLU,
    layers.Dropout,
)
_UNCOUNTED = (  # products without weights, or a step repeated out of sight
    layers.MultiHeadAttention,
    layers.GroupQueryAttention,
    layers.Attention,
    layers.AdditiveAttention,
    layers.Dot,
    layers.RNN,
    layers.TimeDistributed,
    layers.Lambda,
)


def trainable_parameters(model: keras.Model) -> int:
    """Elements of all trainable weights."""
    return sum(prod(variable.shape) for variable in model.trainable_variables)


def multiply_adds(model: keras.Model) -> int | None:
    """Multiply-adds of one item in convolutions and dense layers; a layer called twice counts twice.

    Biases, normalisation and activations are left out, as in the MobileNet papers. None where a weighted layer's kind
    is not known or a shape is free: never a guess. Traces the model, does not run it: its weights stay as they are.
    """
    counts: list[int | None] = []

    def watch(call: LayerCall, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        outputs = call(layer, *args, **kwargs)
        counts.append(_of_call(layer, args, outputs))
        return outputs

    with watched_calls(watch):
        _trace(model)
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _trace(model: keras.Model) -> None:
    specs = [tf.TensorSpec((tensor.shape[0] or 1, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]
    structure = getattr(model, "_inputs_struct", specs if len(specs) > 1 else specs[0])  # Sequential has none
    packed = keras.tree.pack_sequence_as(structure, specs)
    tf.function(lambda *inputs: model(*inputs, training=False)).get_concrete_function(packed)


def _of_call(layer: Any, args: tuple[Any, ...], outputs: Any) -> int | None:
    """Multiply-adds of one call of one layer, its sublayers' left to their own calls."""
    kind = type(layer)
    if isinstance(layer, _UNCOUNTED):
        return None
    own_weights = [*layer._trainable_variables, *layer._non_trainable_variables]
    if kind in _FREE or not own_weights or _is_layer_scale(kind):
        return 0
    counter = next((count for kinds, count in _COUNTERS if kind in kinds), None)
    arriving, leaving = _item_shape(args[0]), _item_shape(outputs)
    if counter is None or arriving is None or leaving is None:
        return None
    return int(counter(layer, arriving, leaving))


def _is_layer_scale(kind: type) -> bool:
    """One factor a channel, in keras.applications' ConvNeXt; Keras does not export the class."""
    return kind.__name__ == "LayerScale" and kind.__module__.startswith("keras.")


def _by_output(layer: Any, _: _Shape, outputs: _Shape) -> Any:
    """Each output sums over its kernel's inputs; kernel [..., inputs of a group, outputs]."""
    return prod(outputs) * prod(layer.kernel.shape[:-1])


def _depthwise(layer: Any, _: _Shape, outputs: _Shape) -> Any:
    """Each output sums over one channel; kernel [..., inputs, multiplier]."""
    return prod(outputs) * prod(layer.kernel.shape[:-2])


def _separable(layer: Any, _: _Shape, outputs: _Shape) -> Any:
    """Depthwise at the output's places, then pointwise."""
    depthwise, pointwise = layer.depthwise_kernel.shape, layer.pointwise_kernel.shape
    places = prod(outputs) // layer.filters
    return places * prod(depthwise) + prod(outputs) * prod(pointwise[:-1])


def _transposed(layer: Any, inputs: _Shape, _: _Shape) -> Any:
    """Each input is spread over its kernel's outputs; kernel [..., outputs, inputs]."""
    return prod(inputs) * prod(layer.kernel.shape[:-1])


def _einsum(layer: Any, _: _Shape, outputs: _Shape) -> Any:
    """Each output sums over the kernel's labels that it has not."""
    operands, _arrow, result = layer.equation.replace(" ", "").partition("->")
    labels = operands.partition(",")[2]
    return prod(outputs) * prod(
        size for label, size in zip(labels, layer.kernel.shape, strict=True) if label not in result
    )


_COUNTERS = (
    (_BY_OUTPUT, _by_output),
    (_DEPTHWISE, _depthwise),
    (_SEPARABLE, _separable),
    (_TRANSPOSED, _transposed),
    ((layers.EinsumDense,), _einsum),
)


def _item_shape(tensor: Any) -> _Shape | None:
    shape = tuple(getattr(tensor, "shape", (None, None)))[1:]
    return None if any(axis is None for axis in shape) else shape
