"""What may be written after a runtime's name, its values, defaults and meanings. Literal data; imports no runtime.

A runtime's own options have a closed set of values. A provider's keys are an allow-list from the provider's
documentation: their values are free, because devices and limits are, but after opening they are compared with what the
session says it uses. A key in neither table is refused: ONNX Runtime itself accepts unknown keys without a word.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import msgspec

from bench.errors import UsageError


class Option(msgspec.Struct, frozen=True):
    """An option with a closed set of values; the first is the default."""

    values: tuple[str, ...]
    meaning: str

    @property
    def default(self) -> str:
        """The value that holds where none is given."""
        return self.values[0]


PRECISION_MEANING = "number format: float16 and int8 run a file that was converted for it"
OWN_PRECISION_MEANING = "number format: {} by its own switch, another by a file that was converted for it"
_PRECISION_WORDS = {"fp32": "float32", "fp16": "float16", "float32": "float32", "float16": "float16", "int8": "int8"}

XLA_OPTIONS = {
    "onednn": Option(("on", "off"), "oneDNN kernels (TF_ENABLE_ONEDNN_OPTS)"),
}

TENSORFLOW_OPTIONS = XLA_OPTIONS | {
    "path": Option(
        ("function", "saved_model", "eager", "predict"),
        "how it is called: a concrete function of fixed shapes, the SavedModel's signature, model(x), model.predict(x)",
    ),
}

OPENVINO_OPTIONS = {
    "hint": Option(("latency", "throughput"), "what it tunes for: one stream of all threads, or as many as it likes"),
    "pinning": Option(
        ("off", "on"), "each of its threads stays on a core (its own default): steadier on a busy machine"
    ),
}

LITERT_OPTIONS = {
    "delegate": Option(("xnnpack", "off"), "off: LiteRT's own kernels in place of XNNPACK's"),
}

IREE_OPTIONS = {
    "device": Option(("local-task", "local-sync"), "workers for the threads asked for, or the calling thread alone"),
    "optimization": Option(("O0", "O1", "O2", "O3"), "--iree-opt-level of its compiler"),
}

ONNXRUNTIME_OPTIONS = {
    "optimization": Option(("all", "layout", "extended", "basic", "off"), "graph optimisation level"),
    "arena": Option(("on", "off"), "CPU memory arena: keeps what it once took"),
    "memory_pattern": Option(("on", "off"), "plan activations in one block for a fixed shape"),
    "spinning": Option(("on", "off"), "idle threads of the pool busy-wait"),
    "denormal": Option(("keep", "zero"), "treat denormal numbers as zero"),
    "quantprecision": Option(("fast", "exact"), "exact: u8 x s8 products cannot saturate on x86 without VNNI"),
}

_CUDA_KEYS = (
    "device_id gpu_mem_limit arena_extend_strategy cudnn_conv_algo_search cudnn_conv_use_max_workspace "
    "cudnn_conv1d_pad_to_nc1d do_copy_in_default_stream enable_cuda_graph prefer_nhwc use_tf32 fuse_conv_bias "
    "sdpa_kernel tunable_op_enable tunable_op_tuning_enable enable_skip_layer_norm_strict_mode "
    "use_ep_level_unified_stream"
)
_TENSORRT_KEYS = (
    "device_id trt_fp16_enable trt_bf16_enable trt_int8_enable trt_max_workspace_size trt_min_subgraph_size "
    "trt_max_partition_iterations trt_engine_cache_enable trt_engine_cache_path trt_engine_cache_prefix "
    "trt_timing_cache_enable trt_timing_cache_path trt_force_timing_cache trt_builder_optimization_level "
    "trt_auxiliary_streams trt_cuda_graph_enable trt_sparsity_enable trt_layer_norm_fp32_fallback "
    "trt_force_sequential_engine_build trt_context_memory_sharing_enable trt_build_heuristics_enable "
    "trt_profile_min_shapes trt_profile_max_shapes trt_profile_opt_shapes trt_op_types_to_exclude trt_dla_enable "
    "trt_dla_core trt_int8_calibration_table_name trt_detailed_build_log trt_dump_subgraphs trt_tactic_sources"
)

PROVIDER_KEYS: dict[str, tuple[str, ...]] = {
    "CUDAExecutionProvider": tuple(_CUDA_KEYS.split()),
    "TensorrtExecutionProvider": tuple(_TENSORRT_KEYS.split()),
    "NvTensorRTRTXExecutionProvider": (
        "device_id",
        "nv_max_workspace_size",
        "nv_dump_subgraphs",
        "nv_detailed_build_log",
        "enable_cuda_graph",
        "nv_profile_min_shapes",
        "nv_profile_max_shapes",
        "nv_profile_opt_shapes",
        "nv_multi_profile_enable",
        "nv_runtime_cache_path",
    ),
    "OpenVINOExecutionProvider": (
        "device_type",
        "device_id",
        "num_streams",
        "load_config",
        "model_priority",
        "disable_dynamic_shapes",
        "enable_opencl_throttling",
        "enable_qdq_optimizer",
        "reshape_input",
        "layout",
    ),
    "WebGpuExecutionProvider": (
        "preferredLayout",
        "enableGraphCapture",
        "dawnBackendType",
        "powerPreference",
        "validationMode",
        "storageBufferCacheMode",
        "uniformBufferCacheMode",
        "queryResolveBufferCacheMode",
        "defaultBufferCacheMode",
        "forceCpuNodeNames",
        "deviceId",
    ),
    "DnnlExecutionProvider": ("use_arena", "threadpool_args"),
    "CoreMLExecutionProvider": (
        "ModelFormat",
        "MLComputeUnits",
        "RequireStaticInputShapes",
        "EnableOnSubgraphs",
        "SpecializationStrategy",
        "ProfileComputePlan",
        "AllowLowPrecisionAccumulationOnGPU",
        "ModelCacheDirectory",
    ),
    "DmlExecutionProvider": (
        "device_id",
        "performance_preference",
        "device_filter",
        "disable_metacommands",
        "enable_graph_capture",
        "enable_graph_serialization",
    ),
    "MIGraphXExecutionProvider": (
        "device_id",
        "migraphx_fp16_enable",
        "migraphx_bf16_enable",
        "migraphx_fp8_enable",
        "migraphx_int8_enable",
        "migraphx_int8_calibration_table_name",
        "migraphx_exhaustive_tune",
        "migraphx_model_cache_dir",
        "migraphx_mem_limit",
        "migraphx_arena_extend_strategy",
    ),
    "ROCMExecutionProvider": (
        "device_id",
        "gpu_mem_limit",
        "arena_extend_strategy",
        "miopen_conv_exhaustive_search",
        "miopen_conv_use_max_workspace",
        "do_copy_in_default_stream",
        "enable_hip_graph",
        "tunable_op_enable",
        "tunable_op_tuning_enable",
    ),
    "QNNExecutionProvider": (
        "backend_path",
        "backend_type",
        "device_id",
        "soc_model",
        "htp_arch",
        "htp_performance_mode",
        "htp_graph_finalization_optimization_mode",
        "enable_htp_fp16_precision",
        "offload_graph_io_quantization",
        "qnn_context_priority",
        "vtcm_mb",
        "rpc_control_latency",
    ),
    "CANNExecutionProvider": (
        "device_id",
        "npu_mem_limit",
        "arena_extend_strategy",
        "do_copy_in_default_stream",
        "enable_cann_graph",
        "enable_cann_subgraph",
        "precision_mode",
        "op_select_impl_mode",
        "optypelist_for_implmode",
    ),
}


def with_defaults(known: Mapping[str, Option], given: Mapping[str, str]) -> dict[str, str]:
    """The value of every option of ours: as given, else its default."""
    return {key: given.get(key, option.default) for key, option in known.items()}


def in_our_words(options: Mapping[str, str]) -> dict[str, str]:
    """The same with a precision as this program writes it, where a provider's word was used: ``FP16`` is float16."""
    return {k: _PRECISION_WORDS.get(v.lower(), v) if k == "precision" else v for k, v in options.items()}


