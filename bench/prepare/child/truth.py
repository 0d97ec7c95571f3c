"""What a model's outputs should be, and how precisely anybody can be expected to reach them. Runs in the child.

The truth is the model in float64, if all of it really is: the twin is traced, and one float32 operation makes the
truth TensorFlow's own float32. The yardstick of an output is TensorFlow's float32 error against a float64 truth; else
how far the reference moves when every weight moves by one unit in the last place. Items are run together and alone,
which TensorFlow computes in other orders, and the larger error counts; so does what the model's longest sum may lose
(``long_sums.py``). It is never 0: where nothing can be measured it is None, and the tolerance is the least one.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench.analysis.distance import GREATEST_TOLERANCE, YARDSTICKS
from bench.errors import BenchError
from bench.prepare.child import long_sums, reference
from bench.prepare.child.diagnose import policies
from bench.prepare.child.named import NamedModel, from_keras, trace
from bench.prepare.child.reference import Array, Arrays, Run
from bench.prepare.child.twin import float64_twin
from bench.records import Caution, Tensor

TENSORFLOW = "tensorflow float32"
_FAR = GREATEST_TOLERANCE / YARDSTICKS  # a yardstick from which on every check is vacuous
_LOW = (tf.float32, tf.float16, tf.bfloat16)
_HARMLESS = {"Placeholder", "Const", "ReadVariableOp", "Identity", "IdentityN", "NoOp", "StopGradient", "Cast"}
_LONG = 200  # characters of somebody else's message
_NAMED = 3  # operations named in a truth that is float32 because of them


@dataclass(frozen=True)
class Truth:
    """Outputs to compare with, and the yardstick of each."""

    outputs: dict[str, Array]
    kind: str
    yardstick: dict[str, float | None]
    reference: dict[str, Array]  # the source's own float32 outputs, for the check at export
    cautions: tuple[Caution, ...] = field(default=())


def tensorflow_truth(
    named: NamedModel,
    function: Any,
    inputs: Sequence[Tensor],
    pool: Arrays,
    seed: int,
    *,
    as_named: Callable[[NamedModel], NamedModel] = lambda twin: twin,
) -> Truth:
    """The truth of a TensorFlow source; ``function`` is its traced ``tf.function``, ``inputs`` its fixed inputs.

    ``as_named`` makes of the twin what was made of the model to get ``named``, where its outputs are not the model's.
    """
    run = as_run(named, function)
    before = weights_digest(named)
    first = reference.run_pool(run, inputs, pool)
    cautions = []
    repeat = reference.shifts(first, reference.run_pool(run, inputs, pool))
    if weights_digest(named) != before:
        cautions.append(Caution(code="weights changed", text="calling the model changed its weights"))
    if any((moved or 0) > reference.NONDETERMINISTIC for moved in repeat.values()):
        cautions.append(nondeterministic_caution())
        return Truth(first, TENSORFLOW, repeat, first, tuple(cautions))
    exact, kind, doubts = _exact_outputs(named, inputs, pool, first, as_named)
    outputs = first if exact is None else exact
    moved = reference.shifts(exact, first) if exact else _shift_by_one_ulp(named, run, inputs, pool, first, seed)
    alone = reference.run_pool(run, inputs, pool, together=1)  # TensorFlow adds in another order then
    yardstick = reference.larger(moved, reference.shifts(outputs, alone))
    floats = [name for name, rows in first.items() if reference.is_float(rows.dtype)]
    yardstick = long_sums.raised(yardstick, long_sums.longest_in_tensorflow(function.get_concrete_function()), floats)
    return Truth(outputs, kind, yardstick, first, (*cautions, *doubts))


def nondeterministic_caution() -> Caution:
    """Said of a model whose outputs can't be compared by anybody."""
    return Caution(
        code="non-deterministic model",
        text="the same input gave different outputs: random operations or state; no comparison of it means anything",
    )


def as_run(named: NamedModel, function: Any) -> Run:
    """The traced function over host arrays; it raises BenchError for inputs that an operation of it rejects."""
    concrete = function.get_concrete_function()

    def run(feed: Arrays) -> dict[str, Array]:
        tensors = [tf.constant(feed[tensor.name], tensor.dtype) for tensor in named.inputs]
        try:
            results = concrete(*tensors)
        except tf.errors.OpError as error:
            raise BenchError(reference.REJECTED.format(_cause(error))) from error
        return {name: value.numpy() for name, value in _in_order(named, results).items()}

    return run


