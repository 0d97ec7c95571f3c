"""ONNX Runtime, every provider by name: runs in a worker or a probing child, never in the parent.

ONNX Runtime answers most mistakes with a working CPU session. So each thing that was asked for is compared with what
the session says, and with where the nodes really went; a difference is an error.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UnavailableError, UnsupportedError
from bench.records import Artifact, Caution, Probe, SessionInfo, SessionSettings, Status
from bench.runtimes.dimensions import Dimension, input_dimensions
from bench.runtimes.options import with_defaults
from bench.runtimes.table import RUNTIMES, RuntimeEntry
from bench.runtimes.wheels import overlapping_wheels

CPU = "CPUExecutionProvider"
_LEVELS = {
    "off": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "layout": "ORT_ENABLE_LAYOUT",
    "all": "ORT_ENABLE_ALL",
}
_UNSUPPORTED = {
    "NotImplemented",
    "InvalidGraph",
    "InvalidProtobuf",
    "InvalidArgument",
    "Fail",
    "ModelRequiresCompilation",
}
_ERROR = 3  # log severity: warnings about fallbacks are read from the session itself


class OnnxRuntimeSession:
    """An ``InferenceSession``; ``call`` is its public ``run`` with the output names bound."""

    def __init__(self, session: Any, outputs: tuple[str, ...], info: SessionInfo) -> None:
        self.info = info
        self._session = session
        self.call = functools.partial(session.run, list(outputs))

    def close(self) -> None:
        """Drop the session; twice is fine. A call after it raises RuntimeError."""
        self._session = None
        self.call = functools.partial(_closed)


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> OnnxRuntimeSession:
    """A session on the provider of ``name`` alone, its free dimensions fixed to ``settings.inputs``."""
    entry = RUNTIMES[name]
    import_runtime(name, settings.options)
    ort = importlib.import_module("onnxruntime")
    devices = _provider_devices(ort, name, entry)
    chosen = with_defaults(entry.options, settings.options)
    fixed = _fixed_dimensions(input_dimensions(Path(artifact.path)), settings)
    session_options = _session_options(ort, chosen, settings.threads, fixed)
    keys = {key: value for key, value in settings.options.items() if key in entry.provider_keys}
    session = _create(ort, name, entry, artifact, session_options, keys, devices)
    _require_provider(session, name, entry, keys)
    _require_names(session, artifact, settings)
    info = _describe(ort, session, name, entry, effective_options(session_options, chosen, fixed) | keys)
    return OnnxRuntimeSession(session, settings.outputs, info)


def effective_options(session_options: Any, chosen: dict[str, str], fixed: dict[str, int]) -> dict[str, str]:
    """Everything that was set, as read back where ONNX Runtime can be asked."""
    return {
        **chosen,
        "arena": _on(session_options.enable_cpu_mem_arena),
        "memory_pattern": _on(session_options.enable_mem_pattern),
        "intra_op_threads": str(session_options.intra_op_num_threads),
        "inter_op_threads": str(session_options.inter_op_num_threads),
        "execution": session_options.execution_mode.name.removeprefix("ORT_").lower(),
        "fallback": "off",
        "fixed_dimensions": ",".join(f"{name}={size}" for name, size in sorted(fixed.items())),
    }


def import_runtime(name: str, options: Mapping[str, str]) -> None:  # noqa: ARG001 - the same form for every runtime
    """Import ONNX Runtime, its telemetry off unless someone has said otherwise."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        importlib.import_module("onnxruntime")
    except ImportError as error:
        raise UnavailableError(f"importing onnxruntime: {_first_line(error)}; {RUNTIMES[name].install}") from error


def _provider_devices(ort: Any, name: str, entry: RuntimeEntry) -> list[Any]:
    """The plugin's devices where the provider comes as a plugin, else none; UnavailableError where it is not there."""
    if entry.provider in ort.get_available_providers():
        return []
    if entry.plugin is None or importlib.util.find_spec(entry.plugin) is None:
        here = ", ".join(ort.get_available_providers())
        raise UnavailableError(
            f"{name}: {entry.provider} is not in onnxruntime {ort.__version__} here (it has {here}); {entry.install}"
        )
    devices = register_plugin(ort, entry)
    if not devices:
        raise UnavailableError(f"{name}: {entry.plugin} is installed and finds no device here")
    return devices


def register_plugin(ort: Any, entry: RuntimeEntry) -> list[Any]:
    """Devices of a plugin provider after its library was registered; empty where it finds none."""
    plugin = importlib.import_module(str(entry.plugin))
    known = [device for device in ort.get_ep_devices() if device.ep_name == entry.provider]
    if known:
        return known
    try:
        ort.register_execution_provider_library(str(entry.plugin), plugin.get_library_path())
    except Exception as error:
        raise UnavailableError(f"registering {entry.plugin}: {_first_line(error)}") from error
    return [device for device in ort.get_ep_devices() if device.ep_name == entry.provider]


def _session_options(ort: Any, chosen: dict[str, str], threads: int, fixed: dict[str, int]) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = _level(ort, chosen["optimization"])
    options.enable_cpu_mem_arena = chosen["arena"] == "on"
    options.enable_mem_pattern = chosen["memory_pattern"] == "on"
    options.log_severity_level = _ERROR
    spinning, denormal = chosen["spinning"] == "on", chosen["denormal"] == "zero"
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    options.add_session_config_entry("session.inter_op.allow_spinning", str(int(spinning)))
    options.add_session_config_entry("session.set_denormal_as_zero", str(int(denormal)))
    options.add_session_config_entry("session.x64quantprecision", str(int(chosen["quantprecision"] == "exact")))
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    for dimension, size in fixed.items():
        options.add_free_dimension_override_by_name(dimension, size)
    return options


