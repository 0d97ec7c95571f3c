"""One sentence per group, in plain words, and its opposite where the numbers are the opposite."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from bench.analysis.statistics import ratio_interval
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


FASTEST = " is the fastest verified runtime: "
RANGE: dict[str, Any] = {"interval_level": 0.75, "processes": 3}


def test_a_range_points_to_the_faster_one_and_decides_nothing() -> None:
    assert verdict.sentence([reference(), ort(0.476, 0.435, 0.5, **RANGE)]) == (
        "Points to onnxruntime-cpu, 2.1x faster than tensorflow (2.0 to 2.3): "
        "a range over 3 processes decides nothing, run without --quick."
    )
    other = row("openvino", 0.49, ratio_low=0.45, ratio_high=0.53, **RANGE)
    assert verdict.sentence([reference(), ort(0.476, 0.435, 0.5, **RANGE), other]).startswith(
        "Points to onnxruntime-cpu, 2.1x faster than tensorflow (2.0 to 2.3) or openvino, 2.0x faster (1.9 to 2.2): "
    )


def test_a_range_points_to_the_reference_and_decides_nothing() -> None:
    assert verdict.sentence([reference(), ort(2.1, 2.0, 2.3, **RANGE)]) == (
        "Points to tensorflow; next is onnxruntime-cpu, 2.1x slower (2.0 to 2.3): "
        "a range over 3 processes decides nothing, run without --quick."
    )


@pytest.mark.parametrize(("level", "decides"), [(0.5, False), (0.875, False), (0.9375, True), (0.9453125, True)])
def test_only_levels_of_an_interval_decide(level: float, decides: bool) -> None:
    faster, slower = (verdict.sentence([reference(), ort(ratio, interval_level=level)]) for ratio in (0.5, 2.0))
    assert (FASTEST in faster, "No verified runtime is faster" in slower) == (decides, decides)
    assert ("Points to" in faster, "Points to" in slower) == (not decides, not decides)


def test_a_range_of_a_full_run_is_not_blamed_on_quick() -> None:
    assert verdict.sentence([reference(), ort(0.5, interval_level=0.875)]).endswith(
        ": a range (87.5 %) decides nothing, run it again for 5 whole repetitions."
    )


def test_a_ratio_over_fewer_processes_than_the_row_is_not_said_to_rest_on_all_of_them() -> None:
    fewer = "few pairs: the ratio rests on 3 of 4 repetitions, the others lack tensorflow"
    assert verdict.sentence([reference(), ort(0.5, interval_level=0.75, processes=4, cautions=fewer)]).endswith(
        ": a range (75 %) decides nothing, run it again for 5 whole repetitions."
    )


def test_a_rival_with_a_range_only_is_not_told_apart() -> None:
    other = row("openvino", 0.7, ratio_low=0.65, ratio_high=0.75, **RANGE)
    assert verdict.sentence([reference(), ort(0.476, 0.435, 0.5), other]) == (
        "Cannot say which verified runtime is the fastest. Not told apart: onnxruntime-cpu, 2.1x faster than "
        "tensorflow (2.0 to 2.3); openvino, 1.43x faster (1.33 to 1.54), only a range."
    )


def test_the_quick_interval_is_called_a_range() -> None:
    assert "the range covers 1" in verdict.sentence([reference(), ort(0.98, 0.95, 1.03, interval_level=0.75)])


def test_one_process_has_no_interval_to_go_by() -> None:
    single = row("onnxruntime-cpu", 0.5, ratio_low=None, ratio_high=None, interval_level=None)
    assert verdict.sentence([reference(), single]) == (
        "Cannot say whether a verified runtime is faster than tensorflow: onnxruntime-cpu, 2.0x faster, no interval."
    )


def test_runtimes_whose_intervals_overlap_are_not_told_apart() -> None:
    other = row("openvino", 0.49, ratio_low=0.45, ratio_high=0.53)
    assert verdict.sentence([reference(), ort(0.476, 0.435, 0.5), other]) == (
        "Cannot say which verified runtime is the fastest. Not told apart: onnxruntime-cpu, 2.1x faster than "
        "tensorflow (2.0 to 2.3); openvino, 2.0x faster (1.9 to 2.2)."
    )


def test_runtimes_whose_intervals_do_not_overlap_are() -> None:
    other = row("openvino", 0.6, ratio_low=0.55, ratio_high=0.65)
    said = verdict.sentence([reference(), ort(0.476, 0.435, 0.5), other])
    assert said == "onnxruntime-cpu is the fastest verified runtime: 2.1x faster than tensorflow (2.0 to 2.3)."


def test_a_runtime_that_is_surely_faster_goes_before_one_that_only_seems_so() -> None:
    noisy = row("openvino", 0.4, ratio_low=0.1, ratio_high=1.2)
    said = verdict.sentence([reference(), ort(0.6, 0.55, 0.65), noisy])
    assert said.endswith(
        " Not told apart: onnxruntime-cpu, 1.67x faster than tensorflow (1.54 to 1.82); "
        "openvino, 2.5x faster (0.8 to 10.0)."
    )


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


def parts(**changes: Any) -> list[Row]:
    """One group in two parts, each with its own reference."""
    first = [reference(**changes), ort(0.5, **changes)]
    second = [
        row("openvino", 1.0, reference_runtime="openvino", ratio_low=None, ratio_high=None, **changes),
        row("litert", 0.4, reference_runtime="openvino", **changes),
    ]
    return first + second


def test_parts_of_a_split_group_are_not_compared_with_each_other() -> None:
    assert verdict.sentence(parts()) == "Measured in 2 separate parts (memory): not compared with each other."
    assert verdict.sentence(parts()[:2]).startswith("onnxruntime-cpu is the fastest")


def test_a_split_group_of_which_one_part_has_no_reference_is_split_all_the_same() -> None:
    rows = parts(cautions="split: measured in parts, memory was short")[:2]
    assert verdict.sentence(rows) == "Measured in separate parts (memory): not compared with each other."


def test_a_split_group_of_which_nothing_ran_was_not_measured() -> None:
    assert verdict.sentence([absent(cautions="split: memory was short")]) == "Nothing was measured."


def test_a_rival_without_a_common_round_is_named_and_not_called_unmeasured() -> None:
    lonely = row("openvino", None)
    alone = "openvino: measured, but in no round together with tensorflow: not compared."
    assert verdict.sentence([reference(), lonely]) == alone
    both = verdict.sentence([reference(), ort(0.476, 0.435, 0.5), lonely])
    assert both == f"onnxruntime-cpu{FASTEST}2.1x faster than tensorflow (2.0 to 2.3). {alone}"
    assert "nothing to compare" in verdict.sentence([reference()])
    assert "no round" not in verdict.sentence([reference(), ort(0.476)])


# --- identical code ---------------------------------------------------------------------------------------------------


def same_code(rng: random.Random, labels: int, repetitions: int, reference_noise: float) -> list[Row]:
    """A group of the same runtime under several labels: each repetition of each is 1 % of noise about one speed."""
    logs = [
        [rng.gauss(0, 0.01 * (reference_noise if label == 0 else 1)) for _ in range(repetitions)]
        for label in range(labels)
    ]
    rows = [reference(runtime="a0", reference_runtime="a0")]
    for number, own in enumerate(logs[1:], start=1):
        ratio = ratio_interval([log - base for log, base in zip(own, logs[0], strict=True)])
        bounds = {"ratio_low": ratio.low, "ratio_high": ratio.high, "interval_level": ratio.level}
        named = {"reference_runtime": "a0", "processes": repetitions}
        rows.append(row(f"a{number}", ratio.estimate, **bounds, **named))
    return rows


def claims(labels: int, repetitions: int, reference_noise: float = 1.0) -> Counter[str]:
    """How often each kind of claim is made over 2000 groups of identical code."""
    rng = random.Random(labels)
    said = (verdict.sentence(same_code(rng, labels, repetitions, reference_noise)) for _ in range(2000))
    return Counter(" ".join(one.split()[:2]) if FASTEST not in one else "fastest" for one in said)


@pytest.mark.parametrize("labels", [2, 3, 4, 5])
@pytest.mark.parametrize("reference_noise", [0.2, 1.0, 3.0])
def test_identical_code_is_called_the_fastest_in_at_most_a_sixteenth_of_groups(
    labels: int, reference_noise: float
) -> None:
    said = claims(labels, 5, reference_noise)
    assert said["fastest"] / 2000 <= 0.0625
    slack = 2.5 * (0.0625 * 0.9375 / 2000) ** 0.5  # over two labels both claims together come to just 6.25 %
    assert (said["fastest"] + said["No verified"]) / 2000 <= 0.0625 + slack
    assert said["Points to"] == 0


@pytest.mark.parametrize("labels", [2, 3, 5])
def test_identical_code_is_never_called_the_fastest_over_three_processes(labels: int) -> None:
    said = claims(labels, 3)
    assert said["fastest"] == said["No verified"] == 0
    assert said["Points to"] > 0


def test_code_that_is_faster_by_five_times_the_noise_is_told_so() -> None:
    rng = random.Random(0)
    found = 0
    for _ in range(200):
        rows = same_code(rng, 3, 5, 1.0)
        ratio = (rows[1].ratio_to_reference or 1) * 0.93
        bounds = {"ratio_low": (rows[1].ratio_low or 1) * 0.93, "ratio_high": (rows[1].ratio_high or 1) * 0.93}
        faster = row("a1", ratio, reference_runtime="a0", **bounds)
        found += verdict.sentence([rows[0], faster, rows[2]]).startswith("a1 is the fastest")
    assert found > 180
