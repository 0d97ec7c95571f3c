"""Where in any network's graph a fault can be: each finder gives one node, or None where there is none.

Where there are several it is the one in the middle of the network unless the name says another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from onnx import ModelProto, NodeProto

from bench.prepare.child.mutants.surgery import (
    Array,
    attribute,
    constant,
    constant_names,
    nodes_of,
    producer,
    readers,
)
from bench.prepare.child.onnx_graph import all_nodes

Find = Callable[[ModelProto], NodeProto | None]

ACTIVATIONS = (
    "Sigmoid",
    "Tanh",
    "Elu",
    "LeakyRelu",
    "Selu",
    "Softplus",
    "Softsign",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
)


def kernels(model: ModelProto) -> list[NodeProto]:
    """Convolutions and matrix products with a constant kernel."""
    names = constant_names(model)
    return [node for node in nodes_of(model, "Conv", "ConvTranspose", "MatMul", "Gemm") if node.input[1] in names]


def caps(model: ModelProto) -> list[NodeProto]:
    """Clip nodes with an upper bound: ReLU6, and the one inside a hard sigmoid or hard swish."""
    return [node for node in nodes_of(model, "Clip") if len(node.input) == 3 and node.input[2]]


def first_convolution(model: ModelProto) -> NodeProto | None:
    """The first convolution of all channels with a kernel larger than 1x1."""
    return next(iter(_convolutions(model, depthwise=False)), None)


def middle_kernel(model: ModelProto) -> NodeProto | None:
    """A convolution or matrix product."""
    return middle(kernels(model))


def first_kernel(model: ModelProto) -> NodeProto | None:
    """The first convolution or matrix product."""
    return next(iter(kernels(model)), None)


def last_kernel(model: ModelProto) -> NodeProto | None:
    """The last convolution or matrix product: the one that makes the logits."""
    return next(reversed(kernels(model)), None)


def square_kernel(model: ModelProto) -> NodeProto | None:
    """A 1x1 convolution or dense layer with as many outputs as inputs."""
    return middle([node for node in kernels(model) if _is_square(constant(model, node, 1))])


def biased_convolution(model: ModelProto) -> NodeProto | None:
    """A convolution with a bias of its own."""
    return middle([node for node in kernels(model) if node.op_type == "Conv" and len(node.input) == 3])


def depthwise(model: ModelProto) -> NodeProto | None:
    """A depthwise convolution."""
    return middle(_convolutions(model, depthwise=True))


def wide_convolution(model: ModelProto) -> NodeProto | None:
    """A convolution with a kernel larger than 1x1, of either kind."""
    return middle([node for node in kernels(model) if node.op_type == "Conv" and _size(model, node) > 1])


def keeping_convolution(model: ModelProto) -> NodeProto | None:
    """A depthwise convolution whose output has its input's shape."""
    nodes = _convolutions(model, depthwise=True)
    return middle([node for node in nodes if max(attribute(node, "strides", [1])) == 1 and attribute(node, "pads")])


def cap(model: ModelProto) -> NodeProto | None:
    """A Clip with an upper bound."""
    return middle(caps(model))


def activation(model: ModelProto) -> NodeProto | None:
    """A ReLU, or a Clip with an upper bound; where there is neither, another activation."""
    capped = caps(model)
    found = [node for node in all_nodes(model) if node.op_type == "Relu" or node in capped]
    return middle(found or nodes_of(model, *ACTIVATIONS))


def residual(model: ModelProto) -> NodeProto | None:
    """An Add of two computed tensors."""
    adds = nodes_of(model, "Add")
    return middle([node for node in adds if all(is_computed(model, name) for name in node.input)])


def hard_swish(model: ModelProto) -> NodeProto | None:
    """The Mul that ends ``x * (clip(x + 3, 0, 6) / 6)``; its ``x`` is the first input."""
    return middle([node for node in nodes_of(model, "Mul") if _is_hard_swish(model, node)])


def normalisation(op_type: str) -> Find:
    """A Mul or Add with one constant a channel: what is left of a batch norm that was not folded."""

    def find(model: ModelProto) -> NodeProto | None:
        return middle([node for node in nodes_of(model, op_type) if _is_channelwise(constant(model, node, 1))])

    return find


def uneven_pad(model: ModelProto) -> NodeProto | None:
    """A Pad node that pads one side more than the other."""
    return middle([node for node in nodes_of(model, "Pad") if _is_uneven(constant(model, node, 1))])


def middle_of(*op_types: str) -> Find:
    """A node of one of these operator types."""
    return lambda model: middle(nodes_of(model, *op_types))


def last_of(*op_types: str) -> Find:
    """The last node of one of these operator types."""
    return lambda model: next(reversed(nodes_of(model, *op_types)), None)


def flattening(model: ModelProto) -> NodeProto | None:
    """The Transpose to channels-last whose result a Reshape flattens."""
    nodes = nodes_of(model, "Transpose")
    return middle([node for node in nodes if readers(model, node.output[0], "Reshape")])


def _convolutions(model: ModelProto, *, depthwise: bool) -> list[NodeProto]:
    wide = (node for node in kernels(model) if node.op_type == "Conv" and _size(model, node) > 1)
    return [node for node in wide if (attribute(node, "group", 1) > 1) == depthwise]


def kernel_size(model: ModelProto, node: NodeProto) -> list[int]:
    """Of a convolution or a pooling, an axis each; a convolution need not say it."""
    kernel = constant(model, node, 1)
    return list(attribute(node, "kernel_shape") or (kernel.shape[2:] if kernel is not None else ()))


def is_computed(model: ModelProto, name: str) -> bool:
    """Whether a node gives this tensor that is no constant."""
    made = producer(model, name)
    return made is not None and made.op_type != "Constant"


def _size(model: ModelProto, node: NodeProto) -> int:
    return int(max(kernel_size(model, node), default=1))


def _is_square(kernel: Array | None) -> bool:
    return kernel is not None and kernel.ndim > 1 and kernel.shape[0] == kernel.shape[1] > 1 and kernel[0, 0].size == 1


def _is_channelwise(value: Array | None) -> bool:
    return value is not None and value.ndim >= 3 and value.size == max(value.shape) > 1


def _is_uneven(pads: Array | None) -> bool:
    return pads is not None and bool(np.any(pads[: len(pads) // 2] != pads[len(pads) // 2 :]))


def _is_hard_swish(model: ModelProto, node: NodeProto) -> bool:
    scaled = producer(model, node.input[1])
    clipped = producer(model, scaled.input[0]) if scaled is not None and scaled.op_type == "Mul" else None
    shifted = producer(model, clipped.input[0]) if clipped is not None and clipped.op_type == "Clip" else None
    return shifted is not None and shifted.op_type == "Add" and shifted.input[0] == node.input[0]


def middle(found: Sequence[NodeProto]) -> NodeProto | None:
    """The one in the middle of the network; None of none."""
    return found[len(found) // 2] if found else None
