from __future__ import annotations

import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_fakes import measured, turn
from bench.analysis.timing import summarise_ratio, summarise_speed
from bench.records import CaseRepetition, Turn

LATENCIES = st.lists(st.lists(st.integers(1_000, 10**9), min_size=1, max_size=4), min_size=1, max_size=6)
REPETITIONS = st.lists(LATENCIES, min_size=1, max_size=5)


def repetitions(values: list[list[list[int]]]) -> list[CaseRepetition]:
    return [measured("c", number, rounds) for number, rounds in enumerate(values)]


def test_the_best_is_the_median_over_rounds_of_the_least_call_of_a_turn() -> None:
    speed = summarise_speed(repetitions([[[30, 10, 20], [90, 50, 70]], [[40, 30, 99]]]), 1)
    assert speed.latency_ns_best == 30  # of 10, 50, 30
    assert (speed.calls, speed.rounds, speed.processes) == (9, 3, 2)


def test_percentiles_mean_and_throughput_come_from_every_timed_call() -> None:
    speed = summarise_speed(repetitions([[[10, 20, 30]], [[40, 50, 150]]]), 4)
    assert (speed.latency_ns_p50, speed.latency_ns_min, speed.latency_ns_mean) == (30, 10, 50)
    assert (speed.latency_ns_p90, speed.latency_ns_p99) == (None, None)
    assert speed.throughput_items_per_s == pytest.approx(6 * 4 / 300e-9)
    assert (speed.latency_ns_p50_low, speed.latency_ns_p50_high, speed.interval_level) == (20, 50, 0.5)
    assert speed.percentile_block == "turns"


def test_warm_up_and_switch_calls_are_in_no_number() -> None:
    speed = summarise_speed(repetitions([[[10]]]), 1)
    assert (speed.calls, speed.latency_ns_mean) == (1, 10)


def test_only_a_percentile_that_turns_have_too_few_calls_for_is_from_the_tail_block() -> None:
    tail = turn(0, range(101, 601), kind="tail")
    one = measured("c", 0, [[10, 20]] * 50)
    speed = summarise_speed([msgspec.structs.replace(one, turns=[*one.turns, tail])], 1)
    assert speed.percentile_block == "turns; p99: tail"
    assert (speed.latency_ns_p50, speed.latency_ns_p90, speed.latency_ns_p95, speed.latency_ns_p99) == (10, 20, 20, 595)
    assert (speed.latency_ns_min, speed.latency_ns_mean, speed.latency_ns_p50_low) == (10, 15, None)
    assert (speed.latency_ns_best, speed.calls, speed.rounds) == (10, 100, 50)
    assert speed.throughput_items_per_s == pytest.approx(1e9 / 15)


def test_turns_with_enough_calls_leave_the_tail_block_out_and_a_short_one_tells_nothing() -> None:
    many = measured("c", 0, [[10, 20]] * 250)
    tail = turn(0, [900] * 600, kind="tail")
    speed = summarise_speed([msgspec.structs.replace(many, turns=[*many.turns, tail])], 1)
    assert (speed.percentile_block, speed.latency_ns_p99) == ("turns", 20)
    few = measured("c", 0, [[10]])
    speed = summarise_speed([msgspec.structs.replace(few, turns=[*few.turns, turn(0, [9] * 99, kind="tail")])], 1)
    assert (speed.percentile_block, speed.latency_ns_p90, speed.latency_ns_p95) == ("turns; p90: tail", 9, None)


def test_busy_cpus_are_cpu_time_over_wall_time() -> None:
    turns = [turn(0, [10], cpu_ns=30, wall_ns=20), turn(1, [10], cpu_ns=10, wall_ns=20)]
    assert summarise_speed([measured("c", 0, [], turns=turns)], 1).cpu_per_wall == 1.0


def test_nothing_timed_gives_no_number() -> None:
    assert summarise_speed([], 1).latency_ns_p50 is None
    assert summarise_speed([], 1).calls == 0
    assert summarise_speed([measured("c", 0, [])], 1).latency_ns_best is None


def test_a_ratio_is_the_median_over_common_rounds_and_then_hodges_lehmann_over_repetitions() -> None:
    ours = [measured("a", n, [[10], [10], [40]]) for n in range(5)]
    theirs = [measured("r", n, [[20 + n], [20 + n], [20]]) for n in range(5)]
    ratio = summarise_ratio(ours, theirs)
    assert ratio is not None
    assert ratio.low == pytest.approx(10 / 24)
    assert ratio.high == pytest.approx(10 / 20)
    logs = sorted((math.log(10 / (20 + i)) + math.log(10 / (20 + j))) / 2 for i in range(5) for j in range(i + 1))
    assert math.log(ratio.estimate) == pytest.approx(logs[7])
    assert (ratio.level, ratio.n) == (0.9375, 5)


def test_a_machine_that_slows_both_down_in_a_round_leaves_the_ratio_alone() -> None:
    ours = [measured("a", 0, [[10], [100], [1000]])]
    theirs = [measured("r", 0, [[20], [200], [2000]])]
    ratio = summarise_ratio(ours, theirs)
    assert ratio is not None
    assert ratio.estimate == pytest.approx(0.5)
    assert (ratio.low, ratio.level) == (None, None)


