from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import BenchError, UnsupportedError
from bench.runtimes.dimensions import input_dimensions
from bench.runtimes.tiny import TINY_INPUT, write_tiny_onnx

# Written by hand from onnx.proto3: each message as its field numbers and bytes.


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _model(inputs: dict[str, list[int | str | None]], weights: int = 0) -> bytes:
    graph = _field(1, b"\x0a\x01x") + _field(5, b"\x00" * weights)
    for name, shape in inputs.items():
        dims = b"".join(_field(1, _dimension(size)) for size in shape)
        tensor = b"\x08\x01" + _field(2, dims)
        graph += _field(11, _field(1, name.encode()) + _field(2, _field(1, tensor)))
    return b"\x08\x08" + _field(2, b"maker") + _field(7, graph)


def _dimension(size: int | str | None) -> bytes:
    if isinstance(size, str):
        return _field(2, size.encode())
    return b"" if size is None else b"\x08" + _varint(size)


def _written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return path


def test_numbers_names_and_unknown_dimensions_are_told_apart(tmp_path: Path) -> None:
    path = _written(tmp_path, _model({"image": ["N", 224, None, 3], "mask": ["unk__7", "H"], "scalar": []}))
    assert input_dimensions(path) == {"image": ("N", 224, None, 3), "mask": ("unk__7", "H"), "scalar": ()}


def test_weights_of_any_size_are_stepped_over(tmp_path: Path) -> None:
    path = _written(tmp_path, _model({"x": ["N", 100000]}, weights=3_000_000))
    assert input_dimensions(path) == {"x": ("N", 100000)}


def test_a_file_of_the_onnx_package_reads_the_same(tmp_path: Path) -> None:
    assert input_dimensions(Path(write_tiny_onnx(tmp_path).path)) == {"x": TINY_INPUT}


@pytest.mark.parametrize("cut", [3, 20, 100])
def test_a_file_that_is_cut_off_is_named_so(tmp_path: Path, cut: int) -> None:
    path = _written(tmp_path, _model({"x": ["N", 3]}, weights=200)[:-cut])
    with pytest.raises(UnsupportedError, match=r"reading model\.onnx: not an ONNX model, or cut off"):
        input_dimensions(path)


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><html>", b"version https://git-lfs", b"\xff" * 40])
def test_a_file_of_another_kind_is_named_so(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnsupportedError, match="not an ONNX model"):
        input_dimensions(_written(tmp_path, content))


def test_an_empty_file_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="empty"):
        input_dimensions(_written(tmp_path, b""))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"there is no file .*gone\.onnx"):
        input_dimensions(tmp_path / "gone.onnx")
