"""An ONNX file of one matrix product by fixed weights, written without the onnx package: what a roof is measured by.

Field numbers: onnx.proto3 of the ONNX project.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.prepare.tensor_proto import tensor_bytes
from bench.records import Artifact, Tensor

_IR_VERSION, _OPSET, _FLOAT = 8, 13, 1


def write_product(path: Path, side: int) -> Artifact:
    """``y = x @ w`` for square float32 matrices of this side; input ``x``, output ``y``."""
    weights = np.random.default_rng(side).random((side, side), np.float32)
    node = _field(1, b"x") + _field(1, b"w") + _field(2, b"y") + _field(4, b"MatMul")
    graph = _field(1, node) + _field(2, b"product") + _field(5, tensor_bytes("w", weights))
    graph += _field(11, _tensor(b"x", side)) + _field(12, _tensor(b"y", side))
    path.write_bytes(_number(1, _IR_VERSION) + _field(7, graph) + _field(8, _number(2, _OPSET)))
    x, y = (Tensor(name=name, shape=(side, side), dtype="float32", batched=False) for name in "xy")
    return Artifact(kind="onnx", path=str(path), digest="", size_bytes=path.stat().st_size, inputs=(x,), outputs=(y,))


def _tensor(name: bytes, side: int) -> bytes:
    dimension = _field(1, _number(1, side))
    return _field(1, name) + _field(2, _field(1, _number(1, _FLOAT) + _field(2, dimension + dimension)))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
