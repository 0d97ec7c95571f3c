"""One sentence per group, in plain words, and its opposite where the numbers are the opposite."""

from __future__ import annotations

from typing import Any

import pytest

from bench.analysis.summary import winner
from bench.report import verdict
from bench.rows import Row
from report_fakes import absent, reference, row


def ort(ratio: float, low: float | None = None, high: float | None = None, **changes: Any) -> Row:
    bounds = {"ratio_low": low or ratio * 0.95, "ratio_high": high or ratio * 1.05}
    return row("onnxruntime-cpu", ratio, **(bounds | changes))


def test_a_faster_verified_runtime_wins_by_its_ratio_and_interval() -> None:
    rows = [reference(), ort(0.476, 0.435, 0.5)]
    assert verdict.sentence(rows) == (
        "onnxruntime-cpu is the fastest verified runtime: 2.1x faster than tensorflow (2.0 to 2.3)."
    )
    assert winner(rows) is rows[1]


def test_a_slower_one_does_not() -> None:
    assert verdict.sentence([reference(), ort(2.1, 2.0, 2.3)]) == (
        "No verified runtime is faster than tensorflow; next is onnxruntime-cpu, 2.1x slower (2.0 to 2.3)."
    )


def test_an_interval_that_covers_1_cannot_say() -> None:
    assert verdict.sentence([reference(), ort(0.98, 0.952, 1.031)]) == (
        "Cannot say whether a verified runtime is faster than tensorflow: "
        "onnxruntime-cpu, 1.02x faster (0.97 to 1.05), the interval covers 1."
    )


def test_a_bound_at_exactly_1_decides_nothing() -> None:
    assert verdict.sentence([reference(), ort(0.9, 0.8, 1.0)]).startswith("Cannot say")
    assert verdict.sentence([reference(), ort(1.1, 1.0, 1.2)]).startswith("Cannot say")


def test_the_quick_interval_is_called_a_range() -> None:
    assert "the range covers 1" in verdict.sentence([reference(), ort(0.98, 0.95, 1.03, interval_level=0.75)])


def test_one_process_has_no_interval_to_go_by() -> None:
    single = row("onnxruntime-cpu", 0.5, ratio_low=None, ratio_high=None, interval_level=None)
    assert verdict.sentence([reference(), single]) == (
        "Cannot say whether a verified runtime is faster than tensorflow: onnxruntime-cpu, 2.0x faster, no interval."
    )


def test_runtimes_whose_intervals_overlap_are_not_told_apart() -> None:
    other = row("openvino", 0.49, ratio_low=0.45, ratio_high=0.53)
    assert verdict.sentence([reference(), ort(0.476, 0.435, 0.5), other]).endswith(
        " Not told apart from it, as their intervals overlap: openvino, 2.0x faster (1.9 to 2.2)."
    )


def test_runtimes_whose_intervals_do_not_overlap_are() -> None:
    other = row("openvino", 0.6, ratio_low=0.55, ratio_high=0.65)
    assert "told apart" not in verdict.sentence([reference(), ort(0.476, 0.435, 0.5), other])


def test_a_runtime_that_is_surely_faster_goes_before_one_that_only_seems_so() -> None:
    noisy = row("openvino", 0.4, ratio_low=0.1, ratio_high=1.2)
    said = verdict.sentence([reference(), ort(0.6, 0.55, 0.65), noisy])
    assert said.startswith("onnxruntime-cpu is the fastest verified runtime: 1.67x faster")
    assert "Not told apart from it, as their intervals overlap: openvino, 2.5x faster (0.8 to 10.0)" in said


@pytest.mark.parametrize("doubt", [{"agreement": "disagrees"}, {"agreement": "vacuous"}, {"agreement": "unchecked"}])
def test_no_speed_without_agreement(doubt: dict[str, Any]) -> None:
    assert verdict.sentence([reference(), ort(0.1, **doubt)]) == (
        "No verified runtime besides tensorflow was measured: nothing to compare."
    )


@pytest.mark.parametrize("status", ["partial", "crashed", "oom", "timeout"])
def test_a_case_that_did_not_run_whole_cannot_win(status: str) -> None:
    assert "onnxruntime-cpu" not in verdict.sentence([reference(), ort(0.1, status=status)])


def test_a_fast_unverified_runtime_does_not_hide_a_verified_one() -> None:
    wrong = row("openvino", 0.1, agreement="disagrees")
    assert verdict.sentence([reference(), wrong, ort(0.5)]).startswith("onnxruntime-cpu is the fastest verified")


def test_a_reference_that_is_not_verified_is_said_to_be() -> None:
    said = verdict.sentence([reference(agreement="vacuous", agreement_reason="hardly varies"), ort(0.5)])
    assert said.endswith(" tensorflow itself cannot win: vacuous: hardly varies.")


def test_nothing_verified_at_all() -> None:
    rows = [reference(agreement="vacuous"), ort(0.5, agreement="vacuous")]
    assert verdict.sentence(rows) == "No runtime can win: none that ran was verified."
    assert winner(rows) is None


def test_nothing_measured_at_all() -> None:
    assert verdict.sentence([absent()]) == "Nothing was measured."


def test_without_a_reference_the_lowest_latency_is_named_without_a_claim() -> None:
    alone = row("onnxruntime-cpu", None, reference_runtime=None)
    assert verdict.sentence([absent("tensorflow"), alone]) == (
        "Cannot say how runtimes compare: no reference was measured. Of the verified ones onnxruntime-cpu has the "
        "lowest latency, 8 ms, without an interval."
    )


def test_the_same_runtime_twice_is_told_apart_by_label() -> None:
    twice = [
        reference(runtime="tensorflow#a", case_id="a", label="a", reference_runtime="tensorflow#a"),
        ort(1.0, 0.98, 1.03, runtime="tensorflow#b", label="b", reference_runtime="tensorflow#a"),
    ]
    assert verdict.sentence(twice) == (
        "Cannot say whether a verified runtime is faster than tensorflow#a: "
        "tensorflow#b, same (0.97 to 1.02), the interval covers 1."
    )
    assert [verdict.is_reference(one) for one in twice] == [True, False]


def test_names_that_are_alike_are_told_apart_by_what_differs() -> None:
    rows = [row("ort", case_id="1", runtime_options="arena=on"), row("ort", case_id="2", runtime_options="arena=off")]
    assert [verdict.name(one, rows) for one in rows] == ["ort arena=on", "ort arena=off"]
    assert verdict.name(row("ort", label="mine"), rows) == "ort (mine)"


def test_agreement_alone_lists_verdicts() -> None:
    def checked(runtime: str, verdict: str) -> Row:
        return absent(runtime, status="ok", agreement=verdict)

    rows = [
        checked("a", "agrees"),
        checked("b", "disagrees"),
        checked("c", "vacuous"),
        absent("d"),
        checked("e", "agrees"),
    ]
    assert verdict.sentence(rows) == "agrees: a, e; disagrees: b; cannot tell: c; did not run: d."
