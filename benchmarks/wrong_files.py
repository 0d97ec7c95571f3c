"""ONNX files with a fault at an input or output that a person makes: the table ``FAULTS``, by what should be told.

Each fault is a small function of ONNX operations put before an input or behind an output; the given model is not
touched. Nothing here runs a model or judges one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import helper, numpy_helper, parser

_DOMAIN = "fault"
_BACK = (
    "from = Constant<value_ints = [-1]>() to = Constant<value_ints = [-9223372036854775807]>()"
    " axis = Constant<value_ints = [{0}]>() y = Slice(x, from, to, axis, from)"
)
_ROLL = (
    "zero = Constant<value_ints = [0]>() cut = Constant<value_ints = [{1}]>() axis = Constant<value_ints = [{0}]>()"
    " end = Constant<value_ints = [9223372036854775807]>()"
    " a = Slice(x, cut, end, axis) b = Slice(x, zero, cut, axis) y = Concat<axis = {0}>(a, b)"
)
_TIMES = "c = Constant<value_float = {0}>() d = Constant<value_float = {1}>() p = Mul(x, c) y = Add(p, d)"
_READ_AS = "t = Transpose<perm = [{0}]>(x) s = Shape(x) y = Reshape(t, s)"
_MEAN = "axes = Constant<value_ints = [0]>() m = ReduceMean(x, axes) "
_LESS = "d = Constant<value_int = 1>() e = Sub(d, d) one = CastLike(d, x) none = CastLike(e, x) s = Sub(x, one)"


class Fault(NamedTuple):
    """One fault of one model."""

    code: str  # what should be told first
    model: str  # of ``diagnosed_models.py``
    side: str  # "input" or "output"
    name: str  # of the tensor, in the model
    body: str  # x => y
    also: frozenset[str] = frozenset()  # what is true as well


def _inputs(model: str, name: str) -> list[Fault]:
    shifts = frozenset({"shifted by a pixel"}) if model == "pictures" else frozenset()
    bodies = [
        ("input channels reversed", _BACK.format(3), frozenset()),
        ("input mirrored", _BACK.format(2), frozenset()),
        ("input shifted", _ROLL.format(2, -1), shifts),
        ("input shifted", _ROLL.format(1, 1), shifts),
        ("input layout", _READ_AS.format("0, 3, 1, 2"), frozenset()),
        ("input in another range", _TIMES.format("255.0", "0.0"), frozenset()),
        ("input in another range", _TIMES.format("0.003921569", "0.0"), frozenset()),
        ("input in another range", _TIMES.format("2.0", "-1.0"), frozenset()),
        ("input all zeros", "y = Sub(x, x)", frozenset({"constant output"})),
    ]
    return [Fault(code, model, "input", name, body, also) for code, body, also in bodies]


def _outputs(model: str, name: str, bodies: list[tuple[str, str]]) -> list[Fault]:
    return [Fault(code, model, "output", name, body) for code, body in bodies]


FAULTS: tuple[Fault, ...] = (
    *_inputs("classifier", "image"),
    *_inputs("pictures", "image"),
    Fault("input transposed", "classifier", "input", "image", "y = Transpose<perm = [0, 2, 1, 3]>(x)"),
    *_outputs(
        "classifier",
        "class",
        [
            ("items permuted", _ROLL.format(0, 1)),
            ("classes shifted", _ROLL.format(1, -1)),
            ("channels reversed", _BACK.format(1)),
            ("log-softmax", "y = Log(x)"),
            ("softmax missing", "c = Constant<value_float = 2.0>() p = Mul(x, c) y = Log(p)"),
            ("softmax twice", "y = Softmax<axis = -1>(x)"),
            ("constant output", _MEAN + "z = Sub(x, x) y = Add(z, m)"),
            ("rounded to float16", "h = Cast<to = 10>(x) y = Cast<to = 1>(h)"),
            ("rounded to bfloat16", "h = Cast<to = 16>(x) y = Cast<to = 1>(h)"),
            (
                "NaN or infinite",
                "c = Constant<value_float = 0.15>() d = Sub(c, x) r = Sqrt(d) y = Add(x, r)",
            ),
        ],
    ),
    *_outputs(
        "pictures",
        "picture",
        [
            ("axes transposed", "y = Transpose<perm = [0, 3, 1, 2]>(x)"),
            ("axes relabelled", _READ_AS.format("0, 3, 1, 2")),
            ("channels reversed", _BACK.format(3)),
            ("mirrored", _BACK.format(1)),
            ("shifted by a pixel", _ROLL.format(1, 1)),
            ("sign flipped", "y = Neg(x)"),
            ("scale", _TIMES.format("0.003921569", "0.0")),
            ("shift", _TIMES.format("1.0", "0.5")),
            ("scale and shift", _TIMES.format("0.5", "0.5")),
            ("sigmoid added", "y = Sigmoid(x)"),
            ("relu added", "y = Relu(x)"),
            ("saturated", "c = Constant<value_float = 0.2>() y = Min(x, c)"),
        ],
    ),
    Fault("input off by one", "text", "input", "words", f"{_LESS} y = Max(s, none)"),
    Fault("input mirrored", "text", "input", "words", _BACK.format(1)),
    Fault("input items permuted", "two_by_two", "input", "left", _ROLL.format(0, 1)),
    Fault("bias", "two_by_two", "output", "beta", _MEAN + "y = Sub(x, m)"),
)


def wrong_file(model: Any, tensor: str, side: str, body: str) -> Any:
    """A copy with ``body`` before the input or behind the output ``tensor``, which keeps its name."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    opset = next(entry.version for entry in copy.opset_import if entry.domain in ("", "ai.onnx"))
    text = f'<domain: "{_DOMAIN}", opset_import: ["" : {opset}]> fault (x) => (y) {{ {body} }}'
    copy.functions.append(parser.parse_function(text))
    copy.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    inner = f"{tensor}/inner"
    for node in copy.graph.node:
        node.input[:] = [inner if name == tensor else name for name in node.input]
        node.output[:] = [inner if side == "output" and name == tensor else name for name in node.output]
    ends = [tensor, inner] if side == "input" else [inner, tensor]
    fault = helper.make_node("fault", ends[:1], ends[1:], domain=_DOMAIN)
    nodes = [fault, *copy.graph.node] if side == "input" else [*copy.graph.node, fault]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del copy.graph.node[:]
    copy.graph.node.extend(copies)
    del copy.graph.value_info[:]
    for value in copy.graph.output:
        value.type.tensor_type.ClearField("shape")
    return copy


def swapped(model: Any, side: str, first: str, second: str) -> Any:
    """A copy in which two inputs or outputs of one shape have each other's name."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    names = {first: second, second: first}
    for node in copy.graph.node:
        ends = node.input if side == "input" else node.output
        ends[:] = [names.get(name, name) for name in ends]
    return copy


def quantised() -> Any:
    """A file quantised dynamically, with weights and inputs so large that pairs of products saturate."""
    text = """<ir_version: 8, opset_import: ["" : 18]> g (float[N, 64] x) => (float[N, 12] y) {
        a, scale, zero = DynamicQuantizeLinear(x)  whole = MatMulInteger(a, w, zero)
        z = Cast<to = 1>(whole)  p = Mul(z, scale)  y = Mul(p, step) }"""
    rng = np.random.default_rng(0)
    weights = (rng.integers(90, 128, (64, 12)) * rng.choice([-1, 1], (64, 12))).astype(np.int8)
    model = parser.parse_model(text)
    constants = {"w": weights, "step": np.float32(0.01)}
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    return model
