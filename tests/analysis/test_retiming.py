"""Ratios of a pair of processes -> what is said of denormal numbers, and what is said where they cost nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bench.analysis.retiming import retiming_cautions
from bench.records import CaseRepetition


def tries(ratios: Sequence[float | None]) -> list[CaseRepetition]:
    return [
        CaseRepetition(case_id="c", repetition=place, status="ok", flushed_ratio=ratio)
        for place, ratio in enumerate(ratios)
    ]


def text(*ratios: float | None) -> str:
    (caution,) = retiming_cautions(tries(ratios))
    assert caution.code == "denormal"
    return caution.text


def test_denormal_numbers_that_cost_are_told_with_bounds() -> None:
    told = text(0.30, 0.31, 0.33, 0.31, 0.32)
    assert told.startswith("with denormal=zero it takes 0.31x the time (0.30 to 0.33): try it")


def test_those_that_cost_nothing_are_told_so() -> None:
    assert "no difference on this processor" in text(0.99, 1.0, 1.02, 1.01, 0.98)


@pytest.mark.parametrize("ratios", [(0.7, 1.4, 0.9), (1.02, 1.021, 1.022)])
def test_what_may_be_noise_is_no_difference(ratios: tuple[float, ...]) -> None:
    assert "no difference on this processor" in text(*ratios)


def test_flushing_that_is_slower_is_not_recommended() -> None:
    assert text(1.4, 1.5, 1.45).endswith("leave them as they are")


def test_one_repetition_has_no_bounds_and_a_missing_one_does_not_count() -> None:
    assert "0.50x the time (one repetition)" in text(0.5, None)


def test_a_case_that_was_not_timed_again_has_no_caution() -> None:
    assert retiming_cautions(tries([None, None])) == ()
