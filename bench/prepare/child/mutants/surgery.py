"""Reading an ONNX graph and changing it in place. Knows no mutant, no runtime and no verdict.

Nodes are those of the graph and of the bodies of its loops and branches. A constant, initialiser or Constant node, that
several nodes share is changed for the one node only. ``ir_version`` and opset are never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from bench.prepare.child.onnx_graph import all_nodes

Array = np.ndarray[Any, np.dtype[Any]]

_SUFFIX = "__changed"


# --- reading ----------------------------------------------------------------------------------------------------------


def constant(model: ModelProto, node: NodeProto | None, place: int) -> Array | None:
    """Value of a node's input; None where it has no such input, or it is computed."""
    name = node.input[place] if node is not None and len(node.input) > place else ""
    tensor = _tensor(model, name) if name else None
    return None if tensor is None else np.asarray(numpy_helper.to_array(tensor))


def constant_names(model: ModelProto) -> set[str]:
    """Names of everything that is not computed and not given."""
    nodes = {node.output[0] for node in all_nodes(model) if node.op_type == "Constant"}
    return nodes | {tensor.name for tensor in initializers(model)}


def initializers(model: ModelProto) -> list[TensorProto]:
    """Those of the graph, then those of the bodies of its loops and branches."""
    inner = [tensor for node in all_nodes(model) for a in node.attribute for tensor in a.g.initializer]
    return [*model.graph.initializer, *inner]


def _tensor(model: ModelProto, name: str) -> TensorProto | None:
    found = next((tensor for tensor in initializers(model) if tensor.name == name), None)
    if found is not None:
        return found
    made = next((node for node in all_nodes(model) if node.op_type == "Constant" and name in node.output), None)
    return next((a.t for a in made.attribute if a.name == "value"), None) if made is not None else None


def model_inputs(model: ModelProto) -> list[ValueInfoProto]:
    """What a caller has to give: weights may be listed beside it."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in weights]


def shape_of(model: ModelProto, name: str) -> list[int] | None:
    """A tensor's axes as the file declares them, 0 where one is free; None where it declares none."""
    declared = (*model.graph.input, *model.graph.output, *model.graph.value_info)
    found = next((value for value in declared if value.name == name), None)
    if found is None or not found.type.tensor_type.HasField("shape"):
        return None
    return [axis.dim_value for axis in found.type.tensor_type.shape.dim]


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """Value of a node's attribute, lists as lists."""
    for found in node.attribute:
        if found.name == name:
            value = helper.get_attribute_value(found)
            return list(value) if isinstance(value, Sequence) and not isinstance(value, bytes) else value
    return default


def producer(model: ModelProto, name: str) -> NodeProto | None:
    """Node that computes ``name``; None for inputs and initialisers."""
    return next((node for node in all_nodes(model) if name and name in node.output), None)


def readers(model: ModelProto, name: str, *op_types: str) -> list[NodeProto]:
    """Nodes of these types that read ``name``."""
    return [node for node in nodes_of(model, *op_types) if name in node.input]


def nodes_of(model: ModelProto, *op_types: str) -> list[NodeProto]:
    """Nodes of these types, in the graph's order."""
    return [node for node in all_nodes(model) if node.op_type in op_types]


def float_weights(model: ModelProto) -> list[TensorProto]:
    """Every float32 initialiser of more than one element: weights, not the constants of an activation."""
    floats = (tensor for tensor in initializers(model) if tensor.data_type == TensorProto.FLOAT)
    return [tensor for tensor in floats if int(np.prod(tensor.dims, dtype=np.int64)) > 1]


# --- changing ---------------------------------------------------------------------------------------------------------


def set_constant(model: ModelProto, node: NodeProto, place: int, value: Array) -> None:
    """Give ``node`` another constant input; other nodes keep theirs."""
    old = node.input[place]
    users = sum(list(other.input).count(old) for other in all_nodes(model))
    tensor = next((tensor for tensor in initializers(model) if tensor.name == old), None)
    if tensor is not None and users == 1:
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), old))
        return
    name = f"{node.output[0]}_{place}{_SUFFIX}"
    model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    node.input[place] = name


def set_attribute(node: NodeProto, name: str, value: Any) -> None:
    """Give ``node`` an attribute, replacing the one it has."""
    kept = [found for found in node.attribute if found.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])


def become(node: NodeProto, op_type: str, inputs: Sequence[str], **attributes: Any) -> None:
    """Turn ``node`` into another one with the same outputs."""
    node.CopyFrom(helper.make_node(op_type, list(inputs), list(node.output), node.name, **attributes))


def after_input(model: ModelProto, op_type: str, *constants: Array, **attributes: Any) -> None:
    """Put a node between the first input and everything that reads it."""
    name = model_inputs(model)[0].name
    changed = f"{name}{_SUFFIX}{len(model.graph.node)}"
    reread(model, {name: changed})
    model.graph.node.insert(0, _node(model, op_type, name, changed, constants, attributes))


def before_output(model: ModelProto, op_type: str, *constants: Array, **attributes: Any) -> None:
    """Put a node between the first output and what computed it."""
    name = model.graph.output[0].name
    inner = f"{name}{_SUFFIX}{len(model.graph.node)}"
    rename(model, name, inner)
    model.graph.node.append(_node(model, op_type, inner, name, constants, attributes))


def rename(model: ModelProto, old: str, new: str) -> None:
    """Give a computed tensor another name wherever a node writes or reads it; what is declared stays."""
    for node in all_nodes(model):
        node.output[:] = [new if name == old else name for name in node.output]
        node.input[:] = [new if name == old else name for name in node.input]


def reread(model: ModelProto, names: dict[str, str]) -> None:
    """Let every node that reads a tensor read another one instead."""
    for node in all_nodes(model):
        node.input[:] = [names.get(name, name) for name in node.input]


def declare_output(model: ModelProto, element_type: int | None = None, rank: int | None = None) -> None:
    """Declare the first output with another element type, or with ``rank`` free dimensions."""
    output = model.graph.output[0]
    old = output.type.tensor_type
    shape = [dim.dim_param or dim.dim_value for dim in old.shape.dim] if rank is None else [None] * rank
    output.CopyFrom(helper.make_tensor_value_info(output.name, element_type or old.elem_type, shape))


def _node(
    model: ModelProto,
    op_type: str,
    read: str,
    written: str,
    constants: Sequence[Array],
    attributes: dict[str, Any],
) -> NodeProto:
    names = [f"{written}_{op_type}_{number}{_SUFFIX}" for number in range(len(constants))]
    model.graph.initializer.extend(map(numpy_helper.from_array, constants, names))
    return helper.make_node(op_type, [read, *names], [written], f"{written}_{op_type}{_SUFFIX}", **attributes)
