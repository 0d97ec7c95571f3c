"""The self-test of the self-test: gates that never fire, always fire or fire falsely are found out."""

from __future__ import annotations

import pytest

from bench.analysis.shares import exact_interval
from bench.check.records import GateAnswer
from bench.check.selftest import Plant, TrialKind
from bench.check.selftest_counts import Row, count_rows, exit_code_of, problems
from selftest_fakes import (
    Rule,
    always_fires,
    every_twentieth,
    honest,
    key,
    never_fires,
    plant,
    trial,
    trials_of,
)

ALL: dict[TrialKind, int] = {"same": 300, "nodes": 60, "busy": 60, "wrong": 3, "fallback": 3, "gone": 1}


def judge(rule: Rule, counts: dict[TrialKind, int] = ALL, *, plants: tuple[Plant, ...] = ()) -> tuple[int, list[str]]:
    rows = count_rows(trials_of(rule, counts))
    found = problems(rows, plants, alpha=0.01, beta=0.05)
    return exit_code_of(rows, found), found


def but(kind: TrialKind, answer: GateAnswer, first: int) -> Rule:
    """An honest gate that gives another answer in the ``first`` trials of a kind."""
    agreement: GateAnswer = "FAILED" if answer == "FAILED" else "PASS"
    return lambda this, n: (answer, agreement) if this == kind and n < first else honest(this, n)


def kinds(found: list[str]) -> list[str]:
    return [one.split(":")[0] for one in found]


def test_an_honest_gate_is_believed() -> None:
    assert judge(honest, plants=(plant(),)) == (0, [])


def test_a_gate_that_never_fires_is_found_out() -> None:
    code, found = judge(never_fires)
    assert code == 4
    assert kinds(found) == ["fails to fire"] * 5
    assert found[0].startswith("fails to fire: nodes under quiet load was caught 0 of 60")


def test_a_gate_that_always_fires_is_found_out() -> None:
    code, found = judge(always_fires)
    assert code == 4
    assert found[0].startswith("fires falsely: identical sides were accused 300 of 300")
    assert kinds(found) == ["fires falsely", *["fails to fire"] * 3]  # an alarm is no answer to wrong outputs


def test_a_gate_with_one_false_alarm_in_twenty_is_found_out() -> None:
    code, found = judge(every_twentieth)
    assert code == 4
    assert found == ["fires falsely: identical sides were accused 15 of 300, 2.83% to 8.11%; promised is 0.01"]


@pytest.mark.parametrize(("alarms", "code"), [(0, 0), (7, 0), (8, 4)])
def test_alarms_count_against_alpha_by_the_exact_bound(alarms: int, code: int) -> None:
    assert judge(but("same", "REGRESSED", alarms))[0] == code


@pytest.mark.parametrize("answer", ["PASS", "INCONCLUSIVE"])
@pytest.mark.parametrize(("quiet", "code"), [(0, 0), (7, 0), (8, 4)])
def test_misses_and_inconclusive_ones_count_against_beta_alike(answer: GateAnswer, quiet: int, code: int) -> None:
    assert judge(but("busy", answer, quiet))[0] == code


@pytest.mark.parametrize(("quiet", "code"), [(0, 0), (1, 4)])
def test_a_single_slow_trial_that_does_not_fire_is_found_out(quiet: int, code: int) -> None:
    assert judge(but("nodes", "PASS", quiet), ALL | {"nodes": 1})[0] == code


@pytest.mark.parametrize("kind", ["wrong", "fallback", "gone"])
def test_one_fault_that_does_not_fire_is_one_too_many(kind: TrialKind) -> None:
    assert judge(but(kind, "PASS", 1))[0] == 4


def test_a_trial_that_came_to_no_verdict_is_told() -> None:
    code, found = judge(but("same", "FAILED", 1))
    assert code == 4
    assert found == ["1 of 300 trials (same) came to no verdict: workers failed"]


def test_a_plant_that_is_not_shown_to_be_large_enough_proves_nothing() -> None:
    assert judge(honest, plants=(plant(change_low=0.05),))[0] == 0
    code, found = judge(honest, plants=(plant(change_low=0.0499),))
    assert code == 4
    assert found == [
        "the planted slowdown (nodes) is not shown to be +5.0%: +4.99% to +6.60% was measured, "
        "so its trials show nothing"
    ]


@pytest.mark.parametrize("lacking", [("same",), ("nodes", "busy"), ("same", "nodes", "busy")])
def test_a_self_test_without_one_of_the_two_promises_is_never_green(lacking: tuple[TrialKind, ...]) -> None:
    counts = {kind: count for kind, count in ALL.items() if kind not in lacking}
    assert judge(honest, counts) == (5, [])
    assert judge(honest, {}) == (5, [])


def test_rows_are_one_for_each_kind_and_load_and_a_trial_counts_once() -> None:
    same = trial(key("same"))
    burst = trial(key("same", load="burst"), "INCONCLUSIVE")
    slow = [trial(key("nodes", n), "REGRESSED") for n in range(3)]
    rows = count_rows([burst, same, same, *slow])
    assert [(row.kind, row.load, row.trials, row.fired, row.missed, row.inconclusive) for row in rows] == [
        ("same", "quiet", 1, 0, 1, 0),
        ("nodes", "quiet", 3, 3, 0, 0),
        ("same", "burst", 1, 0, 0, 1),
    ]
    row: Row = rows[1]
    assert (row.change, row.mean_pairs, row.mean_seconds, row.share) == (0.06, 5, 4.0, 0.05)
    assert (round(row.low, 4), row.high) == (0.2924, 1.0)


def test_intervals_are_those_of_clopper_and_pearson() -> None:
    assert exact_interval(0, 300) == pytest.approx((0.0, 1 - 0.025 ** (1 / 300)))
    assert exact_interval(60, 60) == pytest.approx((0.025 ** (1 / 60), 1.0))
    assert exact_interval(28, 28)[0] == pytest.approx(0.877, abs=5e-4)
    assert exact_interval(59, 59, 0.9)[0] > 0.95 > exact_interval(58, 58, 0.9)[0]
