"""The whole gate on invented pairs: verdicts and exit codes, and that nothing measured is never green."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from bench.check.gate import (
    Outcome,
    exit_code_of,
    family_bound,
    judge_case,
    make_designs,
    run_gate,
    with_coins,
)
from bench.check.hygiene import hygiene, may_refresh
from bench.check.pairing import Pairing, pair_cases
from bench.check.records import Bundle, GateSettings, Judged, Metric, Pair
from bench.errors import Terminated, UsageError
from bench.records import Failure
from gate_fakes import (
    MADE,
    NET,
    Listener,
    Script,
    SteppingClock,
    bundle,
    bundled,
    dead,
    pair,
    paired,
    pairs,
    replace,
    side,
)

SETTINGS = GateSettings()
FLAGS: tuple[Any, ...] = ("exit 5", "pass", "fail")


def pairing_of(*names: str) -> Pairing:
    return Pairing(cases=tuple(paired(name) for name in names or (NET,)), refused=(), new=())


def gate(
    pair_of: Callable[[str, int], Pair],
    pairing: Pairing | None = None,
    settings: GateSettings = SETTINGS,
    clock: Callable[[], float] | None = None,
    listener: Listener | None = None,
) -> tuple[Outcome, Script, int]:
    """The outcome, what was measured for it, and the exit code."""
    pairing = pairing or pairing_of()
    script = Script(pair_of)
    designs = make_designs(pairing, settings)
    outcome = run_gate(pairing, settings, designs, script, clock or SteppingClock(), listener or Listener())
    return outcome, script, outcome.interrupt or exit_code_of(outcome.judged, settings)


def steady(change: float, **others: Any) -> Callable[[str, int], Pair]:
    """Every pair changed by ``change``, give or take a tenth of a percent."""
    return lambda _name, number: pair(number, change + (-1) ** number * 0.001, **others)


def answers(outcome: Outcome) -> list[tuple[str, str]]:
    return [(one.metric, one.answer) for one in outcome.judged]


# --- verdicts and their opposites -------------------------------------------------------------------------------------


def test_the_same_thing_passes_at_five_pairs() -> None:
    outcome, script, code = gate(steady(0.0))
    assert answers(outcome) == [("latency", "PASS"), ("agreement", "PASS")]
    assert (len(script.asked), code) == (5, 0)
    assert len(outcome.pairs) == 5


def test_a_slowdown_is_an_exit_of_four_at_eight_pairs() -> None:
    outcome, script, code = gate(steady(0.06))
    assert answers(outcome) == [("latency", "REGRESSED"), ("agreement", "PASS")]
    assert (len(script.asked), code) == (8, 4)


def test_the_same_slowdown_within_a_budget_of_its_case_passes() -> None:
    wide = Pairing(cases=(paired(delta=0.2),), refused=(), new=())
    assert gate(steady(0.06), wide)[2] == 0


def test_noise_is_an_exit_of_five_after_all_pairs() -> None:
    outcome, script, code = gate(lambda _name, number: pair(number, (-1) ** number * 0.2))
    assert answers(outcome)[0] == ("latency", "INCONCLUSIVE")
    assert (len(script.asked), code) == (16, 5)


def test_wrong_outputs_are_an_exit_of_three_whatever_the_latency() -> None:
    wrong = side(verdict="disagrees", against_baseline="disagrees")
    assert gate(lambda _name, number: pair(number, 0.0, head=wrong))[2] == 3
    assert gate(lambda _name, number: pair(number, 0.06, head=replace(wrong, best_ns=10.6e6)))[2] == 3


@pytest.mark.parametrize(("who", "code"), [("head", 3), ("baseline", 5)])
@pytest.mark.parametrize("metric", ["latency", "load", "rss_peak", "size"])
def test_no_number_of_wrong_outputs_passes_though_agreement_is_not_gated(who: str, code: int, metric: Metric) -> None:
    only, wrong = GateSettings(metrics=(metric,)), {who: side(verdict="disagrees", disagreement="y: nan")}
    outcome, _, found = gate(lambda _name, number: pair(number, 0.0, **wrong), settings=only)
    assert (found, outcome.judged[0].reason) == (code, f"{who}'s outputs are wrong: y: nan")
    assert gate(steady(0.0), settings=only)[2] == 0


def test_another_function_is_no_fault_where_agreement_is_not_gated() -> None:
    other = side(against_baseline="disagrees")
    assert gate(steady(0.0, head=other), settings=GateSettings(metrics=("latency",)))[2] == 0
    assert gate(steady(0.0, head=other))[2] == 3


def test_outputs_that_went_wrong_in_the_last_pair_alone_are_seen() -> None:
    wrong = side(verdict="disagrees", against_baseline="disagrees")
    _, _, code = gate(lambda _name, number: pair(number, 0.0, head=wrong) if number == 4 else pair(number))
    assert code == 3


def test_memory_and_size_have_exits_of_their_own() -> None:
    settings = GateSettings(metrics=("rss_peak", "size"))
    heavy = side(rss_peak_bytes=110 << 20)
    assert gate(lambda _name, number: pair(number, 0.0, head=heavy), settings=settings)[2] == 4
    assert gate(lambda _name, number: pair(number), settings=settings)[2] == 0
    large = Pairing(cases=(paired(head=bundled(artifact_bytes=1100)),), refused=(), new=())
    assert gate(lambda _name, number: pair(number), large, settings=settings)[2] == 4


def test_a_metric_that_needs_more_pairs_keeps_its_case_open() -> None:
    settings = GateSettings(metrics=("latency", "load", "rss_peak", "size", "agreement"))
    found = gate(lambda _name, number: pair(number, 0.0, load=math.log(1.06)), settings=settings)
    assert answers(found[0])[:2] == [("latency", "PASS"), ("load", "REGRESSED")]
    assert len(found[1].asked) == 9  # two statistics share alpha
    assert found[2] == 4


# --- seven ways of measuring nothing ----------------------------------------------------------------------------------


def bundles_gate(baseline: Bundle, head: Bundle, settings: GateSettings) -> tuple[Outcome, int]:
    pairing = pair_cases(baseline, head, metrics=settings.metrics, delta=settings.delta, budgets=settings.budgets)
    outcome, _, code = gate(steady(0.0), pairing, settings)
    return outcome, code


OTHER = "other | onnxruntime-cpu | batch 1 | threads 1"
TWO = bundle(bundled(), bundled(OTHER))
NOTHING_MEASURED: dict[str, tuple[Callable[[GateSettings], tuple[Outcome, int]], str]] = {
    "case gone": (lambda s: bundles_gate(TWO, bundle(), s), "gone: head has no such case"),
    "renamed": (
        lambda s: bundles_gate(bundle(), bundle(bundled(OTHER)), s),
        f"gone: head has no such case, but a new one {OTHER}: renamed?",
    ),
    "NaN": (
        lambda s: gate(lambda _n, number: pair(number, 0.0, latency=math.nan), settings=s)[::2],
        "a pair has no latency: a duration was zero, negative, not a number or missing",
    ),
    "zero": (
        lambda s: gate(lambda _n, number: pair(number, 0.0, latency=None, head=side(best_ns=0.0)), settings=s)[::2],
        "a pair has no latency: a duration was zero, negative, not a number or missing",
    ),
    "too few samples": (
        lambda s: gate(steady(0.0), settings=replace(s, time_limit_s=3.5), clock=SteppingClock())[::2],
        "3 pairs, a verdict takes 5 or more: the time limit of 3.5 s was reached",
    ),
    "duplicate": (
        lambda s: bundles_gate(bundle(bundled(), bundled()), bundle(), s),
        "the case is there more than once: label its runtimes, as in cpu#a,cpu#b",
    ),
    "all failed": (
        lambda s: gate(lambda _n, number: pair(number, 0.0, head=dead()), settings=s)[::2],
        "head crashed in 2 of 2 pairs: the worker died of SIGKILL",
    ),
}


@pytest.mark.parametrize("way", NOTHING_MEASURED)
def test_measuring_nothing_is_never_green(way: str) -> None:
    run, reason = NOTHING_MEASURED[way]
    outcome, code = run(SETTINGS)
    assert code == (6 if way == "all failed" else 5)
    assert reason in [one.reason for one in outcome.judged]


@pytest.mark.parametrize("way", NOTHING_MEASURED)
def test_where_doubt_is_told_to_pass_the_verdict_says_that_this_passed_it(way: str) -> None:
    run, reason = NOTHING_MEASURED[way]
    outcome, code = run(GateSettings(inconclusive="pass"))
    if way == "all failed":
        assert code == 6
        assert reason in [one.reason for one in outcome.judged]
        return
    assert code == 0
    assert f"{reason} (passed by --inconclusive pass)" in [one.reason for one in outcome.judged]
    assert not may_refresh(outcome.judged)


@pytest.mark.parametrize("way", NOTHING_MEASURED)
def test_where_doubt_is_told_to_fail_it_is_an_exit_of_four(way: str) -> None:
    run, reason = NOTHING_MEASURED[way]
    outcome, code = run(GateSettings(inconclusive="fail"))
    assert code == (6 if way == "all failed" else 4)
    suffix = "" if way == "all failed" else " (failed by --inconclusive fail)"
    assert reason + suffix in [one.reason for one in outcome.judged]


def test_a_baseline_of_which_everything_failed_is_not_green() -> None:
    outcome, _, code = gate(lambda _name, number: pair(number, 0.0, baseline=dead()))
    assert {one.answer for one in outcome.judged} == {"NOT COMPARABLE"}
    assert code == 5


def test_a_turn_without_a_call_in_it_is_not_green() -> None:
    empty = side(best_ns=None, p95_ns=None, cpu_ns_per_call=None)
    found = gate(lambda _n, number: pair(number, 0.0, head=empty, latency=None, median=None, p95=None, cpu=None))
    assert found[2] == 5


@pytest.mark.parametrize("inconclusive", FLAGS)
def test_no_verdict_at_all_is_never_green(inconclusive: Any) -> None:
    assert exit_code_of([], GateSettings(inconclusive=inconclusive)) == 5
    none = GateSettings(inconclusive=inconclusive, metrics=())
    assert gate(steady(0.0), settings=none)[2] == 5
    assert not may_refresh([])


def test_one_case_gone_does_not_hide_what_the_other_is() -> None:
    outcome, code = bundles_gate(TWO, bundle(), SETTINGS)
    assert [(one.case, one.answer) for one in outcome.judged] == [
        (NET, "PASS"),
        (NET, "PASS"),
        (OTHER, "NOT COMPARABLE"),
        (OTHER, "NOT COMPARABLE"),
    ]
    assert code == 5


def test_a_head_that_could_not_even_be_bundled_has_failed_or_is_wrong() -> None:
    lost = bundle(missing={OTHER: Failure(status="crashed", reason="it died")})
    assert bundles_gate(TWO, lost, SETTINGS)[1] == 6
    wrong = bundle(missing={OTHER: Failure(status="failed", reason="y is off", verdict="disagrees")})
    assert bundles_gate(TWO, wrong, SETTINGS)[1] == 3


def test_a_case_of_head_alone_is_told_and_not_gated() -> None:
    outcome, code = bundles_gate(bundle(), TWO, SETTINGS)
    assert {one.case for one in outcome.judged} == {NET}
    assert code == 0


# --- workers that die -------------------------------------------------------------------------------------------------


def dying(at: Sequence[int], who: str = "head") -> Callable[[str, int], Pair]:
    def pair_of(_name: str, number: int) -> Pair:
        return pair(number, 0.0, **{who: dead()}) if number in at else pair(number)

    return pair_of


def test_a_head_that_dies_once_goes_on_and_the_verdict_tells() -> None:
    outcome, script, code = gate(dying([1]))
    assert (len(script.asked), code) == (6, 0)
    lost = "head crashed in 1 of 6 pairs, which count for nothing: the worker died of SIGKILL"
    assert lost in outcome.judged[0].notes
    assert lost not in outcome.judged[1].notes


@pytest.mark.parametrize(("who", "code"), [("head", 6), ("baseline", 5)])
def test_a_side_that_dies_twice_ends_its_case(who: str, code: int) -> None:
    outcome, script, seen = gate(dying([0, 2], who))
    assert (len(script.asked), seen) == (3, code)
    assert {one.answer for one in outcome.judged} == {"FAILED" if who == "head" else "NOT COMPARABLE"}


def test_deaths_do_not_make_a_gate_endless() -> None:
    noisy = [(-1) ** n * 0.2 for n in range(40)]
    outcome, script, code = gate(
        lambda _n, number: (
            pair(number, 0.0, head=dead())
            if number == 3
            else pair(number, 0.0, baseline=dead())
            if number == 5
            else pair(number, noisy[number])
        )
    )
    assert (len(script.asked), code) == (18, 5)
    assert outcome.judged[0].pairs == 16


# --- ends -------------------------------------------------------------------------------------------------------------


def test_a_time_limit_ends_the_gate_between_pairs_and_what_is_decided_stays() -> None:
    two = pairing_of(NET, OTHER)
    clock = SteppingClock()
    outcome, script, code = gate(
        lambda name, number: pair(number, 0.06 if name == NET else (-1) ** number * 0.2),
        two,
        GateSettings(time_limit_s=20.5),
        clock,
    )
    found = {one.case: one for one in outcome.judged if one.metric == "latency"}
    assert found[NET].answer == "REGRESSED"
    assert found[OTHER].reason == "9 pairs: the time limit of 20.5 s was reached"
    assert (len(script.asked), code) == (20, 4)


def test_a_time_limit_before_the_first_pair_is_inconclusive() -> None:
    outcome, script, code = gate(steady(0.0), settings=GateSettings(time_limit_s=0.5))
    assert (script.asked, code) == ([], 5)
    assert [one.reason for one in outcome.judged] == [
        "no pair was measured: the time limit of 0.5 s was reached",
        "no outputs were seen: the time limit of 0.5 s was reached",
    ]


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_an_interrupt_keeps_and_judges_the_pairs_before_it(error: BaseException, code: int) -> None:
    def pair_of(name: str, number: int) -> Pair:
        if (name, number) == (OTHER, 5):
            raise error
        return pair(number, 0.0 if name == NET else 0.2 * (-1) ** number)

    outcome, _, seen = gate(pair_of, pairing_of(NET, OTHER))
    assert seen == code
    assert len(outcome.pairs) == 10
    assert [(one.case, one.answer) for one in outcome.judged if one.metric == "latency"] == [
        (NET, "PASS"),
        (OTHER, "INCONCLUSIVE"),
    ]
    assert outcome.judged[2].reason == "5 pairs: interrupted"


def test_an_interrupt_while_the_watcher_is_told_keeps_the_pair() -> None:
    class Leaving(Listener):
        def pair_done(self, pair: Pair, judged: Sequence[Any]) -> None:
            raise KeyboardInterrupt

    outcome, _, code = gate(steady(0.0), listener=Leaving())
    assert (len(outcome.pairs), code) == (1, 130)


def test_an_error_of_ours_is_not_swallowed() -> None:
    def broken(_name: str, _number: int) -> Pair:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        gate(broken)


def test_cases_take_turns_and_are_left_as_they_are_decided() -> None:
    listener = Listener()
    _, script, _ = gate(
        lambda name, number: pair(number, 0.0 if name == NET else 0.06), pairing_of(NET, OTHER), listener=listener
    )
    assert script.asked[:10] == [(name, number) for number in range(5) for name in (NET, OTHER)]
    assert script.asked[10:] == [(OTHER, number) for number in range(5, 9)]  # the ninth: two cases share alpha
    assert listener.told[0] == (NET, 0, ["agreement PASS"])
    assert listener.told[8] == (NET, 4, ["latency PASS", "agreement PASS"])
    assert listener.told[-1] == (OTHER, 8, ["latency REGRESSED", "agreement PASS"])


# --- several cases ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metrics", [("latency",), ("latency", "load")])
def test_alpha_is_shared_by_all_statistical_verdicts(metrics: tuple[Metric, ...]) -> None:
    settings = GateSettings(metrics=metrics)
    designs = make_designs(pairing_of("a", "b", "c"), settings)
    assert {design.cases for design in designs.values()} == {3 * len(metrics)}
    assert 0 < family_bound(designs, settings) <= 0.01


def test_budgets_of_single_cases_are_theirs_alone() -> None:
    two = Pairing(cases=(paired("a", 0.05), paired("b", 0.2)), refused=(), new=())
    assert {name: design.delta for name, design in make_designs(two, SETTINGS).items()} == {"a": 0.05, "b": 0.2}


def test_too_few_pairs_for_so_many_cases_name_the_least() -> None:
    many = pairing_of(*map(str, range(20)))
    with pytest.raises(UsageError, match=r"over 20 gates; the least is --max-pairs 13"):
        make_designs(many, GateSettings(max_pairs=12))
    assert make_designs(many, GateSettings(max_pairs=13))


def test_memory_adds_its_own_chance_for_every_case() -> None:
    settings = GateSettings(metrics=("rss_peak",))
    designs = make_designs(pairing_of("a", "b"), settings)
    assert family_bound(designs, settings) == 2 / 32
    assert family_bound(designs, GateSettings(metrics=("size", "agreement"))) == 0


def test_a_rule_without_statistics_needs_no_more_pairs_than_it_takes() -> None:
    assert make_designs(pairing_of(), GateSettings(metrics=("rss_peak",), max_pairs=5))
    assert make_designs(pairing_of(), GateSettings(metrics=("size",), max_pairs=1))
    with pytest.raises(UsageError, match=r"--max-pairs 4: the rule for peak memory takes 5 pairs"):
        make_designs(pairing_of(), GateSettings(metrics=("rss_peak",), max_pairs=4))


def test_the_chance_of_any_alarm_over_many_cases_stays_below_alpha() -> None:
    """Five cases, 2000 gates of identical code under process modes of 10 %."""
    import numpy as np

    from bench.analysis import power

    design = make_designs(pairing_of(*"abcde"), SETTINGS)["a"]
    draw = np.random.default_rng(5)
    modes = draw.choice((-0.1, 0.0, 0.0, 0.1), (2, 10_000, 16))
    values = modes[0] - modes[1] + draw.normal(0, 0.005, (10_000, 16))
    alarmed = (power.answers(design, values) == "regressed").reshape(2000, 5).any(axis=1)
    bound = design.false_alarm_bound
    assert bound <= 0.01
    assert float(alarmed.mean()) <= bound + 3 * math.sqrt(bound * (1 - bound) / 2000)


@settings_of(max_examples=30)
@given(st.integers(0, 10_000), st.floats(-0.04, 0.12), st.floats(0.0, 0.05))
def test_a_whole_gate_ends_within_its_pairs_and_its_code_fits_its_verdicts(seed: int, change: float, sd: float) -> None:
    draw = random.Random(seed)
    outcome, script, code = gate(lambda _name, number: pair(number, max(-0.5, draw.gauss(change, sd))))
    assert len(script.asked) <= 16
    latency = outcome.judged[0]
    assert code == {"PASS": 0, "REGRESSED": 4, "INCONCLUSIVE": 5}[latency.answer]
    if latency.answer == "REGRESSED":
        assert latency.change_low is not None
        assert latency.change_low > 0
        assert latency.change is not None
        assert latency.change >= 0.0249999
    if latency.answer == "PASS":
        assert latency.change_high is not None
        assert latency.change_high < 0.05


# --- codes, hygiene, refreshing ---------------------------------------------------------------------------------------


def verdict(answer: Any, **changes: Any) -> Judged:
    return replace(Judged(case=NET, metric="latency", answer=answer, reason="because", delta=0.05), **changes)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (["PASS"], 0),
        (["REGRESSED"], 4),
        (["INCONCLUSIVE"], 5),
        (["NOT COMPARABLE"], 5),
        (["DISAGREES"], 3),
        (["FAILED"], 6),
        (["FAILED", "REGRESSED"], 4),
        (["FAILED", "REGRESSED", "DISAGREES"], 3),
        (["INCONCLUSIVE", "FAILED"], 6),
        (["PASS", "NOT COMPARABLE"], 5),
    ],
)
def test_the_strongest_verdict_gives_the_code(found: list[Any], code: int) -> None:
    assert exit_code_of([verdict(one) for one in found], SETTINGS) == code
    assert exit_code_of([verdict(one) for one in reversed(found)], SETTINGS) == code


@pytest.mark.parametrize(("inconclusive", "code"), [("exit 5", 5), ("pass", 0), ("fail", 4)])
def test_doubt_is_what_it_is_told_to_be(inconclusive: Any, code: int) -> None:
    settings = GateSettings(inconclusive=inconclusive)
    assert exit_code_of([verdict("INCONCLUSIVE")], settings) == code
    assert exit_code_of([verdict("NOT COMPARABLE"), verdict("PASS")], settings) == code
    assert exit_code_of([verdict("REGRESSED"), verdict("INCONCLUSIVE")], settings) == 4
    assert exit_code_of([verdict("FAILED")], settings) == 6


MADE_AT = datetime.fromisoformat(MADE)


def test_an_old_baseline_is_told_and_one_of_a_month_is_not() -> None:
    assert hygiene(MADE, MADE_AT + timedelta(days=30), []) == ()
    assert hygiene(MADE, MADE_AT + timedelta(days=45), []) == (
        "the baseline is 45 days old: refresh it once head passes (--refresh)",
    )


def test_a_baseline_that_head_has_left_behind_is_told() -> None:
    outcome, _, code = gate(steady(-0.3))
    notes = hygiene(MADE, MADE_AT, outcome.judged)
    assert code == 0
    assert notes == (
        f"{NET}: head is 30% faster than the baseline, so a later slowdown of that much would pass unseen; "
        "refresh the baseline (--refresh)",
    )
    assert hygiene(MADE, MADE_AT, gate(steady(-0.03))[0].judged) == ()
    assert hygiene(MADE, MADE_AT, gate(steady(0.0))[0].judged) == ()


def test_only_what_passed_everywhere_takes_the_baselines_place() -> None:
    both = [replace(verdict("PASS"), metric="latency"), replace(verdict("PASS"), metric="agreement")]
    assert may_refresh(both)
    assert not any(
        may_refresh([*both, verdict(other)])
        for other in ("REGRESSED", "INCONCLUSIVE", "NOT COMPARABLE", "DISAGREES", "FAILED")
    )
    assert not any(may_refresh([one]) for one in both)
    assert not may_refresh([*both, replace(both[0], case=OTHER)])


def test_wrong_outputs_that_were_seen_before_a_side_died_are_told() -> None:
    seen = pair(0, 0.0, head=side(verdict="disagrees", disagreement="y: off by 1"))

    def measure(_name: str, number: int) -> Pair:
        return seen if number == 0 else pair(number, 0.0, baseline=dead())

    outcome, _, code = gate(measure)
    assert code == 3
    assert [one.answer for one in outcome.judged] == ["NOT COMPARABLE", "DISAGREES"]
    assert gate(lambda _n, number: pair(number, 0.0, baseline=dead()))[2] == 5


def test_coins_are_drawn_anew_where_no_seed_was_given() -> None:
    drawn = {with_coins(SETTINGS).seed for _ in range(20)}
    assert len(drawn) > 1
    assert 0 not in drawn
    assert with_coins(GateSettings(seed=7)).seed == 7


def test_a_case_without_pairs_waits() -> None:
    design = make_designs(pairing_of(), SETTINGS)[NET]
    assert judge_case(paired(), SETTINGS, design, [], "") == [None, None]
    assert judge_case(paired(), SETTINGS, design, pairs([0.0] * 5), "")[0] is not None


def test_now_has_a_time_zone() -> None:
    from bench.check.gate import utc_now

    assert utc_now().tzinfo is UTC


def test_what_is_there_is_kept_after_every_pair_and_is_never_green_before_the_end() -> None:
    kept: list[Outcome] = []
    pairing = pairing_of(NET)
    designs = make_designs(pairing, SETTINGS)
    outcome = run_gate(
        pairing, SETTINGS, designs, Script(lambda _n, i: pair(i, 0.0)), SteppingClock(), Listener(), kept.append
    )
    assert [len(one.pairs) for one in kept] == [1, 2, 3, 4, 5]
    assert {one.interrupt for one in kept} == {143}
    assert outcome.interrupt is None
    latency = [one.judged[0] for one in kept]
    assert [one.answer for one in latency] == ["INCONCLUSIVE"] * 4 + ["PASS"]
    assert latency[0].reason == "1 pair, a verdict takes 5 or more: the gate was ended before its verdict"
