"""A pair's values from two processes' turns, worked out on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_fakes import died, opened, together, turn, warmup
from bench.check.pair_values import make_pair
from bench.check.records import Pair
from bench.records import CaseRepetition, Memory, RoundPlan, Turn
from gate_fakes import replace


def process(name: str, rounds: Sequence[Sequence[int]], **changes: Any) -> CaseRepetition:
    """A worker with one turn a round."""
    fields: dict[str, Any] = {
        "case_id": name,
        "repetition": 3,
        "status": "ok",
        "opened": opened(),
        "turns": [warmup(), *(turn(number, calls) for number, calls in enumerate(rounds))],
        "memory_peak": Memory(rss_bytes=1, peak_rss_bytes=1000),
        "complete": True,
    }
    return CaseRepetition(**(fields | changes))


def pair_of(baseline: CaseRepetition, head: CaseRepetition, **changes: Any) -> Pair:
    repetition = replace(together(3, baseline, head), plan=RoundPlan(rounds=3, calls=3))
    fields: dict[str, Any] = {
        "case": "net",
        "slot_of_baseline": 1,
        "first": "head",
        "verdicts": {"baseline": "agrees", "head": "agrees"},
        "against_baseline": "agrees",
        "disagreement": {},
    }
    return make_pair(repetition, **(fields | changes))


BASE = [[100, 110, 300], [200, 210, 220], [100, 101, 102]]


def test_the_value_is_the_median_over_rounds_of_the_ratio_of_least_calls() -> None:
    pair = pair_of(process("baseline", BASE), process("head", [[110, 900, 900], [260, 300, 300], [100, 500, 500]]))
    assert pair.latency == pytest.approx(math.log(1.1))  # of 1.1, 1.3 and 1.0
    assert pair.median == pytest.approx(math.log(500 / 101))  # of 900/110, 300/210, 500/101
    assert (pair.baseline.best_ns, pair.head.best_ns) == (100, 110)
    assert (pair.number, pair.rounds, pair.calls, pair.first, pair.slot_of_baseline) == (3, 3, 3, "head", 1)


def test_rounds_are_matched_by_number_and_not_by_place() -> None:
    head = process("head", [])
    turns = [warmup(), turn(2, [100]), turn(0, [110]), turn(1, [260])]
    pair = pair_of(process("baseline", [[100], [200], [100]]), replace(head, turns=turns))
    assert pair.latency == pytest.approx(math.log(1.1))


def test_labels_exchanged_the_value_has_the_other_sign() -> None:
    there = pair_of(process("baseline", BASE), process("head", [[130] * 3, [250] * 3, [120] * 3]))
    back = pair_of(process("baseline", [[130] * 3, [250] * 3, [120] * 3]), process("head", BASE))
    assert there.latency is not None
    for name in ("latency", "median", "p95", "cpu"):
        assert getattr(there, name) == pytest.approx(-getattr(back, name))


@given(st.lists(st.lists(st.integers(1, 10**9), min_size=1, max_size=4), min_size=1, max_size=6))
def test_the_same_calls_on_both_sides_are_no_change(rounds: list[list[int]]) -> None:
    pair = pair_of(process("baseline", rounds), process("head", rounds))
    assert pair.latency == pair.median == pair.p95 == pair.cpu == 0.0


@pytest.mark.parametrize("bad", [0, -5])
def test_a_duration_that_cannot_be_gives_no_value(bad: int) -> None:
    assert pair_of(process("baseline", BASE), process("head", [[bad], [1], [1]])).latency is None
    assert pair_of(process("baseline", [[bad], [1], [1]]), process("head", BASE)).latency is None


def test_a_turn_without_calls_gives_no_value() -> None:
    pair = pair_of(process("baseline", BASE), process("head", [[], [1], [1]]))
    assert pair.latency is pair.median is pair.p95 is pair.cpu is pair.head.best_ns is None


def test_a_round_that_one_side_lacks_gives_no_value() -> None:
    assert pair_of(process("baseline", BASE), process("head", BASE[:2])).latency is None
    assert pair_of(process("baseline", []), process("head", [])).latency is None


def test_a_side_that_died_leaves_its_reason_and_no_value() -> None:
    pair = pair_of(process("baseline", BASE), died("head", 3))
    assert (pair.head.status, pair.head.reason) == ("crashed", "it died of SIGKILL")
    assert pair.latency is pair.load is pair.cpu is None
    assert pair.baseline.best_ns == 100


def test_a_process_that_never_came_to_its_end_has_failed() -> None:
    pair = pair_of(process("baseline", BASE), process("head", BASE, complete=False))
    assert (pair.head.status, pair.latency) == ("failed", None)


def test_load_and_cpu_are_ratios_of_their_own() -> None:
    def cpu(turns: list[Turn], ns: int) -> list[Turn]:
        return [replace(one, cpu_ns=ns) if one.kind == "turn" else one for one in turns]

    base, head = process("baseline", BASE), process("head", BASE)
    assert base.opened is not None
    slow = replace(base.opened, load_ns=base.opened.load_ns * 2)
    pair = pair_of(replace(base, turns=cpu(base.turns, 100)), replace(head, turns=cpu(head.turns, 150), opened=slow))
    assert pair.load == pytest.approx(math.log(2))
    assert pair.cpu == pytest.approx(math.log(1.5))
    assert (pair.baseline.cpu_ns_per_call, pair.head.cpu_ns_per_call) == (100 / 3, 50)


def test_preemption_is_a_share_of_timed_calls_and_at_most_one() -> None:
    def preempted(switches: int) -> CaseRepetition:
        calls = process("head", BASE)
        return replace(calls, turns=[replace(one, involuntary_switches=switches) for one in calls.turns])

    base = process("baseline", BASE)
    assert pair_of(base, preempted(1)).head.preempted == pytest.approx(1 / 3)
    assert pair_of(base, preempted(90)).head.preempted == 1.0


def test_a_warm_up_that_ended_by_its_bound_is_told() -> None:
    base, head = process("baseline", BASE), process("head", BASE)
    rough = replace(head, turns=[warmup(steady=False), warmup(steady=None), *head.turns[1:]])
    assert (pair_of(base, head).head.steady, pair_of(base, rough).head.steady) == (True, False)


def test_verdicts_and_reasons_are_kept_with_their_side() -> None:
    pair = pair_of(
        process("baseline", BASE),
        process("head", BASE),
        verdicts={"baseline": "agrees", "head": "agrees"},
        against_baseline="disagrees",
        disagreement={"head": "y: off"},
    )
    assert (pair.head.verdict, pair.head.against_baseline, pair.head.disagreement) == ("agrees", "disagrees", "y: off")
    assert (pair.baseline.against_baseline, pair.baseline.disagreement) == ("agrees", "")
