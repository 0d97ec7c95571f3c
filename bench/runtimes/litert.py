"""LiteRT (TensorFlow Lite) on a ``.tflite`` file: runs in a worker or a probing child of its own environment.

Tensors go by name, see ``litert_tensors.py``.
"""

from __future__ import annotations

import base64
import importlib
import importlib.metadata
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bench.errors import BenchError, UnavailableError, UnsupportedError
from bench.records import Artifact, Caution, Probe, Profiled, SessionInfo, SessionSettings, Tensor
from bench.runtimes.contract import Array, Feed, HostSession, closed
from bench.runtimes.litert_compiled import CompiledModel, Library
from bench.runtimes.litert_file import file_operators
from bench.runtimes.litert_operators import profiled_operators
from bench.runtimes.litert_tensors import details_by_name
from bench.runtimes.options import with_defaults
from bench.runtimes.table import RUNTIMES

_PACKAGE = "ai-edge-litert"
_NONE_TAKEN = Caution(
    code="no delegate", text="XNNPACK took none of the operators: LiteRT's own kernels were timed, as with delegate=off"
)
# relu(conv(x, ones 3x3)) on [batch, 4, 4, 1], made by the converter of TensorFlow 2.21: 9 everywhere for ones
_TINY = (
    "eNqFU7FuE0EQHfuWOAonY8QJIeQiRYoUyIoNSIgmMk6QIjkJChbtYckHnGRfJOcSJVIKCnoaREWBEAUVJbSID6BAFBQpKSlT0MDyZnb2fKFhrefb"
    "nZ15O/Nmt0lEg7v96xEtUpOuUEQNCmGbJ4M5wUb0DDgBvlWIfgDGEAVYYwpvHgsSxTELWIUadwO4AOwl04M0exyPkkfD/XEucaCgt9baQOdsO9Iv"
    "rz/8sdbbD4Gq8rHtBHFzOr8E9La3Hqzv3N/Y3oo31wfdte6gi1xcPvPYP1fynaRZPN3P8nSSxAfJdC/dzagG+ynwE/gOvAJeALnG3bEul4dFvaxP"
    "veBn25JY58TmcyPRwmtqRJf0zeDr6seXzwOtyUgUUafVabdWiN7rWczZbt1kUzHe/bb2i+67856u/h9nc/J5nYLrF8D92exv7Cz2djPokSejlmge"
    "iVe9yJ456mrn3h7z6Xo3mHMyTDPSfvnYSOoI6bzGNt3RlWX8XRNtIvSEuWuiDe9VlMPPAwWpXn4/mPnJ+SEWn/B9ouur0IldItVqSe3+DmHbVkuc"
    "BuuL+N4bTvM0x61IRr3heHx7pXQ/y/6flb+hvQq07j7sfJ9Yzs5au4gNzuR8WXQlVdaNGqyubs9ZVc7Xet8d50wD5uE3S8WrJdHS83DssoL9b5Vq"
    "N6W6jPzc+/jnrcaHUMCU3qUp9aAhPeT+ui6Es14FfwFfgooz"
)
_TINY_INPUT, _TINY_RESULT = (1, 4, 4, 1), 9.0


class LiteRtSession(HostSession):
    """An interpreter; for one caller. What it returns are copies."""

    def __init__(self, interpreter: Any, settings: SessionSettings, info: SessionInfo) -> None:
        self.info = info
        self.call: Callable[[Feed], Sequence[Array]] = _bind(interpreter, settings)

    def close(self) -> None:
        """Drop the interpreter; twice is fine. A call after it raises RuntimeError."""
        self.call = closed


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> LiteRtSession:
    """The file with its inputs resized to those of ``settings``, planned, and its weights packed by XNNPACK if it does.

    Raises UnsupportedError where names, types or shapes are not the file's, or it needs what LiteRT lacks.
    """
    import_runtime(name, settings.options)
    litert = importlib.import_module("ai_edge_litert.interpreter")
    chosen = with_defaults(RUNTIMES[name].options, settings.options)
    kinds = litert.OpResolverType
    own = kinds.BUILTIN if chosen["delegate"] == "xnnpack" else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    path = Path(artifact.path)
    interpreter = _made(
        f"reading {path.name}",
        lambda: litert.Interpreter(
            model_path=str(path), num_threads=settings.threads, experimental_op_resolver_type=own
        ),
    )
    _check_names(interpreter, path, settings)
    build_ns = _fix_shapes(interpreter, settings)
    parts = _delegated_parts(interpreter)
    is_idle = chosen["delegate"] == "xnnpack" and parts == 0
    known = {} if parts is None else {"delegated_parts": str(parts)}
    info = SessionInfo(
        runtime_version=importlib.metadata.version(_PACKAGE),
        runtime_file=str(litert.__file__),
        provider="XNNPACK" if chosen["delegate"] == "xnnpack" and not is_idle else "LiteRT kernels",
        call_path="Interpreter.invoke",
        effective_options=chosen | _set(settings) | known,
        build_ns=build_ns,
        cautions=(_NONE_TAKEN,) if is_idle else (),
    )
    return LiteRtSession(interpreter, settings, info)


