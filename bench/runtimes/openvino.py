"""OpenVINO itself on an ONNX file: runs in a worker or a probing child of its own environment, never in the parent.

Left to itself OpenVINO computes in bfloat16 where the processor can, takes all cores, and answers float16 on a CPU with
bfloat16. So every property that changes a number is set, read back from the compiled model and compared.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UnavailableError, UnsupportedError
from bench.records import Artifact, BuildCache, Caution, Probe, Profiled, ProviderPart, SessionInfo, SessionSettings
from bench.runtimes.contract import Array, Feed, HostSession, closed
from bench.runtimes.dimensions import input_dimensions
from bench.runtimes.onnx_graph import read_graph
from bench.runtimes.onnxruntime_options import fixed_dimensions
from bench.runtimes.openvino_operators import profiled_operators
from bench.runtimes.openvino_properties import chosen_device, properties, read_back, told_in_one_line
from bench.runtimes.options import with_defaults
from bench.runtimes.table import RUNTIMES
from bench.runtimes.tiny import run_tiny_onnx

_TYPES = {  # numpy's name -> OpenVINO's; its arrays of bfloat16 would claim to be float16
    "bool": "boolean", "float16": "f16", "float32": "f32", "float64": "f64", "int8": "i8", "int16": "i16",
    "int32": "i32", "int64": "i64", "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
}  # fmt: skip
_NO_WORK = {"Parameter", "Result", "Constant"}  # nodes of a graph that compute nothing
_NO_INT8 = Caution(
    code="no int8 kernels",
    text="the file is int8 and none of the kernels that OpenVINO chose computes in it: the time is that of float32",
)


class OpenVinoSession(HostSession):
    """A compiled model; every caller has an infer request of its own, whose outputs are copies."""

    def __init__(self, compiled: Any, settings: SessionSettings, info: SessionInfo) -> None:
        self.info = info
        self._compiled = compiled
        self._order = _order(compiled, settings)
        self.call: Callable[[Feed], Sequence[Array]] = _bind(compiled.create_infer_request(), self._order)

    def another(self) -> Callable[[Feed], Sequence[Array]]:
        """One more infer request: one that is running refuses a second caller."""
        return _bind(self._compiled.create_infer_request(), self._order)

    def close(self) -> None:
        """Drop the compiled model; twice is fine. A call after it raises RuntimeError."""
        self._compiled = None
        self.call = closed


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> OpenVinoSession:
    """The model on the device and in the precision asked for, its shapes fixed to those of ``settings.inputs``."""
    chosen = with_defaults(RUNTIMES[name].options, settings.options)
    ov, core, device, model = _opening(name, artifact, settings)
    wanted = properties(device, chosen, settings)
    start = time.perf_counter_ns()
    compiled = _made(f"compiling the model for {device}", lambda: core.compile_model(model, device, wanted))
    build_ns = time.perf_counter_ns() - start
    effective = read_back(name, compiled, device, wanted, settings)
    kernels = _kernel_types(compiled)
    info = SessionInfo(
        runtime_version=importlib.metadata.version("openvino"),
        runtime_file=str(ov.__file__),
        provider=device,
        call_path="InferRequest.infer",
        effective_options=chosen | effective | {"kernel_types": _listed(kernels)},
        node_share=1.0,  # one device, as read_back has checked: what it cannot run does not compile
        placement=(_placement(model, device),),
        build_ns=build_ns,
        build_cache=_cache_use(compiled, settings),
        concurrent=True,
        cautions=(_NO_INT8,) if settings.precision == "int8" and not kernels.keys() & {"i8", "u8"} else (),
    )
    return OpenVinoSession(compiled, settings, info)


def operators(name: str, artifact: Artifact, settings: SessionSettings, feeds: Sequence[Feed], calls: int) -> Profiled:
    """Every kernel with its time, by OpenVINO's performance counters; see ``openvino_operators`` for what a call is."""
    chosen = with_defaults(RUNTIMES[name].options, settings.options)
    _, core, device, model = _opening(name, artifact, settings)
    wanted = properties(device, chosen, settings) | {"PERF_COUNT": "YES"}

    def compile_model() -> Any:
        compiled = _made(f"compiling the model for {device}", lambda: core.compile_model(model, device, wanted))
        read_back(name, compiled, device, wanted, settings)
        return compiled

    def bind(request: Any) -> Callable[[Feed], Sequence[Array]]:
        return _bind(request, _order(request.get_compiled_model(), settings))

    return profiled_operators(compile_model, bind, device, read_graph(Path(artifact.path)), feeds, calls)


