"""Why a model could not be exported, in words: which operation, which layer, what to do. Runs in the child."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import onnx

from bench.prepare.child import onnx_graph, reference
from bench.prepare.child.named import NamedModel, from_keras, trace
from bench.prepare.child.reference import Array, Arrays
from bench.records import Tensor
from bench.runtimes.keras_names import input_structure

HINTS = {
    "Erfc": "gelu in its exact form; use gelu with approximate=True, as in "
    "keras.layers.Activation(lambda x: keras.activations.gelu(x, approximate=True))",
    "ScaleAndTranslate": "Resizing by lanczos or with antialiasing; use interpolation='bilinear' or 'nearest'",
    "ResizeArea": "Resizing by area; use interpolation='bilinear' or 'nearest'",
    "LookupTableFindV2": "a lookup layer; leave it out of the exported model and look up before it",
    "Cubic": "Resizing by bicubic; use interpolation='bilinear' or 'nearest'",
    "Bitcast": "keras.ops.argmax or argmin; leave it out of the model and take the argmax of its outputs",
    "StatelessRandom": "a random number: the model is random; leave noise and sampling out of it",
    "bfloat16": "ONNX Runtime's CPU provider has no bfloat16; build the model with dtype policy float32",
    "double": "ONNX Runtime's CPU provider has few float64 operators; build the model with dtype policy float32",
}
_NODE = re.compile(r"(?:name:?|node|In Node,)\s*[('\"]+([^'\")]+)['\")]")
_LONG = 400  # characters of somebody else's message
_SHARE = 1e-3  # relative error from which a layer differs
_DEEP = 3  # nested models that are looked into
_MANY = 600  # layers that are compared; more take too long


def unsupported_operations(proto: Any, model: keras.Model | None) -> str | None:
    """Operations that no ONNX operator set has, with the layers they are from and what to do; None where all are."""
    versions = {entry.domain: entry.version for entry in proto.opset_import}
    unknown = [
        node
        for node in onnx_graph.all_nodes(proto)
        if not onnx.defs.has(node.op_type, versions.get(node.domain, 1), node.domain)
    ]
    if not unknown:
        return None
    named = {f"{node.op_type} ({layer_of(node.name, model)})": node.op_type for node in unknown}
    hints = dict.fromkeys(hint for op in named.values() for word, hint in HINTS.items() if op.startswith(word))
    return f"ONNX has no operation for {', '.join(named)}" + "".join(f"; that is {hint}" for hint in hints)


def explain(message: str, model: keras.Model | None) -> str:
    """A checker's or ONNX Runtime's message on one line, with the layer that it is about and what to do."""
    found = _NODE.search(message)
    layer = layer_of(found[1], model) if found else _cubic_layer(message, model)
    hint = next((hint for word, hint in HINTS.items() if word in message), None)
    if hint is None and "float64" in policies(model) and "NOT_IMPLEMENTED" in message:
        hint = HINTS["double"]
    reason = "the converted file does not load in ONNX Runtime" + (f" ({layer})" if layer else "")
    return f"{reason}: {_shortened(message)}" + (f"; that is {hint}" if hint else "")


def first_differing_layer(named: NamedModel, pool: Arrays) -> str | None:
    """The first layer whose output is another one in the converted file, by name and class, or None.

    One conversion of a model that gives every layer's output; a nested model is then looked into.
    """
    if named.keras_model is None:
        return None
    try:
        return _first_differing(named.keras_model, pool, _DEEP)
    except Exception:  # a diagnosis may fail, the failure that it is about is already known
        return None


def _first_differing(model: keras.Model, pool: Arrays, depth: int) -> str | None:
    steps = list(_steps(model))
    if not 1 < len(steps) <= _MANY:
        return _describe(steps[0].layer) if steps else None
    probe = _probe(model, steps)
    expected, converted = _both_sides(probe, pool)
    values = dict(zip(map(id, keras.tree.flatten(input_structure(model))), pool.values(), strict=True))
    values |= {id(step.output): expected[step.name] for step in steps}
    for step in steps:
        moved = reference.shift(expected[step.name], converted[step.name])
        if moved is None or moved <= _SHARE:
            continue
        inner = _inside(step, values, depth)
        return _describe(step.layer) if inner is None else f"{inner} in {step.layer.name}"
    return None


@dataclass(frozen=True)
class _Step:
    """One call of one layer with a single tensor as its result."""

    name: str
    layer: Any
    inputs: list[Any]
    output: Any


def _steps(model: keras.Model) -> Iterator[_Step]:
    """Calls of a functional model's layers in topological order."""
    functional = getattr(model, "_functional", None) or model
    by_operation = {id(node): node for nodes in functional._nodes_by_depth.values() for node in nodes}
    number = 0
    for operation in functional.operations:
        for node in operation._inbound_nodes:
            if id(node) in by_operation and not node.is_input and len(node.output_tensors) == 1:
                yield _Step(f"step_{number:04d}", operation, list(node.input_tensors), node.output_tensors[0])
                number += 1


