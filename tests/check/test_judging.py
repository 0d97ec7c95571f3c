"""Verdicts that need no statistics: each with the pairs in which its opposite is true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bench.check import judging
from bench.check.records import Judged, Pair
from gate_fakes import dead, pair, pairs, side

MIB = 1 << 20


def peaks(baseline: Sequence[float], head: Sequence[float]) -> list[Pair]:
    """Pairs by their peaks in MiB."""
    return [
        pair(n, baseline=side(rss_peak_bytes=int(b * MIB)), head=side(rss_peak_bytes=int(h * MIB)))
        for n, (b, h) in enumerate(zip(baseline, head, strict=True))
    ]


def memory(baseline: Sequence[float], head: Sequence[float], delta: float = 0.05, ended: str = "") -> Judged | None:
    return judging.judge_memory("net", delta, peaks(baseline, head), ended)


def answer(judged: Judged | None) -> str:
    assert judged is not None
    return judged.answer


# --- a side that can't be run -----------------------------------------------------------------------------------------


def test_a_head_that_dies_once_goes_on_and_twice_has_failed() -> None:
    once = [pair(0), pair(1, head=dead())]
    assert judging.failure("net", "latency", 0.05, once) is None
    twice = judging.failure("net", "latency", 0.05, [*once, pair(2, head=dead("timeout", "no answer to 'warm'"))])
    assert twice is not None
    assert (twice.answer, twice.pairs) == ("FAILED", 1)
    assert twice.reason == "head timeout in 2 of 3 pairs: no answer to 'warm'"


def test_a_baseline_that_dies_twice_is_not_comparable() -> None:
    found = judging.failure("net", "latency", 0.05, [pair(0, baseline=dead()), pair(1, baseline=dead())])
    assert found is not None
    assert (found.answer, found.reason) == (
        "NOT COMPARABLE",
        "baseline crashed in 2 of 2 pairs: the worker died of SIGKILL",
    )


def test_where_both_die_head_has_failed() -> None:
    both = [pair(n, baseline=dead(), head=dead()) for n in range(2)]
    assert answer(judging.failure("net", "latency", 0.05, both)) == "FAILED"


@pytest.mark.parametrize("status", ["unavailable", "unsupported", "partial"])
def test_what_can_never_go_well_is_not_tried_again(status: str) -> None:
    found = judging.failure("net", "latency", 0.05, [pair(0, head=dead(status, "no such device"))])
    assert found is not None
    assert (found.answer, found.reason) == ("FAILED", f"head {status}: no such device")


def test_one_death_of_each_side_gives_up_neither() -> None:
    assert judging.failure("net", "latency", 0.05, [pair(0, head=dead()), pair(1, baseline=dead())]) is None


def test_pairs_that_were_lost_are_told() -> None:
    assert judging.lost(pairs([0.0, 0.1])) == ""
    assert judging.lost([pair(0), pair(1, head=dead("oom", "the kernel killed it"))]) == (
        "head oom in 1 of 2 pairs, which count for nothing: the kernel killed it"
    )


def test_only_pairs_that_both_sides_ended_are_measured() -> None:
    kept = [pair(0), pair(3)]
    assert judging.measured([kept[0], pair(1, head=dead()), pair(2, baseline=dead()), kept[1]]) == kept


# --- memory -----------------------------------------------------------------------------------------------------------


def test_memory_is_regressed_only_where_every_head_is_above_every_baseline_by_more_than_the_budget() -> None:
    base = [100, 100, 100, 100, 100]
    assert answer(memory(base, [106] * 5)) == "REGRESSED"
    assert answer(memory(base, [105] * 5)) == "PASS"
    assert answer(memory(base, [200, 200, 200, 200, 105])) == "PASS"
    assert answer(memory([100, 100, 100, 100, 102], [106] * 5)) == "PASS"
    assert answer(memory([50, 50, 50, 50, 100], [106] * 5)) == "REGRESSED"
    assert answer(memory(base, [106] * 5, delta=0.1)) == "PASS"


def test_memory_says_by_how_much_and_of_what() -> None:
    found = memory([100, 101, 102, 103, 104], [120, 121, 122, 123, 130])
    assert found is not None
    assert found.reason == "the least of head's peaks is +15.4% above the baseline's greatest"
    assert (found.baseline_value, found.head_value, found.pairs) == (102 * MIB, 122 * MIB, 5)
    assert found.change == pytest.approx(122 / 102 - 1)


def test_memory_takes_five_pairs_and_no_more() -> None:
    assert memory([100] * 4, [200] * 4) is None
    assert answer(memory([100] * 6, [200] * 5 + [1])) == "REGRESSED"
    early = memory([100] * 4, [200] * 4, ended="the time limit of 5 s was reached")
    assert early is not None
    assert (early.answer, early.reason) == (
        "INCONCLUSIVE",
        "4 pairs, the rule for memory takes 5: the time limit of 5 s was reached",
    )


@pytest.mark.parametrize("missing", [None, 0])
def test_a_peak_that_could_not_be_read_is_not_comparable(missing: Any) -> None:
    five = [pair(n) for n in range(4)] + [pair(4, head=side(rss_peak_bytes=missing))]
    assert answer(judging.judge_memory("net", 0.05, five, "")) == "NOT COMPARABLE"
    assert answer(judging.judge_memory("net", 0.05, [pair(n) for n in range(5)], "")) == "PASS"


def test_of_all_ways_to_deal_ten_peaks_to_two_sides_one_in_252_is_regressed() -> None:
    from itertools import combinations

    values = [100.0 * 1.06**n for n in range(10)]
    dealt = [
        answer(memory([v for n, v in enumerate(values) if n not in chosen], [values[n] for n in chosen]))
        for chosen in combinations(range(10), 5)
    ]
    assert dealt.count("REGRESSED") == 1
    assert dealt.count("REGRESSED") / len(dealt) == judging.MEMORY_FALSE_ALARM == 1 / 252


def test_a_head_of_a_fifth_of_the_memory_is_suspicious() -> None:
    found = memory([500] * 5, [99] * 5)
    assert found is not None
    assert (found.answer, found.reason) == (
        "INCONCLUSIVE",
        "suspicious: head is 5.1x smaller; check that nothing is missing",
    )
    assert answer(memory([500] * 5, [101] * 5)) == "PASS"


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("baseline", "head", "expected"),
    [
        (1000, 1050, "PASS"),
        (1000, 1051, "REGRESSED"),
        (1000, 1000, "PASS"),
        (1000, 201, "PASS"),
        (1000, 199, "INCONCLUSIVE"),
        (1000, 0, "NOT COMPARABLE"),
        (0, 1000, "NOT COMPARABLE"),
    ],
)
def test_size_is_exact(baseline: int, head: int, expected: str) -> None:
    assert judging.judge_size("net", 0.05, baseline, head).answer == expected


# --- agreement --------------------------------------------------------------------------------------------------------


def agreement(baseline: dict[str, Any], head: dict[str, Any], ended: str = "") -> Judged | None:
    """Of two pairs: one that is fine, and this one."""
    return judging.judge_agreement("net", 0.05, [pair(0), pair(1, baseline=side(**baseline), head=side(**head))], ended)


WRONG = {"verdict": "disagrees", "against_baseline": "disagrees", "disagreement": "y: off by 0.3"}


@pytest.mark.parametrize(
    ("baseline", "head", "expected", "reason"),
    [
        ({}, {}, "PASS", "both agree with the truth in every pair"),
        ({}, WRONG, "DISAGREES", "head's outputs are wrong: y: off by 0.3"),
        (
            {},
            {"against_baseline": "disagrees", "disagreement": "y: off by 0.3"},
            "DISAGREES",
            "head computes another function than the baseline: y: off by 0.3",
        ),
        ({}, {"verdict": "disagrees"}, "DISAGREES", "head's outputs are wrong: outputs disagree"),
        (WRONG, {}, "NOT COMPARABLE", "the baseline's outputs are wrong: y: off by 0.3"),
        (WRONG, WRONG, "DISAGREES", "head's outputs are wrong: y: off by 0.3"),
        ({}, {"verdict": "vacuous"}, "INCONCLUSIVE", "agreement can't be told (agrees, vacuous)"),
        ({}, {"against_baseline": "vacuous"}, "INCONCLUSIVE", "agreement can't be told (agrees, vacuous)"),
        ({}, {"verdict": "unchecked"}, "INCONCLUSIVE", "agreement can't be told (agrees, unchecked)"),
        (
            {"verdict": "vacuous", "disagreement": "y: no spread"},
            {},
            "INCONCLUSIVE",
            "agreement can't be told (agrees, vacuous): y: no spread",
        ),
    ],
)
def test_any_change_of_agreement_in_any_pair_is_told(
    baseline: dict[str, Any], head: dict[str, Any], expected: str, reason: str
) -> None:
    found = agreement(baseline, head)
    assert found is not None
    assert (found.answer, found.reason, found.pairs) == (expected, reason, 2)


def test_outputs_of_a_pair_in_which_a_side_died_count_for_nothing() -> None:
    assert judging.judge_agreement("net", 0.05, [pair(0, head=dead())], "") is None
    ended = judging.judge_agreement("net", 0.05, [pair(0, head=dead())], "interrupted")
    assert ended is not None
    assert (ended.answer, ended.reason) == ("INCONCLUSIVE", "no outputs were seen: interrupted")
