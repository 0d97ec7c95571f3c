"""The named dimensions of an ONNX file's inputs, read without the onnx package, which a worker does not have.

ONNX Runtime fixes a free dimension by its name before the session is made, and tells the names only after. So this
walks the few protobuf fields on the way (ModelProto.graph -> GraphProto.input -> ValueInfoProto.type ... dim_param)
and skips everything else by its length; weights are never touched. Field numbers: onnx.proto3 of the ONNX project.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from bench.errors import BenchError, UnsupportedError

_GRAPH, _INPUT, _NAME, _TYPE, _TENSOR, _SHAPE, _DIM, _VALUE, _PARAM = 7, 11, 1, 2, 1, 2, 1, 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Dimension = int | str | None
_Buffer = bytes | mmap.mmap


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
            except (IndexError, UnicodeDecodeError, ValueError) as error:
                raise UnsupportedError(f"reading {path.name}: not an ONNX model, or cut off ({error})") from error


def _graph_inputs(data: _Buffer) -> dict[str, tuple[Dimension, ...]]:
    found: dict[str, tuple[Dimension, ...]] = {}
    for start, end in _children(data, 0, len(data), _GRAPH):
        for a, b in _children(data, start, end, _INPUT):
            name = "".join(_text(data, span) for span in _children(data, a, b, _NAME))
            found[name] = _shape(data, a, b)
    return found


def _shape(data: _Buffer, start: int, end: int) -> tuple[Dimension, ...]:
    dims = _descend(data, (start, end), (_TYPE, _TENSOR, _SHAPE, _DIM))
    return tuple(_dimension(data, a, b) for a, b in dims)


def _dimension(data: _Buffer, start: int, end: int) -> Dimension:
    for number, kind, value in _fields(data, start, end):
        if number == _VALUE and kind == _VARINT:
            return value[0]
        if number == _PARAM and kind == _BYTES:
            return _text(data, value) or None
    return None


def _descend(data: _Buffer, span: tuple[int, int], path: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    if not path:
        yield span
        return
    for child in _children(data, *span, path[0]):
        yield from _descend(data, child, path[1:])


def _children(data: _Buffer, start: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    return (value for number, kind, value in _fields(data, start, end) if number == wanted and kind == _BYTES)


def _fields(data: _Buffer, start: int, end: int) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """(field number, wire type, (start, end) of its bytes or (number, position) of a varint) one after another."""
    position = start
    while position < end:
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value = _varint(data, position)
            position = value[1]
        else:
            size, position = _size(data, kind, position)
            value = (position, position + size)
            position += size
        if position > end or number == 0:
            raise ValueError(f"field {number} ends at {position}, its message at {end}")
        yield number, kind, value


def _size(data: _Buffer, kind: int, position: int) -> tuple[int, int]:
    if kind == _BYTES:
        return _varint(data, position)
    if kind in (_FIXED64, _FIXED32):
        return (8 if kind == _FIXED64 else 4), position
    raise ValueError(f"wire type {kind}")


def _varint(data: _Buffer, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _text(data: _Buffer, span: tuple[int, int]) -> str:
    return data[span[0] : span[1]].decode()
