"""Why a model could not be exported, in words: which operation, which layer, what to do. Runs in the child."""

from __future__ import annotations

import re
from typing import Any

import keras
import onnx

from bench.prepare.child import onnx_graph

HINTS = {
    "Erfc": "gelu in its exact form; use gelu with approximate=True, as in "
    "keras.layers.Activation(lambda x: keras.activations.gelu(x, approximate=True))",
    "ScaleAndTranslate": "resizing by lanczos or with antialiasing; use interpolation='bilinear' or 'nearest'",
    "ResizeArea": "Resizing by area; use interpolation='bilinear' or 'nearest'",
    "LookupTableFindV2": "a lookup layer; leave it out of the exported model and look up before it",
    "StringToHashBucket": "a hashing layer; leave it out of the exported model and hash before it",
    "Bucketize": "a Discretization layer; leave it out of the exported model and bin before it",
    "RFFT": "a Fourier transform; leave spectrograms out of the exported model and make them before it",
    "Expm1": "keras.ops.expm1, as in celu; write exp(x) - 1, or use elu, which is celu with alpha=1",
    "PartitionedCall": "a tf.function within the model that is compiled or called as one; call it as plain Python",
    "pads must not contain negative": "a transposed convolution with output_padding and padding='valid'; use 'same'",
    "Cubic": "Resizing by bicubic; use interpolation='bilinear' or 'nearest'",
    "Bitcast": "keras.ops.argmax or argmin; leave it out of the model and take the argmax of its outputs",
    "StatelessRandom": "a random number: the model is random; leave noise and sampling out of it",
    "bfloat16": "ONNX Runtime's CPU provider has no bfloat16; build the model with dtype policy float32",
    "double": "ONNX Runtime's CPU provider has few float64 operators; build the model with dtype policy float32",
}
_NODE = re.compile(r"(?:name:?|[Nn]ode|In Node,)\s*[('\"]+([^'\")]+)['\")]")
_NAMED = 4  # operations that are named with their layers
_LONG = 400  # characters of somebody else's message


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
    hints = dict.fromkeys(hint for op in named.values() for word, hint in HINTS.items() if word in op)
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    told = f"ONNX has no operation for {', '.join([*named][:_NAMED])}{more}"
    return told + "".join(f"; that is {hint}" for hint in hints)


def explain(message: str, model: keras.Model | None) -> str:
    """A checker's or ONNX Runtime's message on one line, with the layer that it is about and what to do."""
    found = _NODE.search(message)
    layer = layer_of(found[1], model) if found else _cubic_layer(message, model)
    hint = next((hint for word, hint in HINTS.items() if word in message), None)
    if hint is None and "float64" in policies(model) and "NOT_IMPLEMENTED" in message:
        hint = HINTS["double"]
    reason = "the converted file does not load in ONNX Runtime" + (f" ({layer})" if layer else "")
    return f"{reason}: {_shortened(message)}" + (f"; that is {hint}" if hint else "")


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
