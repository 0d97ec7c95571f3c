"""An ONNX file whose integer products saturate, as those of an x86 CPU without VNNI do, on any CPU. In the child.

There ``u8 x s8`` products are added in pairs along the sum in 16 bits (``vpmaddubsw``): 2 * 255 * 127 becomes 32767.
Done for ``MatMulInteger`` with constant signed weights, the form that dynamic quantisation makes; convolutions are not
emulated, they are told only on a CPU that saturates itself.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bench.prepare.child.local_function import DOMAIN, add_function, replace_nodes

MOST_WEIGHTS = 1_000_000  # of one product: every one becomes an int32 for each row of the input
_NAME, _ZERO = "saturating", "saturating/zero"
_SIGNED_ZERO = 3  # place of the weights' zero point
_BODY = """
    zero = Constant<value_ints = [0]>()
    one = Constant<value_ints = [1]>()
    two = Constant<value_ints = [2]>()
    end = Constant<value_ints = [9223372036854775807]>()
    last = Constant<value_ints = [-1]>()
    row = Constant<value_ints = [-2]>()
    low64 = Constant<value_int = -32768>()
    high64 = Constant<value_int = 32767>()
    low = Cast<to = 6>(low64)
    high = Cast<to = 6>(high64)
    a32 = Cast<to = 6>(a)
    w32 = Cast<to = 6>(w)
    a_first = Slice(a32, zero, one, last)
    w_first = Slice(w32, zero, one, zero)
    a_nothing = Sub(a_first, a_first)
    w_nothing = Sub(w_first, w_first)
    a_padded = Concat<axis = -1>(a32, a_nothing)
    w_padded = Concat<axis = 0>(w32, w_nothing)
    a_even = Slice(a32, zero, end, last, two)
    a_odd = Slice(a_padded, one, end, last, two)
    w_even = Slice(w32, zero, end, zero, two)
    w_odd = Slice(w_padded, one, end, zero, two)
    a_even_column = Unsqueeze(a_even, last)
    a_odd_column = Unsqueeze(a_odd, last)
    even = Mul(a_even_column, w_even)
    odd = Mul(a_odd_column, w_odd)
    pairs = Add(even, odd)
    cut = Clip(pairs, low, high)
    sum = ReduceSum<keepdims = 0>(cut, row)
    columns = ReduceSum<keepdims = 0>(w32, zero)
    offset32 = Cast<to = 6>(offset)
    shift = Mul(offset32, columns)
    y = Sub(sum, shift)
"""


def saturating(model: Any) -> Any | None:
    """A copy of the file that saturates; None where it has no product of that form."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    weights = {tensor.name: tensor for tensor in copy.graph.initializer}
    nodes = [_saturating(node) if _saturates(node, weights) else node for node in copy.graph.node]
    if not any(node.domain == DOMAIN for node in nodes):
        return None
    add_function(copy, f"{_NAME} (a, w, offset) => (y)", _BODY)
    copy.graph.initializer.append(numpy_helper.from_array(np.uint8(0), _ZERO))
    replace_nodes(copy, nodes)
    return copy


def _saturating(node: Any) -> Any:
    a, weight, *offset = node.input
    return helper.make_node(
        _NAME, [a, weight, offset[0] if offset and offset[0] else _ZERO], node.output, domain=DOMAIN
    )


def _saturates(node: Any, weights: dict[str, Any]) -> bool:
    """Whether a node multiplies by a constant signed matrix whose zero point is 0."""
    weight = weights.get(node.input[1]) if node.op_type == "MatMulInteger" else None
    if weight is None or weight.data_type != TensorProto.INT8:
        return False
    zero = node.input[_SIGNED_ZERO] if len(node.input) > _SIGNED_ZERO else ""
    is_zero = not zero or (zero in weights and not numpy_helper.to_array(weights[zero]).any())
    return is_zero and len(weight.dims) == 2 and math.prod(weight.dims) <= MOST_WEIGHTS
