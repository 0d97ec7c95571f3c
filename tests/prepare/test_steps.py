"""A tensor in the layer's layout, its error, and the first step that is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from bench.analysis.distance import LEAST_TOLERANCE
from bench.prepare.dissection import Step
from bench.prepare.steps import NOT_A_NUMBER, first_wrong, in_layout, step_error, to_blame, with_rounding


def step(name: str = "s", **fields: object) -> Step:
    return Step(name=name, kind="Conv2D", tensor="t", **fields)  # type: ignore[arg-type]


def test_a_tensor_with_channels_first_comes_in_the_layers_layout() -> None:
    tensor = np.arange(24.0).reshape(1, 2, 3, 4)
    seen = in_layout(step(axes=(0, 2, 3, 1), shape=(8, 3, 4, 2)), tensor)
    assert seen.shape == (1, 3, 4, 2)
    assert seen[0, 1, 2, 1] == tensor[0, 1, 1, 2]


def test_a_tensor_with_one_axis_more_loses_it() -> None:
    assert in_layout(step(shape=(8, 5)), np.zeros((1, 1, 5))).shape == (1, 5)


def test_a_tensor_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        in_layout(step(shape=(8, 5)), np.zeros((1, 6)))


def test_an_error_is_in_units_of_the_spread_over_items() -> None:
    truth = np.array([[0.0], [2.0]])
    assert step_error(truth, truth + 0.5) == pytest.approx(0.5)


def test_without_a_spread_it_is_in_units_of_the_size() -> None:
    truth = np.full((3, 2), 4.0)
    assert step_error(truth, truth) == 0.0
    assert step_error(truth, truth + 1.0) == pytest.approx(0.25)
    assert step_error(truth * 0, truth) == NOT_A_NUMBER


def test_nan_where_the_truth_has_a_number_is_as_wrong_as_can_be() -> None:
    truth = np.array([[0.0], [1.0]])
    assert step_error(truth, np.array([[np.nan], [1.0]])) == NOT_A_NUMBER
    both = np.array([[np.nan], [1.0]])
    assert step_error(both, both) == 0.0


def test_of_integers_the_share_that_differs_counts() -> None:
    assert step_error(np.array([[1], [2]]), np.array([[1], [3]])) == 0.5


def test_the_first_wrong_step_is_beyond_its_own_yardstick() -> None:
    steps = [step("a"), step("b", yardstick=1.0), step("c")]
    assert first_wrong(steps, [LEAST_TOLERANCE, 7.0, 2e-3]) == 2
    assert first_wrong(steps, [None, 9.0, 2e-3]) == 1
    assert first_wrong(steps, [None, 0.0, 0.0]) is None


def test_a_fused_layer_whose_weights_the_tensor_holds_is_the_one_to_name() -> None:
    steps = [
        Step(name="encoder/conv", kind="Conv2D", tensor=None),
        Step(name="encoder/norm", kind="BatchNormalization", tensor="t", blame="encoder/conv"),
    ]
    assert to_blame(steps, 1) == "layer conv, Conv2D in encoder"
    assert to_blame([step("head")], 0) == "layer head, Conv2D"


def test_a_yardstick_is_no_less_than_one_rounding_of_the_largest_value() -> None:
    far_from_zero = np.array([[1000.0], [1001.0]])
    assert with_rounding(None, far_from_zero) == pytest.approx(0.5 * 2.0**-23 * 1001.0 / 0.5)
    assert with_rounding(1.0, far_from_zero) == 1.0
    assert with_rounding(None, np.zeros((2, 1))) is None
    assert with_rounding(None, np.array([[1], [2]])) is None
