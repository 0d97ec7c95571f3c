"""Two runs of like code differ: what is told of two folders must be what like code cannot have."""

from __future__ import annotations

import random

import pytest

from bench.analysis.profile_diff import ProfileDiff, dearest, diff_profiles
from bench.analysis.profiled import ProfiledCase
from bench.analysis.roofline import Roof
from bench.report.profile_diff_text import diff_legend, diff_sentence
from profile_fakes import MS, case, kernel

WALLS = [10 * MS + step for step in range(5)]
CONV = kernel("conv", "Conv", (0,), [6 * MS] * 5)
TRANSPOSE = kernel("to_nchw", "Transpose", (2,), [3 * MS] * 5)


def apart(a: ProfiledCase, b: ProfiledCase, *, cpus: int = 4, roofs: tuple[float, float] | None = None) -> ProfileDiff:
    """``roofs``: GFLOP/s of either run's machine."""
    made = tuple(
        Roof(flops_per_s=one * 1e9, bytes_per_s=10e9, flops_differ=0.0, bytes_differ=0.0) for one in roofs or ()
    )
    return diff_profiles(a, b, is_paired=False, roofs=(made[0], made[1]) if made else (None, None), cpus=cpus)


def slower(factor: float) -> ProfiledCase:
    """Everything takes so many times as long."""
    conv = kernel("conv", "Conv", (0,), [int(6 * MS * factor)] * 5)
    return case([conv], [int(wall * factor) for wall in WALLS], row={"threads": 1})


def test_of_like_code_in_two_runs_nothing_is_told() -> None:
    """Levels of runs that scatter by 10 %, repetitions by 1 %: by their bounds almost all would be told apart."""
    draw = random.Random(3)

    def made() -> ProfiledCase:
        level = 1 + draw.gauss(0, 0.1)
        walls = [int(10 * MS * level * (1 + draw.gauss(0, 0.01))) for _ in range(5)]
        return case([kernel("conv", "Conv", (0,), [wall * 6 // 10 for wall in walls])], walls, row={"threads": 1})

    found = [apart(made(), made()) for _ in range(100)]
    assert sum(one.total.low is not None and one.total.low > 0 for one in found) > 20
    assert [diff_sentence(one) for one in found if one.is_told] == []


def test_a_change_beyond_a_factor_of_two_is_told_only_where_a_core_was_free() -> None:
    told = apart(slower(1), slower(3))
    first = dearest(told)
    assert first is not None
    assert (told.is_told, first.name) == (True, "Conv conv1")
    assert apart(slower(3), slower(1)).is_told  # faster as well
    assert not apart(slower(1), slower(3), cpus=1).is_told
    assert not apart(slower(1), slower(3), cpus=0).is_told  # unknown
    assert "two runs of like code may differ as much" in apart(slower(1), slower(1.8)).doubt


@pytest.mark.parametrize(("roofs", "is_told"), [((100, 100), True), ((100, 80), False), ((80, 100), True)])
def test_what_the_machine_itself_was_slower_by_is_no_change(roofs: tuple[float, float], is_told: bool) -> None:
    found = apart(slower(1), slower(2.4), roofs=roofs)
    assert found.is_told is is_told
    if not is_told:
        assert "by its roofs alone the machine was 25% slower in B" in found.doubt


def test_an_operator_that_one_side_alone_has_is_told_with_all_cores_taken() -> None:
    planted = case([CONV, TRANSPOSE], [wall + 4 * MS for wall in WALLS])
    found = apart(case([CONV], WALLS), planted, cpus=2)
    assert diff_sentence(found).startswith("Transpose relu1 (only in B) explains 75 % of +4 ms")
    assert diff_sentence(apart(planted, case([CONV], WALLS))).startswith("Transpose relu1 (only in A) explains 75 %")


def test_an_operator_in_the_place_of_another_is_told_only_where_it_costs_more_than_two_runs_differ_by() -> None:
    def of(name: str, time: int) -> ProfiledCase:
        return case([CONV, kernel(name, name, (), [time] * 5)], [7 * MS + time + step for step in range(5)])

    assert not apart(of("Old", 3 * MS), of("New", 4 * MS)).is_told
    assert apart(of("Old", MS // 10), of("New", 4 * MS)).is_told


def test_of_two_versions_new_operators_may_be_the_runtimes_own() -> None:
    other = case([CONV, TRANSPOSE], [wall + 4 * MS for wall in WALLS], row={"runtime_version": "9.9"})
    assert not apart(case([CONV], WALLS), other).is_told


def test_no_rate_of_chance_is_claimed_of_two_runs() -> None:
    assert "by chance" not in " ".join(diff_legend(apart(slower(1), slower(3))))
    assert "by chance" in " ".join(diff_legend(diff_profiles(slower(1), slower(3), is_paired=True)))


@pytest.mark.parametrize(
    ("factor", "told"), [(0.7, "the machine was 100% faster in B"), (1.3, "may differ as much; measure")]
)
def test_a_machine_that_was_faster_is_a_reason_for_no_slower_call(factor: float, told: str) -> None:
    assert told in apart(slower(1), slower(factor), roofs=(100, 200)).doubt


def test_with_other_options_or_no_free_core_for_all_streams_nothing_is_told() -> None:
    other = case([CONV, TRANSPOSE], [wall + 4 * MS for wall in WALLS], row={"runtime_options": "optimization=off"})
    assert not apart(case([CONV], WALLS), other).is_told
    a, b = (case([CONV], walls, row={"threads": 1, "streams": 2}) for walls in (WALLS, [3 * wall for wall in WALLS]))
    assert not apart(a, b, cpus=2).is_told
    assert apart(a, b, cpus=3).is_told
