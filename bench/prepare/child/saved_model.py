"""A SavedModel folder -> its signature as a named model. Runs in the child.

Never runs Keras's loading of Python objects: what is called is the graph that was saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.errors import BenchError, UsageError, first_line
from bench.prepare.child.named import NamedModel
from bench.prepare.child.reference import is_float, one_ulp_away
from bench.records import PrepareSettings, Tensor

_DEFAULT = "serving_default"
_INIT = "__saved_model_init_op"


def load_saved_model(path: Path, settings: PrepareSettings) -> NamedModel:
    """The one signature, or the one asked for.

    Raises UsageError that lists them where there is not exactly one to use, BenchError where it can't be read.
    """
    try:
        loaded = tf.saved_model.load(str(path))
        signatures = {key: function for key, function in loaded.signatures.items() if key != _INIT}
    except Exception as error:
        return _load_by_session(path, settings, error)
    key = choose_signature({key: _interface(f) for key, f in signatures.items()}, settings.signature)
    return _from_function(signatures[key], loaded, settings.input_shapes)


def choose_signature(signatures: Mapping[str, str], asked: str | None) -> str:
    """The signature to use; ``signatures`` is each one's interface, and those of one interface count as one."""
    listed = "; ".join(f"{key}: {interface}" for key, interface in sorted(signatures.items()))
    if asked is not None:
        if asked not in signatures:
            raise UsageError(f"--signature {asked}: the SavedModel has {listed or 'no signatures'}")
        return asked
    if not signatures:
        raise UsageError(
            "the SavedModel has no signatures, so nothing says how to call it; "
            "save it with model.export() or with tf.saved_model.save(..., signatures=...)"
        )
    if len(set(signatures.values())) > 1:
        raise UsageError(f"the SavedModel has several signatures, choose one with --signature: {listed}")
    return _DEFAULT if _DEFAULT in signatures else min(signatures)


def _from_function(function: Any, loaded: Any, shapes: Mapping[str, tuple[int, ...]]) -> NamedModel:
    specs = function.structured_input_signature[1]
    inputs = tuple(_tensor(name, spec, shapes) for name, spec in sorted(specs.items()))
    names = sorted(function.structured_outputs)  # they come in another order each time

    def call(feed: Mapping[str, Any]) -> dict[str, Any]:
        results = function(**feed)
        return {name: tf.identity(results[name]) for name in names}

    paths = {name: f"[{name!r}]" for name in names}
    variables = tuple(sorted(function.variables, key=lambda variable: variable.name))
    return NamedModel(inputs, call, variables, keep=loaded, output_paths=paths)


def _load_by_session(path: Path, settings: PrepareSettings, cause: Exception) -> NamedModel:
    """A SavedModel of TensorFlow 1 that only a session can load, frozen into a function."""
    from tensorflow.python.saved_model.loader_impl import parse_saved_model

    v1 = tf.compat.v1
    try:
        tags = list(parse_saved_model(str(path)).meta_graphs[0].meta_info_def.tags)
        with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
            definitions = dict(v1.saved_model.load(session, tags, str(path)).signature_def)
            definitions.pop(_INIT, None)
            texts = {key: f"{sorted(d.inputs)} -> {sorted(d.outputs)}" for key, d in definitions.items()}
            signature = definitions[choose_signature(texts, settings.signature)]
            wanted = [info.name.split(":")[0] for info in signature.outputs.values()]
            frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), wanted)
    except UsageError:
        raise
    except Exception as error:
        raise BenchError(f"{path.name}: TensorFlow could not load the SavedModel: {first_line(cause)}") from error
    call = _Imported(frozen, signature)
    return NamedModel(
        tuple(_tensor(name, tensor, settings.input_shapes) for name, tensor in call.feeds.items()),
        call,
        (),
        keep=call.wrapped,
        output_paths={name: f"[{name!r}]" for name in sorted(signature.outputs)},
        moved=lambda rng: _Imported(_moved(frozen, rng), signature),
    )


class _Imported:
    """A frozen graph as a call from named tensors to named tensors."""

    def __init__(self, frozen: Any, signature: Any) -> None:
        self.wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(frozen, name=""), [])
        graph = self.wrapped.graph
        self.feeds = {name: graph.as_graph_element(info.name) for name, info in sorted(signature.inputs.items())}
        fetches = {name: graph.as_graph_element(info.name) for name, info in sorted(signature.outputs.items())}
        self._names, self._pruned = list(fetches), self.wrapped.prune(list(self.feeds.values()), fetches)

    def __call__(self, feed: Mapping[str, Any]) -> dict[str, Any]:
        results = self._pruned(*[feed[name] for name in self.feeds])
        return {name: tf.identity(results[name]) for name in self._names}


def _moved(frozen: Any, rng: np.random.Generator) -> Any:
    """The graph with each float constant moved by one unit in the last place."""
    moved = type(frozen)()
    moved.CopyFrom(frozen)
    for node in moved.node:
        if node.op == "Const" and is_float((values := tf.make_ndarray(node.attr["value"].tensor)).dtype):
            tensor = tf.make_tensor_proto(one_ulp_away(values, rng), values.dtype, values.shape)
            node.attr["value"].tensor.CopyFrom(tensor)
    return moved


def _interface(function: Any) -> str:
    takes = ", ".join(f"{n} {list(s.shape or ())} {s.dtype.name}" for n, s in _sorted(function, 1))
    gives = ", ".join(f"{n} {s.dtype.name}" for n, s in sorted(function.structured_outputs.items()))
    return f"{takes} -> {gives}"


def _sorted(function: Any, place: int) -> list[tuple[str, Any]]:
    return sorted(function.structured_input_signature[place].items())


def _tensor(name: str, spec: Any, shapes: Mapping[str, tuple[int, ...]]) -> Tensor:
    if spec.shape.rank is None:
        if name not in shapes:
            raise UsageError(f"input {name!r} has no shape in the SavedModel: --input-shapes {name}:[1,...]")
        return Tensor(name=name, shape=(None, *shapes[name][1:]), dtype=spec.dtype.name)
    return Tensor(name=name, shape=tuple(spec.shape.as_list()), dtype=spec.dtype.name, batched=spec.shape.rank > 0)
