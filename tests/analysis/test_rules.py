from __future__ import annotations

import numpy as np
import pytest

from bench.analysis import rules

TRUTH = np.random.default_rng(0).normal(size=(8, 6))


def test_the_reason_shows_the_worst_entry_with_both_values() -> None:
    output = TRUTH.copy()
    output[5, 2] = 9.0
    seen = rules.check_by_yardstick("y", TRUTH, output, None, 8)
    assert seen.worst_index == (5, 2)
    assert seen.reason.endswith(f"worst at (5, 2): 9 where {TRUTH[5, 2]:.6g} was expected")


def test_a_vacuous_verdict_still_tells_the_largest_difference() -> None:
    seen = rules.check_by_yardstick("y", np.ones((8, 2)), np.full((8, 2), 3.0), None, 8)
    assert seen.verdict == "vacuous"
    assert seen.reason == "the truth is the same for every input; the largest difference is 2"
    assert seen.max_abs_error == 2.0


def test_classes_within_twice_the_tolerance_of_one_another_are_ties() -> None:
    truth = np.eye(8, 6) + TRUTH * 0.1
    truth[0, :2] = [1.0, 1.0 - 1e-5]
    output = truth.copy()
    output[0, :2] = [1.0 - 1e-5, 1.0]
    assert rules.check_by_yardstick("y", truth, output, None, 8).top1_agreement == 1.0
    assert rules.check_by_limits("y", truth, output, 0.0, 1e-3, 8).top1_agreement == 7 / 8


def test_the_users_rule_is_exact_at_its_edge() -> None:
    truth = np.linspace(-4.0, 4.0, 16).reshape(8, 2)
    assert rules.check_by_limits("y", truth, truth + 0.25, 0.0, 0.25, 8).verdict == "agrees"
    seen = rules.check_by_limits("y", truth, truth + 0.25, 0.0, 0.2499, 8)
    assert (seen.verdict, seen.reason.split(",")[0]) == (
        "disagrees",
        "16 of 16 entries are not within atol 0.2499 + rtol 0",
    )


@pytest.mark.parametrize("limit", [float("nan"), float("inf")])
def test_a_limit_that_is_no_number_never_agrees(limit: float) -> None:
    assert rules.check_by_limits("y", TRUTH, TRUTH, 0.0, limit, 8).verdict == "vacuous"


def test_the_reported_yardstick_is_the_one_used() -> None:
    assert rules.check_by_yardstick("y", TRUTH, TRUTH, 2e-3, 8).yardstick == 2e-3
    rounding = rules.check_by_yardstick("y", TRUTH, TRUTH.astype(np.float32), None, 8).yardstick
    assert rounding == pytest.approx(2.0**-24 * np.abs(TRUTH).max() / TRUTH.std(axis=0).mean(), rel=0.1)
