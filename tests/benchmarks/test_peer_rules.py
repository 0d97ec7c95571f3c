import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: it must not hide an installed bench

from benchmarks import peer_rules as rules
from benchmarks.peer_rules import Rule
from benchmarks.peer_statistics import Array

BY_NAME = {rule.name: rule for rule in rules.RULES}
PAIR_RULES = dict(rules.PAIR_RULES)


def calls(factor: float = 1.0, *, seed: int = 0, spread: float = 0.005, count: int = 60) -> Array:
    """Warm calls of about 14 ms that spread by half a percent."""
    return 14e6 * factor * np.exp(np.random.default_rng(seed).normal(0, spread, count))


def processes(rule: Rule, factor: float, head: bool, spread: float = 0.005) -> list[Array]:
    count = rule.head_processes if head else rule.baseline_processes
    return [calls(factor, seed=100 * head + i, spread=spread) for i in range(count)]


def alarm(rule: Rule, factor: float, spread: float = 0.005) -> bool:
    return rule.alarm(processes(rule, 1.0, False, spread), processes(rule, factor, True, spread))


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_each_rule_is_silent_on_equal_samples_and_cries_out_where_head_is_three_times_slower(rule: Rule) -> None:
    same = processes(rule, 1.0, False)
    assert not rule.alarm(same, same[: rule.head_processes])
    assert alarm(rule, 3.0)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_no_rule_cries_out_where_head_is_faster(rule: Rule) -> None:
    assert not alarm(rule, 0.5)


@pytest.mark.parametrize(
    ("name", "silent", "crying"),
    [
        ("pytest-benchmark mean:5%", 1.04, 1.06),
        ("pytest-benchmark median:5%", 1.04, 1.06),
        ("pytest-benchmark min:5%", 1.04, 1.06),
        ("github-action-benchmark 110 %", 1.09, 1.11),
        ("github-action-benchmark 200 % (default)", 1.98, 2.02),
        ("Criterion, p < 0.05 and above 1 %", 1.005, 1.02),
        ("asv 1.1, p < 0.002", 1.09, 1.11),
        ("bench compare --fail-on latency:5%", 1.04, 1.06),
    ],
)
def test_a_rule_with_a_threshold_cries_out_just_above_it_and_not_just_below(
    name: str, silent: float, crying: float
) -> None:
    assert not alarm(BY_NAME[name], silent, 0.001)
    assert alarm(BY_NAME[name], crying, 0.001)


@pytest.mark.parametrize(
    "name",
    [
        "Google benchmark U test, 9 repetitions",
        "Mann-Whitney on calls, p < 0.05",
        "Welch on calls, p < 0.05",
        "pyperf, 10 processes x 3 values",
        "Bencher t_test 0.99, 20 runs",
    ],
)
def test_a_rule_of_significance_alone_cries_out_for_one_percent_of_little_noise(name: str) -> None:
    assert alarm(BY_NAME[name], 1.01, 0.001)
    assert not alarm(BY_NAME[name], 1.0001, 0.05)


def test_one_slow_call_moves_the_mean_and_neither_the_median_nor_the_least() -> None:
    head = calls(seed=1)
    head[3] *= 10
    found = [BY_NAME[f"pytest-benchmark {one}:5%"].alarm([calls()], [head]) for one in ("mean", "median", "min")]
    assert found == [True, False, False]


def test_github_action_benchmark_fails_above_its_threshold_and_not_at_it() -> None:
    rule = BY_NAME["github-action-benchmark 200 % (default)"]
    assert not rule.alarm([np.full(60, 100)], [np.full(60, 200)])
    assert rule.alarm([np.full(60, 100)], [np.full(60, 201)])


def test_calls_of_one_process_are_significant_where_processes_differ_by_one_percent_each() -> None:
    offsets = (1.0, 1.01, 0.99, 1.005)
    sides = [[calls(factor, seed=seed, spread=0.002)] for seed, factor in enumerate(offsets)]
    assert rules.welch_on_calls(sides[2], sides[1])
    assert not rules.threshold(np.mean, 1.05)(sides[2], sides[1])


