"""Planted nodes are really run, whatever the optimiser does, and change nothing; a wrong kernel changes the outputs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.errors import UnsupportedError
from bench.prepare.child.plant import plant_nodes, plant_wrong_kernel

X = np.random.default_rng(1).random((2, 3, 16, 16), np.float32)


def conv_net(**changes: Any) -> onnx.ModelProto:
    """Two convolutions with a clip, a pool and a dense layer: 16 and 32 channels, ten outputs."""
    random = np.random.default_rng(0)
    weights = {
        "w1": random.normal(size=(16, 3, 3, 3), scale=0.3),
        "b1": random.normal(size=16),
        "w2": random.normal(size=(32, 16, 1, 1), scale=0.3),
        "w3": random.normal(size=(32, 10), scale=0.3),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("GlobalAveragePool", ["r2"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "w3"], ["y"]),
    ]
    return make(nodes, weights, ["n", 3, 16, 16], ["n", 10], **changes)


def make(
    nodes: list[Any], weights: dict[str, Any], x: list[Any], y: list[Any], elem_type: int = TensorProto.FLOAT
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", elem_type, x)],
        [helper.make_tensor_value_info("y", elem_type, y)],
        [
            numpy_helper.from_array(value.astype(helper.tensor_dtype_to_np_dtype(elem_type)), name)
            for name, value in weights.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def dense(**changes: Any) -> onnx.ModelProto:
    weights = {"w": np.random.default_rng(0).normal(size=(8, 64)), "v": np.ones((4, 64)), "c": np.zeros(4)}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Gemm", ["h", "v", "c"], ["y"], transB=1),
    ]
    return make(nodes, weights, ["n", 8], ["n", 4], **changes)


def run(model: onnx.ModelProto, x: Any = X, folder: Path | None = None) -> Any:
    """The output as it is deployed, with every optimisation; with ``folder`` a profile of it there."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    if folder is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(folder / "profile")
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (y,) = session.run(["y"], {"x": x})
    if folder is not None:
        session.end_profiling()
    return y


def executed(model: onnx.ModelProto, folder: Path, x: Any = X) -> Counter[str]:
    """How many nodes of each operator ONNX Runtime ran, by its own profile."""
    folder.mkdir()
    run(model, x, folder)
    (profile,) = folder.glob("profile*.json")
    events = [one for one in json.loads(profile.read_text()) if one["name"].endswith("_kernel_time")]
    return Counter(one["args"]["op_name"] for one in events)


@pytest.mark.parametrize("share", [0.05, 0.5, 2.5])
def test_planted_nodes_change_no_output_and_are_run(tmp_path: Path, share: float) -> None:
    model = conv_net()
    before = run(model)
    added, real = plant_nodes(model, share)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_allclose(run(model), before, rtol=1e-6, atol=1e-7)
    planted = [node.name for node in model.graph.node if node.name.startswith("planted")]
    assert len(planted) == added
    again = [name for name in planted if name.removeprefix("planted_").isdigit()]
    ran, ran_before = executed(model, tmp_path / "after"), executed(conv_net(), tmp_path / "before")
    work = ("Conv", "MatMul", "FusedMatMul", "Gemm")
    assert len(again) == sum(ran[one] - ran_before[one] for one in work) > 0
    assert 0.5 * share < real < max(2 * share, 0.6)


def test_a_larger_share_is_more_work() -> None:
    shares = [plant_nodes(conv_net(), share)[1] for share in (0.2, 0.5, 1.0, 3.0)]
    assert shares == sorted(shares)
    assert shares[2] == pytest.approx(1.0, abs=0.2)


def test_products_of_matrices_are_run_again_where_there_is_no_convolution(tmp_path: Path) -> None:
    model = dense()
    x = np.random.default_rng(2).random((3, 8), np.float32)
    before = run(model, x)
    plant_nodes(model, 0.5)
    np.testing.assert_allclose(run(model, x), before, rtol=1e-5, atol=1e-6)
    ran, ran_before = executed(model, tmp_path / "after", x), executed(dense(), tmp_path / "before", x)
    assert (ran["MatMul"], ran["Gemm"]) == (ran_before["MatMul"] + 1, ran_before["Gemm"] + 1)


def test_the_file_keeps_its_version_its_inputs_and_its_outputs() -> None:
    model, old = conv_net(), conv_net()
    plant_nodes(model, 0.3)
    assert model.ir_version == old.ir_version
    assert list(model.graph.input) == list(old.graph.input)
    assert list(model.graph.output) == list(old.graph.output)


def test_an_output_that_another_node_reads_stays_what_it_was() -> None:
    model = dense()
    model.graph.node.append(helper.make_node("Relu", ["y"], ["z"]))
    model.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 4]))
    x = np.random.default_rng(2).random((3, 8), np.float32)
    before = run(model, x)
    plant_nodes(model, 0.5)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_allclose(run(model, x), before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("which", range(3))
def test_a_wrong_kernel_is_another_function(which: int) -> None:
    model = conv_net()
    before = run(model)
    name = plant_wrong_kernel(model, which, 3)
    assert name == ("w1", "w2", "w3")[which]
    assert float(np.max(np.abs(run(model) - before))) > 1e-3


def test_a_file_with_nothing_to_run_again_is_refused() -> None:
    none = make([helper.make_node("Relu", ["x"], ["y"])], {}, ["n", 4], ["n", 4])
    with pytest.raises(UnsupportedError, match="no float32 convolution or matrix product"):
        plant_nodes(none, 0.05)
    with pytest.raises(UnsupportedError, match="no float32 kernel"):
        plant_wrong_kernel(none, 0, 3)
    with pytest.raises(UnsupportedError, match="no float32 convolution or matrix product"):
        plant_nodes(dense(elem_type=TensorProto.FLOAT16), 0.05)
