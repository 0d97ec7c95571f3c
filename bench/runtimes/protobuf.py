"""Fields of protobuf messages, read without the packages that would parse them whole: a worker has none of those.

Walks the few fields that are asked for and skips everything else by its length; weights are never touched.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types

Buffer = bytes | mmap.mmap
Span = tuple[int, int]


def descend(data: Buffer, span: Span, path: tuple[int, ...]) -> Iterator[Span]:
    """Where the messages lie that are reached by these field numbers, one below the other."""
    if not path:
        yield span
        return
    for child in children(data, *span, path[0]):
        yield from descend(data, child, path[1:])


def children(data: Buffer, start: int, end: int, wanted: int) -> Iterator[Span]:
    """Where the values of one field of bytes lie: of a message, a text."""
    return (value for number, kind, value in fields(data, start, end) if number == wanted and kind == BYTES)


def fields(data: Buffer, start: int, end: int) -> Iterator[tuple[int, int, Span]]:
    """(field number, wire type, (start, end) of its bytes or (number, position) of a varint) one after another."""
    position = start
    while position < end:
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value = _varint(data, position)
            position = value[1]
        else:
            size, position = _size(data, kind, position)
            value = (position, position + size)
            position += size
        if position > end or number == 0:
            raise ValueError(f"field {number} ends at {position}, its message at {end}")
        yield number, kind, value


def text(data: Buffer, span: Span) -> str:
    """A text."""
    return data[span[0] : span[1]].decode()


def _size(data: Buffer, kind: int, position: int) -> Span:
    if kind == BYTES:
        return _varint(data, position)
    if kind in (FIXED64, FIXED32):
        return (8 if kind == FIXED64 else 4), position
    raise ValueError(f"wire type {kind}")


def _varint(data: Buffer, position: int) -> Span:
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
