"""A stored report as JUnit XML: what Jenkins' junit-10.xsd and junitparser read."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.exchange_junit import render_junit
from bench.rows import Row
from ci_fakes import HOSTILE
from report_fakes import absent, environment, reference, row

ATTRIBUTES = {  # of junit-10.xsd
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"name", "classname", "time"},
    "property": {"name", "value"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
}


def parsed(rows: list[Row]) -> Xml.Element:
    root = Xml.fromstring(render_junit(rows, environment()).encode())
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES.get(element.tag, set()), element.tag
    for suite in root:
        assert {"name", "tests", "failures", "errors"} <= set(suite.attrib)
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[count]) == len(suite.findall(f"testcase/{tag}"))
    return root


@pytest.mark.parametrize(
    ("changes", "outcome", "word"),
    [
        ({"agreement": "disagrees", "agreement_reason": "off"}, "failure", "disagrees: off"),
        ({"status": "failed", "status_reason": "no kernel"}, "failure", "failed: no kernel"),
        ({"status": "crashed", "status_reason": "SIGSEGV"}, "error", "crashed: SIGSEGV"),
        ({"status": "timeout", "status_reason": "60 s"}, "error", "timeout: 60 s"),
        ({"status": "oom", "status_reason": "killed"}, "error", "oom: killed"),
        ({"status": "unavailable", "status_reason": "no device"}, "skipped", "unavailable: no device"),
        ({"status": "unsupported", "status_reason": "opset"}, "skipped", "unsupported: opset"),
        ({"status": "skipped", "status_reason": "ended"}, "skipped", "skipped: ended"),
        ({"agreement": "vacuous", "agreement_reason": "flat"}, "skipped", "vacuous: flat"),
        ({"agreement": "unchecked", "agreement_reason": ""}, "skipped", "unchecked"),
        ({"status": "partial", "status_reason": "on CPU"}, "skipped", "cannot win: partial: on CPU"),
        ({"status": "crashed", "agreement": "disagrees", "agreement_reason": "off"}, "failure", "disagrees: off"),
    ],
)
def test_every_end_has_its_outcome(changes: dict[str, Any], outcome: str, word: str) -> None:
    (case,) = parsed([row(**changes)]).iter("testcase")
    (told,) = [child for child in case if child.tag != "system-out"]
    assert (told.tag, told.attrib["message"]) == (outcome, word)
    assert "speed: " not in (case.findtext("system-out") or "")


def test_a_verified_case_passes_with_what_is_known_of_it() -> None:
    _reference, case = parsed([reference(), row(cautions="contended: busy; use a quiet one")]).iter("testcase")
    assert [child.tag for child in case] == ["system-out"]
    lines = (case.findtext("system-out") or "").splitlines()
    assert lines[0] == "agreement: agrees 6.0e-6"
    assert "speed: 2.0x faster (1.9 to 2.1)" in lines
    assert lines[-1] == "contended: busy; use a quiet one"


def test_outputs_that_agree_pass_where_nothing_was_timed() -> None:
    root = parsed([row(latency_ns_best=None), row("litert", latency_ns_best=None, agreement="disagrees")])
    assert [[child.tag for child in case if child.tag != "system-out"] for case in root.iter("testcase")] == [
        [],
        ["failure"],
    ]


def test_a_suite_is_a_group_with_machine_and_versions() -> None:
    first, second = parsed([reference(), absent(), row(batch_size=8, case_id="8")])
    assert [first.attrib["name"], second.attrib["name"]] == ["net, batch 1, 2 threads", "net, batch 8, 2 threads"]
    facts = {one.attrib["name"]: one.attrib["value"] for one in first.iter("property")}
    assert (facts["cpu"], facts["numpy"], facts["finished"]) == ("Invented CPU", "2.4.6", "yes")


def test_rows_without_a_machine_are_written_too() -> None:
    root = Xml.fromstring(render_junit([row()], None))
    assert [one.attrib["name"] for one in root.iter("property")] == ["verdict"]


@given(st.text(max_size=40))
def test_any_name_stays_text(name: str) -> None:
    for text in (name, HOSTILE):
        (case,) = parsed([row(model=text, agreement="disagrees", agreement_reason=text)]).iter("testcase")
        assert "\n" not in case.attrib["classname"]


def test_no_two_cases_of_a_file_have_one_class_and_name() -> None:
    cases = list(parsed([row(), row(batch_size=8, agreement="disagrees"), row(boundary="device")]).iter("testcase"))
    names = {(case.attrib["classname"], case.attrib["name"]) for case in cases}
    assert len(names) == len(cases) == 3
