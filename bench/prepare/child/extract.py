"""Cuts the part of an ONNX file that computes given tensors. A task of ``prepare/tasks.py``; runs in the child.

The part keeps what decides numbers: operator sets, IR version, functions, every attribute and weight of the nodes in
it. What inner graphs (bodies of If, Loop and Scan) take from outside belongs to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import helper, shape_inference

from bench.errors import UnsupportedError
from bench.prepare.child.onnx_file import read_artifact, read_tensors
from bench.prepare.child.onnx_graph import inner_graphs
from bench.prepare.child.onnx_run import load_error, open_session, quiet_options
from bench.prepare.child.serving import OnStage, serve
from bench.prepare.dissection import Extracted, ExtractRequest
from bench.records import Artifact, Tensor

_ONE_FILE_BYTES = 2**31 - 2**24  # of a protobuf message: larger weights are beside it
_ELEMENTS = {  # ONNX Runtime's names of types that numpy spells otherwise
    "float": "float32",
    "double": "float64",
}


def cut(model: Any, outputs: Sequence[str], inputs: Sequence[str] = ()) -> Any:
    """The part of a model (weights loaded) that computes ``outputs`` from ``inputs`` and, past those, the file's own.

    Its outputs are ``outputs`` in this order, its inputs those that are needed: the file's own in the file's order,
    then ``inputs`` in theirs. Raises UnsupportedError for a tensor that is not there or whose type nobody knows.
    """
    graph = model.graph
    places, needed = _walk(graph, outputs, set(inputs))
    nodes = [graph.node[place] for place in places]
    types = _types(model)
    own = [value for value in graph.input if value.name in needed]
    weights = [tensor for tensor in graph.initializer if tensor.name in needed and tensor.name not in inputs]
    sparse = [tensor for tensor in graph.sparse_initializer if tensor.values.name in needed]
    chosen = [name for name in inputs if name in needed - {value.name for value in own}]
    made = {name for node in nodes for name in node.output}
    part = helper.make_graph(
        nodes,
        graph.name or "part",
        [*own, *_declared(model, chosen, types)],
        _declared(model, outputs, types),
        weights,
        value_info=[value for value in graph.value_info if value.name in made - set(outputs)],
        sparse_initializer=sparse,
    )
    part.quantization_annotation.extend(a for a in graph.quantization_annotation if a.tensor_name in needed | made)
    cut_out = onnx.ModelProto()
    cut_out.CopyFrom(_without_graph(model))
    cut_out.graph.CopyFrom(part)
    return cut_out


def names_from_outside(node: Any) -> set[str]:
    """Every tensor that a node reads: its inputs, and what its inner graphs take from around it."""
    names = {name for name in node.input if name}
    for inner in inner_graphs(node):
        names |= _captured(inner)
    return names


def _walk(graph: Any, outputs: Sequence[str], stops: set[str]) -> tuple[list[int], set[str]]:
    """Places of the nodes that ``outputs`` need back to ``stops``, and the names of tensors that none of them makes.

    In the graph's own order, which is one that they can be run in.
    """
    maker = {name: place for place, node in enumerate(graph.node) for name in node.output if name}
    known = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    known |= {tensor.values.name for tensor in graph.sparse_initializer}
    places: set[int] = set()
    needed: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        place = None if name in stops and name not in outputs else maker.get(name)
        if place is None:
            if name not in known and name not in stops:
                raise UnsupportedError(f"cutting the file: it has no tensor {name!r}")
            needed.add(name)
        elif place not in places:
            places.add(place)
            waiting += names_from_outside(graph.node[place])
    return sorted(places), needed


def _captured(graph: Any) -> set[str]:
    """Names that an inner graph uses and does not define."""
    defined = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    defined |= {tensor.values.name for tensor in graph.sparse_initializer}
    defined |= {name for node in graph.node for name in node.output}
    used = {value.name for value in graph.output}
    for node in graph.node:
        used |= names_from_outside(node)
    return used - defined


def _types(model: Any) -> dict[str, Any]:
    """ValueInfo by name, as declared and as inferred."""
    declared = (*model.graph.value_info, *model.graph.input, *model.graph.output)
    try:
        inferred = shape_inference.infer_shapes(_light(model)).graph
    except Exception:  # a model with what onnx has no rule for: what it declares is left
        return {value.name: value for value in declared}
    return {value.name: value for value in (*inferred.value_info, *declared)} | {
        value.name: value for value in inferred.output
    }


def _light(model: Any) -> Any:
    """The model with its large weights as types alone: inference needs no more, and can't read over 2 GiB."""
    light = onnx.ModelProto()
    light.CopyFrom(_without_graph(model))
    graph = light.graph
    graph.CopyFrom(_without_weights(model.graph))
    for tensor in model.graph.initializer:
        if np.prod(tensor.dims) <= 64:  # shapes, axes, sizes: their values decide other shapes
            graph.initializer.add().CopyFrom(tensor)
        elif tensor.name not in {value.name for value in graph.input}:
            graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
    return light


