"""The named dimensions of an ONNX file's inputs, read without the onnx package, which a worker does not have.

ONNX Runtime fixes a free dimension by its name before the session is made, and tells the names only after. So this
walks the few protobuf fields on the way (ModelProto.graph -> GraphProto.input -> ValueInfoProto.type ... dim_param).
Field numbers: onnx.proto3 of the ONNX project.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from bench import protobuf
from bench.errors import BenchError, UnsupportedError

_GRAPH, _INPUT, _NAME, _TYPE, _TENSOR, _SHAPE, _DIM, _VALUE, _PARAM = 7, 11, 1, 2, 1, 2, 1, 1, 2

Dimension = int | str | None


def input_dimensions(path: Path) -> dict[str, tuple[Dimension, ...]]:
    """Per graph input, its dimensions: a number, a name, or None. Initialisers that are also inputs are included.

    Raises UnsupportedError where the file is no ONNX model or is cut off before its end.
    """
    if not path.is_file():
        raise BenchError(f"opening the model: there is no file {path}")
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            raise UnsupportedError(f"reading {path.name}: the file is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _graph_inputs(data)
            except ValueError as error:
                raise UnsupportedError(f"reading {path.name}: not an ONNX model, or cut off ({error})") from error


def _graph_inputs(data: protobuf.Buffer) -> dict[str, tuple[Dimension, ...]]:
    found: dict[str, tuple[Dimension, ...]] = {}
    for start, end in protobuf.children(data, 0, len(data), _GRAPH):
        for a, b in protobuf.children(data, start, end, _INPUT):
            name = "".join(protobuf.text(data, span) for span in protobuf.children(data, a, b, _NAME))
            found[name] = _shape(data, a, b)
    return found


def _shape(data: protobuf.Buffer, start: int, end: int) -> tuple[Dimension, ...]:
    dims = protobuf.descend(data, (start, end), (_TYPE, _TENSOR, _SHAPE, _DIM))
    return tuple(_dimension(data, a, b) for a, b in dims)


def _dimension(data: protobuf.Buffer, start: int, end: int) -> Dimension:
    for number, kind, value in protobuf.fields(data, start, end):
        if number == _VALUE and kind == protobuf.VARINT:
            return value[0]
        if number == _PARAM and kind == protobuf.BYTES:
            return protobuf.text(data, value) or None
    return None
