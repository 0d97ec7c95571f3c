"""The line of a family: laws that hold for every line, and each reason for which none is told."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.sweep_fit import STRAIGHT, Member, fit_line, weighted_line

SIZES = (10.0, 20.0, 50.0, 300.0)
fixed_costs = st.floats(1e3, 1e7)
slopes = st.floats(1e2, 1e6)


def family(lines: list[tuple[float, float]], *, bend: dict[float, list[float]] | None = None) -> list[Member]:
    """Members on one line a repetition; ``bend`` multiplies the costs of a size, repetition by repetition."""
    factors = bend or {}
    return [
        Member(
            f"size {size:g}",
            size,
            {
                r: (fixed + slope * size) * factors.get(size, [1.0] * len(lines))[r]
                for r, (fixed, slope) in enumerate(lines)
            },
        )
        for size in SIZES
    ]


@given(fixed_costs, slopes)
def test_a_planted_line_is_found(fixed: float, slope: float) -> None:
    fit = fit_line(family([(fixed, slope)] * 5))
    assert fit.holds
    assert fit.line is not None
    assert fit.line.fixed.estimate == pytest.approx(fixed, rel=1e-6)
    assert fit.line.slope.estimate == pytest.approx(slope, rel=1e-6)
    assert fit.line.r_squared == pytest.approx(1)
    assert abs(fit.line.worst[1].estimate) < 1e-6


@given(st.lists(st.tuples(fixed_costs, slopes), min_size=5, max_size=5))
def test_the_intervals_of_five_repetitions_are_what_the_repetitions_say(lines: list[tuple[float, float]]) -> None:
    line = fit_line(family(lines)).line
    assert line is not None
    assert line.fixed.level == 0.9375
    for interval, planted in ((line.fixed, [a for a, _ in lines]), (line.slope, [b for _, b in lines])):
        assert interval.low == pytest.approx(min(planted), rel=1e-5)
        assert interval.high == pytest.approx(max(planted), rel=1e-5)
        assert min(planted) * (1 - 1e-5) <= interval.estimate <= max(planted) * (1 + 1e-5)


@given(st.lists(st.tuples(fixed_costs, slopes), min_size=3, max_size=6), st.floats(1e-3, 1e3), st.floats(1e-2, 1e2))
def test_units_of_cost_and_of_size_do_not_matter(lines: list[tuple[float, float]], cost: float, size: float) -> None:
    plain = family(lines)
    other = [Member(m.name, m.size * size, {r: c * cost for r, c in m.costs.items()}) for m in plain]
    before, after = fit_line(plain).line, fit_line(other).line
    assert before is not None
    assert after is not None
    assert after.fixed.estimate == pytest.approx(before.fixed.estimate * cost, rel=1e-5)
    assert after.slope.estimate == pytest.approx(before.slope.estimate * cost / size, rel=1e-5)
    assert after.r_squared == pytest.approx(before.r_squared, abs=1e-6)
    for name, miss in before.misses.items():
        assert after.misses[name].estimate == pytest.approx(miss.estimate, abs=1e-5)


@given(st.lists(st.tuples(fixed_costs, slopes), min_size=3, max_size=5), st.permutations(range(len(SIZES))))
def test_the_order_of_members_does_not_matter(lines: list[tuple[float, float]], order: list[int]) -> None:
    plain = family(lines)
    before, after = fit_line(plain).line, fit_line([plain[i] for i in order]).line
    assert before is not None
    assert after is not None
    assert after.slope.estimate == pytest.approx(before.slope.estimate, rel=1e-6)


def test_a_disturbance_of_the_largest_does_not_decide_the_fixed_cost() -> None:
    points = [(size, 1e4 + 1e5 * size * (1.02 if size == 300 else 1)) for size in SIZES]
    fixed, _ = weighted_line(points)
    assert abs(fixed - 1e4) < abs(_equally_weighted(points) - 1e4) / 3


def _equally_weighted(points: list[tuple[float, float]]) -> float:
    mean_x, mean_y = (sum(p[i] for p in points) / len(points) for i in (0, 1))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    return mean_y - slope * mean_x


@pytest.mark.parametrize(("sizes", "told"), [((10, 20), "2 different sizes"), ((10, 10), "1 different size,")])
def test_fewer_than_three_sizes_are_no_line(sizes: tuple[float, ...], told: str) -> None:
    fit = fit_line([Member(str(i), size, {0: 5.0}) for i, size in enumerate(sizes)])
    assert not fit.holds
    assert fit.reason.startswith(told)


def test_three_sizes_are_enough() -> None:
    assert fit_line(family([(1e4, 1e3)] * 5)[:3]).holds


def test_a_bend_that_every_repetition_shows_is_no_straight_line() -> None:
    fit = fit_line(family([(1e4, 1e3)] * 5, bend={50.0: [1.5, 1.5, 1.5, 1.5, 1.5]}))
    assert not fit.holds
    assert fit.line is not None  # kept, to be looked at
    assert fit.reason.startswith("not a straight line: at size 50 it is off by -")


def test_a_bend_within_the_limit_is_told_and_the_line_holds() -> None:
    fit = fit_line(family([(1e4, 1e3)] * 5, bend={50.0: [1.08] * 5}))
    assert fit.holds
    assert fit.line is not None
    name, miss = fit.line.worst
    assert name == "size 50"
    assert 0 < abs(miss.estimate) < STRAIGHT


def test_a_miss_that_may_be_noise_is_not_called_a_bend() -> None:
    fit = fit_line(family([(1e4, 1e3)] * 5, bend={300.0: [0.5, 2.5, 2.0, 2.2, 1.9]}))
    assert not fit.holds
    assert fit.reason.startswith("cannot tell whether it is a straight line: at size ")
    assert fit.reason.endswith("measure on a quieter machine")


def test_one_repetition_cannot_tell_a_bend_from_noise() -> None:
    fit = fit_line(family([(1e4, 1e3)], bend={50.0: [2.0]}))
    assert fit.reason.startswith("cannot tell whether it is a straight line")


def test_a_cost_that_does_not_grow_with_size_is_no_cost_of_size() -> None:
    assert fit_line(family([(1e6, -1e2)] * 5)).reason == "it does not grow with size"
    assert fit_line(family([(1e6, 1e2)] * 5)).holds


def test_a_fixed_cost_below_zero_is_refused() -> None:
    assert fit_line(family([(-5e3, 1e3)] * 5)).reason.startswith("below zero at size 0")
    assert fit_line(family([(-5e2, 1e3)] * 3 + [(5e2, 1e3)] * 2)).holds  # its interval covers 0


def without(member: Member, *repetitions: int) -> Member:
    return replace(member, costs={r: cost for r, cost in member.costs.items() if r not in repetitions})


def test_only_repetitions_that_all_members_have_count() -> None:
    members = family([(1e4, 1e3), (2e4, 1e3), (3e4, 1e3)])[:3]
    line = fit_line([without(members[0], 0, 2), *members[1:]]).line
    assert line is not None
    assert set(line.coefficients) == {1}
    assert line.fixed.estimate == pytest.approx(2e4)
    assert line.fixed.low is None
    apart = [without(members[0], 0, 2), without(members[1], 1, 2), members[2]]
    assert fit_line(apart).reason == "no repetition has all of its points"


def test_a_member_that_costs_more_repetitions_than_it_brings_is_left_out_and_named() -> None:
    members = family([(1e4, 1e3)] * 5)
    fit = fit_line([without(members[0], 1, 2, 3, 4), *members[1:]])
    assert fit.holds
    assert fit.line is not None
    assert (fit.line.fixed.n, fit.left_out) == (5, ("size 10",))
    assert (fit.line.sizes, set(fit.line.misses)) == ((20, 300), {"size 20", "size 50", "size 300"})
    fit = fit_line([without(members[0], 4), *members[1:]])  # four of all are more than five of three
    assert fit.line is not None
    assert (fit.line.fixed.n, fit.left_out) == (4, ())


def test_a_line_carries_the_level_of_its_own_repetitions() -> None:
    members = [without(m, place % 3) for place, m in enumerate(family([(1e4, 1e3)] * 6))]
    line = fit_line(members).line
    assert line is not None
    assert (line.fixed.n, line.fixed.level) == (3, 0.75)


@pytest.mark.parametrize("power", [0.7, 0.8, 0.9, 0.95])
def test_a_gentle_bend_widens_what_is_said_of_the_fixed_cost(power: float) -> None:
    jitter = (1.002, 0.999, 1.0, 1.001, 0.998)
    members = [Member(f"{z}", z, {r: 2e4 * z**power * jitter[(r + z) % 5] for r in range(5)}) for z in BENT]
    line = fit_line(members).line
    assert line is not None
    plain = [fixed for fixed, _ in line.coefficients.values()]
    assert line.fixed.low is not None
    assert line.fixed.high is not None
    assert line.fixed.high - line.fixed.low > 5 * (max(plain) - min(plain))
    assert line.fixed.low <= min(plain) <= line.fixed.estimate <= max(plain) <= line.fixed.high


BENT = (41, 77, 150, 317, 569)


def test_without_a_bend_leaving_out_a_member_widens_nothing() -> None:
    line = fit_line(family([(1e4 * (1 + r / 100), 1e3) for r in range(5)])).line
    assert line is not None
    assert line.fixed.low == pytest.approx(1e4, rel=1e-6)
    assert line.fixed.high == pytest.approx(1.04e4, rel=1e-6)


def test_one_repetition_whose_costs_have_the_wrong_sign_tells_nothing() -> None:
    assert fit_line(family([(1e6, -1e2)])).reason == (
        "cannot tell whether it grows with size: it does not in one repetition"
    )
    assert fit_line(family([(-5e3, 1e3)])).reason == ("cannot tell what it is at size 0: below zero in one repetition")
    assert fit_line(family([(5e3, 1e3)])).holds


def test_costs_whose_sign_hangs_on_a_single_member_are_no_costs_and_the_reason_is_told() -> None:
    fit = fit_line(family([(2e2, 1e3)] * 5, bend={10.0: [0.92] * 5}))
    assert fit.line is not None
    assert fit.line.fixed.high is not None
    assert max(fixed for fixed, _ in fit.line.coefficients.values()) < 0 < fit.line.fixed.high
    assert (
        fit.reason
        == "cannot tell what it is at size 0: below zero, but the points' scatter about the line leaves it open"
    )
    assert fit_line(family([(2e2, 1e3)] * 5)).holds


def test_a_noisy_miss_does_not_hide_one_that_every_repetition_shows() -> None:
    noisy = (1.46, 1.21, 1.29, 0.96, 1.28)
    factors = {40: (1.2,) * 5, 320: noisy}
    sizes = (10, 20, 40, 80, 160, 320)
    fit = fit_line(
        [Member(f"{z}", z, {r: (1e5 + 2e4 * z) * factors.get(z, (1,) * 5)[r] for r in range(5)}) for z in sizes]
    )
    assert fit.line is not None
    name, worst = fit.line.worst
    assert name == "320"
    assert worst.low is not None
    assert worst.high is not None
    assert worst.low <= 0 <= worst.high  # the furthest off may be noise
    assert fit.reason.startswith("not a straight line: at 40 it is off by -11 % (")


def test_nothing_in_it_is_not_a_number() -> None:
    line = fit_line(family([(1e4, 1e3)] * 3, bend={10.0: [0.01, 0.01, 0.01]})).line
    assert line is not None
    assert all(math.isfinite(miss.estimate) for miss in line.misses.values())


def test_bounds_hold_the_truth_as_often_as_their_level_says_though_points_are_off_the_line() -> None:
    """Points off by 2 % (standard deviation), repetitions by 0.3 %: of 250 such sweeps 93 % hold either cost."""
    draw = random.Random(2)
    sizes = [10, 13, 18, 41, 54, 73, 150, 190, 320]
    held = 0
    for _ in range(100):
        costs = [(100 + 20 * size) * (1 + draw.gauss(0, 0.02)) for size in sizes]
        members = [
            Member(str(size), size, {r: cost * (1 + draw.gauss(0, 0.003)) for r in range(5)})
            for size, cost in zip(sizes, costs, strict=True)
        ]
        line = fit_line(members).line
        assert line is not None
        held += (line.fixed.low or 0) <= 100 <= (line.fixed.high or 0)
    assert 88 <= held <= 98
