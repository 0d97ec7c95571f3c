"""An ONNX file of two nodes with a free batch, for tests of a runtime: input x, outputs y and z, all [N, 3]."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from bench.records import Artifact, SessionSettings, Tensor

X = np.array([[1, -2, 3], [0.5, 4, -1]], np.float32)
SETTINGS = SessionSettings(
    threads=2,
    batch_size=2,
    inputs=(Tensor(name="x", shape=(2, 3), dtype="float32"),),
    outputs=("z", "y"),  # not in the order of the file
)


def relu_and_sum(folder: Path) -> Artifact:
    """y = relu(x), z = y + y."""
    return two_nodes(folder, [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Add", ["y", "y"], ["z"])])


def two_nodes(folder: Path, nodes: list[Any], *, domain: str | None = None, kind: int = TensorProto.FLOAT) -> Artifact:
    """``nodes`` over x, y and z of a type; ``domain`` is one more that they are from."""
    tensors = [helper.make_tensor_value_info(name, kind, ["N", 3]) for name in "xyz"]
    opsets = [helper.make_opsetid("", 18), *([helper.make_opsetid(domain, 1)] if domain else [])]
    graph = helper.make_graph(nodes, "two", tensors[:1], tensors[1:])
    path = folder / "two.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return Artifact(kind="onnx", path=str(path), digest="two", size_bytes=1, inputs=SETTINGS.inputs, outputs=())