def test_only_rounds_and_repetitions_that_both_have_count() -> None:
    ours = [measured("a", 0, [], turns=[turn(0, [10]), turn(7, [99])]), measured("a", 1, [[99]])]
    theirs = [measured("r", 0, [[20], [1]]), measured("r", 2, [[1]])]
    ratio = summarise_ratio(ours, theirs)
    assert ratio is not None
    assert ratio.estimate == pytest.approx(0.5)
    assert ratio.n == 1


def test_no_common_round_has_no_ratio() -> None:
    assert summarise_ratio([measured("a", 0, [[10]])], []) is None
    assert (
        summarise_ratio([measured("a", 0, [], turns=[turn(0, [10])])], [measured("r", 0, [], turns=[turn(1, [10])])])
        is None
    )


@given(REPETITIONS, st.integers(1, 64))
def test_a_summary_lies_within_its_samples(values: list[list[list[int]]], batch: int) -> None:
    samples = [latency for rounds in values for latencies in rounds for latency in latencies]
    speed = summarise_speed(repetitions(values), batch)
    told = [speed.latency_ns_best, speed.latency_ns_p50, speed.latency_ns_mean, speed.latency_ns_min]
    told += [speed.latency_ns_p50_low, speed.latency_ns_p50_high]
    assert all(min(samples) <= value <= max(samples) for value in told if value is not None)
    assert speed.throughput_items_per_s is not None
    assert batch * 1e9 / max(samples) <= speed.throughput_items_per_s * (1 + 1e-9)
    assert speed.throughput_items_per_s <= batch * 1e9 / min(samples) * (1 + 1e-9)


@given(REPETITIONS, st.randoms(use_true_random=False))
def test_a_summary_ignores_the_order_of_turns_calls_and_repetitions(
    values: list[list[list[int]]], chance: random.Random
) -> None:
    ordered = repetitions(values)
    shuffled = []
    for one in ordered:
        turns = [
            msgspec.structs.replace(t, latencies_ns=chance.sample(t.latencies_ns, len(t.latencies_ns)))
            for t in chance.sample(one.turns, len(one.turns))
        ]
        shuffled.append(msgspec.structs.replace(one, turns=turns))
    chance.shuffle(shuffled)
    assert summarise_speed(shuffled, 1) == summarise_speed(ordered, 1)
    plain, other = summarise_ratio(ordered, ordered), summarise_ratio(shuffled, ordered)
    assert plain == other


@given(REPETITIONS, REPETITIONS)
def test_doubling_every_latency_leaves_ratios(ours: list[list[list[int]]], theirs: list[list[list[int]]]) -> None:
    doubled = [[[[2 * x for x in turn_] for turn_ in rounds] for rounds in values] for values in (ours, theirs)]
    plain = summarise_ratio(repetitions(ours), repetitions(theirs))
    twice = summarise_ratio(repetitions(doubled[0]), repetitions(doubled[1]))
    assert plain is not None
    assert twice is not None
    assert twice.estimate == pytest.approx(plain.estimate)
    one_side = summarise_ratio(repetitions(doubled[0]), repetitions(theirs))
    assert one_side is not None
    assert one_side.estimate == pytest.approx(2 * plain.estimate)


@given(REPETITIONS, REPETITIONS)
def test_swapping_case_and_reference_inverts_the_ratio(
    ours: list[list[list[int]]], theirs: list[list[list[int]]]
) -> None:
    one, other = (
        summarise_ratio(repetitions(ours), repetitions(theirs)),
        summarise_ratio(repetitions(theirs), repetitions(ours)),
    )
    assert one is not None
    assert other is not None
    assert one.estimate == pytest.approx(1 / other.estimate)
    if one.low is not None and other.high is not None:
        assert one.low == pytest.approx(1 / other.high)


def together(number: int, latencies: list[int], wall_ns: int, extra: int = 0) -> Turn:
    return turn(number, latencies, streams=2, wall_ns=wall_ns, extra_calls=extra)


def test_items_of_several_callers_are_whole_calls_over_wall_time_beside_what_callers_see() -> None:
    one = measured("c", 0, [], turns=[together(0, [10, 10, 10, 10], 20), together(1, [10, 10, 30, 30], 60, 2)])
    speed = summarise_speed([one], 4)
    assert speed.throughput_items_per_s == pytest.approx((8 + 2) * 4 / 80e-9)
    assert (speed.calls, speed.latency_ns_p50, speed.latency_ns_best, speed.latency_ns_mean) == (8, 10, 10, 15)


def test_throughput_is_not_one_over_latency_where_a_lock_lets_in_one_caller_at_a_time() -> None:
    """Two callers behind a lock: one is served as fast as alone while the other waits. Nothing is gained."""
    alone = summarise_speed([measured("c", 0, [[10] * 6])], 1)
    unfair = [10, 10, 10, 40, 10, 10]  # the second caller's first call waits for the first caller's three
    locked = summarise_speed([measured("c", 0, [], turns=[together(0, unfair, 60)])], 1)
    assert locked.latency_ns_p50 == alone.latency_ns_p50
    assert locked.throughput_items_per_s == alone.throughput_items_per_s


def test_ratios_of_several_callers_compare_wall_time_a_call_not_the_luckiest_call() -> None:
    locked = measured("c", 0, [], turns=[together(0, [10, 10, 10, 40, 10, 10], 60)])
    parallel = measured("r", 0, [], turns=[together(0, [12] * 6, 36)])
    ratio = summarise_ratio([locked], [parallel])
    assert ratio is not None
    assert ratio.estimate == pytest.approx(60 / 36)
