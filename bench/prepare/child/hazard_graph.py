"""What the nodes of an ONNX file are: random, in training mode, of nobody's operator set, or passes one could spare.

The last are looked for in what ONNX Runtime makes of the file, not in the file: most are fused at load. In the child.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import numpy_helper

from bench.prepare.child.hazard_profile import Kernel, profile
from bench.prepare.child.onnx_graph import all_nodes
from bench.prepare.child.reference import Arrays
from bench.prepare.hazard_rules import Passes

_RANDOM = ("Random", "Bernoulli", "Multinomial")
_STANDARD = ("", "ai.onnx", "ai.onnx.ml")
_CONVOLUTIONS = ("Conv", "ConvTranspose", "FusedConv")
_OF_A_NORM = ("BatchNormalization", "Mul", "Add", "Sub", "Div")
_AS_CONVOLUTION = ("_bn_nchwc", "_mul_nchwc")  # what ONNX Runtime makes of them in its own layout
_NORM = " (BatchNormalization)"  # of a layer's place
_LEAST_US = 100.0  # of a call: the profile counts whole microseconds
_NOTHING = Passes(places=(), written_bytes=0, share=0.0)
PlaceOf = Callable[[Any], str]


class Costs(NamedTuple):
    """Passes over activations that the model would not need."""

    transposes: Passes = _NOTHING
    batch_norms: Passes = _NOTHING


def random_operations(proto: Any) -> list[str]:
    """Types of operations whose result is not decided by their inputs; dropout is one only while training."""
    drawing = {node.op_type for node in all_nodes(proto) if node.op_type.startswith(_RANDOM)}
    dropping = {"Dropout (training)" for node in all_nodes(proto) if _drops(proto, node)}
    return sorted(drawing | dropping)


def training_nodes(proto: Any) -> list[Any]:
    """Batch normalisations that take their statistics from the batch."""
    return [node for node in all_nodes(proto) if node.op_type == "BatchNormalization" and _flag(node, "training_mode")]


def foreign_operators(proto: Any) -> list[str]:
    """Operators of no operator set of ONNX that the file does not define itself, with their domain."""
    own = {(function.domain, function.name) for function in proto.functions}
    foreign = [node for node in all_nodes(proto) if node.domain not in _STANDARD]
    return list(dict.fromkeys(f"{n.domain}.{n.op_type}" for n in foreign if (n.domain, n.op_type) not in own))


def costs(proto: Any, feed: Arrays, place_of: PlaceOf, own: frozenset[str] | None) -> Costs:
    """Transposes that the source has not (``own`` are its own; None: not known), and batch norms left as they are.

    Of the graph that ONNX Runtime runs; nothing is run where the file itself has none of them.
    """
    if not any(node.op_type in ("Transpose", *_OF_A_NORM) for node in proto.graph.node):
        return Costs()
    profiled = profile(proto, feed)
    norms = set(_norms(profiled.proto, place_of))
    transposes = [k for k in profiled.kernels if own is not None and k.op == "Transpose" and k.name not in own]
    total_us = sum(kernel.time_us for kernel in profiled.kernels)
    if total_us < _LEAST_US:
        return Costs()
    users = {name: node for node in reversed(profiled.proto.graph.node) for name in node.input}
    places = {node.name: _place(node, users, place_of) for node in profiled.proto.graph.node}
    return Costs(
        _passes(transposes, places, total_us),
        _passes([k for k in profiled.kernels if k.name in norms], places, total_us),
    )


def _passes(kernels: Sequence[Kernel], places: Mapping[str, str], total_us: float) -> Passes:
    return Passes(
        places=tuple(places.get(kernel.name, kernel.name) for kernel in kernels),
        written_bytes=sum(kernel.written_bytes for kernel in kernels),
        share=sum(kernel.time_us for kernel in kernels) / max(1.0, total_us),
    )


def _norms(proto: Any, place_of: PlaceOf) -> Iterator[str]:
    """Names of the nodes that a batch norm became: by its layer, its operator, or a scale and shift of channels."""
    makers = {name: node for node in proto.graph.node for name in node.output}
    channels = {t.name for t in proto.graph.initializer if max(t.dims, default=1) == np.prod(t.dims) > 1}
    scaled: set[str] = set()
    for node in proto.graph.node:
        is_scale = node.op_type in _OF_A_NORM or node.name.endswith(_AS_CONVOLUTION)
        if is_scale and place_of(node).endswith(_NORM):
            yield node.name
        elif (
            node.op_type == "BatchNormalization"
            or node.name.endswith(_AS_CONVOLUTION[0])
            or _scales(node, makers, channels, scaled)
        ):
            scaled.update(node.output)
            yield node.name


def _scales(node: Any, makers: Mapping[str, Any], channels: Collection[str], scaled: Collection[str]) -> bool:
    """A product with a number per channel right after a convolution, or the sum after such a product."""
    others = [name for name in node.input if name not in channels]
    if node.op_type not in ("Mul", "Add") or len(others) != 1 or len(node.input) != len(others) + 1:
        return False
    maker = makers.get(others[0])
    return others[0] in scaled if node.op_type == "Add" else maker is not None and maker.op_type in _CONVOLUTIONS


def _place(node: Any, users: Mapping[str, Any], place_of: PlaceOf) -> str:
    """Where a node is: one that was put in is named by who reads it, where its name has no layer."""
    place = place_of(node)
    reader = users.get(node.output[0])
    return place_of(reader) if place.startswith("node ") and reader is not None else place


def _drops(proto: Any, node: Any) -> bool:
    if node.op_type != "Dropout" or len(node.input) < 3:
        return False
    constants = {tensor.name: tensor for tensor in proto.graph.initializer}
    constants |= {n.output[0]: n.attribute[0].t for n in all_nodes(proto) if n.op_type == "Constant"}
    known = constants.get(node.input[2])
    return known is not None and bool(numpy_helper.to_array(known))


def _flag(node: Any, name: str) -> bool:
    return any(attribute.name == name and attribute.i for attribute in node.attribute)


def own_transposes(function: Any) -> frozenset[str]:
    """Names of the transposes that a traced function has itself, inner functions included."""
    graphs = [function.get_concrete_function().graph]
    graphs += [inner.graph for inner in getattr(graphs[0], "_functions", {}).values() if getattr(inner, "graph", None)]
    return frozenset(op.name for graph in graphs for op in graph.get_operations() if op.type == "Transpose")
