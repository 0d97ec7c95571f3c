from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py  # type: ignore[import-untyped,unused-ignore]
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.errors import UsageError
from bench.prepare.sniff import sniff


def write_onnx(path: Path) -> Path:
    value = helper.make_tensor_value_info
    weights = numpy_helper.from_array(np.arange(64, dtype=np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [value("x", TensorProto.FLOAT, ["batch", 64])],
        [value("y", TensorProto.FLOAT, ["batch", 64])],
        [weights],
    )
    onnx.save(helper.make_model(graph, ir_version=8), path)
    return path


def write_keras(path: Path, *, weights: bool = True) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", "{}")
        if weights:
            archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
    return path


def write_h5(path: Path, *, model: bool = True) -> Path:
    with h5py.File(path, "w") as file:
        if model:
            file.attrs["model_config"] = json.dumps({"class_name": "Sequential"})
        file.create_dataset("layers/dense/vars/0", data=np.arange(4096, dtype=np.float32))
    return path


def write_saved_model(path: Path) -> Path:
    path.mkdir()
    (path / "saved_model.pb").write_bytes(b"\x08\x01")
    return path


@pytest.mark.parametrize(
    ("name", "write", "kind"),
    [
        ("m.onnx", write_onnx, "onnx"),
        ("m.keras", write_keras, "keras_file"),
        ("m.h5", write_h5, "h5"),
        ("m.hdf5", write_h5, "h5"),
        ("m", write_saved_model, "saved_model"),
        ("m.py", lambda path: path.touch(), "builder"),
    ],
)
def test_a_good_file_is_its_kind(tmp_path: Path, name: str, write: Callable[[Path], object], kind: str) -> None:
    write(tmp_path / name)
    assert sniff(tmp_path / name) == kind


def test_a_folder_with_one_onnx_file_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "test_data_set_0").mkdir()
    write_onnx(tmp_path / "model.onnx")
    assert sniff(tmp_path) == "onnx"
    write_onnx(tmp_path / "other.onnx")
    with pytest.raises(UsageError, match=r"model\.onnx, other\.onnx; name one"):
        sniff(tmp_path)


def pickled(path: Path) -> None:
    path.write_bytes(b"\x80\x04\x95\x00\x00")


def tensor(path: Path) -> None:
    path.write_bytes(numpy_helper.from_array(np.ones(3, np.float32), "t").SerializeToString())


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("m.onnx", b"", "reading m.onnx: the file is empty"),
        ("m.keras", b"", "empty"),
        ("m.onnx", b"<!DOCTYPE html><html>", "HTML page"),
        ("m.h5", b"\n  <html lang=en>", "HTML page"),
        ("m.onnx", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        ("m.onnx", b'{"error": "not found"}', "text file"),
        ("m.onnx", b"\x1c\x00\x00\x00TFL3" + bytes(64), "LiteRT"),
        ("m.onnx", b"\x1f\x8b\x08" + bytes(64), "packed archive"),
        ("m.onnx", b"\x93NUMPY\x01\x00", "NumPy array"),
        ("m.keras", (16).to_bytes(8, "little") + b'{"a":{"dtype":1}' + bytes(64), "safetensors"),
        ("m.keras", b"PK\x03\x04 cut short", "cut short"),
        ("m.onnx", b"just some text that nobody wrote", "not a model of a known type"),
    ],
)
def test_a_wrong_file_is_named_for_what_it_is(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=says) as raised:
        sniff(tmp_path / name)
    assert name in str(raised.value)
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "write", "says"),
    [
        ("m.pkl", pickled, "Python pickle"),
        ("m.pb", tensor, "not a model of a known type|without an ONNX graph"),
        ("m.weights.h5", lambda path: write_h5(path, model=False), "weights only"),
        ("m.keras", lambda path: write_keras(path, weights=False), "without weights"),
        ("m.npz", lambda path: np.savez(path, a=np.ones(2)), "NumPy arrays"),
        ("m.bin", write_onnx, "rename it to .onnx"),
        ("m.keras", write_h5, "rename it to .h5"),
        ("m.h5", write_keras, "rename it to .keras"),
    ],
)
def test_a_file_of_another_type_says_what_to_do(
    tmp_path: Path, name: str, write: Callable[[Path], object], says: str
) -> None:
    write(tmp_path / name)
    with pytest.raises(UsageError, match=says):
        sniff(tmp_path / name)


@pytest.mark.parametrize(("name", "write"), [("m.onnx", write_onnx), ("m.h5", write_h5), ("m.keras", write_keras)])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_file_is_called_cut_short(
    tmp_path: Path, name: str, write: Callable[[Path], Path], share: float
) -> None:
    content = write(tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UsageError, match="cut short"):
        sniff(tmp_path / name)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([], "the folder is empty"),
        (["checkpoint", "model.index"], "weights only"),
        (["model.json", "group1-shard1of1.bin"], r"TensorFlow\.js"),
        (["readme.txt"], r"without saved_model\.pb"),
        (["saved_model.pb"], r"its saved_model\.pb is empty"),
    ],
)
def test_a_folder_that_is_no_model_is_named_for_what_it_is(tmp_path: Path, files: list[str], says: str) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match=says):
        sniff(tmp_path)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        sniff(tmp_path / "none.onnx")
