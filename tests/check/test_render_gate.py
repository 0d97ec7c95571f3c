from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bench.check import render_gate
from bench.check.records import GateAnswer, GateSettings
from ci_fakes import HOSTILE, NET, agreement, gate_result, judged
from gate_fakes import pairs, side

WIDTH = 80
NOISY: dict[str, Any] = {"baseline": side(preempted=0.2), "head": side(preempted=0.1), "load_1min": 1.6}


def shown(*verdicts: Any, **changes: Any) -> str:
    return render_gate.text(gate_result(*verdicts, **changes), WIDTH)


def unwrapped(text: str) -> str:
    return " ".join(text.split())


# --- one line


@pytest.mark.parametrize("answer", ["REGRESSED", "DISAGREES", "FAILED", "NOT COMPARABLE", "INCONCLUSIVE"])
def test_the_line_of_one_case_says_the_answer_the_case_and_why(answer: GateAnswer) -> None:
    line = render_gate.verdict_line(gate_result(judged(answer), agreement()))
    assert line == f"{answer}: {NET}: latency: because {answer}"


def test_a_pass_says_estimate_bound_and_what_is_excluded() -> None:
    line = render_gate.verdict_line(gate_result(judged("PASS", change=0.001, change_high=0.011), agreement()))
    assert line == (
        f"PASS: {NET}: latency: +0.10% (one-sided 99.2% bound < +1.1%); a slowdown of 5% is excluded; agreement pass"
    )


def test_of_several_cases_the_worst_is_named_and_all_are_counted() -> None:
    line = render_gate.verdict_line(gate_result(judged(), judged("REGRESSED", case="b"), judged("FAILED", case="c")))
    assert line == "REGRESSED: 3 cases in all: 1 REGRESSED, 1 FAILED, 1 PASS; b: because REGRESSED"


def test_several_that_pass_tell_the_greatest_of_their_bounds() -> None:
    two = gate_result(judged(change_high=0.01), judged(case="b", change_high=0.02))
    assert render_gate.verdict_line(two) == "PASS: all 2 cases; the greatest upper bound is +2.0%"


def test_nothing_judged_is_never_a_pass() -> None:
    assert render_gate.verdict_line(gate_result()) == "INCONCLUSIVE: no case was gated"


def test_a_gate_that_was_interrupted_says_so() -> None:
    line = render_gate.verdict_line(gate_result(judged(), exit_code=130))
    assert line.startswith("INTERRUPTED, so far PASS: ")


@pytest.mark.parametrize("taken", ["pass", "fail"])
def test_what_a_flag_made_of_an_inconclusive_gate_is_told(taken: Any) -> None:
    line = render_gate.verdict_line(gate_result(judged("INCONCLUSIVE"), settings=GateSettings(inconclusive=taken)))
    assert line.startswith(f"INCONCLUSIVE (taken as a {taken}): ")


def test_one_reason_of_every_metric_is_no_reason_of_one() -> None:
    gone = [judged("FAILED", reason="head died"), agreement("FAILED", reason="head died")]
    assert render_gate.verdict_line(gate_result(*gone)) == f"FAILED: {NET}: head died"
    assert shown(*gone).count("head died") == 2  # in the answer and once for the case


# --- text


def test_the_answer_comes_first_and_no_line_is_wider_than_the_terminal() -> None:
    text = shown(judged("REGRESSED"), agreement(), pairs=tuple(pairs([0.05] * 8)))
    lines = text.splitlines()
    assert lines[0].startswith("REGRESSED: ")
    assert max(map(len, lines)) <= WIDTH


def test_a_regression_says_by_how_much_how_surely_and_in_what_noise() -> None:
    one = judged("REGRESSED", reason="+4.8%, and a slowdown is certain", notes=("p95 +5.0% (inconclusive)",))
    text = unwrapped(shown(one, agreement(), pairs=tuple(pairs([0.05] * 8, **NOISY))))
    assert "latency REGRESSED +4.8%, and a slowdown is certain (one-sided 99.6% bound > +3.9%)" in text
    assert "base 14.3 ms, head 15 ms; budget 5%" in text
    assert "8 pairs x 10 rounds, pair sd 0.70%, smallest slowdown caught in this noise (95% power) 3.1%" in text
    assert "preempted calls 15%, load 1.6" in text
    assert "p95 +5.0% (inconclusive)" in text
    assert "agreement PASS" in text