def operators(name: str, artifact: Artifact, settings: SessionSettings, feeds: Sequence[Feed], calls: int) -> Profiled:
    """Every operator with its time in each of ``calls`` calls, by LiteRT's compiled model; see ``litert_operators``."""
    every = tuple(tensor.name for tensor in artifact.outputs) or settings.outputs
    session = open_session(name, artifact, msgspec.structs.replace(settings, outputs=every))
    outputs = dict(zip(every, session.call(feeds[0]), strict=True))
    session.close()
    chosen = with_defaults(RUNTIMES[name].options, settings.options)
    kernels = "xnnpack" if chosen["delegate"] == "xnnpack" else "builtin"
    path = Path(artifact.path)
    package = str(importlib.import_module("ai_edge_litert.interpreter").__file__)
    library = Library(Path(package).with_name("libLiteRt.so"))
    model = CompiledModel(library, path, settings.threads, kernels)
    model.fix(feeds[0], outputs)
    return profiled_operators(model, feeds, calls, file_operators(path), outputs)


def _set(settings: SessionSettings) -> dict[str, str]:
    shapes = ",".join(f"{tensor.name}={list(tensor.shape)}" for tensor in settings.inputs)
    return {"intra_op_threads": str(settings.threads), "fixed_shapes": shapes}


def import_runtime(name: str, options: Mapping[str, str]) -> None:  # noqa: ARG001 - the same form for every runtime
    """Import LiteRT's interpreter."""
    try:
        importlib.import_module("ai_edge_litert.interpreter")
    except ImportError as error:
        raise UnavailableError(f"importing {_PACKAGE}: {error}; {RUNTIMES[name].install}") from error


def probe(name: str) -> Probe:
    """State of this runtime: its version, and that a tiny model runs as strictly as any."""
    try:
        import_runtime(name, {})
    except UnavailableError as error:
        return Probe(name=name, state="not installed", detail=str(error), install=RUNTIMES[name].install)
    version = importlib.metadata.version(_PACKAGE)
    try:
        _run_tiny(name)
    except BenchError as error:
        return Probe(name=name, state="broken", detail=f"{_PACKAGE} {version}: {error}", version=version)
    return Probe(name=name, state="usable", detail=f"{_PACKAGE} {version}", version=version)


def _run_tiny(name: str) -> None:
    """UnavailableError where the tiny model does not run or gives another result."""
    tensor = Tensor(name="x", shape=_TINY_INPUT, dtype="float32")
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
        path = Path(folder) / "tiny.tflite"
        path.write_bytes(zlib.decompress(base64.b64decode(_TINY)))
        artifact = Artifact(
            kind="litert", path=str(path), digest="", size_bytes=path.stat().st_size, inputs=(tensor,), outputs=()
        )
        session = open_session(
            name, artifact, SessionSettings(threads=1, batch_size=1, inputs=(tensor,), outputs=("y",))
        )
        try:
            result = session.call({"x": np.ones(_TINY_INPUT, np.float32)})[0]
        except Exception as error:
            raise UnavailableError(f"running a tiny model: {type(error).__name__}: {error}") from error
        finally:
            session.close()
    if not np.allclose(result, _TINY_RESULT, rtol=1e-2):
        raise UnavailableError(f"a tiny model gave {result.flat[0]} in place of {_TINY_RESULT}")


def _bind(interpreter: Any, settings: SessionSettings) -> Callable[[Feed], Sequence[Array]]:
    """The call. Inputs are copied in, outputs out, both within the time of a call."""
    inputs, outputs = details_by_name(interpreter)
    places = [(tensor.name, inputs[tensor.name]["index"]) for tensor in settings.inputs]
    wanted = [outputs[output]["index"] for output in settings.outputs]
    set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def call(feed: Feed) -> Sequence[Array]:
        for name, index in places:
            set_tensor(index, feed[name])
        invoke()
        return [get_tensor(index) for index in wanted]

    return call


def _fix_shapes(interpreter: Any, settings: SessionSettings) -> int:
    """Give every input its shape and plan the memory; the time that took, the packing of weights included."""
    inputs, _ = details_by_name(interpreter)
    indices = {name: details["index"] for name, details in inputs.items()}
    del inputs, _  # the interpreter refuses to work while somebody holds its arrays
    for tensor in settings.inputs:
        resize = partial(interpreter.resize_tensor_input, indices[tensor.name], list(tensor.shape), strict=True)
        _made(f"giving input {tensor.name!r} the shape {list(tensor.shape)}", resize)
    start = time.perf_counter_ns()
    _made("planning the model", interpreter.allocate_tensors)
    return time.perf_counter_ns() - start


def _check_names(interpreter: Any, path: Path, settings: SessionSettings) -> None:
    inputs, outputs = details_by_name(interpreter)
    wanted = [tensor.name for tensor in settings.inputs]
    for what, names, has in (("input", wanted, inputs), ("output", settings.outputs, outputs)):
        if missing := [name for name in names if name not in has]:
            raise UnsupportedError(f"{path.name} has no {what} {', '.join(missing)}; it has {', '.join(sorted(has))}")
    for tensor in settings.inputs:
        is_type = np.dtype(inputs[tensor.name]["dtype"]).name
        if is_type != tensor.dtype:
            raise UnsupportedError(
                f"input {tensor.name!r} is {is_type} in {path.name}: {tensor.dtype} cannot be given to it"
            )


def _delegated_parts(interpreter: Any) -> int | None:
    """Into how many parts of the graph the delegate went; None where this version does not tell."""
    try:
        return sum(str(operator["op_name"]) == "DELEGATE" for operator in interpreter._get_ops_details())
    except (AttributeError, KeyError):
        return None


def _made(doing: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except (RuntimeError, ValueError) as error:  # all that the interpreter raises
        raise UnsupportedError(f"{doing}: {' '.join(str(error).split())}") from error
