"""What a file or folder really is, told from its first bytes before any library opens it.

Standard library only. A wrong file is named for what it is: a download that is a web page, a pointer where Git LFS
should have put the file, weights without a model.
"""

from __future__ import annotations

import mmap
import zipfile
from pathlib import Path

from bench import protobuf
from bench.errors import UsageError
from bench.records import ModelKind

_HDF5 = b"\x89HDF\r\n\x1a\n"
_LFS = b"version https://git-lfs.github.com/spec/v1"
_HEAD = 512
_SUFFIXES: dict[ModelKind, tuple[str, ...]] = {"keras_file": (".keras",), "h5": (".h5", ".hdf5"), "onnx": (".onnx",)}
_EXPECTED = "expected .keras, .h5, .onnx, a SavedModel folder or a FILE.py:FUNCTION"
_GRAPH = 7  # field number of ModelProto.graph, onnx.proto3 of the ONNX project
_MODEL_FIELDS = {*range(1, 9), 14, 20, 25, 26}


def sniff(path: Path) -> ModelKind:
    """The kind of model at ``path``.

    Raises UsageError naming what is there instead: truncated, empty, HTML, an LFS pointer, weights only, another type.
    """
    if not path.exists():
        raise _wrong(path, "there is no such file or folder")
    if path.is_dir():
        return _sniff_folder(path)
    if path.suffix == ".py":
        return "builder"
    kind = _sniff_file(path)
    if path.suffix.lower() not in _SUFFIXES[kind]:
        raise _wrong(path, f"its content is that of a {_SUFFIXES[kind][0]} file; rename it to {_SUFFIXES[kind][0]}")
    return kind


def _sniff_folder(path: Path) -> ModelKind:
    names = {entry.name for entry in path.iterdir()}
    if names & {"saved_model.pb", "saved_model.pbtxt"}:
        if not _has_bytes(path / "saved_model.pb") and not _has_bytes(path / "saved_model.pbtxt"):
            raise _wrong(path, "its saved_model.pb is empty: was the download cut short?")
        return "saved_model"
    onnx = sorted(name for name in names if name.endswith(".onnx"))
    if onnx:
        if len(onnx) > 1:
            raise _wrong(path, f"the folder holds {', '.join(onnx)}; name one of them")
        return sniff(path / onnx[0])
    raise _wrong(path, _what_folder(names))


def _what_folder(names: set[str]) -> str:
    if not names:
        return "the folder is empty"
    if any(name.endswith(".index") or name == "checkpoint" for name in names):
        return "a TensorFlow checkpoint: weights only, without the model; save it with model.save() or model.export()"
    if "model.json" in names:
        return "a TensorFlow.js model; save the original with model.save() or model.export()"
    return "a folder without saved_model.pb"


def _sniff_file(path: Path) -> ModelKind:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise _wrong(path, "the file is empty")
    if wrong := _what_text(head):
        raise _wrong(path, wrong)
    if head.startswith(b"PK"):
        return _sniff_zip(path)
    if head.startswith(_HDF5):
        return _sniff_hdf5(path)
    if wrong := _what_binary(path, head):
        raise _wrong(path, wrong)
    return _sniff_onnx(path)


def _what_text(head: bytes) -> str | None:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page: a download that was answered with a web page; fetch the file itself"
    if text.startswith(_LFS):
        return "a Git LFS pointer, not the file; fetch it with: git lfs pull"
    if text.startswith((b"<?xml", b"{", b"[")):
        return "a text file (XML or JSON), not a model"
    return None


def _what_binary(path: Path, head: bytes) -> str | None:
    if head[4:8] == b"TFL3":
        return (
            "a LiteRT (.tflite) model, which cannot be the source; name the Keras or ONNX model it was made from, "
            "and this file by --litert"
        )
    if head.startswith(b"\x1f\x8b") or head[257:262] == b"ustar":
        return "a packed archive; unpack it and name what is in it"
    if head.startswith(b"\x80") and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a Python pickle, which is never loaded; save the model with model.save()"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size:
        return "a safetensors file: weights only, without the model"
    if head.startswith(b"\x93NUMPY"):
        return "a NumPy array, not a model; inputs go to --load-inputs"
    return None


def _sniff_zip(path: Path) -> ModelKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        raise _wrong(path, f"a zip file that is cut short or damaged ({error}); fetch or save it again") from error
    if "config.json" in names:
        if "model.weights.h5" not in names and "model.weights.json" not in names:
            raise _wrong(path, "a .keras file without weights in it; save it again")
        return "keras_file"
    if any(name.endswith("data.pkl") for name in names):
        raise _wrong(path, "a PyTorch file; export it to ONNX there")
    if names and all(name.endswith(".npy") for name in names):
        raise _wrong(path, "NumPy arrays (.npz), not a model; inputs go to --load-inputs, weights to weights=FILE")
    raise _wrong(path, "a zip archive that is no .keras file; unpack it and name what is in it")


def _sniff_hdf5(path: Path) -> ModelKind:
    """The superblock says how long an HDF5 file is; a whole model has the attribute ``model_config``."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        length = _hdf5_length(data)
        if length is not None and length > len(data):
            raise _wrong(path, f"an HDF5 file that is cut short: {len(data)} of {length} bytes")
        if data.find(b"model_config") < 0:
            raise _wrong(
                path, "an HDF5 file of weights only, without the model; save it with model.save(), or use weights=FILE"
            )
    return "h5"


def _hdf5_length(data: mmap.mmap) -> int | None:
    """End-of-file address in the superblock; versions 0 to 3 of the format, 8-byte offsets."""
    version = data[8]
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(version)
    return None if place is None else int.from_bytes(data[place : place + 8], "little")


def _sniff_onnx(path: Path) -> ModelKind:
    """ONNX has no magic number: walk the top-level protobuf fields, skipping each by its length."""
    size = path.stat().st_size
    fields: list[int] = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position = 0
        while position < size:
            try:
                field, _, _, position = protobuf.read_field(data, position)
            except ValueError:
                raise _wrong(path, f"not a model of a known type; {_EXPECTED}") from None
            fields.append(field)
    if not set(fields) <= _MODEL_FIELDS:
        raise _wrong(path, f"not a model of a known type; {_EXPECTED}")
    if position > size:
        raise _wrong(path, f"an ONNX file that is cut short: {size} of at least {position} bytes")
    if _GRAPH not in fields:
        raise _wrong(path, "a protobuf file without an ONNX graph (a tensor or a TensorFlow graph?)")
    return "onnx"


def _has_bytes(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _wrong(path: Path, what: str) -> UsageError:
    return UsageError(f"reading {path.name}: {what}" if what.startswith(("the", "its")) else f"{path.name} is {what}")
