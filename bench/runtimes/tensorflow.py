"""TensorFlow on a SavedModel or a Keras file: runs in a worker or a probing child, never in the parent.

``tensorflow_paths.py`` has the ways to call it. Threads belong to the process and are set before TensorFlow's first
operation; a GPU is hidden.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.errors import BenchError, UnavailableError, UnsupportedError, UsageError, first_line
from bench.records import Artifact, Probe, Profiled, SessionInfo, SessionSettings
from bench.runtimes import tensorflow_paths as paths
from bench.runtimes.contract import Array, Feed, HostSession, closed
from bench.runtimes.keras_file import import_keras
from bench.runtimes.options import with_defaults
from bench.runtimes.table import RUNTIMES, artifact_kind
from bench.runtimes.tensorflow_operators import profiled_operators

_INTER_OP_THREADS = 1
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
_XLA = "tensorflow-xla"
_OPENERS = {"saved_model": paths.open_signature, "eager": paths.open_eager, "predict": paths.open_predict}


class TensorFlowSession(HostSession):
    """One call path over a loaded model, which stays loaded as long as the session is open."""

    def __init__(self, path: paths.CallPath, info: SessionInfo) -> None:
        self.info = info
        self._path: paths.CallPath | None = path  # owns the variables
        self.call: Callable[[Feed], Sequence[Array]] = path.call

    @property
    def path(self) -> paths.CallPath:
        """The call path, while the session is open."""
        if self._path is None:
            raise RuntimeError("this session is closed")
        return self._path

    def traces(self) -> int:
        """How often a function was traced: by opening, or by the first call of ``predict``; never while timing."""
        return self._path.traces() if self._path else 0

    def close(self) -> None:
        """Drop model and function; twice is fine. A call after it raises RuntimeError."""
        self._path = None
        self.call = closed


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> TensorFlowSession:
    """The model behind the call path that the options ask for, with the names and shapes of ``settings``."""
    import_runtime(name, settings.options)
    chosen = with_defaults(RUNTIMES[name].options, settings.options)
    tf = importlib.import_module("tensorflow")
    _fix_process(tf, settings.threads)
    try:
        path = _open(tf, name, chosen.get("path", "function"), artifact, settings)
    except BenchError:
        raise
    except (tf.errors.OpError, ValueError, TypeError, OSError, AttributeError, NotImplementedError) as error:
        raise UnsupportedError(f"opening the model on {name}: {first_line(error)}") from error
    info = SessionInfo(
        runtime_version=tf.__version__,
        runtime_file=str(tf.__file__),
        provider="CPU",
        call_path=path.name,
        effective_options=_effective(tf, name, chosen, path),
        node_share=1.0,
        build_ns=path.build_ns,
        concurrent=path.concurrent,
    )
    return TensorFlowSession(path, info)


def operators(name: str, artifact: Artifact, settings: SessionSettings, feeds: Sequence[Feed], calls: int) -> Profiled:
    """Every operation with its time in each of ``calls`` calls, by TensorFlow's own profiler; of XLA every kernel."""
    session = open_session(name, artifact, settings)
    return profiled_operators(importlib.import_module("tensorflow"), session.path, feeds, calls)


def _open(tf: Any, name: str, path: str, artifact: Artifact, settings: SessionSettings) -> paths.CallPath:
    if path in _OPENERS:
        return _OPENERS[path](tf, artifact, settings)
    return paths.open_function(tf, artifact, settings, xla=name == _XLA)


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
        raise UnavailableError(f"importing tensorflow: {first_line(error)}; {entry.install}") from error
    if artifact_kind(name, options) == "keras":
        import_keras("tensorflow", entry.install)


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


def _effective(tf: Any, name: str, chosen: dict[str, str], path: paths.CallPath) -> dict[str, str]:
    threading = tf.config.threading
    return {
        **chosen,
        "intra_op_threads": str(threading.get_intra_op_parallelism_threads()),
        "inter_op_threads": str(threading.get_inter_op_parallelism_threads()),
        "xla": "on" if name == _XLA else "off",
        "gpu": "hidden",
        **path.settings,
    }


def probe(name: str) -> Probe:
    """State of this runtime: usable where it imports."""
    try:
        import_runtime(name, {})
    except UnavailableError as error:
        return Probe(name=name, state="not installed", detail=str(error), install=RUNTIMES[name].install)
    version = str(sys.modules["tensorflow"].__version__)
    return Probe(name=name, state="usable", detail=f"tensorflow {version}, CPU", version=version)
