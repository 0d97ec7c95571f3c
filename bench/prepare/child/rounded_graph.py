"""An ONNX file that rounds as another kind of arithmetic does, on a CPU in float32. Runs in the child.

Rounding is a function of the file (three operations, Veltkamp's splitting): ``(x * c) - (x * c - x)`` with
``c = 2**s + 1`` leaves 24 - s significant bits, the nearest. TF32 keeps 11 of the operands of a convolution or a matrix
product and adds up in float32; hardware rounds to the nearest or cuts the rest off, so both are there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import onnx
from onnx import TensorProto, helper, shape_inference

from bench.prepare.child.local_function import DOMAIN, add_function, replace_nodes
from bench.prepare.child.onnx_run import open_session, quiet_options

_PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
_OPERANDS = 2
_SPLIT = "c = Constant<value_float = {c}>() p = Mul(x, c) d = Sub(p, x) near = Sub(p, d) "
_KEEP = "most = Constant<value_float = 1e33>() s = Abs(x) huge = Greater(s, most) y = Where(huge, x, {0})"  # a mask's
_CUT = (  # where the nearest is beyond x, a little less than it has x's lower neighbour as its nearest
    _SPLIT.format(c="8193.0") + "few = Constant<value_float = 0.99951171875>() q = Mul(near, few)"
    " r = Mul(q, c) e = Sub(r, q) below = Sub(r, e)"
    " far = Abs(near) size = Abs(x) beyond = Greater(far, size) cut = Where(beyond, below, near) " + _KEEP.format("cut")
)
_BODIES = {
    "tf32": _SPLIT.format(c="8193.0") + _KEEP.format("near"),
    "tf32_cut": _CUT,
    "bfloat16": _SPLIT.format(c="65537.0") + _KEEP.format("near"),
    "float16": "h = Cast<to = 10>(x) y = Cast<to = 1>(h)",
}


class Rounding(NamedTuple):
    """A kind of arithmetic."""

    code: str
    said: str
    body: str  # of ``_BODIES``
    what: str  # "operands" of products, "all" weights and results, or "weights"


ROUNDINGS = (
    Rounding("TF32", "TF32: operands of products rounded to 10 bits of fraction", "tf32", "operands"),
    Rounding("TF32", "TF32: operands of products cut to 10 bits of fraction", "tf32_cut", "operands"),
    Rounding("float16", "float16: weights and every result rounded to it", "float16", "all"),
    Rounding("bfloat16", "bfloat16: weights and every result rounded to it", "bfloat16", "all"),
    Rounding("bfloat16", "bfloat16: operands of products rounded to it", "bfloat16", "operands"),
    Rounding("float16", "float16: weights alone rounded to it", "float16", "weights"),
    Rounding("bfloat16", "bfloat16: weights alone rounded to it", "bfloat16", "weights"),
)


def rounded(model: Any, rounding: Rounding) -> Any:
    """A copy of the file that rounds; inner graphs (loops, branches) are left as they are."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    add_function(copy, f"{rounding.body} (x) => (y)", _BODIES[rounding.body])
    change = {"operands": _round_operands, "all": _round_all, "weights": _round_weights}[rounding.what]
    change(copy, lambda source, target: helper.make_node(rounding.body, [source], [target], domain=DOMAIN))
    return copy


def folded(source: Path, target: Path) -> Any:
    """The file as ONNX Runtime's basic optimisations leave it: batch norms in the weights before them."""
    options = quiet_options("ENABLE_BASIC")
    options.optimized_model_filepath = str(target)
    open_session(source, options)
    return onnx.load(target)


def has_products(model: Any) -> bool:
    """Whether there is anything that TF32 would touch."""
    return any(node.op_type in _PRODUCTS for node in model.graph.node)


MakeNode = Callable[[str, str], Any]  # source, target -> a node that rounds


def _round_operands(model: Any, make: MakeNode) -> None:
    floats = _float_names(model)
    nodes, done = [], {}
    for node in model.graph.node:
        if node.op_type in _PRODUCTS:
            for place, name in enumerate(node.input[:_OPERANDS]):
                if name in floats and name not in done:
                    done[name] = f"{name}/rounded"
                    nodes.append(make(name, done[name]))
                node.input[place] = done.get(name, name)
        nodes.append(node)
    replace_nodes(model, nodes)


def _round_all(model: Any, make: MakeNode) -> None:
    """Weights, inputs and the result of every node."""
    floats = _float_names(model)
    given = [v.name for v in (*model.graph.input, *model.graph.initializer) if v.name in floats]
    renamed = {name: f"{name}/rounded" for name in given}
    nodes = [make(name, renamed[name]) for name in given]
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        raw = {name: f"{name}/exact" for name in node.output if name in floats}
        node.output[:] = [raw.get(name, name) for name in node.output]
        nodes += [node, *(make(exact, name) for name, exact in raw.items())]
    replace_nodes(model, nodes)


def _round_weights(model: Any, make: MakeNode) -> None:
    floats = _float_names(model)
    names = {tensor.name: f"{tensor.name}/rounded" for tensor in model.graph.initializer if tensor.name in floats}
    nodes = [make(name, target) for name, target in names.items()]
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        nodes.append(node)
    replace_nodes(model, nodes)


def _float_names(model: Any) -> set[str]:
    """Tensors that are known to be float32."""
    graph = shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.output, *graph.value_info)
    named = {value.name for value in values if value.type.tensor_type.elem_type == TensorProto.FLOAT}
    weights = {w.name for w in graph.initializer if w.data_type == TensorProto.FLOAT}
    return named | weights
