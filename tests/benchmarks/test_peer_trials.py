import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: it must not hide an installed bench

from bench.analysis.sequential import make_design
from bench.check.pair_values import make_pair
from bench.records import CaseRepetition, GroupRepetition, Turn
from benchmarks import peer_trials as trials
from benchmarks.peer_rules import RULES, Rule, threshold
from benchmarks.trace_file import Array, PairTrace, Solo, Trace

MEAN = Rule("mean", threshold(np.mean, 1.05), lambda _: 1.0)
TWO = Rule("two processes", threshold(np.mean, 1.05), lambda _: 1.0, 2, 2)
HISTORY = next(rule for rule in RULES if rule.is_history)


def solo(value: float, at_s: float, *, series: str = "base", load: str = "quiet", stretch: int = 0) -> Solo:
    return Solo(series, load, stretch, at_s, 0.3, 1.0, np.full(60, value))


def traced(*solos: Solo, pairs: tuple[PairTrace, ...] = ()) -> Trace:
    return Trace({"model": "net", "runtime": "fake", "threads": 1}, solos, pairs)


def pair(change: float, *, series: str = "base", load: str = "quiet") -> PairTrace:
    base: Array = np.array([[900, 100, 101, 102], [900, 101, 100, 103]])
    return PairTrace(series, load, 0, 0.0, 2.0, base, base * np.exp(change), np.array([True, False]))


def test_stored_trials_are_a_minute_apart_and_same_job_trials_within_ten_seconds() -> None:
    trace = traced(solo(100, 0), solo(100, 2), solo(110, 70, stretch=1), solo(110, 72, stretch=1))
    assert trials.count_alarms(MEAN, trace, "base", "quiet", trials.is_stored) == trials.Count(2, 2)
    assert trials.count_alarms(MEAN, trace, "base", "quiet", trials.is_same_job) == trials.Count(0, 2)


def test_between_the_two_a_pair_of_processes_belongs_to_neither_design() -> None:
    trace = traced(solo(100, 0), solo(110, 30))
    for fits in (trials.is_stored, trials.is_same_job):
        assert trials.count_alarms(MEAN, trace, "base", "quiet", fits) == trials.Count(0, 0)


def test_the_baseline_comes_first() -> None:
    slower_before = traced(solo(110, 0), solo(100, 2))
    assert trials.count_alarms(MEAN, slower_before, "base", "quiet", trials.is_same_job) == trials.Count(0, 1)
    assert trials.count_alarms(MEAN, slower_before, "base", "quiet", trials.is_same_job, every=True).alarms == 0


def test_a_load_takes_its_own_processes_and_mixed_takes_all() -> None:
    trace = traced(solo(100, 0), solo(150, 100, load="burst", stretch=1))
    for load, expected in (("quiet", (0, 0)), ("burst", (0, 0)), ("mixed", (1, 1))):
        assert trials.count_alarms(MEAN, trace, "base", load, trials.is_stored) == trials.Count(*expected)


def test_power_counts_slow_processes_against_the_base() -> None:
    slow = [solo(106, 4 + i, series="+5 %") for i in range(2)]
    trace = traced(solo(100, 0), solo(100, 2), *slow, solo(104, 7, series="+5 %"))
    assert trials.count_alarms(MEAN, trace, "+5 %", "quiet", trials.is_same_job, every=True) == trials.Count(4, 6)
    assert trials.count_alarms(MEAN, trace, "+5 %", "quiet", trials.is_same_job) == trials.Count(1, 2)


def test_disjoint_trials_share_no_process_and_all_combinations_do() -> None:
    groups = trials.groups_of([solo(100, i) for i in range(6)], "base", 1, "quiet")
    chosen = trials.disjoint_trials(groups, groups, trials.is_same_job)
    used = [id(one) for trial in chosen for one in trial]
    assert len(chosen) == 3
    assert len(set(used)) == 6
    assert len(trials.all_trials(groups, groups, trials.is_same_job)) == 15


