"""Many gates at once: row by row what one gate says, exact rates, and hostile noise at its promised error."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.analysis.power import answers, false_alarm_rate, pair_sd, smallest_detectable
from bench.analysis.sequential import decide, make_design

GATES = 20_000
DESIGN = make_design()


def draws(kind: str, gates: int = GATES) -> Any:
    """Pairs of a thing with itself, exchangeable but ugly."""
    random = np.random.default_rng(7)
    shape = (gates, 16)
    if kind == "normal":
        return random.normal(0, 0.02, shape)
    if kind == "Cauchy":
        return 0.02 * random.standard_cauchy(shape)
    if kind == "two modes":
        return random.choice((-0.1, 0.1), shape) + random.normal(0, 0.005, shape)
    if kind == "process modes":  # each process of the two is one of {-10, 0, 0, 10} %
        modes = random.choice((-0.1, 0.0, 0.0, 0.1), (2, *shape))
        return modes[0] - modes[1] + random.normal(0, 0.005, shape)
    bursts = np.repeat(random.random((gates, 4)) < 0.4, 4, axis=1) * random.exponential(0.3, shape)
    return random.choice((-1.0, 1.0), shape) * (bursts + np.abs(random.normal(0, 0.01, shape)))


@pytest.mark.parametrize("kind", ["normal", "Cauchy", "two modes", "process modes", "bursts"])
def test_identical_code_is_accused_no_more_often_than_the_bound_under_hostile_noise(kind: str) -> None:
    rate = float(np.mean(answers(DESIGN, draws(kind)) == "regressed"))
    bound = DESIGN.false_alarm_bound
    assert rate <= bound + 3 * math.sqrt(bound * (1 - bound) / GATES)


@pytest.mark.parametrize(
    ("sd", "caught"), [(0.005, 1.0), (0.01, 1.0), (0.02, 0.997), (0.03, 0.984), (0.04, 0.902), (0.06, 0.528)]
)
def test_a_slowdown_of_delta_is_caught_as_often_as_published(sd: float, caught: float) -> None:
    noise = np.random.default_rng(3).normal(math.log1p(0.05), sd, (4000, 16))
    rate = float(np.mean(answers(DESIGN, noise) == "regressed"))
    assert rate == pytest.approx(caught, abs=4 * math.sqrt(max(caught * (1 - caught), 0.001) / 2000) + 0.001)


@given(arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 18)), elements=st.floats(-0.3, 0.3)))
def test_every_row_is_answered_as_one_gate_would(values: Any) -> None:
    assert list(answers(DESIGN, values)) == [decide(DESIGN, row.tolist()[:16]).answer for row in values]


@pytest.mark.parametrize("kind", ["normal", "process modes", "bursts"])
@pytest.mark.parametrize("cases", [1, 3])
def test_rows_of_realistic_noise_are_answered_as_one_gate_would(kind: str, cases: int) -> None:
    design = make_design(cases=cases)
    values = draws(kind, 300) + np.linspace(0, 0.08, 300)[:, None]
    assert list(answers(design, values)) == [decide(design, row).answer for row in values.tolist()]


def test_many_gates_are_answered_in_parts_as_they_are_together() -> None:
    values = draws("normal", 10_000)
    assert list(answers(DESIGN, values)) == [*answers(DESIGN, values[:5000]), *answers(DESIGN, values[5000:])]
    assert list(answers(DESIGN, values[:0])) == []


def test_the_false_alarm_rate_counts_every_labeling() -> None:
    design = make_design(looks=(5, 8, 12))
    magnitudes = [0.1 + n / 50 for n in range(12)]
    labelings = product((-1.0, 1.0), repeat=12)
    alarms = [decide(design, [s * m for s, m in zip(signs, magnitudes, strict=True)]).answer for signs in labelings]
    assert false_alarm_rate(design, magnitudes) == alarms.count("regressed") / 4096
    assert 0 < false_alarm_rate(design, magnitudes) <= design.false_alarm_bound


def test_labels_change_nothing_about_the_false_alarm_rate() -> None:
    values = [0.1 + n / 50 for n in range(16)]
    flipped = [-value if n % 3 else value for n, value in enumerate(values)]
    assert false_alarm_rate(DESIGN, values) == false_alarm_rate(DESIGN, flipped)


def test_noise_too_small_to_reach_half_the_budget_accuses_nobody() -> None:
    assert false_alarm_rate(DESIGN, [0.01] * 16) == 0
    assert false_alarm_rate(DESIGN, [1.0] * 16) > 0


def test_of_more_pairs_than_a_gate_takes_the_first_the_middle_and_the_last_are_gated() -> None:
    quiet, loud = [0.001] * 16, [1.0] * 16
    assert false_alarm_rate(DESIGN, quiet + quiet) == 0
    assert false_alarm_rate(DESIGN, quiet + loud) > 0
    assert false_alarm_rate(DESIGN, loud + loud) == false_alarm_rate(DESIGN, loud)


def test_a_rate_needs_as_many_pairs_as_the_gate_may_take() -> None:
    with pytest.raises(ValueError, match="15 pairs, the gate may need 16"):
        false_alarm_rate(DESIGN, [0.1] * 15)


def test_a_design_longer_than_can_be_enumerated_is_drawn() -> None:
    design = make_design(max_pairs=20)
    assert 0 < false_alarm_rate(design, [0.1 + n / 50 for n in range(20)]) <= design.false_alarm_bound + 0.001


def test_without_noise_half_the_budget_is_detectable() -> None:
    found = smallest_detectable(DESIGN, 0.0)
    assert found is not None
    assert 0.025 <= found <= 0.026


def test_the_smallest_detectable_slowdown_grows_with_the_noise_and_with_the_budget() -> None:
    by_noise = [smallest_detectable(DESIGN, sd) or math.inf for sd in (0.001, 0.005, 0.01, 0.02, 0.04, 0.08, 0.2)]
    assert by_noise == sorted(by_noise)
    by_delta = [smallest_detectable(make_design(delta=delta), 0.01) or math.inf for delta in (0.02, 0.05, 0.1, 0.3)]
    assert by_delta == sorted(by_delta)


def test_the_promise_of_95_percent_at_five_percent_holds_up_to_an_sd_of_3_3_percent() -> None:
    below, above = smallest_detectable(DESIGN, 0.031), smallest_detectable(DESIGN, 0.037)
    assert below is not None
    assert above is not None
    assert below <= 0.05 < above


def test_beyond_a_twentyfold_slowdown_nothing_is_detectable() -> None:
    assert smallest_detectable(DESIGN, 10.0) is None


def test_the_spread_of_pairs_needs_two() -> None:
    assert pair_sd([0.5]) is None
    assert pair_sd([1.0, 2.0, 3.0]) == 1.0
