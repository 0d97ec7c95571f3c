"""Every kind of model, whole: what is made runs in ONNX Runtime and TensorFlow and gives the truth, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.analysis.agreement import case_verdict, check_outputs
from bench.errors import BenchError, UnsupportedError, UsageError
from bench.prepare.arrays import Array, load_arrays
from bench.prepare.input_files import takes_ranges
from bench.prepare.messages import ChildAnswer
from bench.records import Artifact, Prepared, Verdict

pytestmark = pytest.mark.slow

Prepare = Callable[..., Prepared]


def run_onnx(artifact: Artifact, pool: Mapping[str, Array]) -> dict[str, Array]:
    import onnxruntime

    session = onnxruntime.InferenceSession(artifact.path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    feed = {tensor.name: pool[artifact.names.get(tensor.name, tensor.name)] for tensor in artifact.inputs}
    outputs = session.run(names, feed)
    return {artifact.names.get(name, name): rows for name, rows in zip(names, outputs, strict=True)}


def run_saved_model(artifact: Artifact, pool: Mapping[str, Array]) -> dict[str, Array]:
    import tensorflow as tf

    loaded = tf.saved_model.load(artifact.path)
    feed = {t.name: tf.constant(pool[artifact.names.get(t.name, t.name)]) for t in artifact.inputs}
    results = loaded.signatures["serving_default"](**feed)
    return {artifact.names.get(name, name): value.numpy() for name, value in results.items()}


def verdict(prepared: Prepared, outputs: Mapping[str, Array]) -> Verdict:
    return case_verdict(check_outputs(load_arrays(prepared.truth_file), outputs, prepared.yardstick))


def assert_both_agree(prepared: Prepared) -> None:
    assert prepared.failures == {}
    pool = load_arrays(prepared.pool)
    for run, kind in ((run_onnx, "onnx"), (run_saved_model, "saved_model")):
        outputs = run(prepared.artifacts[kind], pool)
        assert set(outputs) == {tensor.name for tensor in prepared.outputs}
        assert verdict(prepared, outputs) == "agrees", kind


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("sequential", {}),
        ("unbuilt", {"input_shapes": {"x": (1, 6)}}),
        ("functional", {}),
        ("nested", {}),
        ("clone", {}),
        ("subclassed", {"input_shapes": {"x": (1, 5)}}),
        ("by_name", {}),
        ("listed", {}),
        ("layer_twice", {}),
        ("own_input", {}),
        ("nested_outputs", {}),
        ("output_named_as_input", {}),
        ("normalised", {}),
        ("embedded", {}),
        ("gelu:approximate=true", {}),
        ("resizing:how=bilinear", {}),
        ("narrowing", {}),
        ("dropout_hard_wired", {}),
    ],
)
def test_a_model_of_any_kind_computes_the_same_in_both_artifacts(
    prepare_kind: Prepare, name: str, settings: dict[str, Any]
) -> None:
    assert_both_agree(prepare_kind(name, **settings))


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", ["functional", "sequential"])
def test_a_saved_and_reloaded_model_computes_the_same(
    prepare_here: Prepare, prepare_kind: Prepare, saved: Callable[[str, str], Path], name: str, suffix: str
) -> None:
    assert_both_agree(prepare_here(str(saved(name, suffix))))


def test_an_application_computes_the_same_and_names_its_softmax(prepare_here: Prepare) -> None:
    prepared = prepare_here("keras:MobileNetV2:alpha=0.35,resolution=32,classes=5,weights=random")
    assert [tensor.name for tensor in prepared.outputs] == ["predictions"]
    assert prepared.inputs[0].shape == (None, 32, 32, 3)
    assert set(prepared.artifacts) == {"onnx", "saved_model"}
    outputs = run_onnx(prepared.artifacts["onnx"], load_arrays(prepared.pool))
    np.testing.assert_allclose(outputs["predictions"].sum(axis=1), 1.0, rtol=1e-5)
    assert verdict(prepared, outputs) == "vacuous"  # untrained: the same for every image
    assert verdict(prepared, {"predictions": np.roll(outputs["predictions"], 1, axis=0)}) == "vacuous"


# --- names


def test_outputs_of_one_shape_are_told_apart_by_name(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("by_name")
    outputs = run_onnx(prepared.artifacts["onnx"], load_arrays(prepared.pool))
    assert set(outputs) == {"zeta", "alpha", "mid"}
    swapped = {**outputs, "zeta": outputs["alpha"], "alpha": outputs["zeta"]}
    assert verdict(prepared, swapped) == "disagrees"


def test_inputs_of_one_shape_are_told_apart_by_name(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("by_name")
    pool = load_arrays(prepared.pool)
    swapped = {"left": pool["right"], "right": pool["left"]}
    assert verdict(prepared, run_onnx(prepared.artifacts["onnx"], swapped)) == "disagrees"


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("functional", {"out": ""}),
        ("by_name", {"alpha": "['alpha']", "mid": "['mid']", "zeta": "['zeta']"}),
        ("listed", {"p": "[0]", "q": "[1]"}),
        ("layer_twice", {"shared": "[0]", "shared_1": "[1]"}),
        ("output_named_as_input", {"x_1": "['x']"}),
        ("nested_outputs", {"a/0": "['a'][0]", "a/1": "['a'][1]", "b/c": "['b']['c']"}),
    ],
)
def test_every_output_has_one_name_of_its_own_and_says_where_it_is_from(
    prepare_kind: Prepare, name: str, paths: dict[str, str]
) -> None:
    assert prepare_kind(name).output_paths == paths


# --- shapes


def test_the_batch_is_called_batch_and_the_opset_and_ir_version_are_recorded(prepare_kind: Prepare) -> None:
    import onnx

    artifact = prepare_kind("functional").artifacts["onnx"]
    proto = onnx.load(artifact.path)
    assert [axis.dim_param or axis.dim_value for axis in proto.graph.input[0].type.tensor_type.shape.dim] == [
        "batch",
        8,
        8,
        3,
    ]
    assert proto.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert (artifact.opset, artifact.ir_version) == (18, 8)
    assert proto.ir_version == 8


def test_a_fixed_batch_is_kept_and_the_pool_still_has_a_row_an_item(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("fixed_batch")
    assert prepared.failures == {}
    assert (prepared.inputs[0].shape, prepared.outputs[0].shape) == ((3, 4), (3, 3))
    assert prepared.pool.items == prepared.truth_file.items == 8


def test_free_axes_are_fixed_by_the_user(prepare_kind: Prepare) -> None:
    with pytest.raises(UsageError, match=r"--input-shapes image:\[1,N,N,3\]"):
        prepare_kind("free_size")
    prepared = prepare_kind("free_size", input_shapes={"image": (1, 9, 7, 3)})
    assert prepared.inputs[0].shape == (None, 9, 7, 3)
    assert load_arrays(prepared.pool)["image"].shape == (8, 9, 7, 3)
    assert_both_agree(prepared)


def test_an_output_without_the_batch_in_front_is_a_whole_output_an_item(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("flat")
    assert prepared.failures == {}
    assert (prepared.outputs[0].batched, prepared.outputs[0].shape) == (False, (3,))
    assert load_arrays(prepared.truth_file)["flat"].shape == (8, 3)


def test_a_subclassed_model_asks_for_its_shapes(prepare_kind: Prepare) -> None:
    with pytest.raises(UsageError, match="--input-shapes x:"):
        prepare_kind("subclassed")


def test_text_is_refused_by_name(prepare_kind: Prepare) -> None:
    with pytest.raises(UsageError, match="'words' has type string"):
        prepare_kind("text")


# --- inputs


@pytest.mark.parametrize(
    ("name", "settings", "largest"),
    [
        ("functional", {}, 1.0),
        ("functional", {"input_ranges": {"": (-3.0, 3.0)}}, 3.0),
        ("functional", {"input_ranges": {"image": (0.0, 9.0), "": (0.0, 5.0)}}, 9.0),
        ("pixels", {}, 255.0),
        ("normalised", {}, 9.0),
        ("embedded", {}, 8.0),
    ],
)
def test_inputs_fill_the_range_that_is_asked_for_or_told(
    prepare_kind: Prepare, name: str, settings: dict[str, Any], largest: float
) -> None:
    pool = load_arrays(prepare_kind(name, **settings).pool)
    seen = max(float(rows.max()) for rows in pool.values())
    assert 0.8 * largest <= seen <= largest


def test_an_assumed_range_is_a_caution_and_a_known_one_is_not(prepare_kind: Prepare) -> None:
    assert [caution.code for caution in prepare_kind("functional").cautions] == ["input range"]
    assert prepare_kind("pixels").cautions == ()


def test_no_range_is_assumed_of_inputs_that_were_loaded(prepare_kind: Prepare, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(8, 8, 8, 3)).astype(np.float32)
    np.savez(tmp_path / "in.npz", image=rows)
    assert prepare_kind("functional", load_inputs=str(tmp_path / "in.npz")).cautions == ()


def test_loaded_images_are_scaled_by_a_range_and_other_data_is_not(tmp_path: Path) -> None:
    assert takes_ranges(None)
    assert takes_ranges(tmp_path)
    (tmp_path / "test_data_set_0").mkdir()
    assert not takes_ranges(tmp_path)
    assert not takes_ranges(tmp_path / "in.npz")


def test_few_loaded_inputs_are_a_caution(prepare_kind: Prepare, tmp_path: Path) -> None:
    np.save(tmp_path / "few.npy", np.random.default_rng(0).random((5, 8, 8, 3), np.float32))
    prepared = prepare_kind("functional", load_inputs=str(tmp_path / "few.npy"))
    assert "few inputs" in {caution.code for caution in prepared.cautions}
    assert prepared.pool.items == prepared.truth_file.items == 5


# --- the same file each time


@pytest.mark.parametrize("name", ["functional", "by_name"])
def test_the_same_model_makes_the_same_onnx_file(answer_here: Callable[..., ChildAnswer], name: str) -> None:
    import keras

    digests = set()
    for _ in range(2):
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        spec = f"{Path(__file__).with_name('model_kinds.py')}:{name}"
        prepared = answer_here(spec).prepared
        assert prepared is not None
        digests.add((prepared.artifacts["onnx"].digest, prepared.model_digest, prepared.pool.digest))
    assert len(digests) == 1


# --- describing


def test_a_model_is_described_without_being_exported() -> None:
    from bench.prepare.child import pipeline
    from bench.records import PrepareSettings
    from bench.specs import parse_model

    facts = pipeline.describe(parse_model("mobilenet_v1:alpha=0.25,resolution=128"), PrepareSettings())
    assert (facts.parameters, facts.multiply_adds) == (470_072, 13_570_048)
    assert facts.inputs[0].shape == (None, 128, 128, 3)
    unknown = pipeline.describe(parse_model("keras:NoSuchNet"), PrepareSettings())
    assert "MobileNetV2" in (unknown.reason or "")


def test_outputs_that_are_text_are_refused() -> None:
    from bench.prepare.child.record import _save_truth

    with pytest.raises(UnsupportedError, match="label holds text"):
        _save_truth(Path("none"), {"label": np.array(["a"])})


def test_inputs_that_a_keras_model_rejects_are_told_in_one_line(prepare_kind: Prepare) -> None:
    with pytest.raises(BenchError, match=r"^the model failed on the inputs: indices.*; set --input-range") as caught:
        prepare_kind("look_up")
    assert "\n" not in str(caught.value)


def test_a_table_of_one_row_is_only_asked_for_that_row(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("one_row")
    assert load_arrays(prepared.pool)[prepared.inputs[0].name].max() == 0
