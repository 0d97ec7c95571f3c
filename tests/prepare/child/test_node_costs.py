"""Multiply-adds and bytes of nodes, counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.prepare.child.node_costs import NodeCosts
from bench.records import LayerCost, Tensor

FLOAT, BYTE = TensorProto.FLOAT, TensorProto.UINT8


def costs(
    nodes: list[Any],
    weights: dict[str, Any],
    shape: tuple[int | None, ...],
    *,
    kind: int = FLOAT,
    gives: tuple[int, ...] | None = None,
) -> dict[str, LayerCost]:
    """Of a file with the input x and the last node's output."""
    x = helper.make_tensor_value_info("x", kind, shape)
    y = helper.make_tensor_value_info(nodes[-1].output[0], kind, gives)
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()]
    opsets = [helper.make_opsetid(*one) for one in (("", 23), ("of.nobody", 1), ("com.microsoft", 1))]
    model = helper.make_model(helper.make_graph(nodes, "net", [x], [y], tensors), opset_imports=opsets, ir_version=10)
    dtype = "float32" if kind == FLOAT else "uint8"
    found = list(NodeCosts(model, [Tensor(name="x", shape=shape, dtype=dtype)]).each())
    assert len({cost.name for cost in found}) == len(found)
    return {cost.name: cost for cost in found}


def floats(*shape: int) -> Any:
    return np.ones(shape, np.float32)


def node(op: str, *inputs: str, **attributes: Any) -> Any:
    return helper.make_node(op, ["x", *inputs], ["y"], name="n", **attributes)