def _probe(model: keras.Model, steps: list[_Step]) -> NamedModel:
    return from_keras(keras.Model(input_structure(model), {step.name: step.output for step in steps}), {})


def _both_sides(probe: NamedModel, pool: Arrays) -> tuple[dict[str, Array], dict[str, Array]]:
    """Every step's output over the pool, in TensorFlow and from the converted file."""
    from bench.prepare.child.export import convert
    from bench.prepare.child.onnx_run import open_as_deployed
    from bench.prepare.child.truth import as_run

    feed = dict(zip((tensor.name for tensor in probe.inputs), pool.values(), strict=True))
    inputs = [
        Tensor(name=t.name, shape=(None, *feed[t.name].shape[1:]), dtype=t.dtype, batched=t.batched)
        for t in probe.inputs
    ]
    function = trace(probe)
    expected = reference.run_pool(as_run(probe, function), inputs, feed)
    outputs = [
        Tensor(name=name, shape=(None, *rows.shape[1:]), dtype=rows.dtype.name) for name, rows in expected.items()
    ]
    proto = convert(probe, function, outputs, opset=18)
    return expected, reference.run_pool(open_as_deployed(proto.SerializeToString()), inputs, feed)


def _inside(step: _Step, values: dict[int, Array], depth: int) -> str | None:
    """The layer within a nested model of one input, given the values that go into it."""
    if not (isinstance(step.layer, keras.Model) and depth and len(step.inputs) == 1):
        return None
    into = values.get(id(step.inputs[0]))
    return None if into is None else _first_differing(step.layer, {"": into}, depth - 1)


def _cubic_layer(message: str, model: keras.Model | None) -> str | None:
    """ONNX Runtime does not say which node it is that resizes by cubic interpolation."""
    layers = model._flatten_layers() if model is not None and "Cubic" in message else []
    return next((_describe(layer) for layer in layers if getattr(layer, "interpolation", "") == "bicubic"), None)


def _shortened(message: str) -> str:
    text = " ".join(message.split())
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


def _describe(layer: Any) -> str:
    return f"layer {layer.name}, {type(layer).__name__}"


def layer_of(node: str, model: keras.Model | None) -> str:
    """The Keras layer in a node's name: TensorFlow numbers a layer's name again in each trace."""
    known = {layer.name: layer for layer in model._flatten_layers()} if model is not None else {}
    for part in reversed(node.split("/")[:-1]):
        for name in (re.sub(r"_\d+$", "", part), part):
            if name in known and known[name] is not model:
                return _describe(known[name])
    return f"node {node}"


def policies(model: keras.Model | None) -> set[str]:
    """The types that a model's layers compute in."""
    layers = model._flatten_layers() if model is not None else []
    return {layer.dtype_policy.compute_dtype for layer in layers if hasattr(layer, "dtype_policy")}
