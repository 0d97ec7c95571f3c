"""ONNX Runtime, every provider by name: runs in a worker or a probing child, never in the parent.

ONNX Runtime answers most mistakes with a working CPU session. So each thing that was asked for is compared with what
the session says, and with where the nodes really went; a difference is an error.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError, UnavailableError, UnsupportedError
from bench.records import Artifact, Probe, SessionInfo, SessionSettings
from bench.runtimes.contract import Array, Feed, HostSession
from bench.runtimes.dimensions import input_dimensions
from bench.runtimes.entry import RuntimeEntry
from bench.runtimes.onnxruntime_options import effective_options, fixed_dimensions, make_session_options
from bench.runtimes.options import with_defaults
from bench.runtimes.placement import Placed, placement, profiled_nodes
from bench.runtimes.table import RUNTIMES
from bench.runtimes.tiny import TINY_INPUT, TINY_RESULT, write_tiny_onnx
from bench.runtimes.wheels import overlapping_wheels

_UNSUPPORTED = {
    "NotImplemented",
    "InvalidGraph",
    "InvalidProtobuf",
    "InvalidArgument",
    "Fail",
    "ModelRequiresCompilation",
}
_registered: set[str] = set()  # plugin libraries of this process: a second registration is an error


class OnnxRuntimeSession(HostSession):
    """An ``InferenceSession``; ``call`` is its public ``run`` with the output names bound (0.1 us)."""

    def __init__(self, session: Any, outputs: tuple[str, ...], info: SessionInfo) -> None:
        self.info = info
        self._session = session
        self.call: Callable[[Feed], Sequence[Array]] = functools.partial(session.run, list(outputs))

    def close(self) -> None:
        """Drop the session; twice is fine. A call after it raises RuntimeError."""
        self._session = None
        self.call = _closed


class _Opening:
    """What one session is made from; kept together because a profile needs a second one of the same."""

    def __init__(self, name: str, artifact: Artifact, settings: SessionSettings) -> None:
        import_runtime(name, settings.options)
        self.ort = importlib.import_module("onnxruntime")
        self.name, self.path, self.settings = name, artifact.path, settings
        self.entry = RUNTIMES[name]
        self.provider = str(self.entry.provider)
        self.devices = _require_available(self.ort, name, self.entry)
        self.chosen = with_defaults(self.entry.options, settings.options)
        self.keys = _provider_keys(self.entry, settings)
        self.fixed = fixed_dimensions(input_dimensions(Path(artifact.path)), settings)
        self.options = self._make_options()

    def create(self) -> Any:
        """The session on the provider asked for, checked to be on it."""
        session = self._create(self.options)
        _require_provider(session, self.name, self.provider, self.keys)
        _require_names(session, Path(self.path).name, self.settings)
        return session

    def profile(self) -> Placed:
        """Placement by a profiled run of a second session, for versions that tell it in no other way."""
        options = self._make_options()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(tempfile.gettempdir()) / f"onnx-crossbench-{os.getpid()}")
        return profiled_nodes(self._create(options), self.settings)

    def _make_options(self) -> Any:
        return make_session_options(self.ort, self.chosen, self.settings.threads, self.fixed)

    def _create(self, options: Any) -> Any:
        place: dict[str, Any] = {"providers": [(self.provider, self.keys)]}
        if self.devices:  # a providers= argument beside them would drop the plugin silently
            options.add_provider_for_devices(self.devices[:1], self.keys)
            place = {}
        try:
            session = self.ort.InferenceSession(self.path, options, **place)
        except Exception as error:
            raise opening_error(self.name, error) from error
        session.disable_fallback()
        return session


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> OnnxRuntimeSession:
    """A session on the provider of ``name`` alone, its free dimensions fixed to ``settings.inputs``."""
    opening = _Opening(name, artifact, settings)
    session = opening.create()
    share, parts, cautions = placement(session, opening.provider, opening.profile)
    wheels = overlapping_wheels()
    info = SessionInfo(
        runtime_version=opening.ort.__version__,
        runtime_file=str(opening.ort.__file__),
        provider=opening.provider,
        call_path="InferenceSession.run",
        effective_options=effective_options(opening.options, opening.chosen, opening.fixed) | opening.keys,
        node_share=share,
        placement=parts,
        concurrent=True,
        cautions=(*cautions, *([wheels] if wheels else [])),
    )
    return OnnxRuntimeSession(session, settings.outputs, info)


def import_runtime(name: str, options: Mapping[str, str]) -> None:  # noqa: ARG001 - the same form for every runtime
    """Import ONNX Runtime, its telemetry off unless someone has said otherwise."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        importlib.import_module("onnxruntime")
    except ImportError as error:
        raise UnavailableError(f"importing onnxruntime: {_first_line(error)}; {RUNTIMES[name].install}") from error


