"""Protobuf's wire format, without the packages that parse whole messages: a worker and the parent have none of those.

Reading walks the few fields that are asked for and skips everything else by its length; weights are never touched.
Wire types and varints: protobuf's encoding guide.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types

Buffer = bytes | mmap.mmap
Span = tuple[int, int]


class CutOffError(ValueError):
    """The bytes end before what they say."""


class Field(NamedTuple):
    """One field of a message."""

    number: int
    kind: int  # wire type
    value: Span  # (start, end) of its bytes, or (number, position behind it) of a varint
    end: int  # where the next one begins; may be past the end of the data


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
    """(field number, wire type, value) one after another; ValueError where the bytes are no message."""
    position = start
    while position < end:
        field = read_field(data, position)
        position = field.end
        if position > end:
            raise CutOffError(f"field {field.number} ends at {position}, its message at {end}")
        if field.number == 0:
            raise ValueError("a field of number 0")
        yield field.number, field.kind, field.value


def read_field(data: Buffer, position: int) -> Field:
    """The field that begins at ``position``; ValueError where none can."""
    key, position = read_varint(data, position)
    number, kind = key >> 3, key & 7
    if kind == VARINT:
        value = read_varint(data, position)
        return Field(number, kind, value, value[1])
    size, position = _size(data, kind, position)
    return Field(number, kind, (position, position + size), position + size)


def text(data: Buffer, span: Span) -> str:
    """A text."""
    return data[span[0] : span[1]].decode()


def whole(number: int, value: int) -> bytes:
    """A field of a whole number that is not negative."""
    return _varint(number << 3 | VARINT) + _varint(value)


def block(number: int, content: bytes) -> bytes:
    """A field of bytes: a text, a message."""
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _size(data: Buffer, kind: int, position: int) -> Span:
    if kind == BYTES:
        return read_varint(data, position)
    if kind in (FIXED64, FIXED32):
        return (8 if kind == FIXED64 else 4), position
    raise ValueError(f"wire type {kind}")


def read_varint(data: Buffer, position: int) -> Span:
    """(number, position behind it); 64 bits without a sign."""
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(data):
            raise CutOffError("it is truncated")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number of more than 64 bits")


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