def test_groups_do_not_reach_over_stretches_and_drop_what_is_left_over() -> None:
    solos = [solo(i, i, stretch=i // 5) for i in range(10)]
    groups = trials.groups_of(solos, "base", 2, "quiet")
    assert [[int(calls[0]) for calls in group.processes] for group in groups] == [[0, 1], [2, 3], [5, 6], [7, 8]]
    assert [(group.start_s, group.end_s) for group in groups][:2] == [(0, 2), (2, 4)]


def test_a_rule_of_two_processes_sees_both() -> None:
    trace = traced(*(solo(value, i) for i, value in enumerate((100, 100, 100, 112))))
    assert trials.count_alarms(TWO, trace, "base", "quiet", trials.is_same_job) == trials.Count(1, 1)


def test_a_history_is_twenty_earlier_processes() -> None:
    history = [solo(100 + i % 2, i) for i in range(20)]
    trace = traced(*history, solo(150, 200, stretch=1), solo(100, 201, stretch=1))
    assert trials.count_alarms(HISTORY, trace, "base", "quiet", trials.is_stored) == trials.Count(1, 2)
    assert trials.count_alarms(HISTORY, trace, "base", "quiet", trials.is_stored, every=True) == trials.Count(5, 10)
    too_few = traced(*history[1:], solo(150, 200, stretch=1))
    assert trials.count_alarms(HISTORY, too_few, "base", "quiet", trials.is_stored) == trials.Count(0, 0)
    assert trials.count_alarms(HISTORY, trace, "base", "quiet", trials.is_same_job) == trials.Count(0, 0)


def test_the_value_of_a_pair_is_that_of_the_gate() -> None:
    rng = np.random.default_rng(0)
    sides = {side: rng.integers(10_000, 20_000, (11, 4)) for side in ("baseline", "head")}
    cases = [
        CaseRepetition(case_id=side, repetition=0, status="ok", turns=[turn(i, row) for i, row in enumerate(rows)],
                       complete=True)
        for side, rows in sides.items()
    ]  # fmt: skip
    done = GroupRepetition(group=0, repetition=0, cases=cases, rounds=[], page_cache="warm", started="")
    facts = {"verdicts": {"baseline": "agrees", "head": "agrees"}, "disagreement": {}, "against_baseline": "agrees"}
    made = make_pair(done, case="net", slot_of_baseline=0, first="head", **facts)  # type: ignore[arg-type]
    traced_pair = PairTrace("base", "quiet", 0, 0.0, 1.0, sides["baseline"], sides["head"], np.zeros(11, bool))
    assert made.latency is not None
    assert trials.pair_value(traced_pair) == pytest.approx(made.latency, abs=1e-12)


def turn(number: int, row: Array) -> Turn:
    switch, *latencies = (int(value) for value in row)
    return Turn(
        round=number, kind="turn", input_index=0, switch_ns=switch, latencies_ns=latencies, cpu_ns=1, wall_ns=1,
        involuntary_switches=0, thread_count=1,
    )  # fmt: skip


def test_the_switch_call_is_not_used() -> None:
    one = pair(0.0)
    one.head[:, 0] = 1
    assert trials.pair_value(one) == 0
    assert trials.count_pair_alarms(lambda a, b: bool(b.mean() < a.mean()), [one]) == trials.Count(0, 1)


def test_gates_follow_each_other_over_the_pairs_and_an_unfinished_one_is_not_counted() -> None:
    design = make_design()
    assert trials.disjoint_gates(design, [0.0] * 13) == trials.Gates(0, 2, 2, 10)
    assert trials.disjoint_gates(design, [0.08] * 17) == trials.Gates(2, 0, 2, 16)
    assert trials.disjoint_gates(design, [0.3, -0.3] * 8) == trials.Gates(0, 0, 1, 16)  # cannot tell
    assert trials.disjoint_gates(design, []) == trials.Gates(0, 0, 0, 0)


def test_resampled_gates_flip_labels_where_nothing_differs_and_not_where_head_is_slower() -> None:
    design = make_design()
    shifted = list(np.linspace(0.06, 0.08, 20))
    slower = trials.resampled_gates(design, shifted, flipped=False)
    flipped = trials.resampled_gates(design, shifted, flipped=True)
    assert (slower.regressed, slower.trials) == (4000, 4000)
    assert flipped.regressed <= 0.0089 * 4000 + 20
    assert trials.resampled_gates(design, [], flipped=True).trials == 0
    assert trials.resampled_gates(design, [0.1], flipped=False).regressed == 4000
