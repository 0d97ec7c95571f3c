"""The error that float16 and int8 are judged by."""

from __future__ import annotations

import numpy as np
import pytest

from bench.analysis.noise import precision_error

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(64, 10))


def test_the_truth_itself_has_none_and_a_constant_answer_has_one() -> None:
    assert precision_error(TRUTH, TRUTH) == 0
    assert precision_error(TRUTH, np.broadcast_to(TRUTH.mean(axis=0), TRUTH.shape)) == pytest.approx(1)


def test_rows_in_another_order_are_further_off_than_a_constant() -> None:
    error = precision_error(TRUTH, np.roll(TRUTH, 1, axis=0))
    assert error is not None
    assert error > 1


def test_it_is_the_noise_over_the_spread_whatever_the_scale() -> None:
    noise = 0.1 * RNG.normal(size=TRUTH.shape)
    assert precision_error(TRUTH, TRUTH + noise) == pytest.approx(0.1, rel=0.1)
    assert precision_error(1e-30 * TRUTH, 1e-30 * (TRUTH + noise)) == pytest.approx(
        precision_error(TRUTH, TRUTH + noise)
    )


def test_classes_have_the_share_that_differs() -> None:
    classes = np.arange(8)
    assert precision_error(classes, np.where(classes < 2, 99, classes)) == 0.25


@pytest.mark.parametrize(
    ("truth", "output"),
    [
        (np.ones((4, 2)), np.ones((4, 2))),
        (np.array([[1.0], [np.nan]]), np.array([[1.0], [2.0]])),
        (np.array([[1.0], [2.0]]), np.array([[1.0], [np.inf]])),
        (np.ones((4, 2)), np.ones((4, 3))),
    ],
    ids=["no spread", "NaN in the truth", "infinite output", "another shape"],
)
def test_there_is_none_where_it_cannot_be_told(truth: np.ndarray, output: np.ndarray) -> None:
    assert precision_error(truth, output) is None
