"""Mends what tf2onnx leaves in a graph, so that one model is one file: names, axes, captured constants.

Pure but for ``make_conversion_repeatable``: changes the protobuf message in hand. In the child, for tf2onnx 1.17.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

BATCH = "batch"
_COUNTER = re.compile(r"__\d+")
_ARBITRARY = re.compile(r"unk__\d+")


def make_conversion_repeatable() -> None:
    """Let tf2onnx convert one model in one way: it walks through sets of nodes, ordered by their places in memory.

    One conversion in twelve of a MobileNet gave another graph. Call before each conversion, in a process with a fixed
    ``PYTHONHASHSEED``.
    """
    import tf2onnx.graph
    import tf2onnx.utils

    tf2onnx.graph.Node.__hash__ = lambda node: hash(node.name)
    tf2onnx.utils.INTERNAL_NAME = 1  # its counter for names goes on from one conversion to the next


def add_captured_constants(proto: Any, concrete: Any) -> None:
    """Give constants that the traced function captured their values.

    tf2onnx takes them for inputs (``Normalization`` holds such); resources are weights, which it has frozen.
    """
    values = {inner.name: outer for outer, inner in concrete.graph.captures if outer.dtype.is_numpy_compatible}
    for value_info in list(proto.graph.input):
        if value_info.name in values:
            array = np.asarray(values[value_info.name])
            proto.graph.initializer.append(numpy_helper.from_array(array, value_info.name))
            proto.graph.input.remove(value_info)


def rename(proto: Any, names: Mapping[str, str]) -> None:
    """Give graph inputs their names in the model; ``names`` is from the graph's name to the model's."""
    for value_info in proto.graph.input:
        value_info.name = names.get(value_info.name, value_info.name)
    for node in _nodes(proto.graph):
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)


def name_axes(proto: Any, batched: Collection[str]) -> None:
    """Call the free first axis of batched inputs and outputs "batch", and other free axes by tensor and place."""
    for value_info in (*proto.graph.input, *proto.graph.output):
        for place, axis in enumerate(value_info.type.tensor_type.shape.dim):
            if axis.HasField("dim_value"):
                continue
            is_batch = place == 0 and value_info.name in batched
            axis.dim_param = BATCH if is_batch else f"{value_info.name}_axis_{place}"
    for value_info in proto.graph.value_info:
        for axis in value_info.type.tensor_type.shape.dim:
            if _ARBITRARY.fullmatch(axis.dim_param):
                axis.ClearField("dim_param")


def order_outputs(proto: Any, names: Sequence[str]) -> None:
    """Outputs in the model's own order; the traced function sorts them."""
    by_name = {value_info.name: value_info for value_info in proto.graph.output}
    if set(by_name) != set(names):
        return
    ordered = [onnx.ValueInfoProto.FromString(by_name[name].SerializeToString()) for name in names]
    del proto.graph.output[:]
    proto.graph.output.extend(ordered)


def make_names_stable(proto: Any) -> None:
    """Number generated names in order of appearance: tf2onnx's own counter differs between runs."""
    fixed = {value_info.name for value_info in (*proto.graph.input, *proto.graph.output)}
    names: dict[str, str] = {}
    counts: dict[str, int] = {}

    def stable(name: str) -> str:
        if not _COUNTER.search(name) or name in fixed:
            return name
        node, colon, place = name.partition(":")  # a tensor is called after its node
        if node not in names:
            stem = _COUNTER.sub("", node)
            names[node] = f"{stem}__{counts.get(stem, 0)}"
            counts[stem] = counts.get(stem, 0) + 1
        return names[node] + colon + place

    _rename_all(proto.graph, stable)
    proto.graph.doc_string = ""  # the name of TensorFlow's function, counted up


def _rename_all(graph: Any, stable: Any) -> None:
    for node in graph.node:
        node.name = stable(node.name)
        node.input[:] = [stable(name) for name in node.input]
        node.output[:] = [stable(name) for name in node.output]
        for inner in inner_graphs(node):
            _rename_all(inner, stable)
    for tensor in graph.initializer:
        tensor.name = stable(tensor.name)
    for value_info in (*graph.input, *graph.output, *graph.value_info):
        value_info.name = stable(value_info.name)
    graph.name = stable(graph.name)
    ordered = sorted(graph.initializer, key=lambda tensor: tensor.name)
    copies = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in ordered]
    del graph.initializer[:]
    graph.initializer.extend(copies)


def inner_graphs(node: Any) -> Iterator[Any]:
    """Bodies of a node: of its loop, of its branches."""
    for attribute in node.attribute:
        yield from (attribute.g, *attribute.graphs) if attribute.HasField("g") else attribute.graphs


def all_nodes(proto: Any) -> Iterator[Any]:
    """Every node of a model, those of inner graphs included."""
    return _nodes(proto.graph)


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for inner in inner_graphs(node):
            yield from _nodes(inner)


def with_shapes(proto: Any, shapes: Mapping[str, Sequence[int]]) -> Any:
    """A copy of a model whose inputs of these names have these sizes along their axes."""
    copy = onnx.ModelProto.FromString(proto.SerializeToString())
    for value_info in copy.graph.input:
        for axis, size in zip(value_info.type.tensor_type.shape.dim, shapes.get(value_info.name, ()), strict=False):
            axis.dim_value = size
    return copy
