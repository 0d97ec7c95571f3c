"""Names of a Keras model's inputs and outputs; ``tests/prepare/child/test_export.py`` holds them on whole models."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.runtimes.keras_names import unique_names


@pytest.mark.parametrize(
    ("names", "taken", "unique"),
    [
        (["a", "b"], [], ["a", "b"]),
        (["a", "a"], [], ["a", "a_1"]),
        (["a", "a", "a_1"], [], ["a", "a_2", "a_1"]),
        (["x"], ["x"], ["x_1"]),
    ],
)
def test_names_are_made_unique(names: list[str], taken: list[str], unique: list[str]) -> None:
    assert unique_names(names, taken) == unique


@given(names=st.lists(st.sampled_from(["a", "b", "a_1", "a_2"])), taken=st.lists(st.sampled_from(["a", "a_1", "c"])))
def test_names_are_unique_and_not_taken_whatever_they_were(names: list[str], taken: list[str]) -> None:
    unique = unique_names(names, taken)
    assert len(set(unique)) == len(unique) == len(names)
    assert not set(unique) & set(taken)
