from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.check.ci_gates import FoundGate
from bench.check.ci_junit import junit_xml
from bench.check.records import GateAnswer, GateSettings
from ci_fakes import HOSTILE, NET, agreement, found, judged, missing

COUNTED = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def parsed(gates: list[FoundGate], **how: str) -> Xml.Element:
    return Xml.fromstring(junit_xml(gates, **how))  # type: ignore[arg-type]


def counts_are_right(root: Xml.Element) -> bool:
    """Each suite's counts are those of its cases, the root's the sums."""
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        for count, tag in COUNTED:
            assert int(suite.attrib[count]) == sum(case.find(tag) is not None for case in cases)
    for count in ("tests", "failures", "errors"):
        assert int(root.attrib[count]) == sum(int(suite.attrib[count]) for suite in root)
    return True


@pytest.mark.parametrize(
    ("answer", "tag"),
    [
        ("REGRESSED", "failure"),
        ("DISAGREES", "failure"),
        ("FAILED", "error"),
        ("INCONCLUSIVE", "skipped"),
        ("NOT COMPARABLE", "skipped"),
    ],
)
def test_every_answer_has_its_outcome(answer: GateAnswer, tag: str) -> None:
    root = parsed([found(judged(answer))])
    (case,) = root.iter("testcase")
    (told,) = [child for child in case if child.tag != "system-out"]
    assert told.tag == tag
    assert told.attrib["message"] == f"{answer}: {shown(answer)}: because {answer}"
    assert counts_are_right(root)


def shown(answer: str) -> str:
    return "+4.8% (at least +3.9%)" if answer == "REGRESSED" else "+4.8% (+3.9% to +5.7%)"


def test_a_pass_is_a_case_with_neither_failure_nor_skip() -> None:
    root = parsed([found(judged(), agreement())])
    cases = list(root.iter("testcase"))
    assert [(case.attrib["classname"], case.attrib["name"]) for case in cases] == [(NET, "latency"), (NET, "agreement")]
    assert [[child.tag for child in case] for case in cases] == [["system-out"], ["system-out"]]
    assert root.attrib == {"name": "bench gate", "tests": "2", "failures": "0", "errors": "0"}


@pytest.mark.parametrize("answer", ["INCONCLUSIVE", "NOT COMPARABLE"])
def test_what_cannot_be_told_is_a_failure_where_that_is_asked_for(answer: GateAnswer) -> None:
    assert parsed([found(judged(answer))], inconclusive="fail").attrib["failures"] == "1"
    assert parsed([found(judged(answer), settings=GateSettings(inconclusive="fail"))]).attrib["failures"] == "1"
    assert parsed([found(judged(answer), settings=GateSettings(inconclusive="pass"))]).attrib["failures"] == "0"


def test_what_was_not_measured_is_an_error() -> None:
    for gates in ([], [missing()], [found()], [found(judged()), missing()], [found(judged(), exit_code=130)]):
        root = parsed(gates)
        assert root.attrib["errors"] == "1"
        assert counts_are_right(root)


def test_several_gates_are_several_suites() -> None:
    root = parsed([found(judged("REGRESSED"), folder="a"), found(judged("INCONCLUSIVE"), folder="b"), missing("c")])
    assert [suite.attrib["name"] for suite in root] == ["a", "b", "c"]
    assert [root.attrib[count] for count in ("tests", "failures", "errors")] == ["3", "1", "1"]


def test_notes_and_cases_of_head_alone_are_properties() -> None:
    root = parsed([found(judged(), notes=("old",), new_cases=("net | new",))])
    listed = [(one.attrib["name"], one.attrib["value"]) for one in root.iter("property")]
    assert listed[-2:] == [("note", "old"), ("not_gated", "net | new")]


def test_a_hostile_name_is_text() -> None:
    root = parsed([found(judged("FAILED", case=HOSTILE, reason=HOSTILE, notes=(HOSTILE,)), folder=HOSTILE)])
    (case,) = root.iter("testcase")
    assert case.attrib["classname"].startswith(r"a|b`c`<img src=x>\n::error::&\x1b[31m\ud800")
    assert counts_are_right(root)


@given(st.text(max_size=30))
def test_whatever_the_text_the_document_is_well_formed(text: str) -> None:
    gate = found(judged("REGRESSED", case=text, reason=text, notes=(text,)), folder=text, notes=(text,), command=text)
    assert counts_are_right(parsed([gate, missing(text)]))
