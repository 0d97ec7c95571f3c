"""A prepared model as a ``.keras`` file that any process can load, or the reason why there is none."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bench.records import Artifact, Failure, Prepared, PrepareSettings
from bench.specs import parse_model

pytestmark = pytest.mark.slow

KINDS = Path(__file__).with_name("model_kinds.py")
Prepare = Callable[..., Prepared]


def write(text: str, prepared: Prepared, folder: Path, **settings: Any) -> Artifact | Failure:
    from bench.prepare.child.keras_file import write_keras

    folder.mkdir(exist_ok=True)
    return write_keras(parse_model(text), PrepareSettings(**settings), folder, prepared)


def kind(name: str) -> str:
    return f"{KINDS}:{name}"


@pytest.mark.parametrize("name", ["functional", "sequential", "nested", "by_name", "listed", "nested_outputs"])
def test_the_file_has_the_weights_of_the_truth(prepare_here: Prepare, tmp_path: Path, name: str) -> None:
    prepared = prepare_here(kind(name))
    made = write(kind(name), prepared, tmp_path)
    assert isinstance(made, Artifact)
    assert (made.kind, made.inputs, made.outputs, made.names) == ("keras", prepared.inputs, prepared.outputs, {})
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


def test_a_zoo_model_is_calibrated_again_to_the_same_bits(prepare_here: Prepare, tmp_path: Path) -> None:
    spec = "mobilenet_v1:alpha=0.25,resolution=32"
    made = write(spec, prepare_here(spec), tmp_path)
    assert isinstance(made, Artifact)


def test_the_same_model_is_the_same_bytes(prepare_here: Prepare, tmp_path: Path) -> None:
    made = [write(kind("functional"), prepare_here(kind("functional")), tmp_path / str(n)) for n in range(2)]
    assert isinstance(made[0], Artifact)
    assert isinstance(made[1], Artifact)
    assert made[0].digest == made[1].digest
    dates = {info.date_time for info in zipfile.ZipFile(made[0].path).infolist()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}


def test_weights_that_a_builder_draws_follow_the_seed_of_the_run(prepare_here: Prepare, tmp_path: Path) -> None:
    first = prepare_here(kind("functional"))
    assert prepare_here(kind("functional"), seed=1).model_digest != first.model_digest
    other = write(kind("functional"), first, tmp_path, seed=1)
    assert isinstance(other, Failure)
    assert "is not the model that was prepared" in other.reason
    assert list(tmp_path.iterdir()) == []


def test_another_model_under_the_same_name_is_refused(prepare_here: Prepare, tmp_path: Path) -> None:
    changed = msgspec.structs.replace(prepare_here(kind("functional")), model_digest="of another")
    made = write(kind("functional"), changed, tmp_path)
    assert isinstance(made, Failure)
    assert (made.status, list(tmp_path.iterdir())) == ("failed", [])


@pytest.mark.parametrize(("name", "word"), [("narrowing", "Narrowing"), ("noise", "Noise")])
def test_a_class_of_the_users_own_is_named_and_no_file_is_left(
    prepare_here: Prepare, tmp_path: Path, name: str, word: str
) -> None:
    made = write(kind(name), prepare_here(kind(name)), tmp_path)
    assert isinstance(made, Failure)
    assert made.status == "unsupported"
    assert word in made.reason
    assert list(tmp_path.iterdir()) == []


def test_a_subclassed_model_has_no_file(prepare_here: Prepare, tmp_path: Path) -> None:
    shapes = {"x": (1, 4)}
    prepared = prepare_here(kind("subclassed"), input_shapes=shapes)
    made = write(kind("subclassed"), prepared, tmp_path, input_shapes=shapes)
    assert isinstance(made, Failure)
    assert made.status == "unsupported"
    assert "Subclassed" in made.reason


def test_an_onnx_file_holds_no_keras_model(prepare_here: Prepare, tmp_path: Path) -> None:
    prepared = prepare_here(kind("functional"))
    path = prepared.artifacts["onnx"].path
    made = write(path, prepared, tmp_path)
    assert isinstance(made, Failure)
    assert made.reason == "an .onnx file holds no Keras model; use one of Keras"


def test_the_file_computes_what_the_truth_says(prepare_here: Prepare, tmp_path: Path) -> None:
    import keras

    prepared = prepare_here(kind("by_name"))
    made = write(kind("by_name"), prepared, tmp_path)
    assert isinstance(made, Artifact)
    model = keras.saving.load_model(made.path, compile=False)
    pool, truth = np.load(prepared.pool.path), np.load(prepared.truth_file.path)
    outputs = model({name: pool[name] for name in pool.files}, training=False)
    for name in truth.files:
        np.testing.assert_allclose(outputs[name], truth[name], rtol=1e-4, atol=1e-5)
