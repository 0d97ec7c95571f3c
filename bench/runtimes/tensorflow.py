"""TensorFlow on a SavedModel: runs in a worker or a probing child, never in the parent.

The call is a concrete function of fixed shapes: nothing is traced after opening. Threads belong to the process and are
set before TensorFlow's first operation.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.errors import UnavailableError, UnsupportedError, UsageError
from bench.records import Artifact, Probe, SessionInfo, SessionSettings, Tensor
from bench.runtimes.contract import Array, Feed, HostSession
from bench.runtimes.options import with_defaults
from bench.runtimes.table import RUNTIMES

_INTER_OP_THREADS = 1
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


class TensorFlowSession(HostSession):
    """A concrete function over a loaded SavedModel's signature, which stays loaded as long as the session is open."""

    def __init__(self, loaded: Any, constant: Any, traced: Any, settings: SessionSettings, info: SessionInfo) -> None:
        self.info = info
        self._loaded = loaded  # owns the variables
        self._traced = traced
        step = traced.get_concrete_function()
        self.call: Callable[[Feed], Sequence[Array]] = _bind(constant, step, settings)

    def traces(self) -> int:
        """How often the call was traced: once, at opening; a concrete function cannot be traced again."""
        return int(self._traced.experimental_get_tracing_count())

    def close(self) -> None:
        """Drop model and function; twice is fine. A call after it raises RuntimeError."""
        self._loaded = self._traced = None
        self.call = _closed


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> TensorFlowSession:
    """The SavedModel's signature that has the artifact's names, traced once for the shapes of ``settings.inputs``."""
    import_runtime(name, settings.options)
    chosen = with_defaults(RUNTIMES[name].options, settings.options)
    tf = importlib.import_module("tensorflow")
    _fix_process(tf, settings.threads)
    try:
        loaded = tf.saved_model.load(artifact.path)
        signature = _signature(loaded, settings)
        traced = _trace(tf, signature, settings)
    except (tf.errors.OpError, ValueError, TypeError, OSError, AttributeError, NotImplementedError) as error:
        raise UnsupportedError(f"opening the SavedModel on {name}: {_first_line(error)}") from error
    info = SessionInfo(
        runtime_version=tf.__version__,
        runtime_file=str(tf.__file__),
        provider="CPU",
        call_path="concrete function",
        effective_options=_effective(tf, chosen, settings),
        node_share=1.0,
        concurrent=True,
    )
    return TensorFlowSession(loaded, tf.constant, traced, settings, info)


def import_runtime(name: str, options: Mapping[str, str]) -> None:
    """Import TensorFlow with oneDNN as asked for; the import settles it for the process."""
    entry = RUNTIMES[name]
    wanted = "1" if with_defaults(entry.options, options)["onednn"] == "on" else "0"
    if "tensorflow" in sys.modules and os.environ.get(_ONEDNN, "1") != wanted:
        raise UsageError("setting onednn: TensorFlow was imported with the other value; open it in a fresh process")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ[_ONEDNN] = wanted
    try:
        importlib.import_module("tensorflow")
    except ImportError as error:
        raise UnavailableError(f"importing tensorflow: {_first_line(error)}; {entry.install}") from error


def _fix_process(tf: Any, threads: int) -> None:
    """Threads and devices of the whole process, before the first operation; later it is too late."""
    threading = tf.config.threading
    wanted = (threads, _INTER_OP_THREADS)
    if (threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()) == wanted:
        return
    try:
        threading.set_intra_op_parallelism_threads(threads)
        threading.set_inter_op_parallelism_threads(_INTER_OP_THREADS)
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError as error:
        raise UsageError(
            f"setting {threads} threads: TensorFlow has already run in this process with "
            f"{threading.get_intra_op_parallelism_threads()}; open it in a fresh process"
        ) from error


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


def _trace(tf: Any, signature: Any, settings: SessionSettings) -> Any:
    names = [tensor.name for tensor in settings.inputs]

    def step(*tensors: Any) -> list[Any]:
        results = signature(**dict(zip(names, tensors, strict=True)))
        return [results[name] for name in settings.outputs]

    specs = [_spec(tf, tensor) for tensor in settings.inputs]
    _require_dtypes(signature, settings.inputs, specs)
    traced = tf.function(step, input_signature=specs, autograph=False, jit_compile=False)
    traced.get_concrete_function()
    return traced


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


def _bind(constant: Any, step: Any, settings: SessionSettings) -> Callable[[Feed], Sequence[Array]]:
    """The call. ``numpy()`` blocks until the output is on the host and copies it.

    Of the public ways in, ``tf.constant`` before a concrete function costs least (a small model: 145 us; arrays handed
    over as they are 155, through the ``tf.function`` itself 205).
    """
    names = tuple(tensor.name for tensor in settings.inputs)

    def call(feed: Feed) -> Sequence[Array]:
        return [tensor.numpy() for tensor in step(*[constant(feed[name]) for name in names])]

    return call


def _effective(tf: Any, chosen: dict[str, str], settings: SessionSettings) -> dict[str, str]:
    threading = tf.config.threading
    return {
        **chosen,
        "intra_op_threads": str(threading.get_intra_op_parallelism_threads()),
        "inter_op_threads": str(threading.get_inter_op_parallelism_threads()),
        "xla": "off",
        "gpu": "hidden",
        "fixed_shapes": ",".join(f"{tensor.name}={list(tensor.shape)}" for tensor in settings.inputs),
    }


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _closed(_: Feed) -> Sequence[Array]:
    raise RuntimeError("this session is closed")


def probe(name: str) -> Probe:
    """State of this runtime: usable where it imports."""
    try:
        import_runtime(name, {})
    except UnavailableError as error:
        return Probe(name=name, state="not installed", detail=str(error), install=RUNTIMES[name].install)
    version = str(sys.modules["tensorflow"].__version__)
    return Probe(name=name, state="usable", detail=f"tensorflow {version}, CPU", version=version)
