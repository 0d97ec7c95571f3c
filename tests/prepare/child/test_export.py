"""Models that can't be exported: a failure that names layer, operation and way out, and a SavedModel all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.prepare.arrays import load_arrays
from bench.records import Failure, Prepared

pytestmark = pytest.mark.slow

Prepare = Callable[..., Prepared]


def onnx_failure(prepared: Prepared) -> Failure:
    """The failure, once it is sure that no file was left and TensorFlow's artifact is there."""
    assert set(prepared.artifacts) == {"saved_model"}
    folder = Path(prepared.artifacts["saved_model"].path).parent / "onnx"
    failure = prepared.failures["onnx"]
    wrong = ["rejected.onnx"] if failure.verdict == "disagrees" else []  # kept to be explained, never as an artifact
    assert [file.name for file in folder.iterdir()] == wrong
    assert [Path(artifact.path).name for artifact in prepared.rejected.values()] == wrong
    return failure


def test_gelu_names_erfc_the_layer_and_the_way_out(prepare_kind: Prepare) -> None:
    failure = onnx_failure(prepare_kind("gelu"))
    assert failure.status == "unsupported"
    assert "Erfc (layer act, Dense)" in failure.reason
    assert "approximate=True" in failure.reason


@pytest.mark.parametrize("how", ["bicubic", "lanczos3"])
def test_resizing_that_does_not_load_names_the_layer_and_the_way_out(prepare_kind: Prepare, how: str) -> None:
    failure = onnx_failure(prepare_kind(f"resizing:how={how}"))
    assert failure.status == "unsupported"
    assert "layer shrink, Resizing" in failure.reason
    assert "bilinear" in failure.reason


def test_resizing_by_area_is_called_out_with_its_error_and_its_layer(prepare_kind: Prepare) -> None:
    failure = onnx_failure(prepare_kind("resizing:how=area"))
    assert failure.verdict == "disagrees"
    assert "the first that differs is layer shrink, Resizing" in failure.reason
    absolute = float(failure.reason.partition("largest difference ")[2].partition(",")[0])
    assert 0.4 < absolute / 2.0 < 0.7  # the layer before it doubles: the known error of about 0.6
    assert failure.relative_error is not None
    assert failure.relative_error > 1.0


def test_a_wrong_layer_whose_node_lost_its_name_is_found(prepare_kind: Prepare) -> None:
    assert "the first that differs is layer shrink, Resizing" in onnx_failure(prepare_kind("resizing_between")).reason


def test_a_wrong_layer_within_a_nested_model_is_found(prepare_kind: Prepare) -> None:
    failure = onnx_failure(prepare_kind("resizing_within"))
    assert failure.verdict == "disagrees"
    assert "layer shrink, Resizing in sequential" in failure.reason


def test_integer_division_of_negative_numbers_is_called_out(prepare_kind: Prepare) -> None:
    failure = onnx_failure(prepare_kind("half_rounded_down", input_ranges={"x": (-9.0, 9.0)}))
    assert failure.verdict == "disagrees"
    assert "layer half" in failure.reason


