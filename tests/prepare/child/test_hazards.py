"""Each hazard has a model that shows it and one that must not: what the child says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.prepare.child import hazard_graph, hazard_scan, onnx_file
from bench.prepare.child.hazards import Subject, find_hazards
from bench.prepare.child.onnx_run import open_unoptimised
from bench.records import Caution, Prepared

pytestmark = pytest.mark.slow

KINDS = Path(__file__).with_name("hazard_kinds.py")
Prepare = Callable[..., Prepared]
Array = np.ndarray[Any, np.dtype[Any]]
ITEMS = 8
NO_HAZARD = ("input range", "truth")  # said of models here for other reasons


def node(op: str, inputs: str, output: str, **attributes: Any) -> Any:
    """A node named like its output."""
    return helper.make_node(op, inputs.split(), [output], name=output, **attributes)


def make_file(folder: Path, nodes: Sequence[Any], weights: Mapping[str, Array] = {}, domain: str = "") -> Path:
    """``x`` [n, 16] to ``y``."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    path = folder / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def inputs(seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(ITEMS, 16)).astype(np.float32)


def of_file(path: Path, x: Array | None = None) -> tuple[Caution, ...]:
    """What is said of a file, and of the ``x`` that goes into it."""
    pool = {"x": inputs() if x is None else x}
    tensors = onnx_file.read_tensors(onnx_file.read_graph(path))
    outputs = open_unoptimised(path)(pool)
    return find_hazards(Subject(tensors[0], pool, outputs, onnx_file.read_artifact(path, *tensors)))


def of_nodes(folder: Path, nodes: Sequence[Any], x: Array | None = None, **weights: Array) -> tuple[Caution, ...]:
    return of_file(make_file(folder, nodes, weights), x)


def kernel(*shape: int, scale: float = 1.0) -> Array:
    return (np.random.default_rng(1).normal(size=shape) * scale).astype(np.float32)


def told(prepared: Prepared) -> list[Caution]:
    return [caution for caution in prepared.cautions if caution.code not in NO_HAZARD]


def only(cautions: Sequence[Caution], code: str) -> str:
    assert [caution.code for caution in cautions] == [code]
    return cautions[0].text


# --- denormal numbers


def test_a_tenth_of_the_weights_at_1e_40_is_told_with_the_layer(prepare_here: Prepare) -> None:
    text = only(told(prepare_here(f"{KINDS}:dense:tiny=0.1")), "denormal")
    assert text.startswith("10% of the weights of layer hidden (Dense) are denormal")
    assert "denormal=zero" in text


def test_a_model_of_normal_weights_has_no_hazard(prepare_here: Prepare) -> None:
    assert told(prepare_here(f"{KINDS}:dense")) == []


def test_weights_are_looked_at_where_nothing_could_be_exported(prepare_here: Prepare) -> None:
    prepared = prepare_here(f"{KINDS}:unconvertible:tiny=0.1")
    assert "onnx" in prepared.failures
    assert "weights of hidden/kernel" in only(told(prepared), "denormal")
    assert told(prepare_here(f"{KINDS}:unconvertible")) == []


def test_the_first_node_that_makes_denormal_numbers_is_named(tmp_path: Path) -> None:
    nodes = [node("Mul", "x small", "shrunk"), node("Mul", "shrunk large", "grown"), node("MatMul", "grown w", "y")]
    small, large = np.array([1e-39], np.float32), np.array([1e38], np.float32)
    text = only(of_nodes(tmp_path, nodes, small=small, large=large, w=kernel(16, 4)), "denormal")
    assert text.startswith("100% of what node shrunk (Mul) computes is denormal")


def test_denormal_outputs_are_left_to_those_who_judge_outputs(tmp_path: Path) -> None:
    assert of_nodes(tmp_path, [node("Mul", "x small", "y")], small=np.array([1e-39], np.float32)) == ()


def test_normal_numbers_whose_products_are_denormal_are_told(tmp_path: Path) -> None:
    nodes = [node("Mul", "x small", "h"), node("MatMul", "h w", "y")]
    small = np.array([1e-20], np.float32)
    text = only(of_nodes(tmp_path, nodes, small=small, w=kernel(16, 4, scale=1e-20)), "denormal")
    assert "of the products within node y (MatMul)" in text
    assert of_nodes(tmp_path, nodes, small=small, w=kernel(16, 4)) == ()


