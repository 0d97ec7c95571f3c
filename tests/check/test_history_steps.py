"""Change points: where a step was planted, and nowhere in noise alone; and what is said where they can't be had."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.check import history_otava
from bench.check.history_export import render_text
from bench.check.history_otava import LEAST_REPORTS, ChangePoint, Otava, provide_otava
from bench.check.history_page import page_of
from bench.check.history_records import Event, History
from bench.check.history_steps import with_steps
from bench.errors import UnavailableError
from compare_fakes import ort
from history_fakes import at, daily, history, judged, noise, only_series, stored

Found = list[list[ChangePoint]]


def never(series: Sequence[Sequence[float]]) -> Found:
    raise AssertionError("nothing is to be asked")


def upgraded(step_at: int, version_at: int, count: int = 12) -> History:
    """A history with a version that changes at one day; Otava says that the numbers do at another."""
    days = [
        stored(day, [ort(latency_ns_best=8e6, runtime_version="1.32.0" if day >= version_at else "1.30.0")])
        for day in range(count)
    ]
    return judged(history(*days), at(step_at, 8e6, 8.96e6))


def test_a_step_is_told_with_the_version_that_changed_there() -> None:
    assert "12 % slower since 2026-10-07 (8 ms -> 8.96 ms, p 1e-09), when onnxruntime-cpu went 1.30.0 -> 1.32.0." in (
        " ".join(render_text(upgraded(6, 6)).split())
    )


def test_a_version_that_changed_one_report_away_is_told_as_such() -> None:
    assert "p 1e-09); one report away onnxruntime-cpu went 1.30.0 -> 1.32.0." in " ".join(
        render_text(upgraded(6, 7)).split()
    )


def test_a_version_that_changed_elsewhere_is_no_reason() -> None:
    found = upgraded(6, 9)
    (step,) = only_series(found).steps or ()
    assert (step.events, step.nearby) == ((), ())
    assert only_series(found).events == (Event(10, "runtime_version", "1.30.0", "1.32.0"),)
    assert "when onnxruntime-cpu went" not in render_text(found)


def test_an_older_step_has_an_end_and_the_last_one_has_none() -> None:
    found = judged(history(*daily([8e6] * 12)), at(4, 8e6, 4e6), at(8, 4e6, 8e6))
    said = " ".join(render_text(found).split())
    assert "50 % faster from 2026-10-05 to 2026-10-08 (8 ms -> 4 ms" in said
    assert "100 % slower since 2026-10-09 (4 ms -> 8 ms" in said


@pytest.mark.parametrize(("metric", "word"), [("memory", "more memory"), ("throughput", "more items/s")])
def test_words_are_those_of_the_number(metric: str, word: str) -> None:
    found = judged(history(*daily([8e6] * 12), metric=metric), at(4, 100, 110))
    assert f"10 % {word} since" in " ".join(render_text(found).split())


def test_too_few_reports_are_said_and_not_passed_over_in_silence() -> None:
    found = with_steps(history(*daily([8e6] * (LEAST_REPORTS - 1))), never)
    assert only_series(found).steps is None
    assert "1 of 1 series have too few reports for change points: at least 7." in render_text(found)
    assert "have a change point" not in render_text(found)


def test_a_number_that_is_0_somewhere_has_no_ratios() -> None:
    rows = [[ort(relative_error=0.0 if day == 3 else 1e-6)] for day in range(9)]
    found = with_steps(history(*(stored(day, one) for day, one in enumerate(rows)), metric="error"), never)
    assert only_series(found).note == "it has a 0, which is no ratio of anything"
    assert "1 of 1 series can't be judged: it has a 0" in " ".join(render_text(found).split())
    assert only_verdict(found) == "1 of 1 series can't be judged: it has a 0, which is no ratio of anything."


def only_verdict(found: History) -> str:
    """The first words of the page, where they are all there is."""
    (said,) = page_of(found).verdict
    return said


def test_where_nothing_is_verified_there_is_nothing_to_judge_and_not_too_few_reports() -> None:
    found = with_steps(history(*(stored(day, [ort(agreement="disagrees")]) for day in range(9))), never)
    assert only_verdict(found) == "No case has a number in any report, so that there is no change to look for."
    assert only_verdict(found) in " ".join(render_text(found).split())
    few = with_steps(history(*daily([8e6] * (LEAST_REPORTS - 1))), never)
    assert only_verdict(few) == "1 of 1 series have too few reports for change points: at least 7."


def test_without_otava_the_history_is_there_and_says_why_it_has_no_change_points() -> None:
    def unavailable(series: Sequence[Sequence[float]]) -> Found:
        raise UnavailableError("making an environment with apache-otava 0.8.0: no network")

    found = with_steps(history(*daily([8e6] * 12)), unavailable)
    text = render_text(found)
    assert "Change points were not computed: making an environment with apache-otava 0.8.0: no network." in text
    assert "not computed" in text.split("Every case")[1]
    assert "0 of 1 series have a change point" not in text


def test_a_step_is_for_the_worse_or_the_better_by_what_is_better() -> None:
    def state(metric: str, after: float) -> str:
        page = page_of(judged(history(*daily([8e6] * 9), metric=metric), at(4, 100, after)))
        (table,) = next(part for part in page.parts if part.name == "changes").tables
        return table.rows[0][2].state

    assert (state("latency", 120), state("latency", 80)) == ("bad", "good")
    assert (state("throughput", 120), state("throughput", 80)) == ("good", "bad")


@pytest.fixture(scope="module")
def otava() -> Otava:
    return provide_otava(lambda _: None)


@pytest.mark.slow
def test_a_planted_step_is_found_at_its_place_and_noise_of_the_same_spread_has_none(otava: Otava) -> None:
    flat, stepped = noise(30, 0.02), noise(30, 0.02)
    stepped = [one * (1.12 if day >= 18 else 1) for day, one in enumerate(stepped)]
    (nothing, (found,)) = otava.change_points([flat, stepped])
    assert nothing == []
    assert found.index == 18
    assert math.exp(found.after - found.before) == pytest.approx(1.12, rel=0.02)
    assert found.p < 1e-6


@pytest.mark.slow
def test_numbers_that_do_not_vary_have_a_step_only_where_there_is_one(otava: Otava) -> None:
    flat, (found,) = otava.change_points([[8e6] * 12, [8e6] * 6 + [8.1e6] * 6])
    assert flat == []
    assert found.index == 6


@pytest.mark.slow
def test_a_history_with_a_step_is_judged_by_otava_itself(otava: Otava) -> None:
    latencies = [one * (0.9 if day >= 10 else 1) for day, one in enumerate(noise(24, 0.01))]
    found = with_steps(history(*daily(latencies)), otava.change_points)
    assert [step.report for step in only_series(found).steps or ()] == [11]
    assert "% faster since 2026-10-11" in " ".join(render_text(found).split())


@pytest.mark.slow
def test_a_child_that_takes_too_long_or_fails_is_told(otava: Otava, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnavailableError, match=r"apache-otava==0\.8\.0 failed: no answer within 0\.01 s"):
        otava.change_points([[8e6] * 12], limit_s=0.01)
    monkeypatch.setattr(history_otava, "_CHILD", Path("/gone.py"))
    with pytest.raises(UnavailableError, match="No such file"):
        otava.change_points([[8e6] * 12])


def test_an_environment_without_its_interpreter_is_told() -> None:
    with pytest.raises(UnavailableError, match="can't be started"):
        Otava("/gone").change_points([[8e6] * 12])
