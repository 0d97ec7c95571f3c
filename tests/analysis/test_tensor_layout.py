"""Rows of a tensor and the layer's values are one another's, in any order of axes."""

from __future__ import annotations

import numpy as np
import pytest

from bench.analysis.tensor_layout import as_layer, as_rows
from bench.prepare.dissection import Step

RANDOM = np.random.default_rng(0)


def step(axes: tuple[int, ...] | None, *shape: int) -> Step:
    return Step(name="s", kind="Conv2D", tensor="t", axes=axes, shape=shape)


def test_channels_first_becomes_channels_last_and_back() -> None:
    rows = RANDOM.normal(size=(4, 3, 5, 6))
    one = step((0, 2, 3, 1), 4, 5, 6, 3)
    values = as_layer(rows, one)
    np.testing.assert_array_equal(values, rows.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(as_rows(values, one, (3, 5, 6)), rows)


def test_a_tensor_with_time_in_front_of_the_batch_is_a_whole_row() -> None:
    rows = RANDOM.normal(size=(4, 7, 1, 2))  # of each item [time, batch, features]
    one = step((1, 0, 2), 4, 7, 2)
    values = as_layer(rows, one)
    np.testing.assert_array_equal(values, rows[:, :, 0])
    np.testing.assert_array_equal(as_rows(values, one, (7, 1, 2)), rows)


@pytest.mark.parametrize("row", [(6,), (1, 1, 6), (2, 3)])
def test_axes_of_length_one_come_and_go(row: tuple[int, ...]) -> None:
    values = RANDOM.normal(size=(4, 6))
    rows = as_rows(values, step(None, 4, 6), row)
    assert rows.shape == (4, *row)
    np.testing.assert_array_equal(as_layer(rows, step(None, 4, 6)), values)


def test_rows_of_another_size_stay_as_they_are() -> None:
    assert as_layer(np.zeros((4, 7)), step(None, 4, 6)).shape == (4, 7)