def test_numbers_are_counted_by_their_bits() -> None:
    values = np.array([0, -0.0, 1, 1e-40, -1e-45, np.nan, -np.inf, 1.2e-38], np.float32)
    counted = hazard_scan.count(values)
    assert (counted.values, counted.denormal, counted.nan, counted.infinite) == (8, 2, 1, 1)
    halves = hazard_scan.count(np.array([1e-7, np.inf, np.nan], np.float16))
    assert (halves.denormal, halves.nan, halves.infinite) == (0, 1, 1)
    assert hazard_scan.count(np.arange(3)).values == 0


# --- NaN and infinity


def test_the_first_layer_that_makes_nan_is_named(prepare_here: Prepare) -> None:
    text = only(told(prepare_here(f"{KINDS}:rooted")), "not finite")
    assert text.startswith("layer root (Lambda) is the first to make NaN")


def test_a_root_of_what_is_never_negative_is_no_hazard(prepare_here: Prepare) -> None:
    assert told(prepare_here(f"{KINDS}:rooted:shift=1.0")) == []


def test_infinity_is_told_with_the_node_that_divides_by_zero(tmp_path: Path) -> None:
    zero = np.zeros(1, np.float32)
    nodes = [node("Div", "x by", "h"), node("Tanh", "h", "y")]
    text = next(c.text for c in of_nodes(tmp_path, nodes, by=zero) if c.code == "not finite")
    assert text.startswith("node h (Div) is the first to make infinity (100% of values)")


def test_nan_in_weights_and_in_inputs_is_told_and_blames_no_node(tmp_path: Path) -> None:
    spoilt = kernel(16, 4)
    spoilt[0, 0] = np.nan
    nodes = [node("MatMul", "x w", "y")]
    text = only(of_nodes(tmp_path, nodes, w=spoilt), "not finite")
    assert text.startswith("NaN (2% of values) in the weights of node y (MatMul): ")
    x = inputs()
    x[3, 2] = np.inf
    text = only(of_nodes(tmp_path, nodes, x, w=kernel(16, 4)), "not finite")
    assert text.startswith("infinity (0.78% of values) in input x: ")


# --- inputs and outputs


def test_inputs_that_are_all_alike_are_told(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "y")]
    text = only(of_nodes(tmp_path, nodes, np.repeat(inputs()[:1], ITEMS, axis=0), w=kernel(16, 4)), "constant input")
    assert text.startswith("all 8 items of input x are the same")


def test_images_of_one_value_each_are_told_and_varied_ones_are_not(tmp_path: Path) -> None:
    path = make_file(tmp_path, [node("Relu", "x", "y")])
    proto = onnx.load(path)
    proto.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8, 8, 3]))
    onnx.save(proto, path)
    levels = np.arange(1, ITEMS + 1, dtype=np.float32).reshape(-1, 1, 1, 1)
    flat = np.broadcast_to(levels, (ITEMS, 8, 8, 3)).copy()
    assert only(of_file(path, flat), "constant input").startswith("8 of 8 images of input x are one single value")
    flat[:5, 0, 0, 0] = 0.0
    assert of_file(path, flat) == ()


def test_a_sigmoid_at_its_bounds_is_told_and_one_between_them_is_not(prepare_here: Prepare) -> None:
    text = only(told(prepare_here(f"{KINDS}:saturated:scale=1000.0")), "saturated output")
    assert "0 or 1 but for rounding (Sigmoid)" in text
    assert told(prepare_here(f"{KINDS}:saturated")) == []


@pytest.mark.parametrize("op", ["Softmax", "Tanh", "Sigmoid"])
def test_bounded_outputs_are_found_behind_what_only_passes_them_on(tmp_path: Path, op: str) -> None:
    nodes = [node("MatMul", "x w", "h"), node(op, "h", "s"), node("Identity", "s", "y")]
    assert only(of_nodes(tmp_path, nodes, w=kernel(16, 4, scale=1e4)), "saturated output").count(op) == 1
    assert of_nodes(tmp_path, nodes, w=kernel(16, 4, scale=0.1)) == ()


# --- operators


@pytest.mark.parametrize("op", ["RandomNormalLike", "RandomUniformLike", "Bernoulli"])
def test_operations_that_draw_are_told(tmp_path: Path, op: str) -> None:
    nodes = [node("Sigmoid", "x", "p"), node(op, "p", "r"), node("Add", "p r", "y")]
    assert only(of_nodes(tmp_path, nodes), "non-deterministic model").endswith(op)


