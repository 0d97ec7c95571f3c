"""ONNX ``TensorProto`` files (``input_K.pb``) read and written without onnx, which only children may load. Pure.

Field numbers and types: ``onnx/onnx.proto``, message TensorProto.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bench import protobuf

Array = np.ndarray[Any, np.dtype[Any]]

_DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16",
    11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
}  # fmt: skip
_DIMS, _TYPE, _NAME, _RAW, _EXTERNAL = 1, 2, 8, 9, 13
_TYPED = {4: "<f4", 10: "<f8"}  # packed little-endian numbers
_VARINTS = (5, 7, 11)  # int32_data, int64_data, uint64_data


def parse_tensor(data: bytes) -> tuple[str, Array]:
    """Name and array of a serialised TensorProto. Raises ValueError saying what it is instead."""
    dims: list[int] = []
    code, name, raw = 0, "", b""
    typed: list[Array] = []
    for field, value in _read(data):
        if field == _DIMS:
            dims += _integers(value)
        elif field == _TYPE:
            code = _integers(value)[-1]
        elif field == _NAME and isinstance(value, bytes):
            name = value.decode("utf-8")
        elif field == _RAW and isinstance(value, bytes):
            raw = value
        elif field == _EXTERNAL:
            raise ValueError("its numbers are in another file (external data)")
        elif field in _TYPED or field in _VARINTS:
            typed.append(_typed_values(field, value))
    return name, _assemble(code, raw, typed, dims)


def tensor_bytes(name: str, array: Array) -> bytes:
    """The array as a serialised TensorProto. Raises ValueError for what holds no numbers."""
    codes = [code for code, dtype in _DTYPES.items() if dtype == array.dtype.name]
    if not codes:
        raise ValueError(f"{name!r} holds {array.dtype}, which no TensorProto of numbers can")
    raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    head = b"".join(protobuf.whole(_DIMS, length) for length in array.shape) + protobuf.whole(_TYPE, codes[0])
    return head + protobuf.block(_NAME, name.encode()) + protobuf.block(_RAW, raw)


def _assemble(code: int, raw: bytes, typed: list[Array], dims: list[int]) -> Array:
    if code not in _DTYPES:
        raise ValueError(f"it holds no numbers (data type {code})" if code else "it is not a TensorProto")
    dtype = _numpy_dtype(_DTYPES[code])
    flat = np.frombuffer(raw, dtype.newbyteorder("<")) if raw else _converted(typed, dtype)
    if flat.size != int(np.prod(dims)):
        raise ValueError(f"it holds {flat.size} numbers where its shape {dims} needs {int(np.prod(dims))}")
    return flat.astype(dtype).reshape(dims)


def _converted(typed: list[Array], dtype: np.dtype[Any]) -> Array:
    """Numbers from a typed field; 16-bit floats are stored there as their bit patterns, complex ones as pairs."""
    if not typed:
        return np.zeros(0, dtype)
    flat = np.concatenate(typed)
    if dtype.kind == "c":
        return flat.view(np.dtype(f"c{flat.dtype.itemsize * 2}")).astype(dtype)
    if dtype.itemsize == 2 and dtype.kind not in "iu":
        return flat.astype(np.uint16).view(dtype)
    return flat.astype(dtype)


def _numpy_dtype(name: str) -> np.dtype[Any]:
    if name == "bfloat16":
        import ml_dtypes  # type: ignore[import-untyped,unused-ignore]  # comes with TensorFlow

        bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    return np.dtype(name)


def _typed_values(field: int, value: int | bytes) -> Array:
    if field in _TYPED:
        dtype = np.dtype(_TYPED[field])
        return np.frombuffer(value, dtype) if isinstance(value, bytes) else np.array([value], "<i8").view(dtype)[:1]
    return np.array(_integers(value), np.uint64 if field == 11 else np.int64)


def _integers(value: int | bytes) -> list[int]:
    """Integers of a field, packed or alone; 64-bit two's complement."""
    if isinstance(value, int):
        return [_signed(value)]
    numbers, at = [], 0
    while at < len(value):
        number, at = protobuf.read_varint(value, at)
        numbers.append(_signed(number))
    return numbers


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _read(data: bytes) -> list[tuple[int, int | bytes]]:
    """Field number and value, in file order. Raises ValueError where the bytes are no message."""
    try:
        return [
            (number, value[0] if kind == protobuf.VARINT else data[slice(*value)])
            for number, kind, value in protobuf.fields(data, 0, len(data))
        ]
    except protobuf.CutOffError:
        raise ValueError("it is truncated") from None
    except ValueError:
        raise ValueError("it is not a TensorProto") from None
