"""What became of every case of every report, and the exit code."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.check.compare import compare
from bench.errors import UsageError
from bench.rows import Row
from compare_fakes import compared, env, only, ort, sides, standings, tf
from report_fakes import absent, row

DISAGREES: dict[str, Any] = {"agreement": "disagrees", "agreement_reason": "relative error 0.12 is above 0.001"}
CRASHED: dict[str, Any] = {"status": "crashed", "status_reason": "the worker died of SIGSEGV"}


def test_the_same_numbers_of_another_run_are_compared_and_fine() -> None:
    comparison = compared([tf(), ort()], [tf(), ort()])
    assert standings(comparison) == {"B tensorflow": "same", "B onnxruntime-cpu": "same"}
    assert all(one.is_comparable and one.differences == () for one in comparison.cases)
    assert comparison.exit_code == 0


def test_a_slower_number_is_a_plain_number_and_never_over_a_budget_nobody_gave() -> None:
    comparison = compared([ort()], [ort(latency_ns_best=80_000_000.0)])
    latency = only(comparison).changes[0]
    assert (latency.metric, latency.reference, latency.other, latency.ratio) == ("latency", 8e6, 8e7, 10.0)
    assert (latency.low, latency.high, latency.level) == (None, None, None)
    assert comparison.exit_code == 0


@pytest.mark.parametrize(
    ("before", "after", "standing", "reason", "code"),
    [
        (ort(), ort(), "same", "", 0),
        (ort(), ort(**DISAGREES), "disagrees", "agreed before: relative error 0.12 is above 0.001", 3),
        (ort(**DISAGREES), ort(**DISAGREES), "unverified", "disagrees: relative error 0.12 is above 0.001", 5),
        (ort(**DISAGREES), ort(), "recovered", "unverified in the reference: disagrees: relative error 0.12", 5),
        (ort(), ort(agreement="vacuous", agreement_reason=""), "unverified", "vacuous", 5),
        (ort(), ort(agreement="unchecked", agreement_reason=""), "unverified", "unchecked", 5),
        (ort(), ort(**CRASHED), "failed", "crashed: the worker died of SIGSEGV", 6),
        (ort(**CRASHED), ort(**CRASHED), "failed", "crashed: the worker died of SIGSEGV", 6),
        (ort(**CRASHED), ort(), "recovered", "failed in the reference: crashed: the worker died", 5),
        (ort(), ort(**CRASHED, **DISAGREES), "disagrees", "agreed before: relative error 0.12", 3),
        (ort(), ort(latency_ns_best=None), "unmeasured", "it has no latency above 0", 5),
        (ort(), ort(latency_ns_best=0.0), "unmeasured", "it has no latency above 0", 5),
        (ort(), ort(latency_ns_best=math.nan), "unmeasured", "it has no latency above 0", 5),
        (ort(), ort(latency_ns_best=math.inf), "unmeasured", "it has no latency above 0", 5),
        (ort(latency_ns_best=None), ort(), "recovered", "unmeasured in the reference", 5),
    ],
)
def test_each_case_has_its_standing_reason_and_exit_code(
    before: Row, after: Row, standing: str, reason: str, code: int
) -> None:
    comparison = compared([before], [after])
    one = only(comparison)
    assert one.standing == standing
    assert one.reason.startswith(reason)
    assert one.is_comparable == (standing == "same")
    assert comparison.exit_code == code


@pytest.mark.parametrize(
    ("after", "standing", "code"),
    [(ort(), "new", 5), (ort(**CRASHED), "failed", 6), (ort(**DISAGREES), "unverified", 5)],
)
def test_a_new_case_is_told_and_one_in_trouble_is_not_fine_for_being_new(after: Row, standing: str, code: int) -> None:
    assert standings(compared([tf()], [tf(), after]))["B onnxruntime-cpu"] == standing
    assert compared([], [after]).exit_code == code


def test_a_new_case_beside_one_that_is_the_same_is_fine() -> None:
    assert compared([tf()], [tf(), ort()]).exit_code == 0


def test_a_case_that_is_gone_is_told_with_the_new_one_that_may_be_it() -> None:
    comparison = compared([tf(), ort()], [tf(), ort(model="net2")])
    gone = next(one for one in comparison.cases if one.standing == "gone")
    assert gone.reason == (
        "not in the other report; 'net2 | onnxruntime-cpu | batch 1 | threads 2' is new there: renamed?"
    )
    assert comparison.exit_code == 5


def test_a_case_that_is_gone_is_not_said_to_be_quite_another() -> None:
    comparison = compared([tf(), ort()], [tf(), row("openvino", model="net2")])
    assert [one.reason for one in comparison.cases if one.standing == "gone"] == ["not in the other report"]


def test_nothing_in_either_report_is_not_green() -> None:
    assert compared([], []).exit_code == 5


def test_a_case_that_ran_in_part_elsewhere_did_run_and_is_not_comparable() -> None:
    comparison = compared([ort()], [ort(status="partial", status_reason="3 of 90 nodes ran elsewhere")])
    assert [(d.field, d.reference, d.other) for d in only(comparison).differences] == [("status", "ok", "partial")]
    assert comparison.exit_code == 5


def test_every_report_is_compared_with_the_first() -> None:
    comparison = compared([tf(), ort()], [tf()], [ort(latency_ns_best=4e6), row("openvino")])
    assert standings(comparison) == {
        "B tensorflow": "same",
        "B onnxruntime-cpu": "gone",
        "C tensorflow": "gone",
        "C onnxruntime-cpu": "same",
        "C openvino": "new",
    }
    assert [one.changes[0].ratio for one in comparison.cases if one.standing == "same"] == [1.0, 0.5]


def test_a_report_that_was_not_finished_is_not_comparable_with_one_that_was() -> None:
    comparison = compared([ort()], [ort()], environments=[env(), env(finished=False)])
    assert [one.field for one in comparison.runs[0].differences] == ["finished"]
    assert comparison.exit_code == 5
    assert compared([ort()], [ort()], environments=[env(finished=False)] * 2).exit_code == 0


def test_a_case_twice_in_one_report_is_refused_whichever_it_is() -> None:
    twice = [ort(), ort(case_id="again")]
    for reports in ([twice, [ort()]], [[ort()], twice], [twice]):
        with pytest.raises(UsageError, match=r"more than once.*label its runtimes"):
            compared(*reports)


def test_reports_of_one_run_are_said_to_be() -> None:
    one = env()
    assert compared([ort()], [ort()], environments=[one, one]).runs[0].is_one_run
    assert not compared([ort()], [ort()]).runs[0].is_one_run


# --- one report by itself ---------------------------------------------------------------------------------------------


def test_one_report_alone_has_the_ratio_of_its_rounds_with_their_interval() -> None:
    comparison = compared([tf(), ort(ratio_to_reference=0.48, latency_ns_best=8e6)])
    assert standings(comparison) == {"A tensorflow": "reference", "A onnxruntime-cpu": "same"}
    latency = comparison.cases[1].changes[0]
    assert (latency.reference, latency.other, latency.ratio) == (16e6, 8e6, 0.48)  # not the ratio of the two numbers
    assert (latency.low, latency.high, latency.level) == (0.475, 0.525, 0.9375)
    assert comparison.exit_code == 0


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([tf(), ort(**DISAGREES)], 3),
        ([tf(**DISAGREES), ort()], 3),
        ([tf(), ort(), absent()], 6),
        ([tf(), ort(agreement="vacuous")], 5),
        ([tf(), ort(ratio_to_reference=None, reference_runtime=None)], 5),
        ([tf()], 5),
        ([], 5),
    ],
)
def test_one_report_alone_is_not_green_where_a_case_is_in_trouble_or_nothing_was_compared(
    rows: list[Row], code: int
) -> None:
    assert compared(rows).exit_code == code


def test_one_report_alone_has_nothing_that_a_budget_could_be_held_against() -> None:
    with pytest.raises(UsageError, match="--fail-on: it compares reports, and there is one"):
        compared([tf(), ort()], budgets={"latency": 0.05})


# --- laws -------------------------------------------------------------------------------------------------------------

names = st.sampled_from(["NA", "null", "007", "1e3", "net", "a | b", "", "x#y"])
latencies = st.one_of(st.none(), st.floats(allow_infinity=False), st.floats(1, 1e9))


@st.composite
def rows(draw: st.DrawFn) -> Row:
    return row(
        draw(st.sampled_from(["onnxruntime-cpu", "tensorflow", "openvino"])),
        case_id=draw(st.uuids()).hex,
        model=draw(names),
        label=draw(st.sampled_from(["", "a", "NA"])),
        batch_size=draw(st.integers(1, 3)),
        threads=draw(st.integers(1, 2)),
        status=draw(st.sampled_from(["ok", "ok", "ok", "partial", "crashed"])),
        agreement=draw(st.sampled_from(["agrees", "agrees", "disagrees", "vacuous"])),
        latency_ns_best=draw(latencies),
        runtime_version=draw(st.sampled_from(["1.31.0", "1.32.0", None])),
        input_digest=draw(st.sampled_from(["ef", "fe", None])),
    )


def _who(one: Row) -> tuple[Any, ...]:
    return one.model, one.runtime, one.label, one.batch_size, one.threads


reports = st.lists(rows(), max_size=6, unique_by=_who)


@given(reports)
def test_a_report_compared_with_itself_has_no_change(made: list[Row]) -> None:
    comparison = compared(made, made, environments=[env(), env()])
    assert len(comparison.cases) == len(made)
    for one in comparison.cases:
        assert one.standing in ("same", "failed", "unverified", "unmeasured")
        assert one.differences == ()
        assert {change.ratio for change in one.changes} <= {None, 1.0}
    assert comparison.exit_code not in (3, 4)


@given(reports, reports, st.randoms())
def test_the_order_of_rows_does_not_matter(ours: list[Row], theirs: list[Row], chance: random.Random) -> None:
    straight = compared(ours, theirs)
    mixed = compared(_mixed(ours, chance), _mixed(theirs, chance))
    assert mixed.exit_code == straight.exit_code

    def facts(one: Any) -> tuple[Any, ...]:
        return one.group, one.runtime, one.standing, one.differences, [change.ratio for change in one.changes]

    assert sorted(map(repr, map(facts, mixed.cases))) == sorted(map(repr, map(facts, straight.cases)))


def _mixed(made: Sequence[Row], chance: random.Random) -> list[Row]:
    return chance.sample(list(made), len(made))


@given(st.lists(reports, min_size=2, max_size=4))
def test_every_row_of_every_report_is_in_the_comparison_once(made: list[list[Row]]) -> None:
    comparison = compared(*made)
    for letter, report in zip("BCD", made[1:], strict=False):
        mine = [one for one in comparison.cases if one.report == letter]
        seen = sorted(id(one.other) for one in mine if one.other is not None)
        assert seen == sorted(map(id, report))
        assert sorted(id(one.reference) for one in mine if one.reference is not None) == sorted(map(id, made[0]))


@given(reports, reports)
def test_no_trouble_of_a_case_is_ever_green(ours: list[Row], theirs: list[Row]) -> None:
    comparison = compare(sides(ours, theirs))
    fine = [one for one in comparison.cases if one.standing in ("same", "new")]
    if comparison.exit_code == 0:
        assert len(fine) == len(comparison.cases)
        assert any(one.is_comparable for one in fine)
    for one in fine:
        assert one.other is not None
        assert one.other.status in ("ok", "partial")
        assert one.other.agreement == "agrees"


def test_one_report_alone_compares_precisions_and_never_boundaries_or_streams() -> None:
    small = ort(case_id="8", runtime_spec="onnxruntime-cpu:precision=int8", precision="int8")
    apart = [ort(case_id="s", streams=4), ort(case_id="d", boundary="device")]
    found = compared([tf(), small, *apart]).cases
    assert [(one.standing, one.reference is not None) for one in found] == [
        ("reference", True),
        ("same", True),
        ("unmeasured", False),
        ("unmeasured", False),
    ]
