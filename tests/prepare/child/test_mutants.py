from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from bench.prepare.child.mutants import places
from bench.prepare.child.mutants.surgery import attribute, constant, nodes_of
from bench.prepare.child.mutants.table import MUTANTS
from bench.prepare.child.onnx_run import open_as_deployed
from mutant_networks import (
    CHANNELS,
    CLASSES,
    IMAGE_POOL,
    image_network,
    pictures_network,
    pool_of,
    quantised_network,
    words_network,
)

Array = np.ndarray[Any, np.dtype[Any]]

NETWORK, POOL = image_network(), IMAGE_POOL
NETWORKS = {
    "image": (NETWORK, POOL),
    **{
        name: (model, pool_of(model))
        for name, model in (
            ("words", words_network()),
            ("pictures", pictures_network()),
            ("quantised", quantised_network()),
        )
    },
}


def outputs_of(model: ModelProto, pool: dict[str, Array] = POOL) -> dict[str, Array]:
    return open_as_deployed(model.SerializeToString())(pool)


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


def first_place(kind: str) -> tuple[ModelProto, ModelProto, dict[str, Array]]:
    """The first of the networks that has a place for a kind, its mutant, and its inputs."""
    made = ((network, MUTANTS[kind](network), pool) for network, pool in NETWORKS.values())
    return next((network, mutant, pool) for network, mutant, pool in made if mutant is not None)


@pytest.mark.parametrize("kind", MUTANTS)
def test_every_kind_finds_its_place_and_gives_a_loadable_file_that_answers_otherwise(kind: str) -> None:
    untouched = {name: network.SerializeToString() for name, (network, _) in NETWORKS.items()}
    network, made, pool = first_place(kind)
    assert {name: network.SerializeToString() for name, (network, _) in NETWORKS.items()} == untouched
    assert made.ir_version == 8
    assert [opset.version for opset in made.opset_import] == [18]
    onnx.checker.check_model(made, full_check=False)
    right = outputs_of(network, pool)
    try:
        wrong = outputs_of(made, pool)
    except Exception:
        assert kind == "stride 1"  # what comes after it no longer fits, as in many a network
        return
    same_form = {n: (a.shape, a.dtype) for n, a in right.items()} == {n: (a.shape, a.dtype) for n, a in wrong.items()}
    assert not same_form or any(not np.allclose(right[n], wrong[n], rtol=0, atol=1e-5) for n in right)


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
    assert MUTANTS["output missing"](NETWORK) is None  # a file without outputs can't be run at all
    pictures, inputs = NETWORKS["pictures"]
    assert list(outputs_of(mutant("output missing", pictures), inputs)) == ["small"]
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
