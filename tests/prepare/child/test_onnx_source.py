"""A user's own .onnx: as the model itself, and beside a Keras model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.errors import BenchError, UnsupportedError, UsageError
from bench.prepare.arrays import load_arrays
from bench.prepare.messages import ChildAnswer
from bench.records import Prepared

pytestmark = pytest.mark.slow

Prepare = Callable[..., Prepared]
KINDS = Path(__file__).with_name("model_kinds.py")


def write_linear(path: Path, *, axis: str | int = "n", op: str = "Add", extra: tuple[str, ...] = ()) -> Path:
    """``y = x @ w + b``, four features to three."""
    rng = np.random.default_rng(0)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node(op, ["h", "b"], ["y"])]
    nodes += [helper.make_node(name, ["h"], [name]) for name in extra]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [axis, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [axis, 3])],
        [
            numpy_helper.from_array(rng.normal(size=(4, 3)).astype(np.float32), "w"),
            numpy_helper.from_array(np.ones(3, np.float32), "b"),
        ],
    )
    path.parent.mkdir(exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=7), path)
    return path


def test_the_truth_of_an_onnx_file_is_onnx_runtime_unoptimised(prepare_here: Prepare, tmp_path: Path) -> None:
    source = write_linear(tmp_path / "m.onnx")
    prepared = prepare_here(str(source))
    assert prepared.truth == "onnxruntime-cpu unoptimised"
    error = prepared.yardstick["y"]
    assert error is not None
    assert 1e-9 < error < 1e-5
    weights = {t.name: numpy_helper.to_array(t) for t in onnx.load(source).graph.initializer}
    pool, truth = load_arrays(prepared.pool), load_arrays(prepared.truth_file)
    np.testing.assert_allclose(truth["y"], pool["x"] @ weights["w"] + weights["b"], rtol=1e-5)


@pytest.mark.parametrize("as_nodes", [False, True])
def test_weights_are_moved_wherever_they_are_and_numbers_that_decide_shapes_are_not(as_nodes: bool) -> None:
    from bench.prepare.child.onnx_source import perturb_weights

    values = {"w": np.full((2, 1, 1, 1), 0.3), "scales": np.array([1, 1, 2, 2]), "six": np.array(6.0)}
    tensors = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in values.items()]
    nodes = [helper.make_node("Constant", [], [tensor.name], value=tensor) for tensor in tensors if as_nodes]
    nodes += [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Min", ["c", "six"], ["m"]),
        helper.make_node("Resize", ["m", "", "scales"], ["y"]),
    ]
    model = helper.make_model(helper.make_graph(nodes, "g", [], [], [] if as_nodes else tensors))
    perturb_weights(model, np.random.default_rng(0))
    found = [node.attribute[0].t for node in model.graph.node if node.op_type == "Constant"] or model.graph.initializer
    moved = {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) - values[tensor.name] for tensor in found}
    assert np.all(moved["w"] != 0)
    assert np.abs(moved["w"]).max() < 1e-7
    assert not moved["scales"].any()
    assert not moved["six"].any()


def test_a_file_that_doubles_a_picture_for_a_skip_has_a_yardstick(prepare_here: Prepare, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = {"a": (4, 3, 3, 3), "b": (4, 4, 3, 3)}
    tensors = [numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), k) for k, shape in weights.items()]
    tensors.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales"))
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["first"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["first", "b"], ["half"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Resize", ["half", "", "scales"], ["whole"], mode="nearest"),
        helper.make_node("Add", ["first", "whole"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", c, 16, 16]) for name, c in (("x", 3), ("y", 4))
    ]
    graph = helper.make_graph(nodes, "skip", ends[:1], ends[1:], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    prepared = prepare_here(str(tmp_path / "m.onnx"))
    assert prepared.yardstick["y"] is not None
    assert "yardstick" not in {caution.code for caution in prepared.cautions}


def test_the_file_is_kept_as_it_is_and_tensorflow_has_none(prepare_here: Prepare, tmp_path: Path) -> None:
    source = write_linear(tmp_path / "m.onnx")
    prepared = prepare_here(str(source))
    artifact = prepared.artifacts["onnx"]
    assert Path(artifact.path).read_bytes() == source.read_bytes()
    assert (artifact.ir_version, artifact.opset) == (7, 17)
    assert prepared.failures["saved_model"].status == "unsupported"
    assert prepared.parameters is None


def test_a_fixed_batch_is_recorded_and_the_pool_has_a_row_an_item(prepare_here: Prepare, tmp_path: Path) -> None:
    prepared = prepare_here(str(write_linear(tmp_path / "m.onnx", axis=3)))
    assert prepared.artifacts["onnx"].inputs[0].shape == (3, 4)
    assert prepared.truth_file.items == 8


def test_external_data_of_a_model_is_a_dependency(answer_here: Callable[..., ChildAnswer], tmp_path: Path) -> None:
    proto = onnx.load(write_linear(tmp_path / "m.onnx"))
    onnx.save(proto, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    answer = answer_here(str(tmp_path / "m.onnx"))
    assert list(answer.dependencies) == ["w.bin"]
    assert answer.prepared is not None
    assert (Path(answer.prepared.artifacts["onnx"].path).parent / "w.bin").exists()


def test_a_file_that_does_not_load_says_so_without_a_place(prepare_here: Prepare, tmp_path: Path) -> None:
    write_linear(tmp_path / "bad.onnx", op="NoSuchOp")
    with pytest.raises(UnsupportedError, match=r"bad\.onnx does not load in ONNX Runtime: .*NoSuchOp") as raised:
        prepare_here(str(tmp_path / "bad.onnx"))
    assert str(tmp_path) not in str(raised.value)
    assert "/tmp" not in str(raised.value)


def test_random_operations_are_a_caution(prepare_here: Prepare, tmp_path: Path) -> None:
    prepared = prepare_here(str(write_linear(tmp_path / "m.onnx", extra=("RandomNormalLike",))))
    assert any("RandomNormalLike" in caution.text for caution in prepared.cautions)


# --- beside a Keras model


def test_the_users_own_file_is_the_artifact_with_its_names_mapped(prepare_kind: Prepare, tmp_path: Path) -> None:
    source = write_linear(tmp_path / "own.onnx", axis=8)
    prepared = prepare_kind("fixed_batch", onnx_file=str(source))
    artifact = prepared.artifacts["onnx"]
    assert prepared.failures == {}
    assert Path(artifact.path).read_bytes() == source.read_bytes()
    assert [tensor.name for tensor in (*artifact.inputs, *artifact.outputs)] == ["x", "y"]
    assert artifact.inputs[0].shape == (8, 4)
    assert prepared.truth == "float64"


def test_names_are_mapped_and_unknown_ones_refused(prepare_kind: Prepare, tmp_path: Path) -> None:
    source = str(write_linear(tmp_path / "own.onnx"))
    prepared = prepare_kind("fixed_batch", onnx_file=source, onnx_names={"x": "x"})
    assert prepared.artifacts["onnx"].names == {"x": "x"}
    with pytest.raises(UsageError, match=r"--onnx-names: no z; the file own\.onnx has x, y"):
        prepare_kind("fixed_batch", onnx_file=source, onnx_names={"z": "x"})
    with pytest.raises(UsageError, match="--onnx-names: no image; the model has x, "):
        prepare_kind("fixed_batch", onnx_file=source, onnx_names={"x": "image"})


def test_a_file_of_the_users_that_does_not_load_is_a_failure_and_tensorflow_still_runs(
    prepare_kind: Prepare, tmp_path: Path
) -> None:
    source = write_linear(tmp_path / "own.onnx", op="NoSuchOp")
    prepared = prepare_kind("sequential", onnx_file=str(source))
    assert set(prepared.artifacts) == {"saved_model"}
    assert "own.onnx does not load" in prepared.failures["onnx"].reason


def test_data_of_the_users_file_is_a_dependency(answer_here: Callable[..., ChildAnswer], tmp_path: Path) -> None:
    proto = onnx.load(write_linear(tmp_path / "own.onnx"))
    onnx.save(proto, tmp_path / "own.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    answer = answer_here(f"{KINDS}:sequential", onnx_file=str(tmp_path / "own.onnx"))
    assert [Path(name).name for name in answer.dependencies] == ["w.bin"]
    (tmp_path / "w.bin").unlink()
    again = answer_here(f"{KINDS}:sequential", onnx_file=str(tmp_path / "own.onnx")).prepared
    assert again is not None
    assert "w.bin is missing" in again.failures["onnx"].reason


def write_gather(path: Path, shape: list[int | str], *, indexed: bool = True) -> Path:
    """A row of a table of one row: by an index that is given, or the first."""
    zero = [] if indexed else [numpy_helper.from_array(np.zeros((1,), np.int64), "i")]
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "i"], ["y"])],
        "gather",
        [helper.make_tensor_value_info("i", TensorProto.INT64, shape)] if indexed else [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [*shape, 2])],
        [numpy_helper.from_array(np.ones((1, 2), np.float32), "table"), *zero],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_inputs_that_the_model_rejects_are_told_in_one_line(prepare_here: Prepare, tmp_path: Path) -> None:
    source = str(write_gather(tmp_path / "m.onnx", ["n", 4]))
    with pytest.raises(BenchError, match=r"^the model failed on the inputs: .*out of.*bounds.*; set --input") as got:
        prepare_here(source)
    assert "\n" not in str(got.value)
    assert prepare_here(source, input_ranges={"i": (0.0, 0.5)}).truth_file.items == 8


def test_a_single_number_is_an_input(prepare_here: Prepare, tmp_path: Path) -> None:
    source = write_gather(tmp_path / "m.onnx", [])
    assert prepare_here(str(source), input_ranges={"i": (0.0, 0.5)}).inputs[0].shape == ()


def test_a_model_without_inputs_is_unsupported(prepare_here: Prepare, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="no inputs"):
        prepare_here(str(write_gather(tmp_path / "m.onnx", [1], indexed=False)))
