"""The literal table of runtimes: what a name means, where it exists, what it loads, which line installs it.

Imported by parent and worker; imports no runtime and no numpy. A runtime's module is imported by ``open_session`` and
by the probing child, on first use. ``AzureExecutionProvider`` is in every CPU wheel and never appears here.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from bench.errors import UsageError
from bench.records import Artifact, ArtifactKind, SessionSettings
from bench.runtimes.options import (
    ONNXRUNTIME_OPTIONS,
    PROVIDER_KEYS,
    TENSORFLOW_OPTIONS,
    Option,
    nearest_first,
    require_known,
)

if TYPE_CHECKING:
    from bench.runtimes.contract import RuntimeModule, Session

LINUX, MACOS, WINDOWS = "linux", "darwin", "win32"
SYSTEM_NAMES = {LINUX: "Linux", MACOS: "macOS", WINDOWS: "Windows"}
_TENSORFLOW = "bench.runtimes.tensorflow"
_ONNXRUNTIME = "bench.runtimes.onnxruntime"


class RuntimeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A runtime by name."""

    module: str  # ours, with open_session and probe
    artifact: ArtifactKind
    package: str  # what imports as the runtime, as pip names it
    install: str  # words for a person, no host in it
    provider: str | None = None  # ONNX Runtime's name of the provider
    plugin: str | None = None  # module that brings the provider as a plugin library
    short_names: tuple[str, ...] = ()
    systems: tuple[str, ...] = (LINUX, MACOS, WINDOWS)  # values of sys.platform
    options: dict[str, Option] = {}
    provider_keys: tuple[str, ...] = ()
    threads_key: str | None = None  # a provider with a thread pool of its own: its key for the number


def _provider(
    provider: str,
    *short_names: str,
    package: str,
    systems: tuple[str, ...] = (LINUX, WINDOWS),
    install: str | None = None,
    plugin: str | None = None,
    threads_key: str | None = None,
) -> RuntimeEntry:
    return RuntimeEntry(
        module=_ONNXRUNTIME,
        artifact="onnx",
        package=package,
        install=install or f"pip install {package}, in an environment of its own",
        provider=provider,
        plugin=plugin,
        short_names=short_names,
        systems=systems,
        options=ONNXRUNTIME_OPTIONS,
        provider_keys=PROVIDER_KEYS.get(provider, ()),
        threads_key=threads_key,
    )


def _plugin(package: str) -> str:
    return f"pip install {package} beside onnxruntime (1.24.4 or newer)"


def _own_build(flag: str) -> str:
    return f"no wheel has it: build ONNX Runtime with {flag} and install that wheel in an environment of its own"


