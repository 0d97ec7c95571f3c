"""The gate's decision: the table, every rank by enumeration, the promises by brute force, the laws by hypothesis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis import power
from bench.analysis.sequential import Design, decide, default_looks, is_improved, look_at, make_design
from bench.analysis.statistics import lower_bound, tail_probability, upper_bound
from bench.errors import UsageError

SLOWER, SAME, FASTER = [0.05 + n / 10_000 for n in range(16)], [n / 10_000 - 0.0008 for n in range(16)], [-0.2] * 16
# Magnitudes of pairs that a machine may bring: what their signs are is a coin's.
HOSTILE = {
    "all distinct": [1.0 + n / 100 for n in range(12)],
    "all equal": [1.0] * 12,
    "doubling": [2.0**n for n in range(12)],
    "one burst": [0.1] * 11 + [1e6],
    "two modes": [0.1] * 6 + [10.0] * 6,
    "growing then quiet": [5.0] * 8 + [0.001] * 4,
    "some zero": [0.0] * 4 + [1.0] * 8,
}


def table(design: Design) -> list[tuple[int, int, int]]:
    return [(look.pairs, look.alarm_rank, look.pass_rank) for look in design.looks]


def all_signs(n: int) -> Any:
    return np.array(list(product((-1.0, 1.0), repeat=n)))


def test_the_default_design_is_the_published_table() -> None:
    design = make_design()
    assert table(design) == [(5, 0, 1), (8, 1, 2), (12, 6, 8), (16, 17, 21)]
    assert [look.alarm_size for look in design.looks] == [0, 1 / 256, 10 / 4096, 169 / 65536]
    assert [look.pass_size for look in design.looks] == [1 / 32, 2 / 256, 19 / 4096, 360 / 65536]
    assert round(100 * design.false_alarm_bound, 2) == 0.89
    assert round(100 * design.miss_bound, 2) == 4.92
    assert design.max_pairs == 16


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.001])
@pytest.mark.parametrize("beta", [0.1, 0.05, 0.004])
@pytest.mark.parametrize("cases", [1, 3])
def test_every_size_is_that_of_enumerating_all_signs(alpha: float, beta: float, cases: int) -> None:
    least = max(default_looks(alpha, beta, 40, cases)[:2])
    design = make_design(alpha=alpha, beta=beta, cases=cases, max_pairs=max(12, least))
    for look in design.looks:
        if look.pairs > 12:
            continue
        magnitudes = np.array([1.0 + 0.37**n for n in range(look.pairs)])
        values = all_signs(look.pairs) * magnitudes
        first, second = np.triu_indices(look.pairs)
        walsh = np.sort((values[:, first] + values[:, second]) / 2, axis=1)
        for rank, size in ((look.alarm_rank, look.alarm_size), (look.pass_rank, look.pass_size)):
            assert size == (np.mean(walsh[:, rank - 1] > 0) if rank else 0)
            assert size == (np.mean(walsh[:, -rank] < 0) if rank else 0)


@given(
    alpha=st.floats(1e-6, 0.3),
    beta=st.floats(1e-6, 0.3),
    cases=st.integers(1, 200),
    spare=st.integers(0, 30),
)
def test_the_union_bound_keeps_both_promises_over_all_cases(alpha: float, beta: float, cases: int, spare: int) -> None:
    least = least_pairs(alpha, beta, cases)
    design = make_design(alpha=alpha, beta=beta, cases=cases, max_pairs=min(100, least + spare))
    assert 0 < design.false_alarm_bound <= alpha
    assert 0 < design.miss_bound <= beta
    assert design.looks[0].pairs <= design.max_pairs <= least + spare


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.floats(1e-4, 0.3), st.floats(1e-4, 0.3))
def test_the_union_bound_keeps_both_promises_for_any_looks(looks: list[int], alpha: float, beta: float) -> None:
    if 2.0 ** -max(looks) > min(alpha, beta):
        with pytest.raises(UsageError, match="too few"):
            make_design(alpha=alpha, beta=beta, looks=looks)
        return
    design = make_design(alpha=alpha, beta=beta, looks=looks)
    assert [look.pairs for look in design.looks] == sorted(set(looks))
    assert 0 < design.false_alarm_bound <= alpha
    assert 0 < design.miss_bound <= beta


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_the_noise_no_more_labelings_than_the_bound_are_called_regressed(name: str) -> None:
    design = make_design(looks=(5, 8, 12))
    magnitudes = np.array(HOSTILE[name])
    answers = power.answers(design, all_signs(12) * magnitudes)
    assert np.mean(answers == "regressed") <= design.false_alarm_bound <= 0.01


@pytest.mark.parametrize("name", HOSTILE)
def test_no_more_labelings_of_a_slowdown_of_delta_are_passed_than_the_bound(name: str) -> None:
    design = make_design(looks=(5, 8, 12))
    untied = np.array(HOSTILE[name]) + np.arange(12) / 997  # a tie with the budget itself is rounded either way
    answers = power.answers(design, math.log1p(design.delta) + all_signs(12) * untied)
    assert np.mean(answers == "pass") <= design.miss_bound <= 0.05


@pytest.mark.parametrize("cases", [*range(1, 70), 1025])
def test_the_first_alarm_comes_later_with_more_cases(cases: int) -> None:
    design = make_design(cases=cases, max_pairs=40)
    assert next(look.pairs for look in design.looks if look.alarm_rank) == 8 + math.ceil(math.log2(cases))
    assert next(look.pairs for look in design.looks if look.pass_rank) == 5


def test_a_large_alpha_gives_every_look_after_the_first_alarm_a_rank() -> None:
    design = make_design(alpha=0.05)
    assert [look.pairs for look in design.looks] == [5, 6, 11, 16]
    assert [look.alarm_rank > 0 for look in design.looks] == [False, True, True, True]


def least_pairs(alpha: float, beta: float, cases: int) -> int:
    """The number that the message of an impossible setting names."""
    with pytest.raises(UsageError) as refused:
        make_design(alpha=alpha, beta=beta, cases=cases, max_pairs=1)
    return int(str(refused.value).rpartition("--max-pairs ")[2])


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01, 0.001, 1e-6])
@pytest.mark.parametrize("beta", [0.2, 0.05, 0.001])
@pytest.mark.parametrize("cases", [1, 2, 7, 64])
def test_the_least_number_of_pairs_that_is_named_works_and_one_less_does_not(
    alpha: float, beta: float, cases: int
) -> None:
    least = least_pairs(alpha, beta, cases)
    design = make_design(alpha=alpha, beta=beta, cases=cases, max_pairs=least)
    assert any(look.alarm_rank for look in design.looks)
    assert any(look.pass_rank for look in design.looks)
    with pytest.raises(UsageError, match=f"the least is --max-pairs {least}"):
        make_design(alpha=alpha, beta=beta, cases=cases, max_pairs=least - 1)


def test_for_the_default_settings_the_least_is_eight_pairs() -> None:
    with pytest.raises(UsageError) as refused:
        make_design(max_pairs=7)
    assert str(refused.value) == (
        "--max-pairs 7: too few to accuse and to pass with alpha 0.01 and beta 0.05; the least is --max-pairs 8"
    )
    with pytest.raises(UsageError, match=r"beta 0\.05 over 30 gates; the least is --max-pairs 13"):
        make_design(max_pairs=12, cases=30)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"delta": 0}, "--delta 0: expected a share of the baseline's time above 0"),
        ({"delta": -0.05}, "--delta -0.05"),
        ({"delta": math.nan}, "--delta nan"),
        ({"delta": 11}, "--delta 11"),
        ({"alpha": 0}, "--alpha 0: expected a chance of error below 50%"),
        ({"alpha": math.nan}, "--alpha nan"),
        ({"beta": 0.5}, "--beta 0.5"),
        ({"max_pairs": 101}, "--max-pairs 101: at most 100"),
        ({"max_pairs": 0}, "--max-pairs 0: too few"),
        ({"looks": (0, 8)}, "0 pairs: expected from 1 to 100"),
        ({"looks": (8, 400)}, "400 pairs: expected from 1 to 100"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        make_design(**settings)
    assert message in str(refused.value)


def test_a_slowdown_in_every_pair_is_an_accusation_at_eight_pairs_and_not_before() -> None:
    design = make_design()
    assert [look_at(design, SLOWER[:n]).answer for n in range(1, 9)] == ["next"] * 7 + ["regressed"]
    decision = decide(design, SLOWER)
    assert (decision.answer, decision.pairs, decision.low) == ("regressed", 8, 0.05)


def test_no_difference_is_a_pass_at_five_pairs() -> None:
    decision = decide(make_design(), SAME)
    assert (decision.answer, decision.pairs, decision.high, decision.low) == ("pass", 5, SAME[4], None)


def test_one_pair_against_a_slowdown_of_eight_puts_the_accusation_off_to_twelve() -> None:
    values = [-0.001, *SLOWER[1:]]
    decision = decide(make_design(), values)
    assert (decision.answer, decision.pairs) == ("regressed", 12)
    assert decide(make_design(), values[:11]).answer == "next"


def test_a_slowdown_below_half_the_budget_is_never_accused_however_certain() -> None:
    assert decide(make_design(), [0.024] * 16).answer == "pass"
    assert decide(make_design(), [math.log1p(0.0251)] * 16).answer == "regressed"


def test_a_slowdown_of_delta_exactly_is_accused_and_its_opposite_passes() -> None:
    exact = [math.log1p(0.05) + n / 1000 for n in (-3, 3, -2, 2, -1, 1, 0, 0)]
    assert decide(make_design(), exact).answer == "regressed"
    assert decide(make_design(), [-value for value in exact]).answer == "pass"


def test_noise_decides_nothing_after_all_pairs() -> None:
    decision = decide(make_design(), [0.3, -0.3, 0.2, -0.2] * 4)
    assert (decision.answer, decision.pairs) == ("next", 16)


def test_between_two_looks_the_decision_is_that_of_the_look_before() -> None:
    noisy = [0.3, -0.3, 0.2, -0.2, 0.1, -0.1, 0.4]
    assert decide(make_design(), noisy).pairs == 5
    assert decide(make_design(), noisy[:3]).pairs == 3


def test_values_beyond_the_deciding_look_are_not_looked_at() -> None:
    assert decide(make_design(), [*SAME[:5], 9.0, 9.0, 9.0]) == decide(make_design(), SAME[:5])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_an_error_and_never_a_pass(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        decide(make_design(), [0.0, 0.0, bad, 0.0, 0.0])
    with pytest.raises(ValueError, match="finite"):
        power.answers(make_design(), np.array([[0.0, 0.0, bad, 0.0, 0.0]]))


def test_no_values_are_no_decision() -> None:
    with pytest.raises(ValueError, match="no values"):
        decide(make_design(), [])


VALUES = st.lists(st.floats(-1, 1, allow_nan=False), min_size=1, max_size=16)


@given(VALUES, st.floats(0.005, 1), st.floats(0.0, 1))
def test_a_gate_is_monotone_in_its_budget(values: Sequence[float], delta: float, more: float) -> None:
    strict, lax = decide(make_design(delta=delta), values), decide(make_design(delta=delta + more), values)
    if strict.answer == "pass":
        assert lax.answer == "pass"
        assert lax.pairs <= strict.pairs
    if lax.answer == "regressed":
        assert strict.answer == "regressed"
        assert strict.pairs <= lax.pairs


@given(VALUES, st.floats(0, 1))
def test_a_greater_slowdown_is_never_passed_where_the_lesser_was_accused(values: Sequence[float], more: float) -> None:
    design = make_design()
    for n in (5, 8, 12, 16):
        if n > len(values):
            break
        less, greater = look_at(design, values[:n]), look_at(design, [value + more for value in values[:n]])
        assert not (less.answer == "regressed" and greater.answer == "pass")
        assert greater.estimate >= less.estimate - 1e-12


@given(VALUES)
def test_swapping_the_labels_swaps_the_bounds(values: Sequence[float]) -> None:
    swapped = [-value for value in values]
    for k in (1, len(values)):
        assert lower_bound(swapped, k) == -upper_bound(values, k)
    there, back = look_at(make_design(), values), look_at(make_design(), swapped)
    assert math.isclose(there.estimate, -back.estimate, abs_tol=1e-15)


@given(VALUES)
def test_a_thing_and_its_mirror_are_never_both_accused(values: Sequence[float]) -> None:
    design = make_design()
    assert not (is_improved(design, values) and decide(design, values).answer == "regressed")


def test_improved_is_the_mirror_of_regressed() -> None:
    assert is_improved(make_design(), FASTER)
    assert not is_improved(make_design(), FASTER[:7])
    assert not is_improved(make_design(), SAME)
    assert not is_improved(make_design(), SLOWER)


@given(st.permutations(range(8)))
def test_the_order_of_the_pairs_within_a_look_does_not_count(order: list[int]) -> None:
    values = [-0.01, 0.04, 0.05, 0.06, 0.03, 0.02, 0.07, 0.08]
    assert look_at(make_design(), [values[i] for i in order]) == look_at(make_design(), values)


def test_the_size_of_a_rank_grows_with_it() -> None:
    assert [tail_probability(8, k) * 256 for k in (1, 2, 3, 4)] == [1, 2, 3, 5]
