"""What cannot be exported says which layer it is and what to do instead; what is told to be used instead works."""

from __future__ import annotations

from typing import Any

import pytest

from bench.errors import UsageError

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("model", "layer", "advice"),
    [
        ("hashed", "layer hashing, Hashing", "hash before it"),
        ("binned", "layer discretization, Discretization", "bin before it"),
        ("stretched", "layer up, Conv2DTranspose", "use 'same'"),
        ("activated", "layer act, Dense", "use elu, which is celu with alpha=1"),
    ],
)
def test_the_reason_names_the_layer_and_the_way_out(prepare_kind: Any, model: str, layer: str, advice: str) -> None:
    prepared = prepare_kind(model)
    assert layer in prepared.failures["onnx"].reason
    assert advice in prepared.failures["onnx"].reason
    assert "saved_model" in prepared.artifacts


def test_of_many_layers_the_first_are_named_and_the_rest_counted(prepare_kind: Any) -> None:
    reason = prepare_kind("gelus").failures["onnx"].reason
    assert "Erfc (layer wide_3, Dense) and 2 more; that is gelu in its exact form" in reason
    assert "wide_4" not in reason


@pytest.mark.parametrize("model", ["stretched:padding=same", "activated:name=elu"])
def test_the_way_out_is_one(prepare_kind: Any, model: str) -> None:
    assert prepare_kind(model).failures == {}


def test_a_name_that_tensorflow_does_not_take_is_told_to_be_changed(prepare_kind: Any) -> None:
    with pytest.raises(UsageError, match=r"'class scores' is not a valid scope name.*give that layer or model another"):
        prepare_kind("spaced_name")


def test_a_stateful_layer_is_prepared_at_its_fixed_batch_and_its_state_is_told(prepare_kind: Any) -> None:
    prepared = prepare_kind("stateful")
    assert any(caution.code == "non-deterministic model" for caution in prepared.cautions)
    assert prepared.artifacts["onnx"].inputs[0].shape[0] == 2
