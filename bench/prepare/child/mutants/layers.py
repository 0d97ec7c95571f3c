"""Where a fault can be in recurrence and attention: finders as in ``places``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import ModelProto, NodeProto

from bench.prepare.child.mutants.parts import MASK, scalar_place
from bench.prepare.child.mutants.places import is_computed, kernels, middle
from bench.prepare.child.mutants.surgery import Array, attribute, constant, nodes_of, producer

RECURRENT = ("LSTM", "GRU", "RNN")
_DEEP = 12  # nodes between a softmax and the product of queries and keys: changes of layout, scale and mask


# --- recurrence -------------------------------------------------------------------------------------------------------


def recurrent_weights(model: ModelProto, node: NodeProto) -> dict[str, tuple[int, int, int]]:
    """Of an LSTM or GRU, or of a loop over steps: kernel, recurrent, bias -> place, axis of the gates, units.

    A loop carries its weights as inputs: [units, gates * units] is the recurrent kernel.
    """
    if node.op_type in RECURRENT:
        units = int(attribute(node, "hidden_size", 0))
        found = {"kernel": (1, 1, units), "recurrent": (2, 1, units), "bias": (3, 1, units)}
        return {key: where for key, where in found.items() if constant(model, node, where[0]) is not None}
    constants = ((place, constant(model, node, place)) for place in range(len(node.input)))
    carried = {place: value for place, value in constants if value is not None and _may_be_gates(value)}
    place = next((place for place, value in carried.items() if _maps_to_gates(value)), None)
    return {} if place is None else _around(place, carried)


def _around(recurrent: int, carried: dict[int, Array]) -> dict[str, tuple[int, int, int]]:
    """The recurrent kernel of a loop, and what else has as many columns: kernel and bias."""
    units, columns = carried[recurrent].shape
    found = {"recurrent": (recurrent, -1, units)}
    for place, value in carried.items():
        if place != recurrent and value.shape[-1] == columns:
            found["bias" if value.ndim == 1 or len(value) <= 2 else "kernel"] = (place, -1, units)
    return found


def recurrent(model: ModelProto) -> NodeProto | None:
    """An LSTM or GRU, or a loop that is one."""
    return middle([node for node in nodes_of(model, *RECURRENT, "Loop", "Scan") if recurrent_weights(model, node)])


def _may_be_gates(value: Array) -> bool:
    return value.dtype.kind == "f" and value.ndim in (1, 2) and value.size > 1


def _maps_to_gates(value: Array) -> bool:
    """Whether a matrix maps units to three or four gates of each."""
    return value.ndim == 2 and value.shape[1] in (3 * value.shape[0], 4 * value.shape[0])


# --- attention --------------------------------------------------------------------------------------------------------


def attention(model: ModelProto) -> NodeProto | None:
    """A Softmax over a product of two computed tensors."""
    return middle([node for node in nodes_of(model, "Softmax") if _product_above(model, node) is not None])


def attention_scale(model: ModelProto) -> NodeProto | None:
    """The Mul or Div by a number between the product of queries and keys, and the softmax; or just before it."""
    softmax = attention(model)
    above = _above(model, softmax) if softmax is not None else iter(())
    scaled = (node for node in above if node.op_type in ("Mul", "Div"))
    return next((node for node in scaled if scalar_place(model, node) is not None), None)


def attention_mask(model: ModelProto) -> NodeProto | None:
    """The Add or Where of a mask just before an attention's softmax."""
    softmax = attention(model)
    made = producer(model, softmax.input[0]) if softmax is not None else None
    if made is None or made.op_type not in ("Add", "Where"):
        return None
    bias = [value for place in range(len(made.input)) if (value := constant(model, made, place)) is not None]
    return made if all(value.dtype.kind == "b" or np.min(value) < -MASK for value in bias) else None


def attention_projection(model: ModelProto) -> NodeProto | None:
    """The kernel that makes an attention's queries or keys, the nearest above their product."""
    softmax = attention(model)
    product = _product_above(model, softmax) if softmax is not None else None
    made = {id(node): node for node in kernels(model)}
    above = _above(model, product) if product is not None else iter(())
    return next((node for node in above if any(node == kernel for kernel in made.values())), None)


def _product_above(model: ModelProto, softmax: NodeProto) -> NodeProto | None:
    products = (node for node in _above(model, softmax) if node.op_type in ("MatMul", "Einsum"))
    return next((node for node in products if all(is_computed(model, name) for name in node.input)), None)


def _above(model: ModelProto, node: NodeProto) -> Iterator[NodeProto]:
    """Nodes that a node is computed from, the nearest first, as deep as an attention goes."""
    level, seen = [node], set()
    for _ in range(_DEEP):
        names = list(dict.fromkeys(name for node in level for name in node.input if name not in seen))
        seen.update(names)
        level = [made for name in names if (made := producer(model, name)) is not None]
        yield from level