@pytest.mark.parametrize(("training", "found"), [(True, ["Dropout (training)"]), (False, [])])
def test_dropout_is_random_in_training_mode_alone(tmp_path: Path, training: bool, found: list[str]) -> None:
    dropout = node("Dropout", "x ratio training", "y")
    path = make_file(tmp_path, [dropout], {"ratio": np.array(0.5, np.float32), "training": np.array(training)})
    assert hazard_graph.random_operations(onnx.load(path)) == found


@pytest.mark.parametrize(("training", "found"), [(1, ["y"]), (0, [])])
def test_batch_norm_in_training_mode_is_found(tmp_path: Path, training: int, found: list[str]) -> None:
    outputs = ["y", "m", "v"] if training else ["y"]
    norm = helper.make_node("BatchNormalization", ["x", "a", "b", "c", "d"], outputs, name="y", training_mode=training)
    ones = {name: np.ones(16, np.float32) for name in "abcd"}
    assert [one.name for one in hazard_graph.training_nodes(onnx.load(make_file(tmp_path, [norm], ones)))] == found


def test_operators_of_no_standard_are_told(tmp_path: Path) -> None:
    gelu = helper.make_node("Gelu", ["x"], ["y"], name="y", domain="com.microsoft")
    text = only(of_file(make_file(tmp_path, [gelu], domain="com.microsoft")), "operators")
    assert text.startswith("outside ONNX's operator sets: com.microsoft.Gelu: ONNX Runtime alone")
    assert of_file(make_file(tmp_path, [node("Relu", "x", "y")], domain="com.microsoft")) == ()


def test_operators_that_the_file_defines_are_of_no_foreign_domain(tmp_path: Path) -> None:
    twice = helper.make_function("own", "Twice", ["a"], ["b"], [node("Add", "a a", "b")], [helper.make_opsetid("", 17)])
    path = make_file(tmp_path, [helper.make_node("Twice", ["x"], ["y"], name="y", domain="own")], domain="own")
    proto = onnx.load(path)
    assert hazard_graph.foreign_operators(proto) == ["own.Twice"]
    proto.functions.append(twice)
    assert hazard_graph.foreign_operators(proto) == []


# --- passes that cost


def test_a_transpose_of_the_conversion_that_costs_is_told(prepare_here: Prepare) -> None:
    text = only(told(prepare_here(f"{KINDS}:pointwise:side=384")), "transposes")
    assert text.startswith("1 transpose is of the conversion (to channels-first), not of the model, and takes ")
    assert "KiB" in text or "MiB" in text


def test_transposes_of_the_model_itself_are_no_hazard(prepare_here: Prepare) -> None:
    assert told(prepare_here(f"{KINDS}:own_permutes")) == []


def test_batch_norm_behind_an_activation_is_told_with_its_layers(prepare_here: Prepare) -> None:
    text = only(told(prepare_here(f"{KINDS}:convolved")), "batch norm")
    assert "at layer norm_0 (BatchNormalization), layer norm_1 (BatchNormalization), " in text


def test_batch_norm_that_is_folded_is_no_hazard(prepare_here: Prepare) -> None:
    codes = {caution.code for caution in told(prepare_here(f"{KINDS}:convolved:after=False"))}
    assert "batch norm" not in codes


# --- where nothing can be looked at


def test_activations_that_are_too_large_are_not_looked_at_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hazard_scan, "LIMIT_BYTES", 100)
    nodes = [node("MatMul", "x w", "h"), node("Relu", "h", "r"), node("MatMul", "r v", "y")]
    text = only(of_nodes(tmp_path, nodes, w=kernel(16, 16), v=kernel(16, 4)), "hazards")
    assert text.startswith("not looked for: in activations, they take ")


def test_a_file_that_cannot_be_looked_at_costs_nothing_but_a_caution(tmp_path: Path) -> None:
    path = make_file(tmp_path, [node("Relu", "x", "y")])
    tensors = onnx_file.read_tensors(onnx_file.read_graph(path))
    artifact = onnx_file.read_artifact(path, *tensors)
    path.write_bytes(b"no model")
    found = find_hazards(Subject(tensors[0], {"x": inputs()}, {"y": inputs()}, artifact))
    assert only(found, "hazards").startswith("not looked for: ")


def test_a_zoo_model_has_no_hazard(prepare_here: Prepare) -> None:
    assert prepare_here("mobilenet_v1:alpha=0.25,resolution=64").cautions == ()