def import_runtime(name: str, options: Mapping[str, str]) -> None:  # noqa: ARG001 - the same form for every runtime
    """Import OpenVINO without its telemetry, which would report the import."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as if not installed: a stub is used
    try:
        importlib.import_module("openvino")
    except ImportError as error:
        raise UnavailableError(f"importing openvino: {told_in_one_line(error)}; {RUNTIMES[name].install}") from error


def probe(name: str) -> Probe:
    """State of this runtime: its version and devices, and that a tiny model runs on the CPU as strictly as ever."""
    try:
        import_runtime(name, {})
    except UnavailableError as error:
        return Probe(name=name, state="not installed", detail=str(error), install=RUNTIMES[name].install)
    version = importlib.metadata.version("openvino")
    devices = ", ".join(importlib.import_module("openvino").Core().available_devices) or "no device"
    try:
        run_tiny_onnx(name, open_session)
    except BenchError as error:
        return Probe(name=name, state="broken", detail=f"openvino {version}, {devices}: {error}", version=version)
    return Probe(name=name, state="usable", detail=f"openvino {version}, {devices}", version=version)


def _opening(name: str, artifact: Artifact, settings: SessionSettings) -> tuple[Any, Any, str, Any]:
    """OpenVINO, its core, the device asked for and the model as read."""
    import_runtime(name, settings.options)
    ov = importlib.import_module("openvino")
    core = ov.Core()
    device = chosen_device(name, settings.options, core.available_devices)
    return ov, core, device, _read(ov, core, Path(artifact.path), settings)


def _read(ov: Any, core: Any, path: Path, settings: SessionSettings) -> Any:
    """The model with every dimension fixed; UnsupportedError where its names, types or sizes are not those asked."""
    fixed_dimensions(input_dimensions(path), settings)
    model = _made(f"reading {path.name}", lambda: core.read_model(path))
    ports = {name: port for port in model.inputs for name in port.get_names()}
    _require("input", path, [tensor.name for tensor in settings.inputs], ports)
    _require("output", path, settings.outputs, {name for port in model.outputs for name in port.get_names()})
    for tensor in settings.inputs:  # a call would cast in silence
        has = str(ports[tensor.name].get_element_type().get_type_name())
        if has != _TYPES.get(tensor.dtype):
            raise UnsupportedError(f"input {tensor.name!r} is {has} in the model: {tensor.dtype} cannot be given to it")
    shapes = {tensor.name: ov.PartialShape(list(tensor.shape)) for tensor in settings.inputs}
    _made(f"fixing the shapes of {path.name}", lambda: model.reshape(shapes))
    return model


def _order(compiled: Any, settings: SessionSettings) -> list[int]:
    """Places of the outputs asked for among those of the model."""
    ports = [port.get_names() for port in compiled.outputs]
    return [next(i for i, names in enumerate(ports) if name in names) for name in settings.outputs]


def _bind(request: Any, order: list[int]) -> Callable[[Feed], Sequence[Array]]:
    """The call. Blocks; inputs are read where they lie, outputs are copied out before the next call."""
    infer = request.infer
    if order == list(range(len(request.model_outputs))):
        return lambda feed: infer(feed, share_inputs=True).to_tuple()

    def call(feed: Feed) -> Sequence[Array]:
        outputs = infer(feed, share_inputs=True).to_tuple()
        return [outputs[i] for i in order]

    return call


def _made(doing: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except RuntimeError as error:  # all that OpenVINO raises
        raise UnsupportedError(f"{doing}: {told_in_one_line(error)}") from error


def _require(what: str, path: Path, names: Sequence[str], present: Any) -> None:
    if missing := [name for name in names if name not in present]:
        raise UnsupportedError(f"{path.name} has no {what} {', '.join(missing)}; it has {', '.join(sorted(present))}")


def _kernel_types(compiled: Any) -> Counter[str]:
    """How many kernels compute in which type, by the compiled model's own account."""
    infos = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
    working = [info for info in infos if _text(info, "layerType") not in {"Input", "Output", "Const"}]
    return Counter(_text(info, "runtimePrecision") or "unknown" for info in working)


def _listed(kernels: Mapping[str, int]) -> str:
    return ",".join(f"{kind}={n}" for kind, n in sorted(kernels.items()))


def _text(info: Any, key: str) -> str:
    return str(info[key].astype(str)) if key in info else ""


def _placement(model: Any, device: str) -> ProviderPart:
    types = [node.get_type_name() for node in model.get_ops()]
    operators = Counter(kind for kind in types if kind not in _NO_WORK)
    return ProviderPart(provider=device, nodes=operators.total(), operators=dict(sorted(operators.items())))


def _cache_use(compiled: Any, settings: SessionSettings) -> BuildCache | None:
    if settings.cache is None:
        return None
    return "hit" if compiled.get_property("LOADED_FROM_CACHE") else "miss"