def test_integer_division_of_positive_numbers_is_right(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("half_rounded_down", input_ranges={"x": (0.0, 9.0)})
    assert prepared.failures == {}
    assert prepared.yardstick == {"half": None}


def test_a_lookup_layer_is_named(prepare_kind: Prepare) -> None:
    failure = onnx_failure(prepare_kind("looked_up"))
    assert "LookupTableFindV2 (layer ids, IntegerLookup)" in failure.reason


@pytest.mark.parametrize("policy", ["float32", "float16", "mixed_float16"])
def test_policies_that_onnx_runtime_has_are_exported(prepare_kind: Prepare, policy: str) -> None:
    prepared = prepare_kind(f"with_policy:policy={policy}")
    assert prepared.failures == {}
    assert prepared.outputs[0].dtype == ("float32" if policy == "float32" else "float16")
    assert prepared.truth == "float64"
    error = prepared.yardstick["conv"]
    assert error is not None
    assert (error < 1e-5) == (policy == "float32")


@pytest.mark.parametrize(
    ("policy", "says"), [("bfloat16", "no bfloat16"), ("mixed_bfloat16", "no bfloat16"), ("float64", "float64 operat")]
)
def test_policies_that_onnx_runtime_lacks_are_unsupported_and_say_so(
    prepare_kind: Prepare, policy: str, says: str
) -> None:
    failure = onnx_failure(prepare_kind(f"with_policy:policy={policy}"))
    assert failure.status == "unsupported"
    assert says in failure.reason
    assert "layer conv, Conv2D" in failure.reason


def test_no_reason_tells_a_place_on_this_machine(prepare_kind: Prepare) -> None:
    for name in ("with_policy:policy=bfloat16", "resizing:how=bicubic"):
        assert "/tmp" not in prepare_kind(name).failures["onnx"].reason


@pytest.mark.parametrize("name", ["noise", "random_dropout"])
def test_a_model_that_draws_random_numbers_is_called_non_deterministic_not_wrong(
    prepare_kind: Prepare, name: str
) -> None:
    prepared = prepare_kind(name)
    assert prepared.failures == {}
    texts = [caution.text for caution in prepared.cautions if caution.code == "non-deterministic model"]
    assert any("the same input gave different outputs" in text for text in texts)
    assert any("Random" in text for text in texts)
    assert all(error is not None and error > 0.1 for error in prepared.yardstick.values())  # cannot tell: vacuous


def test_training_layers_are_taken_in_inference_and_keep_their_weights(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("batch_norm_hard_wired")
    assert prepared.failures == {}
    assert [caution.code for caution in prepared.cautions] == ["input range"]
    truth, pool = load_arrays(prepared.truth_file), load_arrays(prepared.pool)
    (rows,), (inputs,) = truth.values(), pool.values()
    assert rows.mean() == pytest.approx((inputs.astype(float) + 4.5).mean(), rel=1e-3)  # not 0, as in training


def test_more_weights_than_a_protobuf_holds_is_said_before_trying(
    prepare_kind: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.prepare.child import export

    monkeypatch.setattr(export, "weight_bytes", lambda _: 3 * 2**30)
    monkeypatch.setattr(export, "convert", lambda *_: pytest.fail("it was tried"))
    failure = onnx_failure(prepare_kind("functional:width=7"))
    assert failure.status == "unsupported"
    assert "3.0 GiB" in failure.reason
    assert "2 GiB" in failure.reason


def test_a_constant_model_is_exported_and_leaves_the_verdict_to_the_analysis(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("constant")
    assert prepared.failures == {}
    assert list(prepared.yardstick.values()) == [None]


def test_argmax_names_the_way_out(prepare_kind: Prepare) -> None:
    assert "take the argmax of its outputs" in onnx_failure(prepare_kind("argmax")).reason


def test_a_random_model_is_called_random(prepare_kind: Prepare) -> None:
    assert "the model is random; leave noise" in onnx_failure(prepare_kind("stateless_noise")).reason


def test_what_no_layer_keeps_is_named_when_the_model_cannot_be_saved() -> None:
    from bench.prepare.child.export import _why_unsaved

    text = (
        "Tried to export a function which references an 'untracked' resource. See the information below:\n"
        "\tFunction name = b'infer'\n\tCaptured Tensor = <Resource>\n"
        "\tTrackable referencing this tensor = <tf.Variable 'mine:0'>\n\tInternal Tensor = Tensor(1)"
    )
    assert "it uses <tf.Variable 'mine:0'>, which neither" in _why_unsaved(AssertionError(text))
    assert _why_unsaved(AssertionError("plain\nmore")) == "AssertionError: plain"


def test_a_model_that_gives_nan_itself_is_exported(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("nan_bias")
    assert prepared.failures == {}
    assert "onnx" in prepared.artifacts


@pytest.mark.parametrize(
    ("reference", "truth", "output", "lets_through"),
    [
        ([1.0, 2.0], [1.0, 2.0], [1.0, np.nan], False),
        ([1.0, np.nan], [1.0, 2.0], [1.0, np.nan], True),
        ([1.0, 0.0], [1.0, np.nan], [1.0, np.nan], True),
        ([1.0, 0.0], [1.0, np.nan], [np.inf, np.nan], False),
        ([1.0, np.nan], [1.0, np.nan], [1.0, 0.0], True),
    ],
)
def test_a_file_is_rejected_for_nan_of_its_own_alone(
    reference: list[float], truth: list[float], output: list[float], lets_through: bool
) -> None:
    from bench.prepare.child.export import Sample, compare

    sample = Sample((), (), {}, {"y": np.array([reference])}, {"y": None}, truth={"y": np.array([truth])})
    assert (compare(sample, {"y": np.array([output])}) is None) == lets_through
