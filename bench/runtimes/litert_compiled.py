"""LiteRT's compiled model through its C interface: the one way to its profiler, which the Python package does not open.

Runs in LiteRT's worker. The library lies in the wheel (``libLiteRt.so``); what is declared here is that of
ai-edge-litert 2.3.0 (litert/c of google-ai-edge/LiteRT). What another version lacks is an UnavailableError.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.errors import UnavailableError, UnsupportedError
from bench.runtimes.contract import Array, Feed
from bench.runtimes.litert_tensors import SIGNATURE

_CPU, _HOST_MEMORY, _READ, _WRITE = 1, 1, 0, 1
_OWN, _DELEGATED = 2, 8  # kinds of events: an operator that LiteRT runs itself, one of a delegate
_MAX_RANK = 8
_ELEMENTS = {
    "float32": 1, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "int8": 9, "float16": 10, "float64": 11,
}  # fmt: skip
_Pointer, _Size = ctypes.c_void_p, ctypes.c_size_t
_Free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class OperatorEvent(NamedTuple):
    """One operator of a call."""

    kind: str  # "CONV_2D" of LiteRT's own, "Convolution (NHWC, F32) IGEMM" of a delegate
    place: int  # of the operator in the file; of a delegate's, in that part of the graph
    is_delegated: bool
    subgraph: int
    time_us: int


class _TensorType(ctypes.Structure):
    _fields_ = (
        ("element", ctypes.c_int),
        ("rank", ctypes.c_uint),
        ("dims", ctypes.c_int32 * _MAX_RANK),
        ("strides", ctypes.c_uint32 * _MAX_RANK),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("tag", ctypes.c_char_p),
        ("kind", ctypes.c_int),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory", _Size * 6),
        ("index", ctypes.c_uint64),
        ("subgraph", ctypes.c_uint64),
        ("source", ctypes.c_int),
    )


class Buffer(NamedTuple):
    """A tensor that the library reads or writes."""

    handle: ctypes.c_void_p
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    size: int  # in bytes


class CompiledModel:
    """A file on the CPU with its profiler; it and what it holds stay to the end of the process."""

    def __init__(self, library: Library, file: Path, threads: int, kernels: str) -> None:
        """``kernels``: "xnnpack" or "builtin"."""
        self._library = library
        self._environment = library.made("LiteRtCreateEnvironment", 0, None)
        self._model = library.made("LiteRtCreateModelFromFile", self._environment, str(file).encode())
        options = library.options(
            {
                "runtime_options_string": "enable_profiling = true\n",
                "xnnpack": f'num_threads = {threads}\nkernel_mode = "{kernels}"\n',
            }
        )
        self._compiled = library.made("LiteRtCreateCompiledModel", self._environment, self._model, options)
        self._profiler = library.made("LiteRtCompiledModelGetProfiler", self._compiled)
        if not self._profiler:
            raise UnavailableError("profiling LiteRT: this version gives no profiler")
        self._index, self._signature = self._find_signature()
        self._inputs: list[Buffer] = []
        self._outputs: list[Buffer] = []

    def fix(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> None:
        """Give it the shapes of these arrays; all inputs and outputs of its signature, by name."""
        for place, name in enumerate(self._names("Input")):
            shape = inputs[name].shape
            dims = (ctypes.c_int * len(shape))(*shape)
            where = (self._compiled, _Size(self._index), _Size(place))
            self._library.ask("LiteRtCompiledModelResizeInputTensor", *where, dims, _Size(len(shape)))
        self._inputs = [self._buffer(name, inputs[name]) for name in self._names("Input")]
        self._outputs = [self._buffer(name, outputs[name]) for name in self._names("Output")]

    def call(self, feed: Feed) -> dict[str, Array]:
        """One call, its inputs copied in, its outputs out, as with LiteRT's interpreter."""
        for buffer in self._inputs:
            array = np.ascontiguousarray(feed[buffer.name])
            ctypes.memmove(self._lock(buffer, _WRITE), array.ctypes.data, buffer.size)
            self._library.ask("LiteRtUnlockTensorBuffer", buffer.handle)
        given, made = (self._handles(buffers) for buffers in (self._inputs, self._outputs))
        counts = _Size(len(given)), _Size(len(made))
        where = (self._compiled, _Size(self._index))
        self._library.ask("LiteRtRunCompiledModel", *where, counts[0], given, counts[1], made)
        return {buffer.name: self._read(buffer) for buffer in self._outputs}

    def start(self) -> None:
        """Forget what was counted, and count."""
        self._library.ask("LiteRtResetProfiler", self._profiler)
        self._library.ask("LiteRtStartProfiler", self._profiler)

    def stop(self) -> list[OperatorEvent]:
        """Count no more: the operators since the start, in the order in which they ran."""
        self._library.ask("LiteRtStopProfiler", self._profiler)
        count = ctypes.c_int()
        self._library.ask("LiteRtGetNumProfilerEvents", self._profiler, ctypes.byref(count))
        events = (_Event * count.value)()
        self._library.ask("LiteRtGetProfilerEvents", self._profiler, count, events)
        return [
            OperatorEvent(event.tag.decode(), event.index, event.kind == _DELEGATED, event.subgraph, event.elapsed_us)
            for event in events
            if event.kind in (_OWN, _DELEGATED)
        ]

    def _find_signature(self) -> tuple[int, ctypes.c_void_p]:
        """The one that the interpreter's session takes, see ``litert_tensors``."""
        made, count = self._library.made, _Size()
        self._library.ask("LiteRtGetNumModelSignatures", self._model, ctypes.byref(count))
        found = [made("LiteRtGetModelSignature", self._model, _Size(place)) for place in range(count.value)]
        keys = [_text(made("LiteRtGetSignatureKey", signature)) for signature in found]
        place = keys.index(SIGNATURE) if SIGNATURE in keys else 0
        return place, found[place]

    def _names(self, side: str) -> list[str]:
        count = _Size()
        self._library.ask(f"LiteRtGetNumSignature{side}s", self._signature, ctypes.byref(count))
        name_of = f"LiteRtGetSignature{side}Name"
        return [_text(self._library.made(name_of, self._signature, _Size(place))) for place in range(count.value)]

    def _buffer(self, name: str, like: Array) -> Buffer:
        if like.dtype.name not in _ELEMENTS or like.ndim > _MAX_RANK:
            raise UnsupportedError(f"profiling LiteRT: tensor {name!r} is {like.dtype} of {like.ndim} dimensions")
        kind = _TensorType(element=_ELEMENTS[like.dtype.name], rank=like.ndim)
        kind.dims[: like.ndim] = like.shape
        where = (self._environment, _HOST_MEMORY, ctypes.byref(kind), _Size(like.nbytes))
        handle = self._library.made("LiteRtCreateManagedTensorBuffer", *where)
        return Buffer(handle, name, like.shape, like.dtype, like.nbytes)

    def _handles(self, buffers: Sequence[Buffer]) -> ctypes.Array[ctypes.c_void_p]:
        return (_Pointer * len(buffers))(*[buffer.handle for buffer in buffers])

    def _lock(self, buffer: Buffer, mode: int) -> int:
        address = _Pointer()
        self._library.ask("LiteRtLockTensorBuffer", buffer.handle, ctypes.byref(address), mode)
        return int(address.value or 0)

    def _read(self, buffer: Buffer) -> Array:
        content = ctypes.string_at(self._lock(buffer, _READ), buffer.size)
        self._library.ask("LiteRtUnlockTensorBuffer", buffer.handle)
        return np.frombuffer(content, buffer.dtype).reshape(buffer.shape)


