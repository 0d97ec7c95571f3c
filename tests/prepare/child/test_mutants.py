import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

sys.path.append(str(Path(__file__).resolve().parents[3]))  # last: it must not hide an installed bench

from bench.prepare.child.mutants import places
from benchmarks.agreement_power import run_file
from bench.prepare.child.mutants.surgery import attribute, constant, nodes_of
from bench.prepare.child.mutants.table import MUTANTS

Array = np.ndarray[Any, np.dtype[Any]]

SIDE, CHANNELS, CLASSES, ITEMS = 16, 4, 5, 8
POOL = {"image": np.random.default_rng(7).normal(2, 2, (ITEMS, SIDE, SIDE, 3)).astype(np.float32)}


def network() -> ModelProto:
    """Each place once, as tf2onnx writes them: channels last outside, bounds of Clip shared, batch norm as Mul, Add."""
    rng = np.random.default_rng(3)
    weights = {
        "conv": rng.normal(0, 0.5, (CHANNELS, 3, 3, 3)),
        "conv_bias": rng.normal(0, 1, CHANNELS),
        "pads": np.array([0, 0, 0, 0, 0, 0, 1, 1]),
        "depthwise": rng.normal(0, 0.5, (CHANNELS, 1, 3, 3)),
        "gamma": rng.normal(1, 0.2, (1, CHANNELS, 1, 1)),
        "beta": rng.normal(0, 1, (1, CHANNELS, 1, 1)),
        "depthwise_2": rng.normal(0, 0.5, (CHANNELS, 1, 3, 3)),
        "three": np.full((1, 1, 1, 1), 3.0),
        "sixth": np.array(1 / 6),
        "square": rng.normal(0, 0.5, (CHANNELS, CHANNELS, 1, 1)),
        "square_bias": rng.normal(0, 1, CHANNELS),
        "axes": np.array([2, 3]),
        "flat": np.array([-1, CHANNELS * 4]),
        "dense": rng.normal(0, 0.3, (CHANNELS * 4, CLASSES)),
        "dense_bias": rng.normal(0, 1, CLASSES),
        "zero": np.array(0.0),
        "six": np.array(6.0),
    }
    same: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [1, 1]}
    nodes = [
        helper.make_node("Transpose", ["image"], ["x0"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "Conv", ["x0", "conv", "conv_bias"], ["x1"], kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]
        ),
        helper.make_node("Clip", ["x1", "zero", "six"], ["x2"]),
        helper.make_node("Pad", ["x2", "pads"], ["x3"]),
        helper.make_node("Conv", ["x3", "depthwise"], ["x4"], kernel_shape=[3, 3], strides=[2, 2], group=CHANNELS),
        helper.make_node("Mul", ["x4", "gamma"], ["x5"]),
        helper.make_node("Add", ["x5", "beta"], ["x6"]),
        helper.make_node("Conv", ["x6", "depthwise_2"], ["x7"], group=CHANNELS, **same),
        helper.make_node("Add", ["x7", "three"], ["x8"]),
        helper.make_node("Clip", ["x8", "zero", "six"], ["x9"]),
        helper.make_node("Mul", ["x9", "sixth"], ["x10"]),
        helper.make_node("Mul", ["x7", "x10"], ["x11"]),
        helper.make_node("Conv", ["x11", "square", "square_bias"], ["x12"], kernel_shape=[1, 1]),
        helper.make_node("Add", ["x12", "x11"], ["x13"]),
        helper.make_node("ReduceMean", ["x13", "axes"], ["x14"], keepdims=1),
        helper.make_node("Add", ["x13", "x14"], ["x15"]),
        helper.make_node("MaxPool", ["x15"], ["x16"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Transpose", ["x16"], ["x17"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["x17", "flat"], ["x18"]),
        helper.make_node("MatMul", ["x18", "dense"], ["x19"]),
        helper.make_node("Add", ["x19", "dense_bias"], ["x20"]),
        helper.make_node("Softmax", ["x20"], ["probabilities"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", CLASSES])],
        [
            numpy_helper.from_array(value if value.dtype.kind == "i" else value.astype(np.float32), name)
            for name, value in weights.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


NETWORK = network()


def outputs_of(model: ModelProto, pool: dict[str, Array] = POOL) -> dict[str, Array]:
    return run_file(model, {}, pool, "all", 1)


def probabilities(model: ModelProto, pool: dict[str, Array] = POOL) -> Array:
    return outputs_of(model, pool)["probabilities"]


def mutant(kind: str, model: ModelProto = NETWORK) -> ModelProto:
    made = MUTANTS[kind](model)
    assert made is not None
    return made


def changed_weights(model: ModelProto) -> dict[str, Array]:
    before = {tensor.name: numpy_helper.to_array(tensor) for tensor in NETWORK.graph.initializer}
    after = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    return {name: value for name, value in after.items() if name not in before or not _is_same(before[name], value)}


def _is_same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and np.array_equal(one, other, equal_nan=True)


def weight(name: str) -> Array:
    return next(numpy_helper.to_array(tensor) for tensor in NETWORK.graph.initializer if tensor.name == name)


@pytest.mark.parametrize("kind", MUTANTS)
def test_every_kind_finds_its_place_and_gives_a_loadable_file_that_answers_otherwise(kind: str) -> None:
    untouched = NETWORK.SerializeToString()
    made = mutant(kind)
    assert NETWORK.SerializeToString() == untouched
    assert made.ir_version == 8
    assert [opset.version for opset in made.opset_import] == [18]
    right, wrong = outputs_of(NETWORK), outputs_of(made)
    same_form = {n: (a.shape, a.dtype) for n, a in right.items()} == {n: (a.shape, a.dtype) for n, a in wrong.items()}
    assert not same_form or not np.allclose(right["probabilities"], wrong["probabilities"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", [kind for kind in MUTANTS if kind != "output missing"])
def test_every_kind_gives_a_valid_graph(kind: str) -> None:
    onnx.checker.check_model(mutant(kind), full_check=False)


def test_at_least_eighteen_kinds_so_that_twelve_remain_without_equivalents() -> None:
    assert len(MUTANTS) >= 18


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("one kernel times 1.01", "depthwise_2", weight("depthwise_2") * np.float32(1.01)),
        ("last kernel times 1.01", "dense", weight("dense") * np.float32(1.01)),
        ("first convolution zeroed", "conv", np.zeros((CHANNELS, 3, 3, 3))),
        ("channels reversed", "conv", weight("conv")[:, [2, 1, 0]]),
        ("kernel flipped", "conv", weight("conv")[:, :, :, [2, 1, 0]]),
        ("kernel's height and width swapped", "conv", weight("conv").transpose(0, 1, 3, 2)),
        ("depthwise kernel flipped", "depthwise_2", weight("depthwise_2")[:, :, :, [2, 1, 0]]),
        ("square kernel transposed", "square", weight("square").transpose(1, 0, 2, 3)),
        ("two filters swapped", "depthwise_2", weight("depthwise_2")[[1, 0, 2, 3]]),
        ("classes shifted by one", "dense", weight("dense")[:, [4, 0, 1, 2, 3]]),
        ("last bias dropped", "dense_bias", np.zeros(CLASSES)),
        ("convolution's bias dropped", "square_bias", np.zeros(CHANNELS)),
        ("batch norm's scale times 1.01", "gamma", weight("gamma") * np.float32(1.01)),
        ("batch norm's shift dropped", "beta", np.zeros((1, CHANNELS, 1, 1))),
        ("wrong padding side, Pad node", "pads", [0, 0, 1, 1, 0, 0, 0, 0]),
    ],
)
def test_a_fault_of_a_weight_is_in_that_weight_alone(kind: str, name: str, expected: Array) -> None:
    changed = changed_weights(mutant(kind))
    assert list(changed) == [name]
    np.testing.assert_allclose(changed[name], expected, rtol=1e-7)


def test_one_entry_of_one_kernel_is_nan_negated_or_rounded() -> None:
    assert np.isnan(changed_weights(mutant("one weight NaN"))["conv"]).sum() == 1
    negated = changed_weights(mutant("one weight's sign flipped"))["depthwise_2"]
    assert np.flatnonzero(negated != weight("depthwise_2")).tolist() == [np.abs(weight("depthwise_2")).argmax()]
    rounded = changed_weights(mutant("one kernel through int8"))["depthwise_2"]
    step = np.abs(weight("depthwise_2")).max() / 127
    np.testing.assert_allclose(rounded / step, np.rint(rounded / step), atol=1e-4)
    zeroed = changed_weights(mutant("one filter zeroed"))["depthwise_2"]
    assert [bool(kernel.any()) for kernel in zeroed] == [False, True, True, True]


@pytest.mark.parametrize(("kind", "bits"), [("weights through float16", 10), ("weights through bfloat16", 7)])
def test_every_weight_goes_through_a_shorter_type_and_stays_float32(kind: str, bits: int) -> None:
    changed = changed_weights(mutant(kind))
    assert {"conv", "depthwise", "square", "dense", "dense_bias"} <= set(changed)
    for name, value in changed.items():
        error = np.abs(value - weight(name)) / np.abs(weight(name))
        assert value.dtype == np.float32
        assert 0 < error.max() <= 2.0 ** -(bits + 1)


def test_a_fault_of_the_inputs_is_that_fault_in_the_pool() -> None:
    image = POOL["image"]
    for kind, wrong in {
        "channels reversed": image[..., ::-1],
        "input mirrored": image[:, :, ::-1],
        "input's height and width swapped": image.swapaxes(1, 2),
        "input times 255": image * 255,
        "input from another range": image * 0.5,
    }.items():
        expected = probabilities(NETWORK, {"image": np.ascontiguousarray(wrong)})
        np.testing.assert_allclose(probabilities(mutant(kind)), expected, atol=2e-6, err_msg=kind)


def test_a_fault_of_the_outputs_is_that_fault_in_the_answer() -> None:
    right = probabilities(NETWORK)
    np.testing.assert_array_equal(probabilities(mutant("batch rows permuted")), right[::-1])
    np.testing.assert_array_equal(probabilities(mutant("output constant")), np.full_like(right, 1e-3))
    np.testing.assert_array_equal(probabilities(mutant("output in float16")), right.astype(np.float16))
    assert probabilities(mutant("output in integers")).dtype == np.int64
    np.testing.assert_array_equal(probabilities(mutant("output with one more axis")), right[:, None])
    logits = probabilities(mutant("softmax dropped"))
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(softmax, right, atol=1e-6)
    np.testing.assert_allclose(probabilities(mutant("softmax over the batch")).sum(0), np.ones(CLASSES), rtol=1e-5)


def test_names_of_outputs_are_changed_and_their_numbers_kept() -> None:
    right = probabilities(NETWORK)
    assert list(outputs_of(mutant("output renamed"))) == ["probabilities_1"]
    np.testing.assert_array_equal(outputs_of(mutant("output renamed"))["probabilities_1"], right)
    assert outputs_of(mutant("output missing")) == {}
    twice = outputs_of(mutant("one output too many"))
    assert list(twice) == ["probabilities", "probabilities_again"]
    np.testing.assert_array_equal(twice["probabilities"], right)


def test_a_shared_bound_is_taken_from_one_clip_alone() -> None:
    one, every = mutant("ReLU6 without its cap"), mutant("every ReLU6 without its cap")
    assert [len(places.caps(model)) for model in (NETWORK, one, every)] == [2, 1, 0]
    assert not changed_weights(one)


def test_structure_changes_at_one_node_and_keeps_shapes() -> None:
    padded = nodes_of(mutant("wrong padding side, first convolution"), "Conv")
    assert [attribute(node, "pads") for node in padded] == [[1, 1, 0, 0], None, [1, 1, 1, 1], None]
    dilated = nodes_of(mutant("dilation 2"), "Conv")
    assert [attribute(node, "dilations") for node in dilated] == [None, [2, 2], None, None]
    assert attribute(dilated[1], "pads") == [1, 1, 1, 1]
    assert attribute(nodes_of(mutant("padded with the edge"), "Pad")[0], "mode") == b"edge"
    assert len(nodes_of(mutant("convolution skipped"), "Conv")) == 3
    swish = nodes_of(mutant("ReLU for HardSwish"), "Relu")
    assert [(list(node.input), list(node.output)) for node in swish] == [(["x7"], ["x11"])]
    residual = nodes_of(mutant("residual dropped"), "Identity")
    assert [list(node.output) for node in residual] == [["x15"]]  # the later of two
    assert [len(nodes_of(mutant("maximum for average pooling"), op)) for op in ("ReduceMean", "ReduceMax")] == [0, 1]
    assert [len(nodes_of(mutant("average for maximum pooling"), op)) for op in ("MaxPool", "AveragePool")] == [0, 1]


def test_a_kind_without_its_place_is_none_instead_of_the_same_file_again() -> None:
    dense = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "w")],
    )
    model = helper.make_model(dense, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    for kind in ("ReLU6 without its cap", "last bias dropped", "dilation 2", "residual dropped", "kernel flipped"):
        assert MUTANTS[kind](model) is None, kind
    assert MUTANTS["one kernel times 1.01"](model) is not None


def test_a_fault_that_would_change_nothing_is_no_mutant() -> None:
    even = ModelProto()
    even.CopyFrom(NETWORK)
    kernel = next(tensor for tensor in even.graph.initializer if tensor.name == "conv")
    kernel.CopyFrom(numpy_helper.from_array(np.ones((CHANNELS, 3, 3, 3), np.float32), "conv"))
    assert MUTANTS["kernel flipped"](even) is None
    assert constant(even, places.first_convolution(even), 1) is not None
