"""What ONNX Runtime itself tells of its operators: this version, small files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.records import Artifact, Operator, Profiled, SessionSettings, Tensor
from bench.runtimes import loading

CALLS = 3


def _profiled(
    folder: Path, nodes: list[Any], weights: dict[str, np.ndarray[Any, Any]], shape: tuple[int, ...], **options: str
) -> Profiled:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "g", [x], [y], tensors), ir_version=8, opset_imports=[helper.make_opsetid("", 18)]
    )
    onnx.save(model, folder / "a.onnx")
    inputs = (Tensor(name="x", shape=shape, dtype="float32"),)
    artifact = Artifact(kind="onnx", path=str(folder / "a.onnx"), digest="", size_bytes=1, inputs=inputs, outputs=())
    settings = SessionSettings(threads=1, batch_size=1, inputs=inputs, outputs=("y",), options=options)
    feeds = [{"x": np.random.default_rng(0).random(shape, np.float32)}]
    return loading.operators("onnxruntime-cpu", artifact, settings, feeds, CALLS)


def _convolutions() -> tuple[list[Any], dict[str, np.ndarray[Any, Any]]]:
    """Two convolutions with what follows them, nodes without names."""
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], pads=[1] * 4),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1] * 4),
        helper.make_node("Relu", ["c2"], ["y"]),
    ]
    rng = np.random.default_rng(0)
    return nodes, {name: rng.random((8, 8, 3, 3), np.float32) for name in ("w1", "w2")}


@pytest.mark.parametrize("level", ["off", "all"])
def test_nodes_without_names_are_told_apart_by_their_tensors(tmp_path: Path, level: str) -> None:
    profiled = _profiled(tmp_path, *_convolutions(), (1, 8, 16, 16), optimization=level)
    convolutions = [one for one in profiled.operators if one.operator == "Conv"]
    first, second = (set(one.origins) for one in convolutions)
    assert {"c1", "w1"} <= first
    assert {"c2", "w2"} <= second
    assert not first & {"c2", "w2", "y"}
    assert len({one.name for one in profiled.operators}) == len(profiled.operators)
    assert (convolutions[0].output_bytes or 0) >= 8 * 16 * 16 * 4  # a blocked layout fills up its channels


def test_what_the_optimiser_puts_in_is_of_no_node(tmp_path: Path) -> None:
    profiled = _profiled(tmp_path, *_convolutions(), (1, 8, 16, 16))
    put_in = [one for one in profiled.operators if one.operator.startswith("Reorder")]
    assert all(one.origins == () for one in put_in)
    if not put_in:
        pytest.skip("no blocked layout on this processor")
    assert all(any(one.between) for one in put_in)
    assert "y" in put_in[-1].between[0]


def test_a_transpose_that_became_a_change_of_layout_keeps_its_name(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], "first", pads=[1] * 4),
        helper.make_node("Transpose", ["c1"], ["t"], "turn", perm=[0, 2, 3, 1]),
        helper.make_node("Conv", ["t", "w2"], ["y"], "second", pads=[1] * 4),
    ]
    rng = np.random.default_rng(0)
    weights = {name: rng.random((32, 32, 3, 3), np.float32) for name in ("w1", "w2")}
    profiled = _profiled(tmp_path, nodes, weights, (1, 32, 32, 32))
    turns = [one for one in profiled.operators if "turn" in one.origins]
    assert [one.operator for one in turns] in (["ReorderOutput"], ["Transpose"])
    if turns[0].operator == "Transpose":
        pytest.skip("no blocked layout on this processor")
    assert not any("turn" in one.origins for one in profiled.operators if one.operator == "Conv")
    (second,) = [one for one in profiled.operators if one.operator == "ReorderInput" and one.between[0]]
    assert "turn" in second.between[0]
    assert "second" in second.between[1]


def test_a_loop_has_its_own_time_and_its_body_the_sum_of_its_turns(tmp_path: Path) -> None:
    side = 200
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["a", "m"], ["b"], name="heavy"),
            helper.make_node("Identity", ["c"], ["d"], name="keep"),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("a", TensorProto.FLOAT, [side, side]),
        ],
        [
            helper.make_tensor_value_info("d", TensorProto.BOOL, []),
            helper.make_tensor_value_info("b", TensorProto.FLOAT, [side, side]),
        ],
    )
    loop = helper.make_node("Loop", ["n", "go", "x"], ["y"], name="loop", body=body)
    weights: dict[str, np.ndarray[Any, Any]] = {
        "n": np.array(5, np.int64),
        "go": np.array(True),
        "m": np.full((side, side), 1 / side, np.float32),
    }
    profiled = _profiled(tmp_path, [loop], weights, (side, side))
    told: dict[str, Operator] = {one.operator: one for one in profiled.operators}
    assert "heavy" in told["MatMul"].origins
    assert "loop" in told["Loop"].origins
    assert sum(told["MatMul"].time_ns) > sum(told["Loop"].time_ns)
    assert told["MatMul"].output_bytes == 5 * side * side * 4
    for call, wall_ns in enumerate(profiled.calls_ns):
        assert sum(one.time_ns[call] for one in profiled.operators) <= wall_ns
