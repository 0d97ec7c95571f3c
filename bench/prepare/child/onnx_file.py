"""What is in an ONNX file: inputs, outputs, versions and the files that its weights are in. Runs in the child."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import onnx
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from bench.errors import BenchError, UnsupportedError, UsageError, first_line
from bench.prepare.child.onnx_graph import all_nodes, inner_graphs
from bench.prepare.digests import artifact_digest, artifact_files
from bench.records import Artifact, Tensor

_QUANTISED = ("QLinear", "QGemm", "QAttention", "QuantizeLinear", "MatMulInteger", "ConvInteger", "DynamicQuantize")


def read_graph(path: Path) -> Any:
    """The model without its external data. Raises BenchError where it can't be read."""
    try:
        return onnx.load(path, load_external_data=False)
    except Exception as error:
        raise BenchError(f"reading {path.name}: not an ONNX model: {first_line(error)}") from error


def read_tensors(proto: Any) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Inputs and outputs as the file has them.

    The first axis is the batch where it has a name or is free, or where every first axis is the same number: a file
    with its batch fixed. A tensor beside such inputs with another first axis has no batch.
    """
    constants = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in constants]
    has_free = any(_shape(value)[:1] == (None,) for value in inputs)
    first = {_shape(value)[0] for value in inputs if _shape(value)}
    fixed = next(iter(first)) if len(first) == 1 and not has_free else None
    return tuple(_tensor(v, fixed) for v in inputs), tuple(_tensor(v, fixed) for v in proto.graph.output)


def read_artifact(
    path: Path, inputs: Sequence[Tensor], outputs: Sequence[Tensor], names: dict[str, str] | None = None
) -> Artifact:
    """The record of a file in a folder of its own, at the shapes given."""
    proto = read_graph(path)
    return Artifact(
        kind="onnx",
        path=str(path),
        digest=artifact_digest(path),
        size_bytes=sum(file.stat().st_size for file in artifact_files(path)),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        names=names or {},
        opset=next((entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx")), None),
        ir_version=proto.ir_version,
        has_integer_products=any(node.op_type.startswith(_QUANTISED) for node in all_nodes(proto)),
    )


def check_interface(proto: Any, inputs: Sequence[str], outputs: Sequence[str]) -> str | None:
    """What is wrong with the names of a converted file, or None."""
    has_inputs = [value.name for value in proto.graph.input]
    has_outputs = [value.name for value in proto.graph.output]
    for what, has, expected in (("inputs", has_inputs, inputs), ("outputs", has_outputs, outputs)):
        if sorted(has) != sorted(expected):
            return f"the converted file has the {what} {', '.join(has)}, the model has {', '.join(expected)}"
    return None


def external_files(proto: Any, folder: Path) -> list[Path]:
    """Files beside the model that hold its weights.

    Raises UsageError where one is outside the folder, BenchError where one is missing or too short.
    """
    needed: dict[str, int] = {}
    for tensor in _all_tensors(proto):
        if uses_external_data(tensor):
            info = ExternalDataInfo(tensor)
            needed[info.location] = max(needed.get(info.location, 0), (info.offset or 0) + (info.length or 0))
    for location, n_bytes in needed.items():
        _check_external(folder, location, n_bytes)
    return [folder / location for location in needed]


def copy_model(source: Path, folder: Path) -> Path:
    """The file and its external data, copied into ``folder`` under the same names relative to one another."""
    external = external_files(read_graph(source), source.parent)
    folder.mkdir(parents=True, exist_ok=True)
    for file in external:
        target = folder / file.relative_to(source.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return Path(shutil.copyfile(source, folder / "model.onnx"))


def _check_external(folder: Path, location: str, n_bytes: int) -> None:
    parts = PurePosixPath(location)
    if parts.is_absolute() or ".." in parts.parts:
        raise UsageError(f"external data {location}: it lies outside the model's folder, which is not followed")
    file = folder / location
    if not file.is_file():
        raise BenchError(f"external data {location} is missing: it belongs beside the .onnx file")
    if file.stat().st_size < n_bytes:
        raise BenchError(f"external data {location} is cut short: {file.stat().st_size} of {n_bytes} bytes")


def _all_tensors(proto: Any) -> Iterator[Any]:
    yield from proto.graph.initializer
    for node in all_nodes(proto):
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors) if attribute.HasField("t") else attribute.tensors
        for graph in inner_graphs(node):
            yield from graph.initializer


def _shape(value: Any) -> tuple[int | None, ...]:
    axes = value.type.tensor_type.shape.dim
    return tuple(axis.dim_value if axis.HasField("dim_value") and axis.dim_value > 0 else None for axis in axes)


def _tensor(value: Any, fixed: int | None) -> Tensor:
    if not value.type.HasField("tensor_type"):
        kind = value.type.WhichOneof("value")
        raise UnsupportedError(f"{value.name!r} is no tensor but a {kind}: such models can't be compared")
    shape = _shape(value)
    batched = shape[:1] in ((None,), (fixed,)) and bool(shape)
    return Tensor(name=value.name, shape=shape, dtype=_dtype(value.type.tensor_type.elem_type), batched=batched)


def _dtype(element: int) -> str:
    if element == onnx.TensorProto.STRING:
        return "string"
    return str(onnx.helper.tensor_dtype_to_np_dtype(element).name)


def with_names(tensors: Sequence[Tensor], names: dict[str, str]) -> tuple[Tensor, ...]:
    """The same tensors under other names, where ``names`` has one."""
    return tuple(msgspec.structs.replace(tensor, name=names.get(tensor.name, tensor.name)) for tensor in tensors)
