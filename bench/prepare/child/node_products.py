"""Multiply-adds of one node of an ONNX file, by its operator and the shapes of its tensors. Pure; in the child.

The same convention as for layers: products that are summed. Biases, normalisation and activations are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

Shape = tuple[int, ...]
_STANDARD = ("", "ai.onnx", "ai.onnx.ml")
_MICROSOFT = "com.microsoft"
_UNCOUNTED = (  # products, or a body run who knows how
    *("DeformConv", "DFT", "STFT", "If", "Loop", "Scan"),
    *("LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor"),
)


_FREE = (  # of ONNX Runtime, without products that are summed
    *("BiasGelu", "FastGelu", "Gelu", "QuickGelu", "BiasAdd", "BiasSplitGelu", "BiasSoftmax"),
    *("SkipLayerNormalization", "SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization", "GroupNorm"),
    *("QuantizeLinear", "DequantizeLinear", "QLinearAdd", "QLinearMul", "QLinearConcat", "QLinearGlobalAveragePool"),
    *("QLinearAveragePool", "QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax"),
)


class _Node:
    """A node with its shapes; KeyError where one is not known."""

    def __init__(self, node: Any, shapes: Mapping[str, Shape]) -> None:
        self._node, self._shapes = node, shapes

    def input(self, place: int) -> Shape:
        return self._shapes[self._node.input[place]]

    def has_input(self, place: int) -> bool:
        return len(self._node.input) > place and bool(self._node.input[place])

    def output(self, place: int = 0) -> Shape:
        """Of the first output that is there, from a place on."""
        return self._shapes[next(name for name in self._node.output[place:] if name)]

    def number(self, attribute: str, default: int = 0) -> int:
        return next((int(one.i) for one in self._node.attribute if one.name == attribute), default)

    def text(self, attribute: str) -> str:
        return next((one.s.decode() for one in self._node.attribute if one.name == attribute), "")


def window_of_node(node: Any, shapes: Mapping[str, Shape]) -> str:
    """``"3x3"`` of a convolution or pooling, of a convolution by its weights where it says none; "" elsewhere."""
    said = next((tuple(one.ints) for one in node.attribute if one.name == "kernel_shape"), None)
    if said is None and node.op_type in ("Conv", "ConvTranspose"):
        said = shapes.get(node.input[1], ())[2:]
    return "x".join(map(str, said or ()))


def products_of_node(node: Any, shapes: Mapping[str, Shape]) -> int | None:
    """Of all items that the shapes have.

    None where a shape is not known, for an operator of nobody's operator set, and for what can't be counted.
    """
    counters = _COUNTERS if node.domain in _STANDARD else _FUSED if node.domain == _MICROSOFT else {}
    counter = counters.get(node.op_type)
    if counter is None:
        return None if node.domain not in _STANDARD or node.op_type in _UNCOUNTED else 0
    try:
        return counter(_Node(node, shapes))
    except (KeyError, IndexError, StopIteration):
        return None


def _convolution(weight: int) -> Callable[[_Node], int]:
    """Each output sums over its kernel's inputs; kernel [outputs, inputs of a group, ...]."""
    return lambda node: prod(node.output()) * prod(node.input(weight)[1:])


def _transposed(node: _Node) -> int:
    """Each input is spread over its kernel's outputs; kernel [inputs, outputs of a group, ...]."""
    return prod(node.input(0)) * prod(node.input(1)[1:])


def _general(node: _Node) -> int:
    """The first factor is [rows, sums], or turned."""
    return prod(node.output()) * node.input(0)[0 if node.number("transA") else -1]


def _product(node: _Node) -> int:
    """Each output sums over the last axis of the first factor."""
    return prod(node.output()) * node.input(0)[-1]


def _fused_product(node: _Node) -> int | None:
    """The same, its first factor perhaps turned; not where it is turned with the batch."""
    if node.number("transBatchA"):
        return None
    return prod(node.output()) * node.input(0)[-2 if node.number("transA") else -1]


def _narrow_product(node: _Node) -> int:
    """Of weights of few bits, K sums an output."""
    return prod(node.output()) * node.number("K")


def _einsum(node: _Node) -> int | None:
    """Of two factors the product over all labels, where one of them is summed over; one alone multiplies nothing."""
    operands, arrow, result = node.text("equation").replace(" ", "").partition("->")
    terms = operands.split(",")
    if len(terms) == 1:
        return 0
    if len(terms) != 2 or "." in operands:
        return None
    if not arrow:
        result = "".join(label for label in operands if operands.count(label) == 1)
    sizes = dict(pair for place, term in enumerate(terms) for pair in zip(term, node.input(place), strict=True))
    return prod(sizes.values()) if set(sizes) - set(result) else 0


def _attention(node: _Node) -> int:
    """Each query with all keys, each output from all values: [items, heads, places, size] or heads beside sizes.

    Keys and values of earlier calls come before those of this one.
    """
    keys = node.input(1)[-2] + (node.input(4)[-2] if node.has_input(4) else 0)
    return keys * (prod(node.input(0)) + prod(node.output()))


def _multi_head(node: _Node) -> int | None:
    """Of ONNX Runtime: [items, places, heads x size] each, or keys and values with their heads; not in one tensor."""
    if not node.has_input(2) or node.has_input(6):
        return None
    return node.input(1)[-2] * (prod(node.input(0)) + prod(node.output()))


def _projected(node: _Node) -> int | None:
    """Of ONNX Runtime: [items, places, size] by weights [size, queries, keys and values of all heads]; then those.

    Queries and keys are as wide as one another, values as the output.
    """
    inputs, weights = node.input(0), node.input(1)
    if node.has_input(4):
        return None
    items = prod(inputs[:2])
    return items * (prod(weights) + inputs[1] * ((weights[1] - node.output()[-1]) // 2 + node.output()[-1]))


def _recurrent(node: _Node) -> int:
    """Each step of each item: weights [directions, gates x hidden, inputs] and [directions, gates x hidden, hidden]."""
    steps = prod(node.input(0)[:2])
    return steps * (prod(node.input(1)) + prod(node.input(2)))


_Counter = Callable[[_Node], int | None]
_COUNTERS: dict[str, _Counter] = {
    "Conv": _convolution(1),
    "ConvInteger": _convolution(1),
    "QLinearConv": _convolution(3),
    "ConvTranspose": _transposed,
    "Gemm": _general,
    "MatMul": _product,
    "MatMulInteger": _product,
    "QLinearMatMul": _product,
    "Einsum": _einsum,
    "Attention": _attention,
    "RNN": _recurrent,
    "GRU": _recurrent,
    "LSTM": _recurrent,
}
_FUSED: dict[str, _Counter] = {
    "FusedConv": _convolution(1),
    "FusedGemm": _general,
    "FusedMatMul": _fused_product,
    "TransposeMatMul": _fused_product,
    "MatMulNBits": _narrow_product,
    "MatMulIntegerToFloat": _product,
    "DynamicQuantizeMatMul": _product,
    "MultiHeadAttention": _multi_head,
    "Attention": _projected,
    **dict.fromkeys(_FREE, lambda _: 0),
}
