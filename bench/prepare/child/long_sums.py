"""The longest sum in a model, and what adding it up in plain order may lose. In the child.

Runtimes add in blocks, in trees or one after the other. Of n numbers of one sign the last way loses up to n / 2 units
in the last place of float32: norms and means over whole pictures are off by as much in runtimes that are right, and
no yardstick of one runtime's own tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import onnx

from bench.analysis.distance import YARDSTICKS
from bench.prepare.child.onnx_graph import all_nodes

_HALF_ULP = 2.0**-24
_TENSORFLOW = ("Mean", "Sum")
_ONNX = ("ReduceMean", "ReduceSum", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp")
_OVER_PLACES = ("GlobalAveragePool", "InstanceNormalization")  # over all axes but items and channels
Shapes = Mapping[str, Sequence[int | None]]


def least_yardstick(longest: int) -> float:
    """A yardstick whose tolerance is what a plain sum of so many numbers may lose, relative to itself."""
    return longest * _HALF_ULP / YARDSTICKS


def raised(yardstick: Mapping[str, float | None], longest: int, floats: Iterable[str]) -> dict[str, float | None]:
    """No yardstick of ``floats`` (outputs of floating point) is below that of the model's longest sum."""
    least, names = least_yardstick(longest), set(floats)
    return {
        name: max(value or 0.0, least) if longest > 1 and name in names else value for name, value in yardstick.items()
    }


def longest_in_tensorflow(concrete: Any) -> int:
    """Numbers that one mean or sum of a traced function adds up, at most; axes that are free count as one."""
    import tensorflow as tf

    longest = 1
    for op in concrete.graph.get_operations():
        shape = op.inputs[0].shape if op.type in _TENSORFLOW else None
        axes = tf.get_static_value(op.inputs[1]) if shape is not None and shape.rank is not None else None
        if shape is not None and axes is not None:
            longest = max(longest, _product(shape.as_list(), axes.ravel().tolist()))
    return longest


def longest_in_onnx(proto: Any) -> int:
    """The same of a file, as far as its shapes are known."""
    try:
        proto = onnx.shape_inference.infer_shapes(proto)
    except Exception:  # over 2 GiB, or shapes that contradict one another
        return 1
    values = (*proto.graph.input, *proto.graph.value_info, *proto.graph.output)
    shapes = {v.name: [d.dim_value or None for d in v.type.tensor_type.shape.dim] for v in values}
    constants = {tensor.name: tensor for tensor in proto.graph.initializer}
    return max((_of_node(node, shapes, constants) for node in all_nodes(proto) if node.input), default=1)


def _of_node(node: Any, shapes: Shapes, constants: Mapping[str, Any]) -> int:
    shape = shapes.get(node.input[0])
    if not shape:
        return 1
    if node.op_type in _OVER_PLACES:
        return _product(shape, range(2, len(shape)))
    if node.op_type == "LayerNormalization":
        first = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), -1)
        return _product(shape, range(first % len(shape), len(shape)))
    return _product(shape, _axes(node, constants, len(shape))) if node.op_type in _ONNX else 1


def _axes(node: Any, constants: Mapping[str, Any], rank: int) -> Sequence[int]:
    """The axes of a reduction: an attribute, or an input that is constant; all where none are given."""
    given = next((list(attribute.ints) for attribute in node.attribute if attribute.name == "axes"), None)
    if given is None and len(node.input) > 1 and node.input[1]:
        tensor = constants.get(node.input[1])
        return [] if tensor is None else onnx.numpy_helper.to_array(tensor).ravel().tolist()
    return range(rank) if given is None else given


def _product(shape: Sequence[int | None], axes: Iterable[int]) -> int:
    return math.prod(shape[axis] or 1 for axis in axes if -len(shape) <= axis < len(shape))
