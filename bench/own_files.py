"""A user's own files of a model, ``--onnx`` and ``--litert``: what contradicts itself about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.records import ModelSpec

if TYPE_CHECKING:
    from bench.suite import Asked

_LITERT_MARK = b"TFL3"  # bytes 4 to 8 of a .tflite file


def wrong_own_files(asked: Asked, specs: Sequence[ModelSpec]) -> Iterator[str]:
    """One line for each mistake; ``specs`` are the models that were asked for."""
    yield from _wrong_onnx(asked, specs)
    yield from _wrong_litert(asked, specs)


def _wrong_onnx(asked: Asked, specs: Sequence[ModelSpec]) -> Iterator[str]:
    if asked.onnx_file and (len(specs) != 1 or specs[0].kind == "onnx"):
        yield "--onnx judges a file against one Keras model or SavedModel; name that model, and only that one"
    if asked.onnx_file and Path(asked.onnx_file).exists():
        try:
            _check_onnx(Path(asked.onnx_file))
        except UsageError as error:
            yield f"--onnx {asked.onnx_file}: {error}"
    if asked.onnx_names and not asked.onnx_file:
        yield "--onnx-names says what the names in --onnx FILE mean; there is no --onnx"


def _check_onnx(path: Path) -> None:
    from bench.prepare.sniff import sniff

    kind = None if path.is_dir() else sniff(path)
    if kind != "onnx":
        raise UsageError(f"expected an .onnx file, seen {'a folder' if kind is None else kind}")


def _wrong_litert(asked: Asked, specs: Sequence[ModelSpec]) -> Iterator[str]:
    if asked.litert_names and not asked.litert_file:
        yield "--litert-names says what the names in --litert FILE mean; there is no --litert"
    if not asked.litert_file:
        return
    if len(specs) != 1:
        yield "--litert judges a file against one model; name that model, and only that one"
    if not any(runtime.name == "litert" for runtime in asked.runtimes):
        yield "--litert gives the file that LiteRT runs, and LiteRT is none of the runtimes; add -e tensorflow,litert"
    path = Path(asked.litert_file)
    if path.exists() and not _is_litert(path):
        seen = "a folder" if path.is_dir() else "another kind of file"
        yield f"--litert {path}: expected a .tflite file, seen {seen}"


def _is_litert(path: Path) -> bool:
    """Whether a file says in its first bytes that it is a LiteRT (TensorFlow Lite) model."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(8)[4:] == _LITERT_MARK
