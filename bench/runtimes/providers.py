"""ONNX Runtime's execution providers: literal data, their part of the table of runtimes.

Imports no runtime. ``AzureExecutionProvider`` is in every CPU wheel and never appears here.
"""

from __future__ import annotations

from bench.runtimes.entry import AMD, ASCEND, EVERYWHERE, LINUX, MACOS, NVIDIA, WINDOWS, RuntimeEntry, provider

_ONNXRUNTIME = "onnxruntime==1.32.0"  # that plugin libraries are registered with


def _plugin(package: str) -> str:
    return f"pip install {package} beside onnxruntime (1.24.4 or newer)"


def _own_build(flag: str) -> str:
    return f"no wheel has it: build ONNX Runtime with {flag} and install that wheel in an environment of its own"


PROVIDERS: dict[str, RuntimeEntry] = {
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
}
