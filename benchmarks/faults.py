"""What can be wrong in an exported file: changes of a weight, of a node, or of a model's outputs.

A change of a weight gives a new array. A change of a node or a model is made in place and answers False where the fault
cannot be there. None knows where in the network it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto

from benchmarks import graph_places as places
from benchmarks import graph_surgery as graph
from benchmarks.graph_surgery import Array

_CLASS_AXIS = {"Conv": 0, "MatMul": -1, "Gemm": -1}


# --- weights ----------------------------------------------------------------------------------------------------------


def times(factor: float) -> Callable[[Array], Array]:
    """Every weight times a factor."""
    return lambda weight: weight * factor


def through(dtype: Any) -> Callable[[Array], Array]:
    """Rounded to a shorter type."""
    return lambda weight: weight.astype(dtype).astype(weight.dtype)


def through_int8(kernel: Array) -> Array:
    """Rounded to 255 steps, one scale for the whole kernel."""
    step = np.abs(kernel).max() / 127
    return np.asarray(np.rint(kernel / step) * step) if step > 0 else kernel


def with_nan(kernel: Array) -> Array:
    """The first weight is NaN."""
    return np.where(np.arange(kernel.size).reshape(kernel.shape) == 0, np.nan, kernel)


def largest_negated(kernel: Array) -> Array:
    """The largest weight has the other sign."""
    return np.where(np.abs(kernel) == np.abs(kernel).max(), -kernel, kernel)


def channels_reversed(kernel: Array) -> Array:
    """Input channels in the other order, as BGR for RGB."""
    return kernel[:, ::-1]


def flipped(kernel: Array) -> Array:
    """Mirrored along the last axis."""
    return kernel[..., ::-1]


def height_for_width(kernel: Array) -> Array:
    """The last two axes exchanged."""
    return kernel.swapaxes(-1, -2)


def outputs_for_inputs(kernel: Array) -> Array:
    """The first two axes exchanged."""
    return kernel.swapaxes(0, 1)


def two_filters_swapped(kernel: Array) -> Array:
    """The first two filters exchanged."""
    return kernel[[1, 0, *range(2, len(kernel))]]


def one_filter_zeroed(kernel: Array) -> Array:
    """The first filter is zero."""
    return np.concatenate([np.zeros_like(kernel[:1]), kernel[1:]])


def halves_exchanged(pads: Array) -> Array:
    """Pads: what was below and right goes above and left."""
    return np.roll(pads, len(pads) // 2)


# --- nodes ------------------------------------------------------------------------------------------------------------


def classes_shifted(model: ModelProto, node: NodeProto) -> bool:
    """Each class gets the kernel of the one before it; biases stay."""
    kernel = graph.constant(model, node, 1)
    if kernel is None:
        return False
    graph.set_constant(model, node, 1, np.roll(kernel, 1, _CLASS_AXIS[node.op_type]))
    return True


def bias_dropped(model: ModelProto, node: NodeProto) -> bool:
    """A kernel's bias becomes zero: its third input, or the constant that is added to its result."""
    place = 2
    if len(node.input) < 3:
        adds = graph.readers(model, node.output[0], "Add")
        if not adds:
            return False
        node, place = adds[0], 1 - list(adds[0].input).index(node.output[0])
    bias = graph.constant(model, node, place)
    if bias is None or not bias.any():
        return False
    graph.set_constant(model, node, place, np.zeros_like(bias))
    return True


def sides_exchanged(_: ModelProto, node: NodeProto) -> bool:
    """Pads of a convolution: what was below and right goes above and left."""
    pads = graph.attribute(node, "pads", [])
    half = len(pads) // 2
    if pads[:half] == pads[half:]:
        return False
    graph.set_attribute(node, "pads", [*pads[half:], *pads[:half]])
    return True


def dilated(_: ModelProto, node: NodeProto) -> None:
    """Dilation 2, padded so that the output's shape stays."""
    size = graph.attribute(node, "kernel_shape")
    pads = graph.attribute(node, "pads", [0] * (2 * len(size)))
    graph.set_attribute(node, "dilations", [2] * len(size))
    graph.set_attribute(node, "pads", [pad + (k - 1) // 2 for pad, k in zip(pads, [*size, *size], strict=True)])


def uncapped(_: ModelProto, node: NodeProto) -> None:
    """A Clip without its upper bound."""
    graph.become(node, "Clip", node.input[:2])


def all_uncapped(model: ModelProto) -> bool:
    """Every Clip without its upper bound."""
    found = places.caps(model)
    for node in found:
        uncapped(model, node)
    return bool(found)


def skipped(_: ModelProto, node: NodeProto) -> None:
    """The node's first input is its output."""
    graph.become(node, "Identity", node.input[:1])


def turned_into(op_type: str) -> Callable[[ModelProto, NodeProto], None]:
    """Another operator in place of the node, same inputs, same attributes."""

    def change(_: ModelProto, node: NodeProto) -> None:
        node.op_type = op_type

    return change


def relu_instead(_: ModelProto, node: NodeProto) -> None:
    """ReLU of the node's first input."""
    graph.become(node, "Relu", node.input[:1])


def with_attribute(name: str, value: Any) -> Callable[[ModelProto, NodeProto], None]:
    """The node with another attribute."""
    return lambda _, node: graph.set_attribute(node, name, value)


# --- outputs ----------------------------------------------------------------------------------------------------------


def output_renamed(model: ModelProto) -> None:
    """The first output under another name."""
    output = model.graph.output[0]
    graph.rename(model, output.name, f"{output.name}_1")
    output.name = f"{output.name}_1"


def output_missing(model: ModelProto) -> None:
    """The first output is not there."""
    del model.graph.output[0]


def output_twice(model: ModelProto) -> None:
    """The first output again, under another name."""
    first = model.graph.output[0]
    again = model.graph.output.add()
    again.CopyFrom(first)
    again.name = f"{first.name}_again"
    model.graph.node.add(op_type="Identity", input=[first.name], output=[again.name])


def output_cast(element_type: int) -> Callable[[ModelProto], None]:
    """The first output in another element type."""

    def change(model: ModelProto) -> None:
        graph.before_output(model, "Cast", to=element_type)
        graph.declare_output(model, element_type)

    return change


def output_with_one_more_axis(model: ModelProto) -> None:
    """The first output with an axis of size 1 after the batch."""
    graph.before_output(model, "Unsqueeze", np.array([1]))
    graph.declare_output(model, rank=len(model.graph.output[0].type.tensor_type.shape.dim) + 1)


def output_constant(model: ModelProto) -> None:
    """One number everywhere, that of a uniform distribution over 1000 classes."""
    graph.before_output(model, "Mul", np.array(0, np.float32))
    graph.before_output(model, "Add", np.array(1e-3, np.float32))
