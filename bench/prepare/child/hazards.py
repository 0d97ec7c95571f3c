"""What in a model and its inputs makes numbers mislead, as cautions. Runs in the child.

``hazard_scan`` looks into tensors, ``hazard_graph`` at the nodes, ``hazard_rules`` says what matters. A model is never
refused for what is found here, nor where nothing can be found: that is a caution too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError
from bench.prepare import hazard_rules as rules
from bench.prepare.child import hazard_graph
from bench.prepare.child.diagnose import layer_of
from bench.prepare.child.hazard_scan import count, producer_of, run_few, scan_nodes, scan_weights, seen, weights_of
from bench.prepare.child.marked_run import MarkedFile
from bench.prepare.child.named import NamedModel
from bench.prepare.child.reference import Array, Arrays, batches, is_float
from bench.prepare.layout import image_layout
from bench.records import Artifact, Caution, Failure, Tensor

_LIMIT_BYTES = 2**30  # of a file whose insides are looked at
_ROUNDING = 2.0**-23  # of float32 near 1
_LOW = {"Sigmoid": 0.0, "HardSigmoid": 0.0, "Tanh": -1.0}


@dataclass(frozen=True)
class Subject:
    """What hazards are looked for in."""

    inputs: Sequence[Tensor]
    pool: Arrays  # by the model's names
    outputs: Arrays  # the source's own, over the pool
    artifact: Artifact | Failure  # the ONNX file, or why there is none
    named: NamedModel | None = None  # a TensorFlow source
    own_transposes: frozenset[str] | None = None  # names that the source gave its own; None where that is not known


def find_hazards(subject: Subject) -> tuple[Caution, ...]:
    """Every hazard of the model and its inputs that matters."""
    found = list(_of_inputs(subject))
    try:
        artifact = subject.artifact
        found += _of_file(subject, artifact) if isinstance(artifact, Artifact) else _of_variables(subject)
    except Exception as error:  # a look at the model must not cost the model
        reason = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        found += rules.unlooked_cautions(" ".join(reason.split()))
    return tuple(found)


def _of_inputs(subject: Subject) -> tuple[Caution, ...]:
    items = len(next(iter(subject.pool.values())))
    constant = [t.name for t in subject.inputs if t.batched and items > 1 and _all_alike(subject.pool[t.name])]
    images = {
        t.name: rows
        for t in subject.inputs
        if t.batched and image_layout((rows := subject.pool[t.name]).shape[1:]) is not None
    }
    flat = {name: sum(int(row.min() == row.max()) for row in rows) for name, rows in images.items()}
    return rules.input_cautions(constant, flat, items)


def _of_variables(subject: Subject) -> Iterator[Caution]:
    """Of a source that could not be converted, only the weights are looked at."""
    variables = subject.named.variables if subject.named else ()
    weights = [
        seen(str(getattr(variable, "path", variable.name)), count(values))
        for variable in variables
        if is_float((values := np.asarray(variable)).dtype)
    ]
    yield from rules.denormal_cautions(weights, ())
    yield from rules.nonfinite_cautions(_inputs(subject), weights, ())


def _of_file(subject: Subject, artifact: Artifact) -> Iterator[Caution]:
    if artifact.size_bytes > _LIMIT_BYTES:
        yield from rules.unlooked_cautions(f"the file takes {artifact.size_bytes / 2**30:.1f} GiB, 1 at most")
        return
    file, place_of = MarkedFile(Path(artifact.path)), _places(subject)
    yield from rules.random_cautions(hazard_graph.random_operations(file.proto))
    yield from rules.training_cautions([place_of(node) for node in hazard_graph.training_nodes(file.proto)])
    yield from rules.operator_cautions(hazard_graph.foreign_operators(file.proto))
    yield from rules.saturation_cautions(_saturated(subject, artifact, file))
    weights = weights_of(file.proto)
    in_weights = scan_weights(file.proto, weights, place_of)
    pool = {tensor.name: subject.pool[artifact.names.get(tensor.name, tensor.name)] for tensor in artifact.inputs}
    try:
        made = run_few(file, artifact.inputs, pool)
    except BenchError as error:
        yield from rules.denormal_cautions(in_weights, ())
        yield from rules.nonfinite_cautions(_inputs(subject), in_weights, ())
        yield from rules.unlooked_cautions(f"in activations, {error}")
        return
    activations = tuple(scan_nodes(file, weights, made, place_of))
    yield from rules.denormal_cautions(in_weights, activations)
    yield from rules.nonfinite_cautions(_inputs(subject), in_weights, activations)
    feed = next(batches(artifact.inputs, pool))
    costs = hazard_graph.costs(file.proto, feed, place_of, subject.own_transposes)
    yield from rules.transpose_cautions(costs.transposes)
    yield from rules.batch_norm_cautions(costs.batch_norms)


def _inputs(subject: Subject) -> list[rules.Seen]:
    return [seen(f"input {name}", count(rows)) for name, rows in subject.pool.items()]


def _places(subject: Subject) -> Callable[[Any], str]:
    """How a node is named for people: by its layer where the source is Keras's."""
    model = subject.named.keras_model if subject.named else None

    def place_of(node: Any) -> str:
        place, _, layer_class = layer_of(node.name or node.output[0], model).partition(", ")
        return f"{place} ({layer_class or node.op_type})"

    return place_of


def _saturated(subject: Subject, artifact: Artifact, file: MarkedFile) -> Mapping[str, tuple[str, float]]:
    """Model's output -> the bounded operation that makes it, and the share of entries at its bound."""
    found = {}
    for tensor in artifact.outputs:
        name, node = artifact.names.get(tensor.name, tensor.name), producer_of(file, tensor.name)
        if node is not None and name in subject.outputs and (share := _share(node.op_type, subject.outputs[name])):
            found[name] = (node.op_type, share)
    return found


def _share(operation: str, rows: Array) -> float:
    if not rows.size or not is_float(rows.dtype):
        return 0.0
    if operation == "Softmax" and rows.ndim > 1:
        return float(np.mean(rows.max(axis=-1) >= 1 - _ROUNDING))
    if operation not in _LOW:
        return 0.0
    return float(np.mean((rows <= _LOW[operation] + _ROUNDING) | (rows >= 1 - _ROUNDING)))


def _all_alike(rows: Array) -> bool:
    return bool(np.array_equal(rows[1:], rows[:-1]))