class Library:
    """The functions of the library; each answers a status, and gives what it makes by its last argument."""

    def __init__(self, path: Path) -> None:
        try:
            self._functions = ctypes.CDLL(str(path))
        except OSError as error:
            raise UnavailableError(f"profiling LiteRT: its wheel has no {path.name} that loads ({error})") from error
        self._kept: list[Any] = []  # what the library holds pointers to

    def ask(self, name: str, *arguments: Any) -> None:
        """Call it; UnavailableError where this version lacks it, UnsupportedError where it fails."""
        function = getattr(self._functions, name, None)
        if function is None:
            raise UnavailableError(f"profiling LiteRT: this version has no {name}")
        if status := function(*arguments):
            raise UnsupportedError(f"profiling LiteRT: {name} failed with status {status}")

    def made(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        """What it makes."""
        result = _Pointer()
        self.ask(name, *arguments, ctypes.byref(result))
        return result

    def options(self, texts: Mapping[str, str]) -> ctypes.c_void_p:
        """Options of a model on the CPU: by identifier, a text of ``key = value`` lines."""
        options = self.made("LiteRtCreateOptions")
        self.ask("LiteRtSetOptionsHardwareAccelerators", options, _CPU)
        free = _Free(lambda _: None)
        self._kept.append(free)
        for identifier, text in texts.items():
            content = ctypes.create_string_buffer(text.encode())
            self._kept.append(content)
            payload = ctypes.cast(content, _Pointer)
            opaque = self.made("LiteRtCreateOpaqueOptions", identifier.encode(), payload, free)
            self.ask("LiteRtAddOpaqueOptions", options, opaque)
        return options


def _text(pointer: ctypes.c_void_p) -> str:
    return (ctypes.cast(pointer, ctypes.c_char_p).value or b"").decode()
