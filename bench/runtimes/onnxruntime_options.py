"""ONNX Runtime's session options: everything that would change the number is set, nothing is left to a default."""

from __future__ import annotations

from typing import Any

from bench.errors import UnavailableError, UnsupportedError, UsageError
from bench.records import SessionSettings, Tensor
from bench.runtimes.dimensions import Dimension

_LEVELS = {
    "off": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "layout": "ORT_ENABLE_LAYOUT",
    "all": "ORT_ENABLE_ALL",
}
_LOG_ERRORS = 3  # warnings about fallbacks are not needed: the session itself is asked
_decided: dict[str, str] = {}  # what the first session of this process has settled for all


def make_session_options(ort: Any, chosen: dict[str, str], threads: int, fixed: dict[str, int]) -> Any:
    """A ``SessionOptions`` with every option of ours set, and the accounts switched on that prove placement."""
    _settle_denormals(chosen["denormal"])
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = _level(ort, chosen["optimization"])
    options.enable_cpu_mem_arena = chosen["arena"] == "on"
    options.enable_mem_pattern = chosen["memory_pattern"] == "on"
    options.log_severity_level = _LOG_ERRORS
    for key, switched_on in _config(chosen).items():
        options.add_session_config_entry(key, str(int(switched_on)))
    for dimension, size in fixed.items():
        options.add_free_dimension_override_by_name(dimension, size)
    return options


def fixed_dimensions(found: dict[str, tuple[Dimension, ...]], settings: SessionSettings) -> dict[str, int]:
    """Size of every named dimension of the file by the shapes of ``settings.inputs``.

    Raises UnsupportedError where the file fixes another size, or two sizes for one name are asked for.
    """
    fixed: dict[str, int] = {}
    for tensor in settings.inputs:
        for dimension, size in _pairs(found.get(tensor.name, ()), tensor):
            if isinstance(dimension, str) and fixed.setdefault(dimension, size) != size:
                raise UnsupportedError(
                    f"input {tensor.name!r}: dimension {dimension!r} would be {size} here and is {fixed[dimension]} in "
                    "another place; the file says that they are equal"
                )
            if isinstance(dimension, int) and dimension not in {size, 0}:
                raise UnsupportedError(
                    f"input {tensor.name!r}: {list(tensor.shape)} was asked for, the file fixes {dimension} in place "
                    f"of {size}"
                )
    return fixed


def effective_options(options: Any, chosen: dict[str, str], fixed: dict[str, int]) -> dict[str, str]:
    """Everything that was set, as read back from the session's options where they can be asked."""
    return {
        **chosen,
        "arena": _on(options.enable_cpu_mem_arena),
        "memory_pattern": _on(options.enable_mem_pattern),
        "intra_op_threads": str(options.intra_op_num_threads),
        "inter_op_threads": str(options.inter_op_num_threads),
        "execution": options.execution_mode.name.removeprefix("ORT_").lower(),
        "fallback": "off",
        "fixed_dimensions": ",".join(f"{name}={size}" for name, size in sorted(fixed.items())),
    }


def _config(chosen: dict[str, str]) -> dict[str, bool]:
    return {
        "session.intra_op.allow_spinning": chosen["spinning"] == "on",
        "session.inter_op.allow_spinning": chosen["spinning"] == "on",
        "session.set_denormal_as_zero": chosen["denormal"] == "zero",
        "session.x64quantprecision": chosen["quantprecision"] == "exact",
        "session.record_ep_graph_assignment_info": True,
    }


def _settle_denormals(wanted: str) -> None:
    """ONNX Runtime decides this with the first session of a process, for all that follow and for numpy."""
    if _decided.setdefault("denormal", wanted) != wanted:
        raise UsageError(
            f"setting denormal={wanted}: this process has {_decided['denormal']}, by its first session; "
            "open it in a fresh process"
        )


def _level(ort: Any, name: str) -> Any:
    try:
        return getattr(ort.GraphOptimizationLevel, _LEVELS[name])
    except AttributeError as error:
        raise UnavailableError(f"onnxruntime {ort.__version__} has no optimization={name}") from error


def _pairs(found: tuple[Dimension, ...], tensor: Tensor) -> list[tuple[Dimension, int]]:
    if found and len(found) != len(tensor.shape):
        raise UnsupportedError(
            f"input {tensor.name!r}: {list(tensor.shape)} was asked for, the file has {len(found)} dimensions"
        )
    return [(dimension, size) for dimension, size in zip(found, tensor.shape, strict=False) if size is not None]


def _on(flag: bool) -> str:
    return "on" if flag else "off"