def nearest_first(text: str, allowed: tuple[str, ...]) -> str:
    """What is allowed, as one list for a message, the likeliest meaning of ``text`` first."""
    by_small = {name.lower(): name for name in allowed}
    close = [by_small[name] for name in difflib.get_close_matches(text.lower(), by_small, n=3, cutoff=0.5)]
    return ", ".join([*close, *(name for name in allowed if name not in close)])


def require_known(runtime: str, known: Mapping[str, Option], free: tuple[str, ...], given: Mapping[str, str]) -> None:
    """UsageError with all problems at once, or nothing."""
    lines = [_problem(runtime, known, free, key, value) for key, value in given.items()]
    if problems := [line for line in lines if line]:
        raise UsageError("\n".join(problems))


def _problem(runtime: str, known: Mapping[str, Option], free: tuple[str, ...], key: str, value: str) -> str | None:
    if key in free and value:
        return None
    if key in free:
        return f"runtime {runtime}: option {key!r} has no value; write {key}=VALUE"
    if key not in known:
        allowed = nearest_first(key, (*known, *free)) or "none"
        return f"runtime {runtime}: unknown option {key!r}; it knows: {allowed}"
    if value not in known[key].values:
        return f"runtime {runtime}: {key}={value!r} is not a value of it; allowed: {', '.join(known[key].values)}"
    return None
