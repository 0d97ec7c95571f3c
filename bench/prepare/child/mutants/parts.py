"""Where a fault can be in the parts that not every network has: padding, numbers, normalisation, layout, order.

Finders as in ``places``.
"""

from __future__ import annotations

from onnx import ModelProto, NodeProto

from bench.prepare.child.mutants.places import Find, is_computed, kernels, middle
from bench.prepare.child.mutants.surgery import (
    attribute,
    constant,
    model_inputs,
    nodes_of,
    producer,
    readers,
    shape_of,
)

MASK = 1e4  # a constant beyond it masks
_TINY = 0.1  # a constant up to it, added before a square root, is an epsilon
NORMALISATIONS = ("BatchNormalization", "LayerNormalization", "InstanceNormalization", "GroupNormalization")
_SHAPES = ("Reshape", "Expand", "Tile", "Resize", "ConstantOfShape", "Slice", "Cast", "Concat")


# --- padding, strides -------------------------------------------------------------------------------------------------


def padded(*op_types: str) -> Find:
    """A convolution or pooling that pads by itself."""

    def find(model: ModelProto) -> NodeProto | None:
        return middle([node for node in nodes_of(model, *op_types) if _pads(node)])

    return find


def last_strided(model: ModelProto) -> NodeProto | None:
    """The last convolution or pooling that steps by more than one."""
    nodes = nodes_of(model, "Conv", "MaxPool", "AveragePool")
    return next((node for node in reversed(nodes) if max(attribute(node, "strides", [1])) > 1), None)


def last_unstrided(model: ModelProto) -> NodeProto | None:
    """The last convolution with a kernel larger than one that steps by one."""
    nodes = [node for node in nodes_of(model, "Conv") if max(attribute(node, "kernel_shape", [1])) > 1]
    return next((node for node in reversed(nodes) if max(attribute(node, "strides", [1])) == 1), None)


def _pads(node: NodeProto) -> bool:
    return any(attribute(node, "pads", [])) or attribute(node, "auto_pad", b"") in (b"SAME_UPPER", b"SAME_LOWER")


# --- constants --------------------------------------------------------------------------------------------------------


def scalar_place(model: ModelProto, node: NodeProto) -> int | None:
    """Which input of a node is one plain number: neither 0, nor an epsilon's size, nor a mask."""
    for place in range(len(node.input)):
        value = constant(model, node, place)
        if value is not None and value.size == 1 and value.dtype.kind == "f" and 1e-6 < abs(value.item()) < MASK:
            return place
    return None


def scalar(model: ModelProto) -> NodeProto | None:
    """An Add, Sub, Mul, Div or Pow with a plain number."""
    nodes = nodes_of(model, "Add", "Sub", "Mul", "Div", "Pow")
    return middle([node for node in nodes if scalar_place(model, node) is not None])


def epsilon(model: ModelProto) -> NodeProto | None:
    """A normalisation, or the Add of a small number before a square root."""
    named = [node for node in nodes_of(model, "Add") if epsilon_place(model, node) is not None]
    return middle([*nodes_of(model, *NORMALISATIONS), *named])


def epsilon_place(model: ModelProto, node: NodeProto) -> int | None:
    """Which input of an Add is an epsilon: a square root, or a power, reads the sum."""
    if not readers(model, node.output[0], "Sqrt", "Pow"):
        return None
    for place in range(len(node.input)):
        value = constant(model, node, place)
        if value is not None and value.size == 1 and 0 < value.item() <= _TINY:
            return place
    return None


def biased_kernel(model: ModelProto) -> NodeProto | None:
    """A kernel with a bias, of its own or added after it."""
    return middle([node for node in kernels(model) if bias_of(model, node) is not None])


def bias_of(model: ModelProto, kernel: NodeProto) -> tuple[NodeProto, int] | None:
    """The node and the place of a kernel's bias: its third input, or a constant added to its result."""
    if len(kernel.input) > 2:
        return (kernel, 2) if constant(model, kernel, 2) is not None else None
    name = kernel.output[0]
    moved = readers(model, name, "Reshape", "Squeeze", "Transpose")
    for tensor in (name, *(node.output[0] for node in moved)):
        for add in readers(model, tensor, "Add"):
            place = 1 - list(add.input).index(tensor)
            if constant(model, add, place) is not None:
                return add, place
    return None


def mean_pooling(model: ModelProto) -> NodeProto | None:
    """The last mean over positions, or the variance of a normalisation."""
    nodes = nodes_of(model, "ReduceMean", "GlobalAveragePool", "AveragePool")
    return next((node for node in reversed(nodes) if not readers(model, node.output[0], "Sub", "Neg")), None)


def embedding(model: ModelProto) -> NodeProto | None:
    """A Gather of rows of a table."""
    tables = ((node, constant(model, node, 0)) for node in nodes_of(model, "Gather"))
    return middle([n for n, t in tables if t is not None and t.ndim == 2 and t.dtype.kind == "f" and len(t) > 1])


# --- layout, order ----------------------------------------------------------------------------------------------------


def turned_square(model: ModelProto) -> NodeProto | None:
    """A Transpose whose result has two axes of one size, besides the items' axis."""
    return middle([node for node in nodes_of(model, "Transpose") if equal_axes(model, node) is not None])


def equal_axes(model: ModelProto, node: NodeProto) -> tuple[int, int] | None:
    """Two places of a Transpose's ``perm`` that may be exchanged without another shape."""
    perm = attribute(node, "perm", [])
    shape = shape_of(model, node.output[0])
    given = shape_of(model, node.input[0])
    if shape is None and given is not None and len(given) == len(perm):
        shape = [given[axis] for axis in perm]
    if shape is None or len(shape) != len(perm):
        return None
    pairs = ((i, j) for i in range(1, len(perm)) for j in range(i + 1, len(perm)))
    return next(((i, j) for i, j in pairs if shape[i] == shape[j] > 1), None)


def joined(model: ModelProto) -> NodeProto | None:
    """A Concat of computed tensors that is no shape."""
    return middle([node for node in nodes_of(model, "Concat") if _joins(model, node)])


def _joins(model: ModelProto, node: NodeProto) -> bool:
    given = {value.name for value in model_inputs(model)}
    computed = all(name in given or is_computed(model, name) for name in node.input)
    as_shape = [reader for reader in readers(model, node.output[0], *_SHAPES) if node.output[0] != reader.input[0]]
    ranks = shape_of(model, node.output[0])
    is_shape = bool(as_shape) or (ranks is not None and len(ranks) == 1) or bool(_made_of_shapes(model, node))
    return computed and len(node.input) > 1 and not is_shape


def _made_of_shapes(model: ModelProto, node: NodeProto) -> list[NodeProto]:
    made = [producer(model, name) for name in node.input]
    return [one for one in made if one is not None and one.op_type in ("Gather", "Shape", "ReduceProd", "Max")]


def twins(model: ModelProto) -> tuple[NodeProto, NodeProto] | None:
    """Two kernels of one operator and one shape, with other values."""
    seen: dict[tuple[str, tuple[int, ...]], NodeProto] = {}
    for node in kernels(model):
        value = constant(model, node, 1)
        assert value is not None
        first = seen.setdefault((node.op_type, value.shape), node)
        if first is not node and first.input[1] != node.input[1]:
            return first, node
    return None
