from __future__ import annotations

import re

from bench.check.ci_annotations import LONGEST, annotation_lines
from bench.check.records import GateSettings
from ci_fakes import HOSTILE, NET, agreement, found, judged, missing

COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]*)")


def levels(lines: list[str]) -> list[str]:
    return [line.split()[0].strip(":") for line in lines]


def test_a_regression_is_an_error_with_its_numbers_and_its_explanation() -> None:
    lines = annotation_lines([found(judged("REGRESSED", reason="slower", notes=("CPU time agrees",)), agreement())])
    title = NET.replace(",", "%2C").replace(":", "%3A")
    assert lines == [
        f"::error title=REGRESSED%3A {title}%2C latency::+4.8%25 (at least +3.9%25). slower. CPU time agrees"
    ]


def test_a_pass_is_one_notice_a_gate() -> None:
    assert annotation_lines([found(judged(), agreement())]) == ["::notice title=PASS%3A gate::2 PASS"]


def test_what_cannot_be_told_is_a_warning_unless_it_shall_fail() -> None:
    doubt = found(judged("INCONCLUSIVE"))
    assert levels(annotation_lines([doubt])) == ["warning"]
    assert levels(annotation_lines([doubt], "fail")) == ["error"]
    assert levels(annotation_lines([found(judged("INCONCLUSIVE"), settings=GateSettings(inconclusive="fail"))])) == [
        "error"
    ]


def test_what_was_not_measured_is_an_error() -> None:
    assert annotation_lines([missing()]) == ["::error title=NOT MEASURED%3A gone::reading gate gone: no such folder"]
    assert levels(annotation_lines([])) == levels(annotation_lines([found()])) == ["error"]
    assert "INTERRUPTED" in annotation_lines([found(judged("INCONCLUSIVE"), exit_code=143)])[0]


def test_a_hostile_name_stays_within_its_title() -> None:
    (line,) = annotation_lines([found(judged("REGRESSED", case=HOSTILE, reason=HOSTILE))])
    matched = COMMAND.fullmatch(line)
    assert matched
    assert "%250A" in matched[2]
    assert "%0A" not in line.replace("%250A", "")
    assert line.isprintable()


def test_notes_on_the_baseline_and_new_cases_are_notices() -> None:
    lines = annotation_lines([found(judged(), notes=("the baseline is 40 days old",), new_cases=("net | new",))])
    assert lines[1:] == [
        "::notice title=note%3A gate::the baseline is 40 days old",
        "::notice title=not gated::net | new is in head alone: it is gated once the baseline has it",
    ]


def test_of_more_than_a_runner_shows_the_tenth_says_how_many() -> None:
    lines = annotation_lines([found(*(judged("REGRESSED", case=f"net {number}") for number in range(12)))])
    assert len(lines) == 10
    assert "::and 2 more of this level, all in the job summary. " in lines[-1]
    assert (
        "more of this level"
        not in annotation_lines([found(*(judged("REGRESSED", case=f"net {number}") for number in range(10)))])[-1]
    )


def test_a_long_reason_is_cut() -> None:
    (line,) = annotation_lines([found(judged("FAILED", reason="x" * 10_000))])
    assert len(line) < LONGEST + 200
    assert line.endswith("...")