def _cause(error: Exception) -> str:
    """The line of an operation's error that says what was wrong: the one before the node's name."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    place = next((place for place, line in enumerate(lines) if line.startswith("[[{{node")), 1)
    return lines[max(place - 1, 0)] if lines else type(error).__name__


def float32_operations(concrete: Any) -> list[str]:
    """Types of the operations of a traced function that compute in less than float64, in their order, once each.

    Reading a weight or a constant does not compute, and neither does the cast of an input.
    """
    graphs = [concrete.graph, *_inner_graphs(concrete.graph)]
    return list(dict.fromkeys(op.type for graph in graphs for op in graph.get_operations() if _loses_precision(op)))


def weights_digest(named: NamedModel) -> str:
    """One sha256 over all weights, in order."""
    from bench.prepare.child.digest import arrays_in_order_digest

    return arrays_in_order_digest(np.asarray(variable) for variable in named.variables)


def _exact_outputs(
    named: NamedModel,
    inputs: Sequence[Tensor],
    pool: Arrays,
    first: Arrays,
    as_named: Callable[[NamedModel], NamedModel],
) -> tuple[dict[str, Array] | None, str, tuple[Caution, ...]]:
    """Outputs in float64, or None; the name of the truth; doubts."""
    if named.keras_model is None:
        return None, TENSORFLOW, ()
    try:
        shapes = {tensor.name: _whole(tensor) for tensor in inputs}
        twin = as_named(from_keras(float64_twin(named.keras_model), shapes))
        run, operations = _run_in_float64(named, twin)
        if operations:
            shown = ", ".join(operations[:_NAMED]) + (", ..." if len(operations) > _NAMED else "")
            return None, f"float32 ({shown})", ()
        outputs = reference.run_pool(run, inputs, pool)
    except (BenchError, ValueError, TypeError, KeyError, AttributeError, tf.errors.OpError) as error:
        why = textwrap.shorten(str(error) or type(error).__name__, _LONG)
        return None, TENSORFLOW, (Caution(code="truth", text=f"no float64 evaluation: {why}"),)
    return _judged_twin(named.keras_model, outputs, first)


def _judged_twin(
    model: keras.Model, outputs: dict[str, Array], first: Arrays
) -> tuple[dict[str, Array] | None, str, tuple[Caution, ...]]:
    """The twin's outputs; a caution where a plain float32 model is so far from them that every check is vacuous."""
    if list(outputs) != list(first) or any(outputs[name].shape != first[name].shape for name in first):
        return None, TENSORFLOW, (Caution(code="truth", text="the float64 twin has other outputs; it was not used"),)
    worst = max((moved or 0.0 for moved in reference.shifts(outputs, first).values()), default=0.0)
    if worst > _FAR and policies(model) <= {"float32"}:
        why = "ill-conditioned, or the twin is another function"
        text = f"the float64 evaluation is {worst:.2g} from the float32 one: {why}"
        return outputs, "float64", (Caution(code="truth", text=text),)
    return outputs, "float64", ()


def _run_in_float64(named: NamedModel, twin: NamedModel) -> tuple[Run, list[str]]:
    """The twin as a function of the model's own inputs, and the operations in it that are not float64."""
    pairs = list(zip(named.inputs, twin.inputs, strict=True))

    def infer(*tensors: Any) -> dict[str, Any]:
        feed = {theirs.name: _widened(t, theirs.dtype) for t, (_, theirs) in zip(tensors, pairs, strict=True)}
        return twin.call(feed)

    specs = [tf.TensorSpec(ours.shape, ours.dtype) for ours in named.inputs]
    concrete = tf.function(infer, input_signature=specs, autograph=False).get_concrete_function()
    given = list(named.output_paths)

    def run(feed: Arrays) -> dict[str, Array]:
        results = concrete(*[tf.constant(feed[ours.name], ours.dtype) for ours in named.inputs])
        values = _in_order(twin, results)
        return dict(zip(given, (value.numpy() for value in values.values()), strict=True))

    return run, float32_operations(concrete)


def _widened(tensor: Any, dtype: str) -> Any:
    """An input as the twin takes it: floats in float64 from the start, whatever the twin's inputs are declared as."""
    return tf.cast(tensor, tf.float64) if tensor.dtype.is_floating else tf.cast(tensor, dtype)


def _loses_precision(op: Any) -> bool:
    low = [tensor.dtype in _LOW for tensor in op.outputs]
    if op.type == "Cast" and any(low):
        return not _comes_from_input(op.inputs[0])
    return any(low) and op.type not in _HARMLESS


def _comes_from_input(tensor: Any) -> bool:
    """Whether a value is an input that was at most cast, and had no more precision to begin with."""
    while tensor.op.type in ("Cast", "Identity"):
        tensor = tensor.op.inputs[0]
    return not tensor.dtype.is_floating or (tensor.op.type == "Placeholder" and tensor.dtype in _LOW)


def _inner_graphs(graph: Any) -> list[Any]:
    """Graphs of the functions that a graph calls: bodies of loops and branches."""
    functions = getattr(graph, "_functions", {})
    return [inner.graph for inner in functions.values() if getattr(inner, "graph", None) is not None]


def _shift_by_one_ulp(
    named: NamedModel, run: Run, inputs: Sequence[Tensor], pool: Arrays, first: Arrays, seed: int
) -> dict[str, float | None]:
    rng = np.random.default_rng(seed)
    if named.moved is not None:
        moved = replace(named, call=named.moved(rng))
        return reference.shifts(first, reference.run_pool(as_run(moved, trace(moved)), inputs, pool))
    floats = [v for v in named.variables if reference.is_float(np.asarray(v).dtype)]
    kept = [np.asarray(variable) for variable in floats]
    try:
        for variable, values in zip(floats, kept, strict=True):
            variable.assign(reference.one_ulp_away(values, rng))
        return reference.shifts(first, reference.run_pool(run, inputs, pool))
    finally:
        for variable, values in zip(floats, kept, strict=True):
            variable.assign(values)


def _in_order(named: NamedModel, results: Mapping[str, Any]) -> dict[str, Any]:
    """Results in the model's own order of outputs; a traced function sorts them by name."""
    return {name: results[name] for name in named.output_paths}


def _whole(tensor: Tensor) -> tuple[int, ...]:
    return tuple(axis or 1 for axis in tensor.shape)
