from __future__ import annotations

import numpy as np

from bench.analysis.diagnosis import likely_cause

RNG = np.random.default_rng(0)
A, B, IMAGES = RNG.normal(size=(8, 5)), RNG.normal(size=(8, 5)), RNG.normal(size=(8, 6, 6, 3))


def test_values_of_another_output_are_named() -> None:
    cause = likely_cause("a", A, {"a": B, "b": A.astype(np.float32)})
    assert cause == "; output 'b' holds what 'a' should: the outputs appear to be permuted"


def test_items_in_another_order_are_told() -> None:
    assert likely_cause("a", A, {"a": np.roll(A, 3, axis=0)}) == "; the items match in another order"


def test_reversed_channels_of_an_image_are_told() -> None:
    assert likely_cause("a", IMAGES, {"a": IMAGES[..., ::-1]}) == "; it matches with its channels reversed"


def test_a_constant_is_told() -> None:
    assert likely_cause("a", A, {"a": np.full_like(A, 0.1)}) == "; it is the same for every input"


def test_nothing_is_said_where_no_trial_explains_the_difference() -> None:
    assert likely_cause("a", A, {"a": A + B}) == ""
    assert likely_cause("a", A, {"a": A * 1.1, "b": B, "c": np.full_like(A, np.nan), "d": A[:4]}) == ""
