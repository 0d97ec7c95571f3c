from __future__ import annotations

from pathlib import Path

from bench.runtimes.wheels import onnxruntime_distributions, overlapping_wheels


def _install(folder: Path, name: str, version: str, *files: str) -> None:
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_two_wheels_with_the_same_files_are_named_with_their_versions(tmp_path: Path) -> None:
    shared = ("onnxruntime/__init__.py", "onnxruntime/capi/_pybind_state.py")
    _install(tmp_path, "onnxruntime", "1.32.0", *shared, "onnxruntime/a.so")
    _install(tmp_path, "onnxruntime-openvino", "1.24.1", *shared, "onnxruntime/b.so")
    caution = overlapping_wheels([str(tmp_path)])
    assert caution
    assert "onnxruntime 1.32.0, onnxruntime-openvino 1.24.1 overwrite each other here (2 files)" in caution.text


def test_a_plugin_beside_onnxruntime_is_no_doubt(tmp_path: Path) -> None:
    _install(tmp_path, "onnxruntime", "1.32.0", "onnxruntime/__init__.py")
    _install(tmp_path, "onnxruntime-ep-webgpu", "0.4.0", "onnxruntime_ep_webgpu/__init__.py")
    assert overlapping_wheels([str(tmp_path)]) is None


def test_one_wheel_alone_is_no_doubt(tmp_path: Path) -> None:
    _install(tmp_path, "onnxruntime", "1.32.0", "onnxruntime/__init__.py")
    _install(tmp_path, "other", "1.0", "onnxruntime/__init__.py")
    assert overlapping_wheels([str(tmp_path)]) is None


def test_every_distribution_of_onnx_runtime_is_listed_with_its_version(tmp_path: Path) -> None:
    assert onnxruntime_distributions([str(tmp_path)]) == []
    _install(tmp_path, "onnxruntime", "1.32.0", "onnxruntime/__init__.py")
    _install(tmp_path, "onnxruntime-ep-webgpu", "0.4.0", "onnxruntime_ep_webgpu/__init__.py")
    _install(tmp_path, "other", "1.0", "other/__init__.py")
    assert onnxruntime_distributions([str(tmp_path)]) == ["onnxruntime 1.32.0", "onnxruntime-ep-webgpu 0.4.0"]
