"""Latency and load: the decision with its numbers, and the notes that say what the fastest calls can't."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from bench.analysis.sequential import make_design
from bench.check.ratio_verdict import judge_ratio
from bench.check.records import Judged, Metric, Pair
from gate_fakes import dead, pair, pairs, side

DESIGN = make_design()
SLOWER = [0.051, 0.049, 0.05, 0.052, 0.048, 0.05, 0.051, 0.049]
SAME = [0.001, -0.001, 0.0, 0.002, -0.002]
NOISY = [0.2, -0.2, 0.15, -0.15] * 4


def judge(found: Sequence[Pair], metric: Metric = "latency", ended: str = "") -> Judged:
    judged = judge_ratio("net", metric, DESIGN, found, ended)
    assert judged is not None
    return judged


def test_a_certain_slowdown_has_its_estimate_its_bound_and_its_level() -> None:
    judged = judge(pairs(SLOWER))
    assert (judged.answer, judged.pairs, judged.delta) == ("REGRESSED", 8, 0.05)
    assert judged.change == pytest.approx(0.05, abs=1e-4)
    assert judged.change_low == pytest.approx(0.048)
    assert judged.low_level == 1 - 1 / 256
    assert judged.high_level == 1 - 2 / 256
    assert judged.reason == "+5.0%, and a slowdown is certain"
    assert judged.sd == pytest.approx(0.00125, abs=1e-4)
    assert judged.smallest_detectable == pytest.approx(0.026, abs=0.001)
    assert judged.baseline_value == 10e6
    assert judged.head_value == pytest.approx(10.5e6)


def test_the_same_pairs_the_other_way_round_pass_as_improved_or_not() -> None:
    faster = judge(pairs([-change for change in SLOWER]))
    assert (faster.answer, faster.pairs) == ("PASS", 5)
    assert judge(pairs(SAME)).reason == "a slowdown of 5% is excluded"


@pytest.mark.parametrize("metric", ["latency", "load"])
def test_either_metric_is_decided_by_its_own_values(metric: Metric) -> None:
    other = "load" if metric == "latency" else "latency"
    found = [pair(n, 0.0, **{metric: math.log(1.06), other: 0.0}) for n in range(8)]
    assert judge(found, metric).answer == "REGRESSED"
    assert judge(found, "load" if metric == "latency" else "latency").answer == "PASS"


def test_load_is_told_in_the_time_that_loading_took() -> None:
    judged = judge(pairs(SAME), "load")
    assert (judged.baseline_value, judged.head_value) == (50_000_000, 50_000_000)
    assert judged.notes == ()


def test_undecided_pairs_have_no_verdict_until_they_end() -> None:
    assert judge_ratio("net", "latency", DESIGN, [], "") is None
    assert judge_ratio("net", "latency", DESIGN, pairs(SLOWER[:7]), "") is None
    assert judge_ratio("net", "latency", DESIGN, pairs(NOISY[:15]), "") is None
    last = judge(pairs(NOISY))
    assert (last.answer, last.pairs) == ("INCONCLUSIVE", 16)
    assert last.reason == "neither a slowdown nor its absence is certain after 16 pairs"


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (0, "no pair was measured: interrupted"),
        (3, "3 pairs, a verdict takes 5 or more: interrupted"),
        (9, "8 pairs: interrupted"),
    ],
)
def test_too_few_pairs_are_inconclusive_and_never_a_pass(count: int, reason: str) -> None:
    judged = judge(pairs(NOISY[:count]), ended="interrupted")
    assert (judged.answer, judged.reason) == ("INCONCLUSIVE", reason)


def test_pairs_that_decide_are_a_verdict_even_where_the_gate_was_ended() -> None:
    assert judge(pairs(SLOWER), ended="interrupted").answer == "REGRESSED"
    assert judge(pairs(SAME), ended="interrupted").answer == "PASS"


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, -math.inf])
def test_a_pair_without_a_number_is_not_comparable(bad: Any) -> None:
    found = [pair(n, 0.0, latency=bad if n == 2 else 0.0) for n in range(5)]
    judged = judge(found)
    assert (judged.answer, judged.pairs) == ("NOT COMPARABLE", 5)
    assert judged.reason == "a pair has no latency: a duration was zero, negative, not a number or missing"
    assert judge(pairs([0.0] * 5)).answer == "PASS"


def test_what_was_decided_before_a_pair_without_a_number_stays() -> None:
    assert judge([*pairs(SLOWER), pair(8, 0.0, latency=None)]).answer == "REGRESSED"


def test_pairs_in_which_a_side_died_are_left_out() -> None:
    assert judge([pair(0, head=dead()), *pairs(SAME)]).pairs == 5


@pytest.mark.parametrize(("times", "answer"), [(4.9, "PASS"), (5.1, "INCONCLUSIVE")])
def test_much_too_fast_is_suspicious(times: float, answer: str) -> None:
    judged = judge(pairs([1 / times - 1] * 5))
    assert judged.answer == answer
    if answer == "INCONCLUSIVE":
        assert judged.reason == "suspicious: head is 5.1x faster; check that it does the same work"


def notes(found: Sequence[Pair]) -> str:
    return "\n".join(judge(found).notes)


def test_a_tail_that_the_fastest_calls_hide_is_told() -> None:
    hidden = [pair(n, 0.0, median=math.log(1.04)) for n in range(5)]
    assert "median calls changed by +4.0%, the fastest by +0.00%: the tail changed, or the machine" in notes(hidden)
    assert "median calls" not in notes([pair(n, 0.0, median=math.log(1.02)) for n in range(5)])


def test_p95_has_a_verdict_of_its_own_as_information() -> None:
    assert "p95 +0.00% (no slowdown)" in notes(pairs([0.0] * 5))
    assert "p95 +30.0% (inconclusive)" in notes([pair(n, 0.0, p95=math.log(1.3)) for n in range(5)])
    assert "p95 +30.0% (regressed)" in notes([pair(n, 0.06, p95=math.log(1.3)) for n in range(8)])
    assert "p95" not in notes([pair(n, 0.0, p95=None) for n in range(5)])


def test_cpu_time_that_went_another_way_is_told() -> None:
    assert "CPU time per call +0.00% (agrees)" in notes(pairs([0.0] * 5))
    assert "CPU time per call +30.0% (differs: threads, waiting or other work)" in notes(
        [pair(n, 0.0, cpu=math.log(1.3)) for n in range(5)]
    )


def test_a_warm_up_that_never_got_steady_is_told() -> None:
    assert "not warmed up" not in notes(pairs(SAME))
    assert "not warmed up" in notes([*pairs(SAME[:4]), pair(4, head=side(steady=False))])
    assert "not warmed up" in notes([*pairs(SAME[:4]), pair(4, baseline=side(steady=False))])


def test_what_explains_an_inconclusive_verdict_is_told_with_it_alone() -> None:
    busy = {"baseline": side(preempted=0.6), "head": side(preempted=0.6), "foreign_cpus": 1.5, "steal_share": 0.2}
    loud = [pair(n, 0.0, latency=math.log1p(change), **busy) for n, change in enumerate(NOISY)]
    told = notes(loud)
    assert "pairs spread by" in told
    assert "60% of calls were preempted: lower --threads or use a quieter runner" in told
    assert "other processes kept 1.5 CPUs busy" in told
    assert "20% of CPU time was stolen" in told
    quiet = notes([pair(n, 0.0, **busy) for n in range(5)])
    assert "preempted" not in quiet


def test_improved_needs_as_much_evidence_as_regressed() -> None:
    faster = [-0.04, -0.041, -0.042, -0.039, -0.04]
    assert not judge(pairs(faster)).is_improved
    eight = make_design(looks=(8, 12, 16))
    judged = judge_ratio("net", "latency", eight, pairs([*faster, *faster[:3]]), "")
    assert judged is not None
    assert (judged.answer, judged.is_improved) == ("PASS", True)
