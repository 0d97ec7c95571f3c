"""Real float16, int8 and LiteRT files of tiny models: interface, own error, and what becomes of a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.analysis.agreement import check_outputs
from bench.analysis.budget import Budget
from bench.errors import UnsupportedError
from bench.measure.machine import describe_machine
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.child.onnx_file import read_artifact, read_graph, read_tensors
from bench.prepare.child.onnx_run import open_as_deployed, open_unoptimised
from bench.prepare.child.onnx_variant import write_onnx
from bench.prepare.child.reference import run_pool
from bench.records import Artifact, OutputCheck, Precision, Prepared

pytestmark = pytest.mark.slow

Prepare = Callable[..., Prepared]
PRECISIONS: tuple[Precision, ...] = ("float16", "int8")


def written(prepared: Prepared, precision: Precision, folder: Path) -> Artifact:
    folder.mkdir(exist_ok=True)
    return write_onnx(prepared, precision, folder, lambda _: None)


def judged(prepared: Prepared, artifact: Artifact) -> OutputCheck:
    """The file as a runtime opens it, under its own budget."""
    pool = load_arrays(prepared.pool)
    feeds = {tensor.name: pool[artifact.names.get(tensor.name, tensor.name)] for tensor in artifact.inputs}
    outputs = run_pool(open_as_deployed(Path(artifact.path)), artifact.inputs, feeds)
    named = {artifact.names.get(name, name): rows for name, rows in outputs.items()}
    budget = Budget(precision=artifact.precision, conversion=artifact.conversion_error)
    (check,) = check_outputs(load_arrays(prepared.truth_file), named, prepared.yardstick, budget=budget)
    return check


@pytest.mark.parametrize("precision", PRECISIONS)
def test_inputs_outputs_batch_and_versions_stay(prepare_kind: Prepare, tmp_path: Path, precision: Precision) -> None:
    prepared = prepare_kind("functional")
    source = prepared.artifacts["onnx"]
    made = written(prepared, precision, tmp_path / precision)
    assert (made.precision, made.ir_version, made.opset) == (precision, source.ir_version, source.opset)
    inputs, outputs = read_tensors(read_graph(Path(made.path)))
    assert [(t.name, t.shape, t.dtype) for t in inputs] == [("image", (None, 8, 8, 3), "float32")]
    assert [(t.name, t.dtype, t.batched) for t in outputs] == [("out", "float32", True)]
    assert [file.name for file in (tmp_path / precision).iterdir()] == ["model.onnx"]
    assert {entry.domain for entry in read_graph(Path(made.path)).opset_import} <= {"", "ai.onnx"}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_weights_are_in_the_precision_asked_for(prepare_kind: Prepare, tmp_path: Path, precision: Precision) -> None:
    made = written(prepare_kind("functional"), precision, tmp_path / precision)
    kinds = [tensor.data_type for tensor in onnx.load(made.path).graph.initializer if np.prod(tensor.dims) > 20]
    assert set(kinds) == {TensorProto.FLOAT16 if precision == "float16" else TensorProto.INT8}
    assert made.has_integer_products == (precision == "int8")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_right_file_agrees_and_says_its_own_error(
    prepare_kind: Prepare, tmp_path: Path, precision: Precision
) -> None:
    prepared = prepare_kind("functional")
    made = written(prepared, precision, tmp_path / precision)
    error = made.conversion_error["out"]
    assert error is not None
    assert 0 < error < {"float16": 0.01, "int8": 0.2}[precision]
    assert judged(prepared, made).verdict == "agrees"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_file_made_from_wrong_weights_disagrees(prepare_kind: Prepare, tmp_path: Path, precision: Precision) -> None:
    prepared = prepare_kind("functional")
    wrong = with_classes_moved(prepared, tmp_path)
    check = judged(prepared, written(wrong, precision, tmp_path / precision))
    assert check.verdict == "disagrees"
    assert f"the {precision} file itself is" in check.reason


def test_a_wrong_file_under_the_right_files_budget_disagrees_too(prepare_kind: Prepare, tmp_path: Path) -> None:
    prepared = prepare_kind("functional")
    right = written(prepared, "int8", tmp_path / "right")
    wrong = written(with_classes_moved(prepared, tmp_path), "int8", tmp_path / "wrong")
    check = judged(prepared, msgspec.structs.replace(wrong, conversion_error=right.conversion_error))
    assert check.verdict == "disagrees"
    assert "precision error" in check.reason


def test_the_softmax_stays_float32(prepare_kind: Prepare, tmp_path: Path) -> None:
    made = written(prepare_kind("functional:softmax=True"), "int8", tmp_path / "int8")
    graph = onnx.load(made.path).graph
    (softmax,) = (node for node in graph.node if node.op_type == "Softmax")
    assert softmax.output[0] == graph.output[0].name


def test_operators_without_float16_stay_float32(tmp_path: Path, prepare_kind: Prepare) -> None:
    made = written(prepare_kind("resizing:how=bilinear"), "float16", tmp_path / "f")
    nodes = onnx.load(made.path).graph.node
    (resize,) = (node for node in nodes if node.op_type == "Resize")
    assert any(node.op_type == "Cast" and resize.input[0] in node.output for node in nodes)


def test_a_fixed_batch_stays_and_is_calibrated_whole(tmp_path: Path) -> None:
    prepared = by_hand(tmp_path, batch=2)
    made = written(prepared, "int8", tmp_path / "int8")
    assert made.inputs[0].shape == (2, 3)
    assert judged(prepared, made).verdict == "agrees"


def test_float16_that_overflows_disagrees(tmp_path: Path) -> None:
    prepared = by_hand(tmp_path, scale=1e6)
    made = written(prepared, "float16", tmp_path / "f")
    check = judged(prepared, made)
    assert check.verdict == "disagrees"
    assert "infinite" in check.reason


def test_what_no_converter_takes_is_unsupported(tmp_path: Path) -> None:
    prepared = by_hand(tmp_path)
    Path(prepared.artifacts["onnx"].path).write_bytes(b"no model")
    for precision in PRECISIONS:
        with pytest.raises(UnsupportedError, match=f"converting the ONNX file to {precision}"):
            written(prepared, precision, tmp_path / precision)
        assert [file for file in (tmp_path / precision).iterdir() if "unfinished" in file.name] == []


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_litert_keeps_names_and_says_its_own_error(prepare_kind: Prepare, tmp_path: Path, precision: Precision) -> None:
    from bench.prepare.child.litert_file import write_litert

    prepared = prepare_kind("functional")
    made = write_litert(prepared, precision, tmp_path, lambda _: None)
    assert (made.kind, made.precision, made.inputs) == ("litert", precision, prepared.artifacts["saved_model"].inputs)
    assert Path(made.path).stat().st_size == made.size_bytes
    if precision == "float32":
        assert made.conversion_error == {}
    else:
        error = made.conversion_error["out"]
        assert error is not None
        assert error < {"float16": 0.01, "int8": 0.2}[precision]


def test_litert_from_weights_that_are_not_the_truths_is_told(prepare_kind: Prepare, tmp_path: Path) -> None:
    from bench.prepare.child.litert_file import write_litert

    prepared = prepare_kind("functional")
    truth = load_arrays(prepared.truth_file)
    turned = save_arrays(tmp_path / "truth.npz", {name: np.roll(rows, 1, axis=0) for name, rows in truth.items()})
    other = msgspec.structs.replace(prepared, truth_file=turned)
    error = write_litert(other, "int8", tmp_path, lambda _: None).conversion_error["out"]
    assert error is not None
    assert error > 0.8


def test_litert_pairs_several_outputs_by_name(prepare_kind: Prepare, tmp_path: Path) -> None:
    from bench.prepare.child.litert_file import write_litert

    prepared = prepare_kind("by_name")
    made = write_litert(prepared, "float16", tmp_path, lambda _: None)
    assert set(made.conversion_error) == {output.name for output in prepared.outputs}
    assert all(error is not None and error < 0.01 for error in made.conversion_error.values())


def with_classes_moved(prepared: Prepared, folder: Path) -> Prepared:
    """The same model, each of its classes computed with the weights of the next."""
    source = prepared.artifacts["onnx"]
    model = onnx.load(source.path)
    (dense,) = (node for node in model.graph.node if node.op_type in ("MatMul", "Gemm"))
    (weights,) = (tensor for tensor in model.graph.initializer if tensor.name == dense.input[1])
    weights.CopyFrom(numpy_helper.from_array(np.roll(numpy_helper.to_array(weights), 1, axis=1), weights.name))
    onnx.save(model, folder / "moved.onnx")
    moved = msgspec.structs.replace(source, path=str(folder / "moved.onnx"))
    return msgspec.structs.replace(prepared, artifacts=prepared.artifacts | {"onnx": moved})


def by_hand(folder: Path, batch: int | None = None, scale: float = 1.0) -> Prepared:
    """y = relu(scale * x @ w) as an ONNX file, its truth from numpy."""
    rng = np.random.default_rng(0)
    weights = (scale * rng.normal(size=(3, 4))).astype(np.float32)
    shape: list[Any] = [batch or "N"]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Relu", ["m"], ["y"])],
        "hand",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [*shape, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [*shape, 4])],
        [numpy_helper.from_array(weights, "w")],
    )
    path = folder / "source" / "model.onnx"
    path.parent.mkdir()
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    inputs, outputs = read_tensors(read_graph(path))
    pool = rng.normal(size=(8, 3)).astype(np.float32)
    truth = np.maximum(pool.astype(np.float64) @ weights, 0)
    return Prepared(
        model="hand",
        model_digest="h",
        inputs=inputs,
        outputs=outputs,
        output_paths={"y": ""},
        artifacts={"onnx": read_artifact(path, inputs, outputs)},
        failures={},
        pool=save_arrays(folder / "pool.npz", {"x": pool}),
        truth_file=save_arrays(folder / "truth.npz", {"y": truth}),
        truth="float64",
        yardstick={"y": 1e-6},
        parameters=None,
        multiply_adds=None,
        versions={},
    )


def test_integer_products_are_exact_in_the_truth_and_as_deployed_only_where_the_processor_has_vnni(
    tmp_path: Path,
) -> None:
    weights = numpy_helper.from_array(np.full((64, 1), 127, np.int8), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        "products",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, ["N", 64])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, ["N", 1])],
        [weights],
    )
    path = tmp_path / "products.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    inputs, outputs = read_tensors(read_graph(path))
    assert read_artifact(path, inputs, outputs).has_integer_products
    feed = {"x": np.full((1, 64), 255, np.uint8)}
    exact = 255 * 127 * 64
    assert open_unoptimised(path)(feed)["y"].tolist() == [[exact]]
    isa = set(describe_machine().isa)
    deployed = open_as_deployed(path)(feed)["y"].item()
    if isa & {"avx512_vnni", "avx_vnni", "amx_int8", "asimd"}:
        assert deployed == exact
    else:
        assert deployed < exact
