"""Keras on JAX and on PyTorch, from the same ``.keras`` file: runs in a worker of an environment without TensorFlow.

JAX is called as one compiled function of fixed shapes. PyTorch runs Keras's layers one after the other, as Keras does
there by itself, so its calls carry Keras's overhead and the row says so. On the CPU alone.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError, UnavailableError, UnsupportedError, UsageError, first_line
from bench.records import Artifact, Caution, Probe, SessionInfo, SessionSettings
from bench.runtimes.call_paths import COMPILED, EAGER
from bench.runtimes.contract import Array, Feed, HostSession, closed
from bench.runtimes.keras_file import KerasFile, import_keras, load_keras_file
from bench.runtimes.table import RUNTIMES

Call = Callable[[Feed], Sequence[Array]]

_BACKENDS = {"keras-jax": "jax", "keras-torch": "torch"}
_JAX_POOL = "tf_XLAEigen"  # name of the threads that compute
_JAX_WIDE = ("int64", "uint64", "float64", "complex128")  # it narrows them in silence
_TASKS = Path("/proc/self/task")


@dataclass(frozen=True)
class Opened:
    """The call and what is told of it."""

    call_path: str
    call: Call
    threads: str
    settings: dict[str, str]
    build_ns: int | None = None


class KerasSession(HostSession):
    """A model of Keras on one backend."""

    def __init__(self, opened: Opened, file: KerasFile, info: SessionInfo) -> None:
        self.info = info
        self._file: KerasFile | None = file  # owns the weights
        self.call: Call = opened.call

    def close(self) -> None:
        """Drop model and function; twice is fine. A call after it raises RuntimeError."""
        self._file = None
        self.call = closed


def import_runtime(name: str, options: Mapping[str, str]) -> None:
    """Import the backend, then Keras on it."""
    del options
    backend, install = _BACKENDS[name], RUNTIMES[name].install
    os.environ.update(JAX_PLATFORMS="cpu", KERAS_TORCH_DEVICE="cpu")  # each takes a GPU by itself
    try:
        importlib.import_module(backend)
    except ImportError as error:
        raise UnavailableError(f"importing {backend}: {first_line(error)}; {install}") from error
    import_keras(backend, install)


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> KerasSession:
    """The file's model on the runtime's backend, with so many threads."""
    import_runtime(name, settings.options)
    backend = _BACKENDS[name]
    library = sys.modules[backend]
    try:
        _set_threads(backend, library, settings.threads)
        file = load_keras_file(artifact, settings)
        opened = _open_jax(library, file, settings) if backend == "jax" else _open_torch(library, file)
    except BenchError:
        raise
    except Exception as error:  # each backend raises its own kinds for a layer that it lacks
        raise UnsupportedError(f"opening the Keras file on {backend}: {first_line(error)}") from error
    info = SessionInfo(
        runtime_version=metadata.version(backend),  # torch.__version__ has the build in it
        runtime_file=str(library.__file__),
        provider="CPU",
        call_path=opened.call_path,
        effective_options={
            "intra_op_threads": opened.threads,
            "keras": metadata.version("keras"),
            **opened.settings,
        },
        node_share=1.0,
        build_ns=opened.build_ns,
        concurrent=backend == "jax",  # with PyTorch each caller would have threads of its own (OpenMP)
        cautions=_cautions(),
    )
    return KerasSession(opened, file, info)


def _open_jax(jax: Any, file: KerasFile, settings: SessionSettings) -> Opened:
    """One function, compiled here for the case's shapes; weights are arguments, so none is folded into it."""
    wide = [tensor.name for tensor in settings.inputs if tensor.dtype in _JAX_WIDE]
    if wide:
        raise UnsupportedError(f"input {', '.join(wide)} has 64 bits, which JAX narrows to 32 unless it is told to not")
    model, pick, argument = file.model, file.pick, file.argument
    trainable = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]

    def infer(trainable: Any, others: Any, inputs: Any) -> list[Any]:
        outputs, _ = model.stateless_call(trainable, others, inputs, training=False)
        return pick(outputs)

    example = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), file.example)
    start = time.perf_counter_ns()
    compiled = jax.jit(infer).lower(trainable, others, example).compile()
    build_ns = time.perf_counter_ns() - start

    def call(feed: Feed) -> Sequence[Array]:
        return [np.asarray(output) for output in compiled(trainable, others, argument(feed))]

    shapes = ",".join(f"{tensor.name}={list(tensor.shape)}" for tensor in settings.inputs)
    return Opened(COMPILED, call, str(_count_pool()), {"fixed_shapes": shapes}, build_ns)


def _open_torch(torch: Any, file: KerasFile) -> Opened:
    model, pick, argument = file.model, file.pick, file.argument

    def call(feed: Feed) -> Sequence[Array]:
        with torch.inference_mode():
            return [leaf.numpy() for leaf in pick(model(argument(feed), training=False))]

    return Opened(EAGER, call, str(torch.get_num_threads()), {"inter_op_threads": "1", "shapes": "of each call"})


def _set_threads(backend: str, library: Any, threads: int) -> None:
    """So many threads in the whole process; UsageError where it has already run with another number."""
    if backend == "torch":
        library.set_num_threads(threads)
        if library.get_num_interop_threads() != 1:  # may be set once in a process
            library.set_num_interop_threads(1)
        return
    os.environ["PJRT_NPROC"] = str(threads)  # read once, when the CPU client is made; no option has the same effect
    library.devices("cpu")
    if _TASKS.exists() and _count_pool() != threads:
        raise UsageError(
            f"setting {threads} threads: JAX already runs in this process with {_count_pool()}; open it in a fresh one"
        )


def _count_pool() -> int:
    """Threads of JAX's pool by the kernel's account: JAX itself does not tell."""
    names = [(task / "comm").read_text().strip() for task in _TASKS.iterdir()] if _TASKS.exists() else []
    return names.count(_JAX_POOL)


def _cautions() -> tuple[Caution, ...]:
    if "tensorflow" not in sys.modules:
        return ()
    return (Caution(code="two runtimes", text="TensorFlow was imported in this process too, with its own threads"),)


def probe(name: str) -> Probe:
    """State of this runtime: usable where Keras imports on its backend."""
    try:
        import_runtime(name, {})
    except UnavailableError as error:
        return Probe(name=name, state="not installed", detail=str(error), install=RUNTIMES[name].install)
    version = metadata.version(_BACKENDS[name])
    return Probe(name=name, state="usable", detail=f"{_BACKENDS[name]} {version}, CPU", version=version)
