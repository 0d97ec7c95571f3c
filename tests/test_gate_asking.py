from __future__ import annotations

from typing import Any

import pytest

from bench.check.records import GateSettings
from bench.errors import UsageError
from bench.gate_asking import (
    GateFlags,
    gate_settings,
    match_budgets,
    merge_gate,
    parse_gate_flags,
    parse_metrics,
    parse_share,
)
from bench.records import Failure
from bench.specs import parse_runtime
from bench.suite import BudgetAsked, GateAsked
from gate_fakes import NET, bundle, bundled, replace

EIGHT = "net | onnxruntime-cpu | batch 8 | threads 1"
HEAD = bundle()


def settings_of(asked: GateAsked) -> GateSettings:
    return gate_settings(asked, seed=0, answer_limit_s=None, budgets={})


def budget(delta: float = 0.1, runtime: str | None = None, **others: Any) -> BudgetAsked:
    return BudgetAsked(delta=delta, runtime=parse_runtime(runtime) if runtime else None, **others)


@pytest.mark.parametrize(
    ("text", "share"), [("5%", 0.05), ("0.05", 0.05), (" 2.5 %", 0.025), (0.1, 0.1), ("150%", 1.5)]
)
def test_a_share_is_percent_or_a_number(text: str | float, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "five", "-5%", "5%%", "nan", 0.0, -0.05, float("nan"), "0", "0%"])
def test_what_is_no_share_is_refused(text: str | float) -> None:
    with pytest.raises(UsageError, match=r"such as 5% or 0\.05"):
        parse_share(text)


@pytest.mark.parametrize("text", ["5", 5, "1"])
def test_a_bare_number_of_one_or_more_was_meant_as_percent(text: str | float) -> None:
    with pytest.raises(UsageError, match=f"for {text} percent write {text}%"):
        parse_share(text)


def test_metrics_are_a_list_each_once() -> None:
    assert parse_metrics(["latency,size", "size", "load"]) == ("latency", "size", "load")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("throughput", "not gated: at one batch size it says what latency says"),
        ("accuracy", "not gated: it takes labels; agreement tells"),
        ("memory", "did you mean rss_peak"),
        ("speed", "expected latency, load, rss_peak, size, agreement"),
        ("", "an empty name"),
    ],
)
def test_a_metric_that_is_not_gated_says_which_is(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_metrics([text])


def test_nothing_said_is_every_default() -> None:
    assert settings_of(parse_gate_flags(GateFlags())) == GateSettings()


def test_every_flag_arrives_in_the_settings() -> None:
    flags = GateFlags(
        delta="10%",
        alpha="0.5%",
        beta="0.1",
        max_pairs=24,
        time_limit=90,
        metric=("latency,load",),
        inconclusive="fail",
    )
    assert settings_of(parse_gate_flags(flags)) == GateSettings(
        delta=0.1,
        alpha=0.005,
        beta=0.1,
        max_pairs=24,
        time_limit_s=90,
        metrics=("latency", "load"),
        inconclusive="fail",
    )


def test_every_wrong_flag_is_reported_at_once() -> None:
    flags = GateFlags(delta="5", alpha="x", max_pairs=0, time_limit=0, metric=("speed",), inconclusive="maybe")
    with pytest.raises(UsageError) as caught:
        parse_gate_flags(flags)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "--delta",
        "--alpha",
        "--time-limit",
        "--max-pairs",
        "--inconclusive",
        "--metric",
    ]


def test_a_flag_wins_over_the_file_and_a_delta_over_its_budgets() -> None:
    file = GateAsked(delta=0.05, alpha=0.02, budgets=(budget(model="net"),))
    assert merge_gate(GateAsked(alpha=0.01), file) == replace(file, alpha=0.01)
    assert merge_gate(GateAsked(delta=0.1), file) == GateAsked(delta=0.1, alpha=0.02)
    assert merge_gate(GateAsked(delta=0.1), None) == GateAsked(delta=0.1)


@pytest.mark.parametrize(
    "one",
    [
        budget(model="net"),
        budget(runtime="cpu"),
        budget(runtime="cpu@1.32.0"),
        budget(batch=1),
        budget(model="net", runtime="onnxruntime-cpu", batch=1),
    ],
)
def test_a_budget_is_of_the_cases_that_fit_all_it_says(one: BudgetAsked) -> None:
    assert match_budgets([one], bundle(), HEAD) == {NET: 0.1}


@pytest.mark.parametrize(
    "one",
    [budget(model="ned"), budget(runtime="tf"), budget(runtime="cpu@1.30.0"), budget(runtime="cpu#a"), budget(batch=2)],
)
def test_a_budget_that_fits_no_case_is_a_mistake(one: BudgetAsked) -> None:
    with pytest.raises(UsageError, match=rf"gate\.budget\[0\] \(.*\): no case matches; cases are {NET[:3]}"):
        match_budgets([one], bundle(), HEAD)


def test_of_several_budgets_the_last_one_counts() -> None:
    cases = bundle(bundled(), bundled(EIGHT))
    found = match_budgets([budget(0.1, model="net"), budget(0.2, batch=8)], cases, cases)
    assert found == {NET: 0.1, EIGHT: 0.2}


def test_a_budget_that_later_ones_overrule_everywhere_is_a_mistake() -> None:
    with pytest.raises(UsageError, match=r"gate\.budget\[0\] \(batch 1\): later budgets overrule it"):
        match_budgets([budget(batch=1), budget(model="net")], bundle(), HEAD)


def test_a_case_that_could_not_be_had_keeps_its_budget() -> None:
    lost = bundle(missing={EIGHT: Failure(status="unavailable", reason="no device")})
    assert match_budgets([budget(batch=8, runtime="cpu")], lost, HEAD) == {EIGHT: 0.1}