QUANTISED = {"s": np.float32(1), "z": np.uint8(0)}
BY_HAND = [
    (node("Conv", "w"), {"w": floats(4, 2, 3, 3)}, (1, 2, 9, 9), 49 * 4 * 18),
    (node("Conv", "w", group=2), {"w": floats(4, 3, 3, 3)}, (1, 6, 9, 9), 49 * 4 * 27),
    (node("Conv", "w", group=6), {"w": floats(6, 1, 3, 3)}, (1, 6, 9, 9), 49 * 6 * 9),
    (node("ConvTranspose", "w", strides=[2, 2]), {"w": floats(4, 6, 2, 2)}, (1, 4, 5, 5), 25 * 4 * 6 * 4),
    (node("Gemm", "w"), {"w": floats(7, 5)}, (1, 7), 35),
    (node("Gemm", "w", transA=1, transB=1), {"w": floats(5, 3)}, (3, 2), 2 * 3 * 5 // 3),  # of the three items
    (node("MatMul", "w"), {"w": floats(7, 5)}, (1, 3, 7), 3 * 7 * 5),
    (node("Einsum", "w", equation="abc,cd->abd"), {"w": floats(7, 6)}, (1, 3, 7), 3 * 7 * 6),
    (node("Einsum", "w", equation="ab,b->ab"), {"w": floats(7)}, (1, 7), 0),
    (node("GRU", "w", "r", hidden_size=3), {"w": floats(1, 9, 2), "r": floats(1, 9, 3)}, (5, 1, 2), 5 * 9 * 5 // 5),
    (node("Einsum", "w", equation="abc,cd"), {"w": floats(7, 6)}, (1, 3, 7), 3 * 7 * 6),
    (node("Einsum", equation="abc->acb"), {}, (1, 3, 7), 0),
    (node("Attention", "k", "v"), {"k": floats(1, 2, 7, 4), "v": floats(1, 2, 7, 5)}, (1, 6, 3, 4), 6 * 3 * 7 * 9),
    (
        node("Attention", "k", "v", q_num_heads=6, kv_num_heads=2),
        {"k": floats(1, 7, 8), "v": floats(1, 7, 10)},
        (1, 3, 24),
        6 * 3 * 7 * 9,
    ),
    (
        helper.make_node("Attention", ["x", "k", "v", "", "pk", "pv"], ["y", "nk", "nv"], name="n"),
        {"k": floats(1, 2, 1, 4), "v": floats(1, 2, 1, 4), "pk": floats(1, 2, 7, 4), "pv": floats(1, 2, 7, 4)},
        (1, 2, 1, 4),
        2 * 8 * 4 * 2,
    ),
    (node("Mul", "w"), {"w": floats(7)}, (1, 7), 0),
    (node("Relu"), {}, (1, 7), 0),
]


@pytest.mark.parametrize(("one", "weights", "shape", "expected"), BY_HAND)
def test_a_node_costs_what_a_count_by_hand_says(one: Any, weights: Any, shape: tuple[int, ...], expected: int) -> None:
    assert costs([one], weights, shape)["n"].multiply_adds == expected


def ours(op: str, *inputs: str, **attributes: Any) -> Any:
    return node(op, *inputs, domain="com.microsoft", **attributes)


OF_ONNX_RUNTIME = [
    (ours("FusedMatMul", "w"), {"w": floats(7, 5)}, (1, 3, 7), (1, 3, 5), 3 * 7 * 5),
    (ours("FusedMatMul", "w", transA=1), {"w": floats(7, 5)}, (1, 7, 3), (1, 3, 5), 3 * 7 * 5),
    (ours("FusedMatMul", "w", transA=1, transBatchA=1), {"w": floats(7, 5)}, (7, 1, 3), (1, 3, 5), None),
    (ours("FusedGemm", "w"), {"w": floats(7, 5)}, (1, 7), (1, 5), 35),
    (ours("MatMulNBits", "w", K=32, N=5), {"w": np.ones((5, 1, 16), np.uint8)}, (1, 3, 32), (1, 3, 5), 3 * 32 * 5),
    (
        ours("MultiHeadAttention", "k", "v", num_heads=2),
        {"k": floats(1, 7, 8), "v": floats(1, 7, 10)},
        (1, 3, 8),
        (1, 3, 10),
        2 * 3 * 7 * (4 + 5),
    ),
    (ours("MultiHeadAttention", num_heads=2), {}, (1, 3, 2, 3, 4), (1, 3, 8), None),
    (ours("Attention", "w", num_heads=2), {"w": floats(6, 24)}, (1, 3, 6), (1, 3, 8), 3 * 6 * 24 + 2 * 2 * 9 * 4),
    (ours("Attention", "w", num_heads=2), {"w": floats(6, 26)}, (1, 3, 6), (1, 3, 10), 3 * 6 * 26 + 2 * 9 * (4 + 5)),
    (ours("GroupQueryAttention", "k", "v"), {"k": floats(1, 7, 8), "v": floats(1, 7, 8)}, (1, 3, 8), (1, 3, 8), None),
    (ours("FastGelu"), {}, (1, 7), (1, 7), 0),
    (node("Conv", "w", domain="of.nobody"), {"w": floats(4, 2, 3, 3)}, (1, 2, 9, 9), (1, 4, 7, 7), None),
]


@pytest.mark.parametrize(("one", "weights", "shape", "gives", "expected"), OF_ONNX_RUNTIME)
def test_a_fused_node_costs_what_it_was_fused_from_and_one_of_nobody_is_not_known(
    one: Any, weights: Any, shape: tuple[int, ...], gives: tuple[int, ...], expected: int | None
) -> None:
    assert costs([one], weights, shape, gives=gives)["n"].multiply_adds == expected


def test_a_quantised_convolution_costs_what_a_plain_one_does_and_its_weights_are_bytes() -> None:
    one = node("QLinearConv", "s", "z", "w", "s", "z", "s", "z")
    found = costs([one], {**QUANTISED, "w": np.ones((4, 2, 3, 3), np.uint8)}, (1, 2, 9, 9), kind=BYTE)["n"]
    assert (found.multiply_adds, found.weight_bytes) == (49 * 4 * 18, 72 + 4 + 1)
    assert (found.input_bytes, found.output_bytes) == (162, 196)


@pytest.mark.parametrize(
    "one",
    [
        node("Einsum", "w", equation="...b,bc->...c"),
        node("Odd", "w", domain="of.nobody"),
        node("DFT"),
        node("LinearRegressor", domain="ai.onnx.ml", coefficients=[1.0] * 7),
    ],
)
def test_what_is_not_known_is_none_and_never_a_guess(one: Any) -> None:
    assert costs([one], {"w": floats(7, 7)}, (1, 7))["n"].multiply_adds is None


def test_a_free_shape_is_none_and_a_free_batch_is_one_item() -> None:
    compressed = helper.make_node("NonZero", ["x"], ["i"], name="where")
    cast = helper.make_node("Cast", ["i"], ["f"], name="cast", to=FLOAT)
    product = helper.make_node("MatMul", ["f", "w"], ["y"], name="n")
    found = costs([compressed, cast, helper.make_node("Transpose", ["f"], ["y"], name="turn")], {}, (None, 7))
    assert (found["cast"].input_bytes, found["turn"].multiply_adds) == (None, 0)
    assert costs([compressed, cast, product], {"w": floats(7, 2)}, (None, 7))["n"].multiply_adds is None
    assert costs([node("Gemm", "w")], {"w": floats(7, 5)}, (None, 7))["n"].multiply_adds == 35


def test_a_file_fixed_to_several_items_is_told_of_one() -> None:
    found = costs([node("Gemm", "w")], {"w": floats(7, 5)}, (4, 7))["n"]
    assert (found.multiply_adds, found.input_bytes, found.output_bytes, found.weight_bytes) == (35, 28, 20, 140)


def test_what_is_computed_from_constants_alone_costs_nothing_and_its_weights_are_as_the_file_holds_them() -> None:
    scaled = helper.make_node("DequantizeLinear", ["q", "s"], ["w"], name="scaled")
    found = costs([scaled, node("MatMul", "w")], {"q": np.ones((7, 5), np.int8), "s": np.float32(0.5)}, (1, 7))
    assert found["scaled"] == LayerCost(
        name="scaled", kind="DequantizeLinear", multiply_adds=0, input_bytes=0, output_bytes=0
    )
    assert (found["n"].multiply_adds, found["n"].weight_bytes) == (35, 35 + 4)


def test_constants_are_no_nodes_and_a_node_without_a_name_is_called_by_operator_and_place() -> None:
    constant = helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(floats(7, 5)))
    found = costs([constant, helper.make_node("MatMul", ["x", "w"], ["y"])], {}, (1, 7))
    assert list(found) == ["MatMul 1"]
    assert found["MatMul 1"].weight_bytes == 140
