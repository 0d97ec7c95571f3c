from __future__ import annotations

import pytest

from bench import protobuf

MESSAGE = protobuf.whole(1, 300) + protobuf.block(2, b"name") + protobuf.block(7, protobuf.block(3, b"inner"))


def test_what_is_written_is_read() -> None:
    number, name, inner = protobuf.fields(MESSAGE, 0, len(MESSAGE))
    assert (number[:2], number[2][0]) == ((1, protobuf.VARINT), 300)
    assert protobuf.text(MESSAGE, name[2]) == "name"
    [span] = protobuf.descend(MESSAGE, (0, len(MESSAGE)), (7, 3))
    assert protobuf.text(MESSAGE, span) == "inner"
    assert inner[2][1] == len(MESSAGE)


@pytest.mark.parametrize("length", [1, 2, 4, 8, 10, len(MESSAGE) - 1])
def test_a_message_that_ends_within_a_field_is_cut_off(length: int) -> None:
    with pytest.raises(protobuf.CutOffError):
        list(protobuf.fields(MESSAGE[:length], 0, length))


@pytest.mark.parametrize(
    ("data", "message"), [(b"\x0b", "wire type 3"), (b"\x08" + b"\xff" * 10, "64 bits"), (b"\x00\x01", "number 0")]
)
def test_bytes_that_are_no_message_are_not_called_cut_off(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        list(protobuf.fields(data, 0, len(data)))
    assert not isinstance(caught.value, protobuf.CutOffError)


def test_a_field_that_ends_past_the_end_is_told_by_its_place() -> None:
    assert protobuf.read_field(protobuf.block(7, b"graph")[:3], 0).end == 7
