from typing import Any

import pytest

from bench.analysis import detection as power
from bench.analysis.detection import Detection, JudgedFile, judged_file
from bench.records import OutputCheck, Tolerance, Verdict


def check(verdict: Verdict = "disagrees", error: float | None = 0.5, **changes: Any) -> OutputCheck:
    known: dict[str, Any] = {"output": "y", "reason": "r", "relative_error": error, "tolerance": 1e-3}
    return OutputCheck(verdict=verdict, **known | changes)


def correct(error: float = 1e-5, verdict: Verdict = "agrees") -> JudgedFile:
    return judged_file("as deployed", [check(verdict, error)], Tolerance(), is_correct=True)


def wrong(error: float | None, verdict: Verdict = "disagrees", **changes: Any) -> JudgedFile:
    return judged_file("fault", [check(verdict, error)], Tolerance(), **changes)


def found(*files: JudgedFile, right: JudgedFile | None = None) -> Detection:
    return Detection(correct=(right or correct(),), wrong=files)


def test_a_file_is_the_worst_of_its_outputs_and_has_no_number_where_one_of_them_has_none() -> None:
    both = judged_file("fault", [check("agrees", 1e-5), check("disagrees", 0.2, reason="far")], Tolerance())
    assert (both.verdict, both.reason, both.error) == ("disagrees", "y: far", 0.2)
    assert both.over_tolerance == pytest.approx(200)
    missing = judged_file("fault", [check("agrees", 1e-5), check("disagrees", None)], Tolerance())
    assert missing.error is None


@pytest.mark.parametrize(
    ("file", "outcome"),
    [
        (wrong(0.5), "called out"),
        (wrong(3.0e-5, "agrees"), "equivalent"),
        (wrong(3.1e-5, "agrees"), "missed"),
        (wrong(0.5, "vacuous"), "missed"),
        (wrong(None), "called out"),
        (wrong(None, "vacuous", is_same=True), "equivalent"),
        (JudgedFile(kind="fault", is_correct=False, verdict="unchecked", problem="does not load"), "not run"),
    ],
)
def test_a_wrong_file_is_scored_unless_no_check_could_tell_it(file: JudgedFile, outcome: str) -> None:
    assert power.outcome(file, 1e-5) == outcome


def test_the_score_counts_what_a_check_could_have_seen() -> None:
    detection = found(wrong(0.5), wrong(0.01, "agrees"), wrong(1e-5, "agrees"))
    assert power.score(detection) == (1, 2)
    assert power.interval(detection)[0] < 0.5 < power.interval(detection)[1]


@pytest.mark.parametrize(
    ("detection", "code"),
    [
        (found(wrong(0.5)), 0),
        (found(wrong(0.5), wrong(1e-5, "agrees")), 0),
        (found(wrong(0.5), wrong(0.01, "agrees")), 5),
        (found(wrong(0.5), right=correct(1e-5, "vacuous")), 5),
        (found(), 5),
        (found(wrong(0.5), right=correct(0.5, "disagrees")), 3),
    ],
)
def test_the_exit_code_is_0_only_where_all_were_called_out_and_the_correct_one_agrees(
    detection: Detection, code: int
) -> None:
    assert power.exit_code(detection) == code


def test_room_is_what_the_correct_file_leaves_of_its_tolerance() -> None:
    assert power.room(found(right=correct(1e-4))) == pytest.approx(10)
    assert power.room(found(right=correct(0.0))) is None


@pytest.mark.parametrize(
    ("tolerance", "share"),
    [
        (Tolerance(rtol={"": 0.1}), 0.5),
        (Tolerance(atol={"y": 0.01}), 2.0),
        (Tolerance(rtol={"": 0.1}, atol={"": 0.01}), None),
    ],
)
def test_by_the_users_limits_it_is_the_smallest_that_would_pass_over_the_one_given(
    tolerance: Tolerance, share: float | None
) -> None:
    one = check("agrees", 0.5, tolerance=None, smallest_rtol=0.05, smallest_atol=0.02)
    assert judged_file("fault", [one], tolerance).over_tolerance == (None if share is None else pytest.approx(share))


def test_the_error_is_that_of_the_precision_where_it_judged() -> None:
    assert judged_file("fault", [check("agrees", 0.5, precision_error=0.01)], Tolerance()).error == 0.01
