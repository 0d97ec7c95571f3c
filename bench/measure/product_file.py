"""An ONNX file of one matrix product by fixed weights, written without the onnx package: what a roof is measured by.

Field numbers: onnx.proto3 of the ONNX project.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.prepare.tensor_proto import tensor_bytes
from bench.protobuf import block, whole
from bench.records import Artifact, Tensor

_IR_VERSION, _OPSET, _FLOAT = 8, 13, 1


def write_product(path: Path, side: int) -> Artifact:
    """``y = x @ w`` for square float32 matrices of this side; input ``x``, output ``y``."""
    weights = np.random.default_rng(side).random((side, side), np.float32)
    node = block(1, b"x") + block(1, b"w") + block(2, b"y") + block(4, b"MatMul")
    graph = block(1, node) + block(2, b"product") + block(5, tensor_bytes("w", weights))
    graph += block(11, _tensor(b"x", side)) + block(12, _tensor(b"y", side))
    path.write_bytes(whole(1, _IR_VERSION) + block(7, graph) + block(8, whole(2, _OPSET)))
    x, y = (Tensor(name=name, shape=(side, side), dtype="float32", batched=False) for name in "xy")
    return Artifact(kind="onnx", path=str(path), digest="", size_bytes=path.stat().st_size, inputs=(x,), outputs=(y,))


def _tensor(name: bytes, side: int) -> bytes:
    dimension = block(1, whole(1, side))
    return block(1, name) + block(2, block(1, whole(1, _FLOAT) + block(2, dimension + dimension)))
