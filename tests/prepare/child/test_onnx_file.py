from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.errors import BenchError, UsageError
from bench.prepare.child import onnx_file
from bench.prepare.digests import artifact_digest


def linear(first_axis: str | int = "n", *, ir_version: int = 8) -> onnx.ModelProto:
    """``y = x @ w + b``, four features to three."""
    rng = np.random.default_rng(0)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Add", ["h", "b"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [first_axis, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [first_axis, 3])],
        [
            numpy_helper.from_array(rng.normal(size=(4, 3)).astype(np.float32), "w"),
            numpy_helper.from_array(np.ones(3, np.float32), "b"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=ir_version)


@pytest.fixture
def with_data(tmp_path: Path) -> Path:
    """A model whose weights are in a file beside it."""
    path = tmp_path / "source" / "model.onnx"
    path.parent.mkdir()
    onnx.save(linear(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path


def move_data(path: Path, location: str) -> None:
    proto = onnx.load(path, load_external_data=False)
    for tensor in proto.graph.initializer:
        next(entry for entry in tensor.external_data if entry.key == "location").value = location
    path.write_bytes(proto.SerializeToString())


def test_a_symbolic_first_axis_is_the_batch() -> None:
    (x,), (y,) = onnx_file.read_tensors(linear("n"))
    assert (x.shape, x.batched, x.dtype) == ((None, 4), True, "float32")
    assert (y.shape, y.batched) == ((None, 3), True)


def test_a_number_in_front_is_a_fixed_batch() -> None:
    (x,), (y,) = onnx_file.read_tensors(linear(5))
    assert (x.shape, x.batched) == ((5, 4), True)
    assert (y.shape, y.batched) == ((5, 3), True)


def test_beside_a_free_batch_a_number_in_front_is_no_batch() -> None:
    proto = linear("n")
    proto.graph.input.append(helper.make_tensor_value_info("table", TensorProto.INT64, [7]))
    proto.graph.input.append(helper.make_tensor_value_info("rate", TensorProto.BFLOAT16, []))
    _, table, rate = onnx_file.read_tensors(proto)[0]
    assert (table.shape, table.batched, table.dtype) == ((7,), False, "int64")
    assert (rate.shape, rate.batched, rate.dtype) == ((), False, "bfloat16")


def test_weights_listed_as_inputs_are_no_inputs() -> None:
    proto = linear()
    proto.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3]))
    assert [tensor.name for tensor in onnx_file.read_tensors(proto)[0]] == ["x"]


@pytest.mark.parametrize("ir_version", [7, 8, 10])
def test_opset_and_ir_version_are_those_of_the_file(tmp_path: Path, ir_version: int) -> None:
    onnx.save(linear(ir_version=ir_version), tmp_path / "m.onnx")
    artifact = onnx_file.read_artifact(tmp_path / "m.onnx", (), ())
    assert (artifact.opset, artifact.ir_version) == (17, ir_version)


def test_external_data_travels_and_counts(with_data: Path, tmp_path: Path) -> None:
    copy = onnx_file.copy_model(with_data, tmp_path / "cache" / "onnx")
    assert sorted(file.name for file in copy.parent.iterdir()) == ["model.onnx", "weights.bin"]
    artifact = onnx_file.read_artifact(copy, (), ())
    assert artifact.size_bytes == copy.stat().st_size + 60
    data = copy.parent / "weights.bin"
    data.write_bytes(bytes([data.read_bytes()[0] ^ 1]) + data.read_bytes()[1:])  # one bit
    assert artifact_digest(copy) != artifact.digest


def test_missing_external_data_is_named(with_data: Path, tmp_path: Path) -> None:
    (with_data.parent / "weights.bin").unlink()
    with pytest.raises(BenchError, match=r"weights\.bin is missing"):
        onnx_file.copy_model(with_data, tmp_path / "cache")


def test_truncated_external_data_is_named(with_data: Path, tmp_path: Path) -> None:
    (with_data.parent / "weights.bin").write_bytes(b"short")
    with pytest.raises(BenchError, match=r"weights\.bin is cut short: 5 of 60 bytes"):
        onnx_file.copy_model(with_data, tmp_path / "cache")


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "a/../../weights.bin"])
def test_external_data_outside_the_folder_is_not_followed(with_data: Path, tmp_path: Path, location: str) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(60))
    move_data(with_data, location)
    with pytest.raises(UsageError, match="outside the model's folder"):
        onnx_file.copy_model(with_data, tmp_path / "cache")


def test_what_is_no_onnx_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"\xff\xff\xff")
    with pytest.raises(BenchError, match="not an ONNX model"):
        onnx_file.read_graph(tmp_path / "m.onnx")


def test_a_converted_file_must_have_the_models_names() -> None:
    assert onnx_file.check_interface(linear(), ["x"], ["y"]) is None
    assert "outputs y, the model has y, z" in (onnx_file.check_interface(linear(), ["x"], ["y", "z"]) or "")
    assert "inputs x, the model has a" in (onnx_file.check_interface(linear(), ["a"], ["y"]) or "")
