"""The literal table of runtimes: what a name means, where it exists, what it loads, which line installs it.

Imported by parent and worker; imports no runtime and no numpy. A runtime's module is imported by ``loading`` and by the
probing child, on first use. ``AzureExecutionProvider`` is in every CPU wheel and never appears here.
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.errors import UsageError
from bench.records import ArtifactKind, Boundary, Precision, artifact_key
from bench.runtimes.entry import AMD, ASCEND, EVERYWHERE, LINUX, MACOS, NVIDIA, WINDOWS, RuntimeEntry, provider
from bench.runtimes.options import (
    IREE_OPTIONS,
    LITERT_OPTIONS,
    OPENVINO_OPTIONS,
    TENSORFLOW_OPTIONS,
    XLA_OPTIONS,
    nearest_first,
    require_known,
)

_TENSORFLOW = "bench.runtimes.tensorflow"
_ONNXRUNTIME = "onnxruntime==1.32.0"  # that plugin libraries are registered with


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
        artifact_by_path={"predict": "keras", "eager": "keras"},
    ),
    "tensorflow-xla": RuntimeEntry(
        module=_TENSORFLOW,
        artifact="saved_model",
        package="tensorflow",
        install="pip install tensorflow",
        short_names=("xla", "tf-xla"),
        options=XLA_OPTIONS,
    ),
    "onnxruntime-cpu": provider(
        "CPUExecutionProvider",
        "cpu",
        "ort",
        "onnxruntime",
        "ort-cpu",
        package="onnxruntime",
        systems=EVERYWHERE,
        install="pip install onnxruntime",
    ),
    "onnxruntime-cuda": provider(
        "CUDAExecutionProvider",
        "cuda",
        "ort-cuda",
        package="onnxruntime-gpu",
        requirements=("onnxruntime-gpu[cuda,cudnn]==1.31.1",),
        boundaries=("host", "device"),
        device_files=NVIDIA,
    ),
    "onnxruntime-tensorrt": provider(
        "TensorrtExecutionProvider",
        "tensorrt",
        "trt",
        "ort-tensorrt",
        package="onnxruntime-gpu",
        requirements=("onnxruntime-gpu[cuda,cudnn]==1.31.1", "tensorrt-cu12"),
        caches=True,
        boundaries=("host", "device"),
        device_files=NVIDIA,
    ),
    "onnxruntime-nvtensorrtrtx": provider(
        "NvTensorRTRTXExecutionProvider",
        "nvtensorrtrtx",
        "ort-nvtensorrtrtx",
        package="onnxruntime-ep-nv-tensorrt-rtx",
        requirements=(_ONNXRUNTIME, "onnxruntime-ep-nv-tensorrt-rtx==0.5.0"),
        install=_plugin("onnxruntime-ep-nv-tensorrt-rtx"),
        plugin="onnxruntime_ep_nv_tensorrt_rtx",
        boundaries=("host", "device"),
        device_files=NVIDIA,
    ),
    "onnxruntime-openvino": provider(
        "OpenVINOExecutionProvider",
        "ort-openvino",
        package="onnxruntime-openvino",
        requirements=("onnxruntime-openvino==1.24.1",),
        caches=True,
        threads_key="num_of_threads",
        own_precisions=("float16",),
    ),
    "onnxruntime-openvino-plugin": provider(
        "OpenVINOExecutionProvider",
        "ort-openvino-plugin",
        package="onnxruntime-ep-openvino",
        requirements=(_ONNXRUNTIME, "onnxruntime-ep-openvino==1.8.1"),
        install=_plugin("onnxruntime-ep-openvino"),
        plugin="onnxruntime_ep_openvino",
        threads_key="num_of_threads",
        own_precisions=("float16",),
    ),
    "onnxruntime-webgpu": provider(
        "WebGpuExecutionProvider",
        "webgpu",
        "ort-webgpu",
        package="onnxruntime-ep-webgpu",
        requirements=(_ONNXRUNTIME, "onnxruntime-ep-webgpu==0.4.0"),
        systems=EVERYWHERE,
        install=_plugin("onnxruntime-ep-webgpu"),
        plugin="onnxruntime_ep_webgpu",
        boundaries=("host", "device"),
    ),
    "onnxruntime-xnnpack": provider(
        "XnnpackExecutionProvider",
        "xnnpack",
        "ort-xnnpack",
        package="onnxruntime",
        systems=EVERYWHERE,
        install=_own_build("--use_xnnpack"),
        threads_key="intra_op_num_threads",
    ),
    "onnxruntime-dnnl": provider(
        "DnnlExecutionProvider", "dnnl", "ort-dnnl", package="onnxruntime", install=_own_build("--use_dnnl")
    ),
    "onnxruntime-coreml": provider(
        "CoreMLExecutionProvider",
        "coreml",
        "ort-coreml",
        package="onnxruntime",
        systems=(MACOS,),
        install="pip install onnxruntime",
    ),
    "onnxruntime-directml": provider(
        "DmlExecutionProvider",
        "directml",
        "dml",
        "ort-directml",
        package="onnxruntime-directml",
        requirements=("onnxruntime-directml",),
        systems=(WINDOWS,),
        boundaries=("host", "device"),
    ),
    "onnxruntime-migraphx": provider(
        "MIGraphXExecutionProvider",
        "migraphx",
        "ort-migraphx",
        package="onnxruntime-migraphx",
        requirements=("onnxruntime-migraphx==1.27.1",),
        systems=(LINUX,),
        boundaries=("host", "device"),
        device_files=AMD,
    ),
    "onnxruntime-rocm": provider(
        "ROCMExecutionProvider",
        "rocm",
        "ort-rocm",
        package="onnxruntime-rocm",
        requirements=("onnxruntime-rocm==1.22.2.post3",),
        systems=(LINUX,),
        boundaries=("host", "device"),
        device_files=AMD,
    ),
    "onnxruntime-qnn": provider(
        "QNNExecutionProvider",
        "qnn",
        "ort-qnn",
        package="onnxruntime-qnn",
        requirements=(_ONNXRUNTIME, "onnxruntime-qnn==2.7.0"),
        install=_plugin("onnxruntime-qnn"),
        plugin="onnxruntime_qnn",
    ),
    "onnxruntime-cann": provider(
        "CANNExecutionProvider",
        "cann",
        "ort-cann",
        package="onnxruntime-cann",
        requirements=("onnxruntime-cann==1.24.4",),
        systems=(LINUX,),
        boundaries=("host", "device"),
        device_files=ASCEND,
    ),
    "openvino": RuntimeEntry(
        module="bench.runtimes.openvino",
        artifact="onnx",
        package="openvino",
        install="bench env build openvino",
        requirements=("openvino==2026.4.1",),
        short_names=("ov",),
        options=OPENVINO_OPTIONS,
        provider_keys=("device",),
        caches=True,
        precisions=("float32", "float16", "int8"),
        own_precisions=("float16",),
    ),
    "litert": RuntimeEntry(
        module="bench.runtimes.litert",
        artifact="litert",
        package="ai-edge-litert",
        install="bench env build litert",
        requirements=("ai-edge-litert==2.3.0",),
        short_names=("tflite",),
        options=LITERT_OPTIONS,
        precisions=("float32", "float16", "int8"),
    ),
    "iree": RuntimeEntry(
        module="bench.runtimes.iree",
        artifact="onnx",
        package="iree-base-runtime",
        install="bench env build iree",
        requirements=("iree-base-runtime==3.13.0", "iree-base-compiler==3.13.0", "onnx==1.23.2"),
        moves_with=("iree-base-compiler",),  # a module is for the runtime of its compiler's version
        options=IREE_OPTIONS,
        caches=True,
    ),
    "keras-jax": RuntimeEntry(
        module="bench.runtimes.keras_backends",
        artifact="keras",
        package="jax",
        install="bench env build keras-jax",
        requirements=("keras==3.15.1", "jax==0.10.2"),
        on_request=True,
    ),
    "keras-torch": RuntimeEntry(
        module="bench.runtimes.keras_backends",
        artifact="keras",
        package="torch",
        install="bench env build keras-torch (its download is large)",
        requirements=("keras==3.15.1", "torch==2.13.0"),
        on_request=True,
    ),
}

_NAMES_TOLD = 6  # of runtimes, where a name is wrong
_SHORT = {short: name for name, entry in RUNTIMES.items() for short in entry.short_names}
_PRECISIONS: dict[str, Precision] = {"float32": "float32", "float16": "float16", "int8": "int8"}
_BOUNDARIES: dict[str, Boundary] = {"host": "host", "device": "device"}


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
    require_known(name, entry.known_options(), entry.provider_keys, options)


def artifact_kind(name: str, options: Mapping[str, str]) -> ArtifactKind:
    """What the runtime loads; with some of its call paths that is another kind than by default."""
    entry = RUNTIMES[name]
    return entry.artifact_by_path.get(options.get("path", ""), entry.artifact)


def artifact_precision(name: str, options: Mapping[str, str]) -> Precision:
    """Number format of the file that it loads: float32 where the runtime switches by itself."""
    precision = precision_of(options)
    return "float32" if precision in RUNTIMES[name].own_precisions else precision


def artifact_needed(name: str, options: Mapping[str, str]) -> str:
    """The key of what the runtime loads among a prepared model's artifacts."""
    return artifact_key(artifact_kind(name, options), artifact_precision(name, options))


def precision_of(options: Mapping[str, str]) -> Precision:
    """The precision that checked options ask for."""
    return _PRECISIONS.get(options.get("precision", ""), "float32")


def boundary_of(options: Mapping[str, str]) -> Boundary:
    """The boundary that checked options ask for."""
    return _BOUNDARIES.get(options.get("boundary", ""), "host")