def test_asv_wants_both_a_large_ratio_and_a_small_p() -> None:
    base = [calls(), calls(seed=1)]
    scattered = [np.concatenate([calls(0.9, seed=2)[:3], calls(1.5, seed=2)]), calls(1.5, seed=3)]
    assert rules.asv(base, [calls(1.5, seed=2), calls(1.5, seed=3)])
    assert not rules.asv(base, scattered)  # three of ten samples lie below the baseline's
    assert not rules.asv(base, [calls(1.09, seed=2), calls(1.09, seed=3)])


def test_asv_takes_five_samples_of_ten_milliseconds_of_each_process() -> None:
    short = np.arange(60, dtype=float) * 1e5 + 2e6  # median about 4.95 ms: three calls make ten milliseconds
    assert rules._samples(short, 5, 0.01) == pytest.approx([short[i : i + 3].mean() for i in range(0, 15, 3)])
    assert len(rules._samples(np.full(60, 1e3), 5, 0.01)) == 5


def test_pyperf_ignores_the_calls_that_its_warm_up_takes() -> None:
    base = [calls(seed=i, spread=0.001) for i in range(10)]
    slow_start = [np.concatenate([one[:8] * 3, one[8:]]) for one in base]
    slow_later = [np.concatenate([one[:8], one[8:] * 1.05]) for one in base]
    assert not rules.pyperf(base, slow_start)
    assert rules.pyperf(base, slow_later)


def test_bencher_allows_what_its_history_scattered() -> None:
    quiet, wild = [[np.full(60, 100.0 + step * (-1) ** i) for i in range(20)] for step in (1, 10)]
    limit = 100 + 2.5394832 * 1.0  # Student's t, 19 degrees, 0.99; population deviation 1
    assert rules.bencher(quiet, [np.full(60, limit + 0.01)])
    assert not rules.bencher(quiet, [np.full(60, limit - 0.01)])
    assert not rules.bencher(wild, [np.full(60, limit + 0.01)])


def test_the_stored_value_is_the_median_over_rounds_of_the_least_of_three() -> None:
    one = np.array([1, 9, 5, 7, 1, 6, 8, 9, 1, 7, 7, 7, 1])  # the last call fills no turn
    other = np.array([1, 4, 9, 9])
    assert rules.latency_ns_best([one, other]) == 5.5


def test_constant_samples_are_no_error() -> None:
    same, more = [np.full(60, 100.0)] * 20, [np.full(60, 101.0)]
    for rule in rules.RULES:
        side = same[: rule.baseline_processes]
        assert not rule.alarm(side, same[: rule.head_processes])
    assert rules.welch_on_calls(same[:1], more)
    assert not rules.welch_on_calls(more, same[:1])


def test_rules_give_the_same_answer_every_time() -> None:
    answers = [alarm(BY_NAME["Criterion, p < 0.05 and above 1 %"], 1.012, 0.01) for _ in range(3)]
    assert len(set(answers)) == 1


def rounds(factor: float, seed: int, sd: float = 0.002) -> Array:
    return 14e6 * factor * np.exp(np.random.default_rng(seed).normal(0, sd, (10, 3)))


@pytest.mark.parametrize("name", PAIR_RULES)
def test_each_rule_over_one_pair_cries_out_for_ten_percent_and_not_for_equal_sides(name: str) -> None:
    rule = PAIR_RULES[name]
    assert rule(rounds(1.0, 0), rounds(1.1, 1))
    assert not rule(rounds(1.0, 0), rounds(0.9, 1))
    same = rounds(1.0, 0)
    assert not rule(same, same[::-1])


def test_the_paired_t_bound_is_that_of_the_textbook() -> None:
    base = np.full((4, 3), 100.0)
    values = np.array([0.01, 0.03, 0.02, 0.04])  # mean 0.025, t(3, 0.975) * sd / 2 = 0.02054
    head = base * np.exp(values)[:, None]
    assert rules.paired_t(base, head)
    assert not rules.paired_t(base, head * math.exp(-0.005))


def costs(names: Sequence[str]) -> list[Any]:
    return [BY_NAME[name].processes for name in names]


def test_a_verdict_costs_both_sides_and_a_history_was_paid_for() -> None:
    names = ("pytest-benchmark min:5%", "asv 1.1, p < 0.002", "pyperf, 10 processes x 3 values")
    assert costs(names) == [2, 4, 20]
    assert costs(("Bencher t_test 0.99, 20 runs", "bench compare --fail-on latency:5%")) == [1, 10]
