from __future__ import annotations

import hashlib
from pathlib import Path

from bench.prepare.digests import are_unchanged, artifact_digest, dependency_digests, path_digest


def test_a_lone_file_has_its_plain_sha256(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"abc")
    assert artifact_digest(tmp_path / "model.onnx") == hashlib.sha256(b"abc").hexdigest()


def test_external_data_beside_a_file_counts(tmp_path: Path) -> None:
    model, data = tmp_path / "model.onnx", tmp_path / "weights.bin"
    model.write_bytes(b"abc")
    data.write_bytes(b"\x00\x01")
    before = artifact_digest(model)
    data.write_bytes(b"\x00\x03")  # one bit
    assert artifact_digest(model) != before
    data.write_bytes(b"\x00\x01")
    assert artifact_digest(model) == before


def test_a_folder_counts_with_names_and_contents_but_not_with_its_place(tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place / "variables").mkdir(parents=True)
        (tmp_path / place / "saved_model.pb").write_bytes(b"graph")
        (tmp_path / place / "variables" / "data").write_bytes(b"weights")
    assert artifact_digest(tmp_path / "here") == artifact_digest(tmp_path / "there")
    assert path_digest(tmp_path / "here") == path_digest(tmp_path / "there")
    (tmp_path / "there" / "variables" / "data").rename(tmp_path / "there" / "variables" / "other")
    assert artifact_digest(tmp_path / "here") != artifact_digest(tmp_path / "there")


def test_tensorflows_random_fingerprint_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    before = artifact_digest(tmp_path)
    (tmp_path / "fingerprint.pb").write_bytes(b"random")
    assert artifact_digest(tmp_path) == before


def test_dependencies_are_named_from_the_models_folder_so_that_both_can_move(tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place / "parts").mkdir(parents=True)
        (tmp_path / place / "parts" / "layers.py").write_text("x = 1")
    found = dependency_digests([tmp_path / "here" / "parts" / "layers.py"], tmp_path / "here")
    assert list(found) == ["parts/layers.py"]
    assert are_unchanged(found, tmp_path / "there")
    (tmp_path / "there" / "parts" / "layers.py").write_text("x = 2")
    assert not are_unchanged(found, tmp_path / "there")
    (tmp_path / "there" / "parts" / "layers.py").unlink()
    assert not are_unchanged(found, tmp_path / "there")
