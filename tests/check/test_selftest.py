"""What is tried, and what a trial came to: verdict and exit code must both say so."""

from __future__ import annotations

import pytest

from bench.check.records import GateAnswer
from bench.check.selftest import Key, Outcome, TrialKind, make_trial, missing, outcome, plan_trials
from selftest_fakes import FakeBundles, key, result, trial


def planned(**changes: object) -> list[Key]:
    asked = {"aa": 4, "plants": 2, "share": 0.05, "load": "quiet", "seed": 0, "slow": ("nodes", "busy")} | changes
    return plan_trials(**asked, faults=FakeBundles().faults())  # type: ignore[arg-type]


def test_faults_come_first_and_the_others_are_mixed_evenly() -> None:
    assert [one.kind for one in planned()] == [
        "wrong", "fallback", "gone", "same", "nodes", "busy", "same", "same", "nodes", "busy", "same",
    ]  # fmt: skip


def test_no_two_trials_share_a_seed_and_another_self_test_has_others() -> None:
    keys = [*planned(), *planned(load="burst"), *planned(seed=1)]
    assert len({one.seed for one in keys}) == len(keys)


def test_a_plan_goes_on_where_the_trials_end() -> None:
    first = planned(aa=4)
    tried = [trial(one) for one in first]
    assert missing(first, tried) == []
    more = missing(planned(aa=6), tried)
    assert [(one.kind, one.number) for one in more] == [("same", 4), ("same", 5)]
    assert len(missing(planned(load="burst"), tried)) == 11
    assert {one.kind for one in missing(planned(share=0.1), tried)} == {"nodes", "busy"}


def test_a_trial_keeps_what_the_gate_said() -> None:
    made = make_trial(key("nodes"), result("REGRESSED"))
    assert made.answers == {"latency": "REGRESSED", "agreement": "PASS"}
    assert (made.exit_code, made.pairs, made.seconds) == (4, 5, 4.0)
    assert (made.change, made.bound, made.sd) == (0.06, 0.04, 0.01)
    assert (made.load_1min, made.foreign_cpus, made.reason) == (0.5, 0.5, "so")
    assert make_trial(key(), result("PASS")).bound == 0.08


@pytest.mark.parametrize(
    ("kind", "latency", "agreement", "code", "expected"),
    [
        ("same", "PASS", "PASS", 0, "missed"),
        ("same", "REGRESSED", "PASS", 4, "fired"),
        ("same", "PASS", "PASS", 4, "fired"),
        ("same", "PASS", "DISAGREES", 3, "fired"),
        ("same", "INCONCLUSIVE", "PASS", 5, "inconclusive"),
        ("same", "FAILED", "FAILED", 6, "failed"),
        ("same", "PASS", "PASS", 6, "failed"),
        ("same", "NOT COMPARABLE", "PASS", 5, "failed"),
        ("nodes", "REGRESSED", "PASS", 4, "fired"),
        ("nodes", "REGRESSED", "PASS", 0, "missed"),
        ("nodes", "PASS", "PASS", 4, "missed"),
        ("nodes", "PASS", "PASS", 0, "missed"),
        ("nodes", "INCONCLUSIVE", "PASS", 5, "inconclusive"),
        ("nodes", "FAILED", "FAILED", 6, "failed"),
        ("busy", "REGRESSED", "PASS", 4, "fired"),
        ("busy", "INCONCLUSIVE", "PASS", 0, "missed"),
        ("wrong", "PASS", "DISAGREES", 3, "fired"),
        ("wrong", "PASS", "DISAGREES", 0, "missed"),
        ("wrong", "PASS", "PASS", 3, "missed"),
        ("wrong", "REGRESSED", "PASS", 4, "missed"),
        ("fallback", "FAILED", "FAILED", 6, "fired"),
        ("fallback", "NOT COMPARABLE", "NOT COMPARABLE", 5, "fired"),
        ("fallback", "PASS", "FAILED", 6, "missed"),
        ("fallback", "FAILED", "FAILED", 0, "missed"),
        ("fallback", "REGRESSED", "PASS", 4, "missed"),
        ("gone", "NOT COMPARABLE", "NOT COMPARABLE", 5, "fired"),
        ("gone", "NOT COMPARABLE", "NOT COMPARABLE", 0, "missed"),
        ("gone", "PASS", "PASS", 5, "missed"),
    ],
)
def test_a_trial_fired_only_where_verdict_and_exit_code_say_so(
    kind: TrialKind, latency: GateAnswer, agreement: GateAnswer, code: int, expected: Outcome
) -> None:
    assert outcome(trial(key(kind), latency, agreement, code)) == expected


def test_a_fallback_without_any_verdict_has_not_fired() -> None:
    nothing = make_trial(key("fallback"), result("FAILED", "FAILED"))
    assert outcome(nothing) == "fired"
    import msgspec

    assert outcome(msgspec.structs.replace(nothing, answers={})) == "missed"
