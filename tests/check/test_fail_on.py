"""A budget on plain numbers: over is over, and nothing that was not measured is ever within."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.check.fail_on import parse_budgets
from bench.check.render_compare import render_text
from bench.errors import UsageError
from bench.rows import Row
from compare_fakes import compared, env, ort, tf

FIVE = {"latency": 0.05}


@pytest.mark.parametrize(
    ("latency", "answer", "code"),
    [
        (8.0e6, "within", 0),
        (8.4e6, "within", 0),  # exactly 5 %
        (8.41e6, "over", 4),
        (80e6, "over", 4),
        (7.0e6, "within", 0),
        (1.61e6, "within", 0),
        (1.6e6, "suspicious", 5),  # 5 times faster: is the work still done?
    ],
)
def test_a_budget_on_latency(latency: float, answer: str, code: int) -> None:
    comparison = compared([ort()], [ort(latency_ns_best=latency)], budgets=FIVE)
    assert [one.answer for one in comparison.judged] == [answer]
    assert comparison.exit_code == code


@pytest.mark.parametrize(
    ("after", "said", "code"),
    [
        ([], "gone", 5),
        ([ort(model="net2")], "gone", 5),
        ([ort(latency_ns_best=math.nan)], "unmeasured", 5),
        ([ort(latency_ns_best=None)], "unmeasured", 5),
        ([ort(latency_ns_best=0.0)], "unmeasured", 5),
        ([ort(latency_ns_best=-1.0)], "unmeasured", 5),
        ([ort(processes=2)], "B: 2 processes measured, at least 3 are needed", 5),
        ([ort(calls=29)], "B: 29 timed calls, at least 30 are needed", 5),
        ([ort(status="crashed", status_reason="SIGSEGV")], "failed", 6),
        ([ort(agreement="vacuous")], "unverified", 5),
        ([ort(agreement="disagrees")], "disagrees", 3),
        ([ort(runtime_version="1.31.0")], "not comparable", 5),
    ],
)
def test_what_was_not_measured_is_never_green(after: list[Row], said: str, code: int) -> None:
    comparison = compared([ort()], after, budgets=FIVE)
    assert [(one.answer, one.reason) for one in comparison.judged] == [("cannot tell", said)]
    assert comparison.exit_code == code
    page = render_text(comparison, width=200)
    assert f"cannot tell: B: net | onnxruntime-cpu | batch 1 | threads 2: latency: {said}" in page
    assert f"Exit code {code}" in page


def test_a_duplicate_is_never_green() -> None:
    with pytest.raises(UsageError, match="more than once"):
        compared([ort()], [ort(), ort(case_id="again")], budgets=FIVE)


@pytest.mark.parametrize("after", [[], [tf(status="crashed"), ort(status="oom")]])
def test_reports_in_which_nothing_came_to_its_end_are_never_green(after: list[Row]) -> None:
    assert compared([tf(), ort()], after, budgets=FIVE).exit_code in (5, 6)


def test_no_case_at_all_is_never_green() -> None:
    comparison = compared([], [], budgets=FIVE)
    assert comparison.judged == ()
    assert comparison.exit_code == 5
    assert "cannot tell: there was no case to judge" in render_text(comparison)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("value", [None, 0.0, math.nan, math.inf])
def test_a_metric_that_one_side_lacks_is_never_green(side: int, value: float | None) -> None:
    rows = [ort(latency_ns_p95=9e6), ort(latency_ns_p95=9e6)]
    rows[side] = ort(latency_ns_p95=value)
    comparison = compared([rows[0]], [rows[1]], budgets={"p95": 0.1})
    assert [one.reason for one in comparison.judged] == ["p95 was not measured on both sides"]
    assert comparison.exit_code == 5


@pytest.mark.parametrize(
    ("metric", "changes", "code"),
    [
        ("throughput", {"throughput_items_per_s": 100.0}, 4),  # 21.95 % more time an item
        ("throughput", {"throughput_items_per_s": 150.0}, 0),
        ("rss_peak", {"rss_peak_bytes": 120 << 20}, 4),
        ("rss_peak", {"rss_peak_bytes": 112 << 20}, 0),
        ("load", {"load_ns": 50_000_000}, 4),
        ("import", {"import_ns": 90_000_000}, 0),
        ("first", {"first_call_ns": 16_000_000}, 4),
        ("p50", {"latency_ns_p50": 9_000_000.0}, 4),
        ("p90", {"latency_ns_p90": 9_600_000.0}, 0),
    ],
)
def test_every_metric_can_have_a_budget_by_its_own_direction(metric: str, changes: dict[str, Any], code: int) -> None:
    assert compared([ort()], [ort(**changes)], budgets={metric: 0.05}).exit_code == code


def test_a_case_that_is_new_has_nothing_to_be_worse_than() -> None:
    comparison = compared([ort()], [ort(), tf()], budgets=FIVE)
    assert [one.case for one in comparison.judged] == ["net | onnxruntime-cpu | batch 1 | threads 2"]
    assert comparison.exit_code == 0


def test_over_is_told_before_what_can_not_be_told() -> None:
    comparison = compared([tf(), ort()], [ort(latency_ns_best=9e6)], budgets=FIVE)
    assert comparison.exit_code == 4
    page = render_text(comparison, width=200)
    assert page.index("over: B: net | onnxruntime-cpu") < page.index("cannot tell: B: net | tensorflow")


def test_another_machine_is_no_verdict_however_slow() -> None:
    other = [env(), env(machine={"cpu": "Other"})]
    slow = ort(latency_ns_best=80e6)
    comparison = compared([ort()], [slow], environments=other, budgets=FIVE)
    assert [one.answer for one in comparison.judged] == ["cannot tell"]
    assert comparison.exit_code == 5
    assert (
        compared([ort()], [ort(latency_ns_best=80e6)], environments=other, budgets=FIVE, allowed={"cpu"}).exit_code == 4
    )


@given(st.floats(0, 1), st.floats(0, 1), st.floats(1e3, 1e9))
def test_a_larger_budget_is_never_stricter(one: float, two: float, latency: float) -> None:
    low, high = sorted((one, two))
    strict = compared([ort()], [ort(latency_ns_best=latency)], budgets={"latency": low}).judged[0].answer
    mild = compared([ort()], [ort(latency_ns_best=latency)], budgets={"latency": high}).judged[0].answer
    assert (strict, mild) in {(x, x) for x in ("within", "over", "suspicious")} | {("over", "within")}


def test_budgets_are_read_from_their_texts() -> None:
    assert parse_budgets(["latency:5%,p95:12.5%", "rss_peak:0%"]) == {"latency": 0.05, "p95": 0.125, "rss_peak": 0.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latency", "expected METRIC:PERCENT, such as latency:5%"),
        ("latency:5", "expected METRIC:PERCENT"),
        ("latency:-5%", "expected METRIC:PERCENT"),
        ("latency:nan%", "expected METRIC:PERCENT"),
        ("", "expected METRIC:PERCENT"),
        ("speed:5%", "no metric 'speed'; there are latency, p50"),
        ("relative_error:5%", "no metric 'relative_error'"),
        ("latency:5%,latency:6%", "latency is given twice"),
    ],
)
def test_a_wrong_budget_is_refused_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_budgets([text])
