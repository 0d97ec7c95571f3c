"""The ways to call a model on TensorFlow: each opened once, so that nothing but the call itself is timed.

A concrete function of fixed shapes (with XLA where asked for), the SavedModel's signature as it was saved, and the two
calls that users of Keras make. Runs in a worker; TensorFlow is handed in by ``tensorflow.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.errors import UnsupportedError
from bench.records import Artifact, SessionSettings, Tensor
from bench.runtimes.call_paths import EAGER, FUNCTION, PREDICT, SIGNATURE
from bench.runtimes.contract import Array, Feed
from bench.runtimes.keras_file import load_keras_file

Call = Callable[[Feed], Sequence[Array]]


@dataclass(frozen=True)
class CallPath:
    """One way to call the model, ready."""

    name: str  # of call_paths
    call: Call
    keep: Any  # owns the variables
    traces: Callable[[], int]  # how often a function was traced so far
    settings: dict[str, str] = field(default_factory=dict)  # of this path alone
    build_ns: int | None = None
    concurrent: bool = True
    nodes: Callable[[], set[str]] | None = None  # names of its function's operations, where there is one
    compiled: Callable[[], str] | None = None  # XLA's text of what it made of the function


def open_function(tf: Any, artifact: Artifact, settings: SessionSettings, *, xla: bool) -> CallPath:
    """The signature traced once for the shapes of the case; with XLA compiled at once too.

    A function is compiled by its first call, so the time to build has one inference in it.
    """
    loaded = tf.saved_model.load(artifact.path)
    traced = _trace(tf, _signature(loaded, settings), settings, xla=xla)
    step = traced.get_concrete_function()
    build_ns = _compile(tf, step, settings) if xla else None
    return CallPath(
        name=FUNCTION,
        call=_bind(tf.constant, step, settings),
        keep=loaded,
        traces=lambda: int(traced.experimental_get_tracing_count()),
        settings={"fixed_shapes": _shapes(settings.inputs)},
        build_ns=build_ns,
        nodes=lambda: _node_names(step),
        compiled=(lambda: _compiled_text(tf, traced, settings)) if xla else None,
    )


def open_signature(tf: Any, artifact: Artifact, settings: SessionSettings) -> CallPath:
    """The signature itself, its free axes left free."""
    loaded = tf.saved_model.load(artifact.path)
    signature = _signature(loaded, settings)
    _require_dtypes(signature, settings.inputs, [_spec(tf, tensor) for tensor in settings.inputs])
    names, outputs, constant = [tensor.name for tensor in settings.inputs], settings.outputs, tf.constant

    def call(feed: Feed) -> Sequence[Array]:
        results = signature(**{name: constant(feed[name]) for name in names})
        return [results[name].numpy() for name in outputs]

    own = {"shapes": "free in the signature"}
    return CallPath(SIGNATURE, call, loaded, _never, settings=own, nodes=lambda: _node_names(signature))


def open_eager(_: Any, artifact: Artifact, settings: SessionSettings) -> CallPath:
    """``model(x, training=False)`` on host arrays: every layer is called from Python."""
    file = load_keras_file(artifact, settings)
    model, argument, pick = file.model, file.argument, file.pick

    def call(feed: Feed) -> Sequence[Array]:
        return [leaf.numpy() for leaf in pick(model(argument(feed), training=False))]

    return CallPath(EAGER, call, file, _never, settings={"shapes": "of each call"})


def open_predict(_: Any, artifact: Artifact, settings: SessionSettings) -> CallPath:
    """``model.predict(x)``, the whole batch in one step, without its progress bar.

    It makes a data set of every call; one caller at a time. Its function is traced by the first call.
    """
    for tensor in settings.inputs:
        if not tensor.batched:
            raise UnsupportedError(f"predict cuts its inputs into batches, input {tensor.name!r} has no batch axis")
    file = load_keras_file(artifact, settings)
    model, argument, pick, batch = file.model, file.argument, file.pick, settings.batch_size
    model.jit_compile = False  # Keras decides by the GPUs there are, hidden ones too
    traces = _count_traces(model)

    def call(feed: Feed) -> Sequence[Array]:
        return pick(model.predict(argument(feed), batch_size=batch, verbose=0))

    own = {"shapes": "of each call", "predict_batch_size": str(batch)}
    return CallPath(PREDICT, call, file, traces, settings=own, concurrent=False)


def _count_traces(model: Any) -> Callable[[], int]:
    """``predict_step`` runs as Python only while its function is traced, so counting there costs a call nothing."""
    step, count = model.predict_step, [0]

    def counted(data: Any) -> Any:
        count[0] += 1
        return step(data)

    model.predict_step = counted
    return lambda: count[0]


def _node_names(function: Any) -> set[str]:
    """Of the operations of a concrete function and of all that it calls."""
    graph = function.graph.as_graph_def()
    names = {node.name for node in graph.node}
    return names | {node.name for called in graph.library.function for node in called.node_def}


def _compiled_text(tf: Any, traced: Any, settings: SessionSettings) -> str:
    specs = [_spec(tf, tensor) for tensor in settings.inputs]
    text: str = traced.experimental_get_compiler_ir(*specs)(stage="optimized_hlo")
    return text


def _never() -> int:
    return 0


def _signature(loaded: Any, settings: SessionSettings) -> Any:
    """The signature whose inputs and outputs carry the names asked for, ``serving_default`` before others."""
    inputs, outputs = {tensor.name for tensor in settings.inputs}, set(settings.outputs)
    offers = []
    for key in sorted(loaded.signatures, key=lambda key: (key != "serving_default", key)):
        signature = loaded.signatures[key]
        takes, gives = set(signature.structured_input_signature[1]), set(signature.structured_outputs)
        if takes == inputs and outputs <= gives:
            return signature
        offers.append(f"{key}: {', '.join(sorted(takes))} -> {', '.join(sorted(gives))}")
    wanted = f"{', '.join(sorted(inputs))} -> {', '.join(sorted(outputs))}"
    raise ValueError(f"no signature {wanted}; it has {'; '.join(offers) or 'none'}")


def _trace(tf: Any, signature: Any, settings: SessionSettings, *, xla: bool) -> Any:
    names = [tensor.name for tensor in settings.inputs]

    def step(*tensors: Any) -> list[Any]:
        results = signature(**dict(zip(names, tensors, strict=True)))
        return [results[name] for name in settings.outputs]

    specs = [_spec(tf, tensor) for tensor in settings.inputs]
    _require_dtypes(signature, settings.inputs, specs)
    traced = tf.function(step, input_signature=specs, autograph=False, jit_compile=xla)
    traced.get_concrete_function()
    return traced


def _compile(tf: Any, step: Any, settings: SessionSettings) -> int:
    zeros = [tf.zeros(tensor.shape, tf.dtypes.as_dtype(tensor.dtype)) for tensor in settings.inputs]
    start = time.perf_counter_ns()
    for output in step(*zeros):
        output.numpy()
    return time.perf_counter_ns() - start


def _spec(tf: Any, tensor: Tensor) -> Any:
    return tf.TensorSpec(tensor.shape, tf.dtypes.as_dtype(tensor.dtype))


def _require_dtypes(signature: Any, inputs: Sequence[Tensor], specs: Sequence[Any]) -> None:
    """TensorFlow would cast in silence, in either direction."""
    takes = signature.structured_input_signature[1]
    for tensor, spec in zip(inputs, specs, strict=True):
        if takes[tensor.name].dtype != spec.dtype:
            raise TypeError(
                f"input {tensor.name!r} is {takes[tensor.name].dtype.name} in the model, not {tensor.dtype}"
            )


def _bind(constant: Any, step: Any, settings: SessionSettings) -> Call:
    """The call. ``numpy()`` blocks until the output is on the host and copies it.

    Of the public ways in, ``tf.constant`` before a concrete function costs least (a small model: 145 us; arrays handed
    over as they are 155, through the ``tf.function`` itself 205).
    """
    names = tuple(tensor.name for tensor in settings.inputs)

    def call(feed: Feed) -> Sequence[Array]:
        return [tensor.numpy() for tensor in step(*[constant(feed[name]) for name in names])]

    return call


def _shapes(inputs: Sequence[Tensor]) -> str:
    return ",".join(f"{tensor.name}={list(tensor.shape)}" for tensor in inputs)