def _without_weights(graph: Any) -> Any:
    """The same graph but for its initialisers; nothing large is copied."""
    light = onnx.GraphProto()
    light.name = graph.name
    for field in ("node", "input", "output", "value_info"):
        getattr(light, field).extend(getattr(graph, field))
    return light


def _without_graph(model: Any) -> Any:
    """Everything of a model but its graph: versions, operator sets, functions, notes."""
    rest = onnx.ModelProto()
    for field, value in model.ListFields():
        if field.name == "graph":
            continue
        if isinstance(value, int | str | float):
            setattr(rest, field.name, value)
        else:
            getattr(rest, field.name).extend(value)
    return rest


def _declared(model: Any, names: Sequence[str], types: dict[str, Any]) -> list[Any]:
    """The tensors with their types; ONNX Runtime is asked for those that onnx has no rule for."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    missing = [name for name in names if not _is_typed(types.get(name)) and name not in constants]
    asked = _types_by_runtime(model, missing) if missing else {}
    found = []
    for name in names:
        if name in asked:
            found.append(asked[name])
        elif name in constants:
            tensor = constants[name]
            found.append(helper.make_tensor_value_info(name, tensor.data_type, list(tensor.dims)))
        else:
            found.append(_clean(types[name]))
    return found


def _is_typed(value: Any) -> bool:
    return value is not None and value.type.WhichOneof("value") is not None and value.type.tensor_type.elem_type != 0


def _clean(value: Any) -> Any:
    """Without axes that inference made a name up for: two of them need not be one size."""
    copied = onnx.ValueInfoProto()
    copied.CopyFrom(value)
    for axis in copied.type.tensor_type.shape.dim:
        if axis.dim_param.startswith("unk__"):
            axis.ClearField("dim_param")
    return copied


def _types_by_runtime(model: Any, names: Sequence[str]) -> dict[str, Any]:
    """What ONNX Runtime says of tensors that are made outputs without a type."""
    try:
        marked = onnx.ModelProto()
        marked.CopyFrom(model)
        del marked.graph.output[:]
        marked.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
        session = open_session(marked.SerializeToString(), quiet_options("DISABLE_ALL"))
        return {output.name: _value_info(output) for output in session.get_outputs()}
    except Exception as error:
        listed = ", ".join(repr(name) for name in names)
        raise UnsupportedError(f"cutting the file: the type of {listed} is not known: {load_error(error)}") from error


def _value_info(output: Any) -> Any:
    text = output.type.removeprefix("tensor(").removesuffix(")")
    element = helper.np_dtype_to_tensor_dtype(np.dtype(_ELEMENTS.get(text, text)))
    return helper.make_tensor_value_info(output.name, element, output.shape)


def write_part(request: ExtractRequest) -> Artifact:
    """Read the file, cut, write the other file in a folder of its own."""
    source, target = request.source, Path(request.target)
    part = cut(onnx.load(source.path), request.outputs, request.inputs)
    large = part.ByteSize() > _ONE_FILE_BYTES
    onnx.save(part, target, save_as_external_data=large, location="weights.bin" if large else None)
    inputs, outputs = read_tensors(part)
    return read_artifact(target, _as_in(source, inputs), _batched_as(source, outputs), _names(source, inputs))


def _as_in(source: Artifact, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The inputs, the file's own as its record has them: their free axes have a size there."""
    own = {tensor.name: tensor for tensor in source.inputs}
    return tuple(own.get(tensor.name, tensor) for tensor in _batched_as(source, inputs))


def _batched_as(source: Artifact, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """A tensor has the batch in front where its first axis is what the batch of the file's inputs is."""
    first = {tensor.shape[0] for tensor in source.inputs if tensor.batched}
    return tuple(msgspec.structs.replace(t, batched=bool(t.shape) and t.shape[0] in first | {None}) for t in tensors)


def _names(source: Artifact, inputs: Sequence[Tensor]) -> dict[str, str]:
    return {tensor.name: source.names[tensor.name] for tensor in inputs if tensor.name in source.names}


def answer(request: ExtractRequest, _folder: Path, _on_stage: OnStage) -> Extracted:
    """See ``write_part``."""
    return Extracted(artifact=write_part(request))


if __name__ == "__main__":
    serve(ExtractRequest, answer)
