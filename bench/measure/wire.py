"""Length-prefixed msgspec messages over a pipe: what parent and worker speak. Imported by both."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from bench.records import Reply, Request

_LENGTH_BYTES = 4
_encoder = msgspec.msgpack.Encoder()
request_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Request)
reply_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Reply)


def send(fd: int, message: Any) -> None:
    """Write one message; blocks until the pipe has taken it. Raises BrokenPipeError when the reader is gone."""
    payload = _encoder.encode(message)
    data = memoryview(len(payload).to_bytes(_LENGTH_BYTES, "big") + payload)
    while data:
        data = data[os.write(fd, data) :]


def receive(fd: int) -> bytes | None:
    """The payload of the next message, or None when the writer is gone."""
    head = _read_exactly(fd, _LENGTH_BYTES)
    return None if head is None else _read_exactly(fd, int.from_bytes(head, "big"))


def _read_exactly(fd: int, n_bytes: int) -> bytes | None:
    parts = []
    while n_bytes:
        part = os.read(fd, n_bytes)
        if not part:
            return None
        parts.append(part)
        n_bytes -= len(part)
    return b"".join(parts)
