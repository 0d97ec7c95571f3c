"""What can be wrong with a node: each fault changes it in place and answers False where it cannot be there.

None knows where in the network it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto

from bench.prepare.child.mutants import parts, places
from bench.prepare.child.mutants import surgery as graph

_CLASS_AXIS = {"Conv": 0, "ConvTranspose": 1, "MatMul": -1, "Gemm": -1}
_OTHER_ACTIVATION = {
    "Relu": "Softplus",
    "Sigmoid": "HardSigmoid",
    "Tanh": "Softsign",
    "Elu": "Relu",
    "Selu": "Elu",
    "LeakyRelu": "Relu",
    "Softplus": "Relu",
    "Softsign": "Tanh",
    "Gelu": "Relu",
    "HardSigmoid": "Sigmoid",
    "HardSwish": "Relu",
}
OTHERS = tuple(_OTHER_ACTIVATION)
_ALPHAS = {"Elu": 1.0, "LeakyRelu": 0.01, "HardSigmoid": 0.2}
ALPHAS = tuple(_ALPHAS)
_EPSILON = 1e-5  # of ONNX's normalisations, where nothing is said
_MANY = 1000.0


def classes_shifted(model: ModelProto, node: NodeProto) -> bool:
    """Each class gets the kernel of the one before it; biases stay."""
    kernel = graph.constant(model, node, 1)
    if kernel is None:
        return False
    axis = 0 if graph.attribute(node, "transB", 0) else _CLASS_AXIS[node.op_type]
    if kernel.shape[axis] < 2:
        return False
    graph.set_constant(model, node, 1, np.roll(kernel, 1, axis))
    return True


def bias_dropped(model: ModelProto, node: NodeProto) -> bool:
    """A kernel's bias becomes zero: its third input, or the constant that is added to its result."""
    place = parts.bias_of(model, node)
    bias = graph.constant(model, *place) if place is not None else None
    if place is None or bias is None or not bias.any():
        return False
    graph.set_constant(model, *place, np.zeros_like(bias))
    return True


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


def computed_alone(model: ModelProto, node: NodeProto) -> bool:
    """The node's computed input is its output: the number beside it, or the mask, is gone."""
    computed = [name for name in node.input if places.is_computed(model, name)]
    if not computed:
        return False
    graph.become(node, "Identity", computed[1:2] if node.op_type == "Where" and len(computed) > 1 else computed[:1])
    return True


def sum_for_mean(_: ModelProto, node: NodeProto) -> bool:
    """The sum for the mean; axes as an attribute are no longer those of a sum."""
    if len(node.input) < 2:
        return False
    node.op_type = "ReduceSum"
    return True


def other_activation(_: ModelProto, node: NodeProto) -> None:
    """Another activation of the same kind of curve."""
    graph.become(node, _OTHER_ACTIVATION[node.op_type], node.input[:1])


def alpha_doubled(_: ModelProto, node: NodeProto) -> None:
    """Twice the slope or the scale of an activation."""
    graph.set_attribute(node, "alpha", 2 * graph.attribute(node, "alpha", _ALPHAS[node.op_type]))


def scalar_doubled(model: ModelProto, node: NodeProto) -> bool:
    """Twice the number that a node adds or multiplies with."""
    place = parts.scalar_place(model, node)
    value = graph.constant(model, node, place) if place is not None else None
    if place is None or value is None:
        return False
    graph.set_constant(model, node, place, np.asarray(2 * value, value.dtype))
    return True


def larger_epsilon(model: ModelProto, node: NodeProto) -> None:
    """A thousand times the epsilon of a normalisation."""
    place = parts.epsilon_place(model, node) if node.op_type == "Add" else None
    value = graph.constant(model, node, place) if place is not None else None
    if place is None or value is None:
        graph.set_attribute(node, "epsilon", _MANY * graph.attribute(node, "epsilon", _EPSILON))
    else:
        graph.set_constant(model, node, place, np.asarray(_MANY * value, value.dtype))


def axes_exchanged(model: ModelProto, node: NodeProto) -> bool:
    """A Transpose with two axes of one size exchanged."""
    pair, perm = parts.equal_axes(model, node), graph.attribute(node, "perm")
    if pair is None:
        return False
    perm[pair[0]], perm[pair[1]] = perm[pair[1]], perm[pair[0]]
    graph.set_attribute(node, "perm", perm)
    return True


def inputs_reversed(_: ModelProto, node: NodeProto) -> bool:
    """A Concat of the same tensors in the other order."""
    names = list(node.input)
    node.input[:] = names[::-1]
    return names != names[::-1]


def kernels_exchanged(model: ModelProto) -> bool:
    """Two kernels of one shape in one another's place."""
    pair = parts.twins(model)
    if pair is None:
        return False
    pair[0].input[1], pair[1].input[1] = pair[1].input[1], pair[0].input[1]
    return True


def read_backwards(model: ModelProto, node: NodeProto) -> bool:
    """A recurrence from the last step to the first; of one in both directions, the weights of each for the other."""
    direction = graph.attribute(node, "direction", b"forward")
    if direction != b"bidirectional":
        graph.set_attribute(node, "direction", "forward" if direction == b"reverse" else "reverse")
        return True
    kernel = graph.constant(model, node, 1)
    if kernel is None:
        return False
    graph.set_constant(model, node, 1, kernel[::-1])
    return True


def reset_otherwise(_: ModelProto, node: NodeProto) -> None:
    """A GRU that resets before its recurrent product, or after it."""
    graph.set_attribute(node, "linear_before_reset", 1 - graph.attribute(node, "linear_before_reset", 0))


def relu_instead(_: ModelProto, node: NodeProto) -> None:
    """ReLU of the node's first input."""
    graph.become(node, "Relu", node.input[:1])


def with_attribute(name: str, value: Any) -> Callable[[ModelProto, NodeProto], None]:
    """The node with another attribute."""
    return lambda _, node: graph.set_attribute(node, name, value)
