"""ONNX Runtime, every provider by name: runs in a worker or a probing child, never in the parent.

What was asked for is compared with what the session says (``onnxruntime_opening``), and with where the nodes went.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError, UnavailableError, first_line
from bench.records import Artifact, Probe, Profiled, ProviderPart, SessionInfo, SessionSettings
from bench.runtimes.contract import Array, Feed, HostSession, Session, closed
from bench.runtimes.device_binding import DeviceSession, place_of, plugin_device
from bench.runtimes.kernels import profiled_parts, reasons_in
from bench.runtimes.onnxruntime_opening import Opening, is_installed
from bench.runtimes.onnxruntime_operators import Events, device_of, profiled_operators
from bench.runtimes.onnxruntime_options import effective_options
from bench.runtimes.placement import placement
from bench.runtimes.table import RUNTIMES
from bench.runtimes.tiny import TINY_INPUT, TINY_RESULT, write_tiny_onnx
from bench.runtimes.wheels import overlapping_wheels


class OnnxRuntimeSession(HostSession):
    """An ``InferenceSession``; ``call`` is its public ``run`` with the output names bound (0.1 us)."""

    def __init__(self, session: Any, outputs: tuple[str, ...], info: SessionInfo) -> None:
        self.info = info
        self._session = session
        self.call: Callable[[Feed], Sequence[Array]] = functools.partial(session.run, list(outputs))

    def close(self) -> None:
        """Drop the session; twice is fine. A call after it raises RuntimeError."""
        self._session = None
        self.call = closed


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> Session:
    """A session on the provider of ``name`` alone, its free dimensions fixed to ``settings.inputs``."""
    opening = _opening(name, artifact, settings)
    on_device = settings.boundary == "device"
    place = place_of(opening.ort, opening.provider, opening.devices, opening.keys) if on_device else None
    session, cache = opening.create()
    profiled = None if settings.profiled_apart else functools.partial(_profile, opening, [_ones(settings)], 1)
    share, parts, cautions = placement(session, opening.provider, profiled)
    wheels = overlapping_wheels()
    info = SessionInfo(
        runtime_version=opening.ort.__version__,
        runtime_file=str(opening.ort.__file__),
        provider=opening.provider,
        call_path="InferenceSession.run",
        effective_options=effective_options(opening.options, opening.chosen, opening.fixed)
        | opening.keys
        | plugin_device(opening.devices),
        node_share=share,
        placement=parts,
        build_cache=cache,
        concurrent=True,
        cautions=(*cautions, *opening.unconfirmed(session), *([wheels] if wheels else [])),
    )
    if place is not None:
        return DeviceSession(opening.ort, session, place, settings.outputs, info)
    return OnnxRuntimeSession(session, settings.outputs, info)


def profile(
    name: str, artifact: Artifact, settings: SessionSettings, feeds: Sequence[Feed], calls: int
) -> tuple[ProviderPart, ...]:
    """Kernels and their time by provider over ``calls`` calls, after one to warm up; of a session that is not timed."""
    return _profile(_opening(name, artifact, settings), feeds, calls)


def operators(name: str, artifact: Artifact, settings: SessionSettings, feeds: Sequence[Feed], calls: int) -> Profiled:
    """The same, and every kernel with its time in each call."""
    opening = _opening(name, artifact, settings)
    return profiled_operators(opening, feeds, calls, functools.partial(_parts, opening, calls))


def import_runtime(name: str, options: Mapping[str, str]) -> None:  # noqa: ARG001 - the same form for every runtime
    """Import ONNX Runtime, its telemetry off unless someone has said otherwise."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        importlib.import_module("onnxruntime")
    except ImportError as error:
        raise UnavailableError(f"importing onnxruntime: {first_line(error)}; {RUNTIMES[name].install}") from error


def probe(name: str) -> Probe:
    """State of one runtime of the table, found by opening and running a tiny model on it as strictly as ever."""
    entry = RUNTIMES[name]
    try:
        import_runtime(name, {})
    except UnavailableError as error:
        return Probe(name=name, state="not installed", detail=str(error), install=entry.install)
    ort = importlib.import_module("onnxruntime")
    version = f"onnxruntime {ort.__version__}"
    if not is_installed(ort, entry):
        return Probe(
            name=name, state="not installed", detail=f"{version} has no {entry.provider}", install=entry.install
        )
    try:
        _run_tiny(name)
    except BenchError as error:
        return Probe(name=name, state="no device", detail=str(error), version=ort.__version__)
    return Probe(name=name, state="usable", detail=f"{version}, {entry.provider}", version=ort.__version__)


def _opening(name: str, artifact: Artifact, settings: SessionSettings) -> Opening:
    import_runtime(name, settings.options)
    return Opening(importlib.import_module("onnxruntime"), name, artifact, settings)


def _profile(opening: Opening, feeds: Sequence[Feed], calls: int) -> tuple[ProviderPart, ...]:
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
        session, log = opening.create_profiled(Path(folder))
        for i in range(1 + calls):
            session.run(list(opening.settings.outputs), feeds[i % len(feeds)])
        events = json.loads(Path(session.end_profiling()).read_bytes())
    return _parts(opening, calls, events, log)


def _parts(opening: Opening, calls: int, events: Events, log: str) -> tuple[ProviderPart, ...]:
    return profiled_parts(events, calls, device_of(opening), reasons_in(log))


def _ones(settings: SessionSettings) -> Feed:
    return {tensor.name: np.ones([size or 1 for size in tensor.shape], tensor.dtype) for tensor in settings.inputs}


def _run_tiny(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
        artifact = write_tiny_onnx(Path(folder))
        settings = SessionSettings(threads=1, batch_size=1, inputs=artifact.inputs, outputs=("y",))
        session = open_session(name, artifact, settings)
        try:
            result = session.call({"x": np.full(TINY_INPUT, 1, np.float32)})[0]
        except Exception as error:
            raise UnavailableError(f"running a tiny model: {first_line(error)}") from error
        finally:
            session.close()
    if not np.allclose(result, TINY_RESULT, rtol=1e-2):
        raise UnavailableError(f"a tiny model gave {result.flat[0]} in place of {TINY_RESULT}")