RUNTIMES: dict[str, RuntimeEntry] = {
    "tensorflow": RuntimeEntry(
        module=_TENSORFLOW,
        artifact="saved_model",
        package="tensorflow",
        install="pip install tensorflow",
        short_names=("tf",),
        options=TENSORFLOW_OPTIONS,
    ),
    "onnxruntime-cpu": _provider(
        "CPUExecutionProvider",
        "cpu",
        "ort",
        "onnxruntime",
        "ort-cpu",
        package="onnxruntime",
        systems=(LINUX, MACOS, WINDOWS),
        install="pip install onnxruntime",
    ),
    "onnxruntime-cuda": _provider("CUDAExecutionProvider", "cuda", "ort-cuda", package="onnxruntime-gpu"),
    "onnxruntime-tensorrt": _provider(
        "TensorrtExecutionProvider", "tensorrt", "trt", "ort-tensorrt", package="onnxruntime-gpu"
    ),
    "onnxruntime-nvtensorrtrtx": _provider(
        "NvTensorRTRTXExecutionProvider",
        "nvtensorrtrtx",
        "ort-nvtensorrtrtx",
        package="onnxruntime-ep-nv-tensorrt-rtx",
        install=_plugin("onnxruntime-ep-nv-tensorrt-rtx"),
        plugin="onnxruntime_ep_nv_tensorrt_rtx",
    ),
    "onnxruntime-openvino": _provider(
        "OpenVINOExecutionProvider",
        "ort-openvino",
        package="onnxruntime-openvino",
        threads_key="num_of_threads",
    ),
    "onnxruntime-webgpu": _provider(
        "WebGpuExecutionProvider",
        "webgpu",
        "ort-webgpu",
        package="onnxruntime-ep-webgpu",
        systems=(LINUX, MACOS, WINDOWS),
        install=_plugin("onnxruntime-ep-webgpu"),
        plugin="onnxruntime_ep_webgpu",
    ),
    "onnxruntime-xnnpack": _provider(
        "XnnpackExecutionProvider",
        "xnnpack",
        "ort-xnnpack",
        package="onnxruntime",
        systems=(LINUX, MACOS, WINDOWS),
        install=_own_build("--use_xnnpack"),
        threads_key="intra_op_num_threads",
    ),
    "onnxruntime-dnnl": _provider(
        "DnnlExecutionProvider", "dnnl", "ort-dnnl", package="onnxruntime", install=_own_build("--use_dnnl")
    ),
    "onnxruntime-coreml": _provider(
        "CoreMLExecutionProvider",
        "coreml",
        "ort-coreml",
        package="onnxruntime",
        systems=(MACOS,),
        install="pip install onnxruntime",
    ),
    "onnxruntime-directml": _provider(
        "DmlExecutionProvider", "directml", "dml", "ort-directml", package="onnxruntime-directml", systems=(WINDOWS,)
    ),
    "onnxruntime-migraphx": _provider(
        "MIGraphXExecutionProvider", "migraphx", "ort-migraphx", package="onnxruntime-migraphx", systems=(LINUX,)
    ),
    "onnxruntime-rocm": _provider(
        "ROCMExecutionProvider", "rocm", "ort-rocm", package="onnxruntime-rocm", systems=(LINUX,)
    ),
    "onnxruntime-qnn": _provider(
        "QNNExecutionProvider",
        "qnn",
        "ort-qnn",
        package="onnxruntime-qnn",
        install=_plugin("onnxruntime-qnn"),
        plugin="onnxruntime_qnn",
    ),
    "onnxruntime-cann": _provider(
        "CANNExecutionProvider", "cann", "ort-cann", package="onnxruntime-cann", systems=(LINUX,)
    ),
}

_NAMES_TOLD = 6  # of runtimes, where a name is wrong
_SHORT = {short: name for name, entry in RUNTIMES.items() for short in entry.short_names}


def canonical_name(text: str) -> str:
    """The table's key for a name or a short name; UsageError that lists the right ones for any other text."""
    name = _SHORT.get(text, text)
    if name in RUNTIMES:
        return name
    allowed = (*RUNTIMES, *(short for entry in RUNTIMES.values() for short in entry.short_names[:1]))
    names = nearest_first(text, allowed).split(", ")[:_NAMES_TOLD]
    raise UsageError(f"unknown runtime {text!r}; the runtimes are: {', '.join(names)}, ...: `bench runtimes` lists all")


def check_options(name: str, options: Mapping[str, str]) -> None:
    """UsageError that lists every unknown key or value with what is allowed, or nothing."""
    entry = RUNTIMES[canonical_name(name)]
    require_known(name, entry.options, entry.provider_keys, options)


def module_of(name: str) -> RuntimeModule:
    """The runtime's module of ours, imported now: workers and probing children only."""
    module: Any = importlib.import_module(RUNTIMES[canonical_name(name)].module)
    return cast("RuntimeModule", module)


def import_runtime(name: str, options: Mapping[str, str] | None = None) -> None:
    """Import the runtime itself, so that its cost can be told from that of loading.

    Some options (``onednn`` of TensorFlow) hold from the import on: give here what ``open_session`` will be given.
    Raises UnavailableError where it is not installed.
    """
    canonical = canonical_name(name)
    check_options(canonical, options or {})
    module_of(canonical).import_runtime(canonical, options or {})


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> Session:
    """A session of the runtime called ``name``, ready to run; see ``contract.RuntimeModule`` for its errors."""
    canonical = canonical_name(name)
    entry = RUNTIMES[canonical]
    check_options(canonical, settings.options)
    if artifact.kind != entry.artifact:
        raise UsageError(f"{canonical} loads {entry.artifact} artifacts, this one is {artifact.kind}")
    return module_of(canonical).open_session(canonical, artifact, settings)
