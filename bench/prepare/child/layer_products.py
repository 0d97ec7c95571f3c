"""Multiply-adds of one call of a Keras layer, by its kind and shapes. Runs in a child process.

Biases, normalisation and activations are left out, as in the MobileNet papers. None is never a guess.
"""

from __future__ import annotations

from math import prod
from typing import Any

from keras import layers

_Shape = tuple[int, ...]  # whole, items first

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
_UNCOUNTED = (  # products without weights, or a step repeated out of sight, in classes derived from these
    layers.MultiHeadAttention,
    layers.GroupQueryAttention,
    layers.Attention,
    layers.AdditiveAttention,
    layers.Dot,
    layers.RNN,
    layers.TimeDistributed,
    layers.Lambda,
)


def products_of(layer: Any, arriving: Any, leaving: Any) -> int | None:
    """Of one call of a layer itself, its sublayers' left to their own; ``arriving`` and ``leaving`` are its tensors.

    0 where the kind sums no products, None where the kind is not known or a shape is free.
    """
    if isinstance(layer, _UNCOUNTED):
        return None
    kind = type(layer)
    if kind in _FREE or not own_weights(layer) or _is_layer_scale(kind):
        return 0
    counter = next((count for kinds, count in _COUNTERS if kind in kinds), None)
    inputs, outputs = known_shape(arriving), known_shape(leaving)
    return None if counter is None or inputs is None or outputs is None else int(counter(layer, inputs, outputs))


def window_of(layer: Any) -> str:
    """``"3x3"`` of a convolution or pooling; "" of a layer without a window."""
    sizes = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    return "x".join(map(str, sizes)) if isinstance(sizes, tuple) else ""


def own_weights(layer: Any) -> list[Any]:
    """Variables that are a layer's own, none of a layer within it and no state of a random generator."""
    return [*getattr(layer, "_trainable_variables", ()), *getattr(layer, "_non_trainable_variables", ())]


def has_weights(layer: Any) -> bool:
    """Whether a layer has variables of its own, or of a cell that is no call."""
    return bool(own_weights(layer)) or (hasattr(layer, "cell") and bool(layer.weights))


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


def known_shape(tensor: Any) -> _Shape | None:
    """None of a shape that is free, and where there is no tensor."""
    shape = tuple(getattr(tensor, "shape", (None,)))
    return None if any(axis is None for axis in shape) else shape
