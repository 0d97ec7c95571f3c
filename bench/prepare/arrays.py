"""Named arrays to a file and back, with a digest: how "identical inputs" becomes a checked fact.

Parent, export child and worker all use it, so it imports numpy and msgspec alone. A file holds numbers only: nothing is
ever unpickled, and a type that numpy does not have (bfloat16) is stored as its bits beside the type's name.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError
from bench.records import ArrayFile

Array = np.ndarray[Any, np.dtype[Any]]

_FOREIGN = "__dtypes__"  # member with the names of the types that numpy does not have, JSON as bytes
_NUMBERS = "biufc"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DAMAGED = (  # what numpy and zipfile really raise when single bytes of a file are others
    OSError, ValueError, EOFError, TypeError, KeyError, AttributeError, RuntimeError, SyntaxError, MemoryError,
    OverflowError, zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError,
)  # fmt: skip


def save_arrays(path: str | Path, arrays: Mapping[str, Array]) -> ArrayFile:
    """The record of a new ``.npz`` at ``path``, written whole or not at all.

    Every array has the items along its first axis. Raises ValueError where they disagree or hold no numbers.
    """
    path = Path(path)
    items = _items(arrays)
    members = {name: _as_bits(name, array) for name, array in arrays.items()}
    foreign = {name: array.dtype.name for name, array in arrays.items() if array.dtype.kind not in _NUMBERS}
    if foreign:
        members[_FOREIGN] = np.frombuffer(json.dumps(foreign).encode(), np.uint8)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write_members(unfinished, members)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return ArrayFile(path=str(path), digest=arrays_digest(arrays), items=items)


def load_arrays(file: ArrayFile | str | Path) -> dict[str, Array]:
    """The arrays of a file of ours (or any ``.npz`` of plain numbers), by name.

    Given an ArrayFile the digest is verified. Raises BenchError where the file is damaged, missing or another one.
    """
    path = file.path if isinstance(file, ArrayFile) else str(file)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        foreign = json.loads(arrays.pop(_FOREIGN).tobytes()) if _FOREIGN in arrays else {}
    except _DAMAGED as error:
        raise BenchError(f"reading arrays from {path}: expected an .npz of numbers, got: {error}") from error
    arrays |= {name: arrays[name].view(_foreign_dtype(dtype)) for name, dtype in foreign.items()}
    if isinstance(file, ArrayFile) and arrays_digest(arrays) != file.digest:
        raise BenchError(f"reading arrays from {path}: its digest is not the recorded one; run again to make it anew")
    return arrays


def arrays_digest(arrays: Mapping[str, Array]) -> str:
    """The sha256 over names, dtypes, shapes and bytes; the order of the names does not count."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.name, list(array.shape)]).encode())
        digest.update(_as_bits(name, array).data.cast("B") if array.size else b"")
    return digest.hexdigest()


def _items(arrays: Mapping[str, Array]) -> int:
    lengths = {array.shape[:1] for array in arrays.values()}
    if len(lengths) != 1 or () in lengths:
        raise ValueError(f"arrays need one common first axis, got shapes { {n: a.shape for n, a in arrays.items()} }")
    return int(lengths.pop()[0])


def _as_bits(name: str, array: Array) -> Array:
    """The array in C order and little-endian; bits as unsigned integers where numpy does not know the type."""
    if array.dtype.kind in _NUMBERS:
        return np.require(array.astype(array.dtype.newbyteorder("<"), copy=False), requirements="C")
    if array.dtype.kind != "V" or array.dtype.names:
        raise ValueError(f"array {name!r} holds {array.dtype}, only numbers can be stored")
    return np.require(array, requirements="C").view(f"<u{array.dtype.itemsize}")


def _write_members(path: Path, members: Mapping[str, Array]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in members.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _foreign_dtype(name: str) -> np.dtype[Any]:
    try:
        import ml_dtypes
    except ImportError as error:
        raise BenchError(f"arrays of type {name} need the package ml_dtypes in this environment") from error
    dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
    return dtype