def test_a_pass_says_its_bound_and_the_smallest_slowdown_that_would_be_caught() -> None:
    text = unwrapped(shown(judged("PASS", change=0.001, change_high=0.011), pairs=tuple(pairs([0.0] * 8))))
    assert "PASS +0.10% (one-sided 99.2% bound < +1.1%); a slowdown of 5% is excluded" in text
    assert "(95% power) 3.1%" in text


def test_noise_in_which_nothing_would_be_caught_is_told() -> None:
    assert "(95% power) none" in unwrapped(shown(judged("INCONCLUSIVE", smallest_detectable=None)))


def test_a_confidence_is_never_rounded_up_to_certainty() -> None:
    text = unwrapped(shown(judged("REGRESSED", low_level=0.99999)))
    assert "99.9% bound" in text


def test_the_rule_says_its_chances_of_error_and_where_the_samples_are() -> None:
    result = gate_result(judged(), settings=GateSettings(seed=7), family_bound=0.0089)
    text = unwrapped(render_gate.text(result, WIDTH, folder=Path("reports/gate-1")))
    assert "alpha 1%; any false alarm here: at most 0.89%" in text
    assert "the estimate is at least 2.5%; a slowdown of 5% must be caught (beta 5%)" in text
    assert "slots and orders by seed 7; raw samples and gate.json in reports/gate-1" in text


def test_rules_of_metrics_that_were_not_asked_for_are_not_told() -> None:
    every = shown(judged(), settings=GateSettings(metrics=("latency", "rss_peak", "size")))
    few = shown(judged(metric="size", low_level=None), settings=GateSettings(metrics=("size",)))
    assert ("rule: peak memory" in every, "rule: size" in every, "rule: alarm" in every) == (True, True, True)
    assert ("rule: peak memory" in few, "rule: size" in few, "rule: alarm" in few) == (False, True, False)


def test_notes_and_cases_that_are_new_are_not_left_out() -> None:
    text = shown(judged(), notes=("the baseline is 40 days old",), new_cases=("other",))
    assert "note: the baseline is 40 days old" in text
    assert "new in head, not gated: other" in text
    assert "1 case in all: 1 PASS" in text


def test_bytes_are_shown_as_sizes() -> None:
    memory = judged("PASS", metric="rss_peak", baseline_value=64 << 20, head_value=66 << 20, reason="within")
    assert "peak memory  PASS       within\n" in shown(memory)
    assert "base 64 MiB, head 66 MiB" in shown(memory)


def test_no_letter_of_a_name_reaches_the_terminal_as_a_command() -> None:
    result = gate_result(judged("FAILED", case=HOSTILE, reason=HOSTILE))
    for text in (render_gate.text(result), render_gate.verdict_line(result)):
        assert "\x1b" not in text
    assert "\n" not in render_gate.verdict_line(result)


# --- Markdown


def test_markdown_gives_the_answer_first_and_folds_the_rest() -> None:
    lines = render_gate.markdown(gate_result(judged("REGRESSED"), agreement())).splitlines()
    assert lines[0].startswith("**REGRESSED: ")
    assert lines[2].endswith("latency **REGRESSED**: because REGRESSED")
    assert lines[4] == "<details><summary>1 case in all: 1 REGRESSED</summary>"
    assert sum(line.startswith("<details>") for line in lines) == sum(line == "</details>" for line in lines) == 2


def test_every_metric_of_every_case_is_a_line_of_the_table() -> None:
    text = render_gate.markdown(gate_result(judged(), agreement(), judged("REGRESSED", case="b")))
    rows = [line for line in text.splitlines() if line.startswith("| ") and "verdict" not in line]
    assert len(rows) == 3
    assert all(len(re.split(r"(?<!\\)\|", row)) == 11 for row in rows)


def test_a_hostile_name_ends_neither_a_cell_nor_a_fence() -> None:
    text = render_gate.markdown(gate_result(judged("FAILED", case="a|```\n</details>", reason="```")))
    outside, fence = text.split("Evidence, noise")[0], re.findall("^`{3,}", text, flags=re.MULTILINE)
    assert "</details>" not in outside.replace("\n</details>\n", "")
    assert [len(one) for one in fence] == [4, 4]