def _level(ort: Any, name: str) -> Any:
    try:
        return getattr(ort.GraphOptimizationLevel, _LEVELS[name])
    except AttributeError as error:
        raise UnavailableError(f"onnxruntime {ort.__version__} has no optimization={name}") from error


def _fixed_dimensions(found: dict[str, tuple[Dimension, ...]], settings: SessionSettings) -> dict[str, int]:
    """Size of every named dimension of the file by the shapes of ``settings.inputs``; they must not contradict."""
    fixed: dict[str, int] = {}
    for tensor in settings.inputs:
        for dimension, size in zip(found.get(tensor.name, ()), tensor.shape, strict=False):
            if not isinstance(dimension, str) or size is None:
                continue
            if fixed.setdefault(dimension, size) != size:
                raise UnsupportedError(
                    f"dimension {dimension!r} would be {fixed[dimension]} and, by input {tensor.name!r}, {size}: "
                    "the file says that they are equal"
                )
    return fixed


def _create(
    ort: Any, name: str, entry: RuntimeEntry, artifact: Artifact, options: Any, keys: dict[str, str], devices: list[Any]
) -> Any:
    place: dict[str, Any] = {"providers": [(entry.provider, keys)]}
    if devices:  # a providers= argument beside them would drop the plugin silently
        options.add_provider_for_devices(devices[:1], keys)
        place = {}
    try:
        session = ort.InferenceSession(artifact.path, options, **place)
    except Exception as error:
        raise opening_error(name, error) from error
    session.disable_fallback()
    return session


def opening_error(name: str, error: Exception) -> BenchError:
    """What ONNX Runtime's exception at opening means to a person, in one line."""
    kind = type(error).__name__
    text = f"opening the model on {name}: {_first_line(error)}"
    if kind in {
        "NotImplemented",
        "InvalidGraph",
        "InvalidProtobuf",
        "Fail",
        "InvalidArgument",
        "ModelRequiresCompilation",
    }:
        return UnsupportedError(text)
    if kind in {"EPFail", "EngineError"}:
        return UnavailableError(text)
    if kind in {"NoSuchFile", "NoModel", "NotFound"}:
        return BenchError(text)
    raise error


def _require_provider(session: Any, name: str, entry: RuntimeEntry, keys: dict[str, str]) -> None:
    got = session.get_providers()
    if not got or got[0] != entry.provider:
        raise UnavailableError(f"{name}: asked for {entry.provider}, the session has {', '.join(got) or 'none'}")
    used = session.get_provider_options().get(entry.provider, {})
    for key, value in keys.items():
        if key in used and str(used[key]).lower() != value.lower():
            raise UnavailableError(f"{name}: asked for {key}={value}, the session uses {used[key]}")


def _require_names(session: Any, artifact: Artifact, settings: SessionSettings) -> None:
    has = {tensor.name for tensor in session.get_outputs()}, {tensor.name for tensor in session.get_inputs()}
    for what, names, present in (
        ("output", settings.outputs, has[0]),
        ("input", [tensor.name for tensor in settings.inputs], has[1]),
    ):
        if missing := [name for name in names if name not in present]:
            model = Path(artifact.path).name
            raise UnsupportedError(f"{model} has no {what} {', '.join(missing)}; it has {', '.join(sorted(present))}")


def _describe(ort: Any, session: Any, name: str, entry: RuntimeEntry, effective: dict[str, str]) -> SessionInfo:
    share, elsewhere = node_share(session, str(entry.provider))
    if share == 0:
        raise UnavailableError(f"{name}: the session accepts {entry.provider} and runs no node of this graph on it")
    status, cautions = _placement(str(entry.provider), share, elsewhere)
    wheels = overlapping_wheels()
    return SessionInfo(
        runtime_version=ort.__version__,
        runtime_file=str(ort.__file__),
        provider=str(entry.provider),
        call_path="InferenceSession.run",
        effective_options=effective,
        node_share=share,
        status=status,
        cautions=(*cautions, *([wheels] if wheels else [])),
    )


def node_share(session: Any, provider: str) -> tuple[float | None, Counter[str]]:
    """Share of nodes, as partitioned, on ``provider``, and a count of the operators elsewhere; None where unknown.

    A graph without nodes, all of it folded or passed through, has nothing to run elsewhere: 1.
    """
    ask = getattr(session, "get_provider_graph_assignment_info", None)
    if ask is None:
        return (1.0 if session.get_providers() == [provider] else None), Counter()
    placed = [(part.ep_name, node.op_type) for part in ask() for node in part.get_nodes()]
    elsewhere = Counter(operator for where, operator in placed if where != provider)
    return (1 - elsewhere.total() / len(placed) if placed else 1.0), elsewhere


def _placement(provider: str, share: float | None, elsewhere: Counter[str]) -> tuple[Status, list[Caution]]:
    if share is None:
        return "ok", [Caution(code="placement unknown", text="this version does not tell where nodes went")]
    if share == 1:
        return "ok", []
    names = ", ".join(f"{operator} x{n}" if n > 1 else operator for operator, n in elsewhere.most_common(8))
    return "partial", [Caution(code="partial", text=f"{share:.0%} of nodes on {provider}; elsewhere: {names}")]


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _on(flag: bool) -> str:
    return "on" if flag else "off"


def _closed(*_: Any) -> Any:
    raise RuntimeError("this session is closed")


def probe(names: Sequence[str]) -> list[Probe]:
    """State of each of these runtimes of the table, from inside a child process."""
    raise NotImplementedError
