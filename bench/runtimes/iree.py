"""IREE on an ONNX file: runs in a worker or a probing child of its own environment, never in the parent.

The file is compiled for this machine's processor by ``iree_build``, in a process of its own; the session here only runs
the compiled module. Worker threads belong to the process: its first session settles how many.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError, UnavailableError, UnsupportedError, UsageError
from bench.records import Artifact, Probe, SessionInfo, SessionSettings
from bench.runtimes.contract import Array, Feed, HostSession, closed
from bench.runtimes.dimensions import input_dimensions
from bench.runtimes.iree_module import Built, build, flags
from bench.runtimes.onnxruntime_options import fixed_dimensions
from bench.runtimes.options import with_defaults
from bench.runtimes.table import RUNTIMES
from bench.runtimes.tiny import run_tiny_onnx

_WORKER = "iree-worker"  # how its worker threads are called
_NAMING_S = 2.0  # they give themselves the name once they run
_settled: dict[str, int] = {}  # threads of a driver: one of it a process, made with the first session


class IreeSession(HostSession):
    """A compiled module; every caller has a context of its own, because one context takes one caller."""

    def __init__(self, new_call: Callable[[], Callable[[Feed], Sequence[Array]]], info: SessionInfo) -> None:
        self.info = info
        self._new_call = new_call
        self.call = new_call()

    def another(self) -> Callable[[Feed], Sequence[Array]]:
        """A call in a further context on the same device."""
        return self._new_call()

    def close(self) -> None:
        """Drop the module; twice is fine. A call after it raises RuntimeError."""
        self._new_call = _no_call
        self.call = closed


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> IreeSession:
    """The file compiled for the shapes of ``settings.inputs`` and this processor, on a device of as many threads."""
    import_runtime(name, settings.options)
    rt = importlib.import_module("iree.runtime")
    path = Path(artifact.path)
    fixed_dimensions(input_dimensions(path), settings)
    chosen = with_defaults(RUNTIMES[name].options, settings.options)
    config, threads = _open_device(rt, name, chosen["device"], settings.threads)
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
        built = build(path, artifact.digest, settings, chosen, Path(settings.cache or folder))
        _require_fit(built, path, settings)
        module = rt.VmModule.mmap(config.vm_instance, str(built.file))  # stays mapped when the folder is gone
    info = SessionInfo(
        runtime_version=importlib.metadata.version("iree-base-runtime"),
        runtime_file=str(rt.__file__),
        provider=chosen["device"],
        call_path="FunctionInvoker",
        effective_options=chosen
        | {"intra_op_threads": str(threads), "compiler": " ".join(flags(chosen)), "fixed_shapes": _shapes(settings)},
        node_share=1.0,  # the compiler has one target: what it cannot compile for it, it refuses
        build_ns=built.build_ns,
        build_cache=built.cache,
        concurrent=True,
    )
    return IreeSession(functools.partial(_new_call, rt, config, module, built, settings), info)


def import_runtime(name: str, options: Mapping[str, str]) -> None:  # noqa: ARG001 - the same form for every runtime
    """Import IREE's runtime, and see that its compiler is there without importing it."""
    try:
        importlib.import_module("iree.runtime")
        importlib.metadata.version("iree-base-compiler")
    except ImportError as error:
        raise UnavailableError(f"importing iree: {error}; {RUNTIMES[name].install}") from error


def probe(name: str) -> Probe:
    """State of this runtime: its version and drivers, and that a tiny model compiles and runs."""
    try:
        import_runtime(name, {})
    except UnavailableError as error:
        return Probe(name=name, state="not installed", detail=str(error), install=RUNTIMES[name].install)
    version = importlib.metadata.version("iree-base-runtime")
    drivers = ", ".join(importlib.import_module("iree.runtime").query_available_drivers())
    try:
        run_tiny_onnx(name, open_session)
    except BenchError as error:
        return Probe(name=name, state="broken", detail=f"iree {version}: {error}", version=version)
    return Probe(name=name, state="usable", detail=f"iree {version}, drivers {drivers}", version=version)


def _open_device(rt: Any, name: str, device: str, threads: int) -> tuple[Any, int]:
    """The device's configuration and how many threads compute on it; UnavailableError where that is another number."""
    if device == "local-sync":
        if threads != 1:
            raise UnavailableError(f"{name}: asked for {threads} threads, device=local-sync has the caller's; use -x 1")
        return rt.Config(device), 1
    if _settled.setdefault(device, threads) != threads:
        raise UsageError(
            f"setting {threads} threads: this process has {_settled[device]}, by its first session; "
            "open it in a fresh process"
        )
    rt.flags.parse_flags(f"--task_topology_group_count={threads}")  # unpinned: the run's affinity holds
    config = rt.Config(device)
    deadline = time.monotonic() + _NAMING_S
    while (found := _worker_threads()) not in {threads, None} and time.monotonic() < deadline:
        time.sleep(0.01)
    if found not in {threads, None}:
        raise UnavailableError(f"{name}: asked for {threads} threads, {found} workers were started")
    return config, threads


def _worker_threads() -> int | None:
    """Its workers alive in this process, by the kernel's account; None where there is none."""
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        return None
    return sum((task / "comm").read_text().startswith(_WORKER) for task in tasks.iterdir())


def _require_fit(built: Built, path: Path, settings: SessionSettings) -> None:
    """UnsupportedError where names or types of the module are not those asked for."""
    for tensor in settings.inputs:
        if tensor.name not in built.inputs:
            raise UnsupportedError(f"{path.name} has no input {tensor.name}; it has {', '.join(sorted(built.inputs))}")
        if built.inputs[tensor.name] != tensor.dtype:
            raise UnsupportedError(
                f"input {tensor.name!r} is {built.inputs[tensor.name]} in the model, not {tensor.dtype}"
            )
    if missing := [name for name in settings.outputs if name not in built.outputs]:
        raise UnsupportedError(
            f"{path.name} has no output {', '.join(missing)}; it has {', '.join(sorted(built.outputs))}"
        )


def _new_call(
    rt: Any, config: Any, module: Any, built: Built, settings: SessionSettings
) -> Callable[[Feed], Sequence[Array]]:
    """A context and its call: inputs are copied to the device, outputs lie in buffers that nobody writes again."""
    context = rt.SystemContext(vm_modules=(*config.default_vm_modules, module), config=config)
    run = context.modules[module.name][built.function]
    names, given = list(built.inputs), list(built.outputs)
    order = [given.index(name) for name in settings.outputs]
    types = [np.dtype(built.outputs[name]) for name in settings.outputs]

    def call(feed: Feed) -> Sequence[Array]:
        results = run(*[feed[name] for name in names])
        arrays = results if isinstance(results, (tuple, list)) else (results,)
        return [arrays[i].to_host().astype(kind, copy=False) for i, kind in zip(order, types, strict=True)]

    return call


def _shapes(settings: SessionSettings) -> str:
    return ",".join(f"{tensor.name}={list(tensor.shape)}" for tensor in settings.inputs)


def _no_call() -> Callable[[Feed], Sequence[Array]]:
    raise RuntimeError("this session is closed")