def probe(name: str) -> Probe:
    """State of one runtime of the table, found by opening and running a tiny model on it as strictly as ever."""
    entry = RUNTIMES[name]
    try:
        import_runtime(name, {})
    except UnavailableError as error:
        return Probe(name=name, state="not installed", detail=str(error), install=entry.install)
    ort = importlib.import_module("onnxruntime")
    version = f"onnxruntime {ort.__version__}"
    if not _is_installed(ort, entry):
        return Probe(
            name=name, state="not installed", detail=f"{version} has no {entry.provider}", install=entry.install
        )
    try:
        _run_tiny(name)
    except BenchError as error:
        return Probe(name=name, state="no device", detail=str(error), version=ort.__version__)
    return Probe(name=name, state="usable", detail=f"{version}, {entry.provider}", version=ort.__version__)


def register_plugin(ort: Any, plugin: Any, provider: str) -> list[Any]:
    """Devices of a plugin provider once its library is registered; empty where it finds none on this machine."""
    if plugin.__name__ not in _registered:
        try:
            ort.register_execution_provider_library(plugin.__name__, plugin.get_library_path())
        except Exception as error:
            raise UnavailableError(f"registering {plugin.__name__}: {_first_line(error)}") from error
        _registered.add(plugin.__name__)
    return [device for device in ort.get_ep_devices() if device.ep_name == provider]


def opening_error(name: str, error: Exception) -> BenchError:
    """What ONNX Runtime's exception at opening means to a person, in one line; any other exception is raised again."""
    kind = type(error).__name__
    text = f"opening the model on {name}: {_first_line(error)}"
    if kind in _UNSUPPORTED:
        return UnsupportedError(text)
    if kind in {"EPFail", "EngineError"}:
        return UnavailableError(text)
    if kind in {"NoSuchFile", "NoModel", "NotFound"}:
        return BenchError(text)
    raise error


def _run_tiny(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
        artifact = write_tiny_onnx(Path(folder))
        settings = SessionSettings(threads=1, batch_size=1, inputs=artifact.inputs, outputs=("y",))
        session = open_session(name, artifact, settings)
        try:
            result = session.call({"x": np.full(TINY_INPUT, 1, np.float32)})[0]
        except Exception as error:
            raise UnavailableError(f"running a tiny model: {_first_line(error)}") from error
        finally:
            session.close()
    if not np.allclose(result, TINY_RESULT, rtol=1e-2):
        raise UnavailableError(f"a tiny model gave {result.flat[0]} in place of {TINY_RESULT}")


def _is_installed(ort: Any, entry: RuntimeEntry) -> bool:
    plugin = entry.plugin is not None and importlib.util.find_spec(entry.plugin) is not None
    return plugin or entry.provider in ort.get_available_providers()


def _require_available(ort: Any, name: str, entry: RuntimeEntry) -> list[Any]:
    """The plugin's devices where the provider comes as a plugin, else none; UnavailableError where it is not there."""
    if not _is_installed(ort, entry):
        here = ", ".join(ort.get_available_providers())
        raise UnavailableError(
            f"{name}: {entry.provider} is not in onnxruntime {ort.__version__} here (it has {here}); {entry.install}"
        )
    if entry.provider in ort.get_available_providers():
        return []
    devices = register_plugin(ort, importlib.import_module(str(entry.plugin)), str(entry.provider))
    if not devices:
        raise UnavailableError(f"{name}: {entry.plugin} is installed and finds no device on this machine")
    return devices


def _provider_keys(entry: RuntimeEntry, settings: SessionSettings) -> dict[str, str]:
    """Options for the provider itself, and the threads where it has a pool of its own."""
    given = {key: value for key, value in settings.options.items() if key in entry.provider_keys}
    return given | ({entry.threads_key: str(settings.threads)} if entry.threads_key else {})


def _require_provider(session: Any, name: str, provider: str, keys: dict[str, str]) -> None:
    got = session.get_providers()
    if not got or got[0] != provider:
        raise UnavailableError(f"{name}: asked for {provider}, the session has {', '.join(got) or 'none'}")
    used = session.get_provider_options().get(provider, {})
    for key, value in keys.items():
        if key in used and str(used[key]).lower() != value.lower():
            raise UnavailableError(f"{name}: asked for {key}={value}, the session uses {used[key]}")


def _require_names(session: Any, model: str, settings: SessionSettings) -> None:
    outputs, inputs = session.get_outputs(), session.get_inputs()
    _require("output", model, settings.outputs, [tensor.name for tensor in outputs])
    _require("input", model, [tensor.name for tensor in settings.inputs], [tensor.name for tensor in inputs])


def _require(what: str, model: str, names: Sequence[str], present: Sequence[str]) -> None:
    if missing := [name for name in names if name not in present]:
        raise UnsupportedError(f"{model} has no {what} {', '.join(missing)}; it has {', '.join(sorted(present))}")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _closed(_: Feed) -> Sequence[Array]:
    raise RuntimeError("this session is closed")
