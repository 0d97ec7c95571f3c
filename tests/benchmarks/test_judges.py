import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: it must not hide an installed bench

from benchmarks import judges

Array = np.ndarray[Any, np.dtype[Any]]

TRUTH = {"y": np.arange(8, dtype=np.float32).reshape(4, 2)}


@pytest.mark.parametrize(
    ("outputs", "passes"),
    [
        ({"y": np.array([[1.0], [2.0]])}, True),
        ({"renamed": np.array([[1.0], [2.0]])}, True),  # pairs by position
        ({}, True),  # zip stops at the shorter side
        ({"y": np.array([[1.0], [2.001]])}, False),
        ({"y": np.array([[1.0], [np.nan]])}, False),
        ({"y": np.ones((3, 1))}, False),  # raises
    ],
)
def test_allclose_is_used_as_people_use_it(outputs: dict[str, Array], passes: bool) -> None:
    assert judges.passes_allclose({"y": np.array([[1.0], [2.0]])}, outputs, 1e-5) is passes


@pytest.mark.parametrize(
    ("outputs", "passes"),
    [
        ({"y": 1.01 * TRUTH["y"]}, True),  # a factor turns no vector
        ({"y": TRUTH["y"][::-1]}, False),
        ({"y": np.full((4, 2), np.nan)}, False),
        ({"y": np.zeros((4, 2))}, False),
        ({"y": np.zeros((3, 2))}, False),
    ],
)
def test_cosine_sees_directions_alone(outputs: dict[str, Array], passes: bool) -> None:
    assert judges.passes_cosine(TRUTH, outputs) is passes


@pytest.mark.slow
def test_polygraphy_itself_passes_the_same_numbers_and_sees_a_hundredth() -> None:
    shorter = {"y": TRUTH["y"][:3]}
    assert judges.polygraphy_passes(TRUTH, [TRUTH, {"y": 1.01 * TRUTH["y"]}, shorter]) == [True, False, False]
