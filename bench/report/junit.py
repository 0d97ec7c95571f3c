"""Test suites -> JUnit XML as CI services read it (Jenkins' ``junit-10.xsd``). Pure; makes every text visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as Xml

from bench.report.text import visible

Outcome = Literal["", "failure", "error", "skipped"]  # "" is a pass
_COUNTS = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


@dataclass(frozen=True)
class JunitCase:
    """One test case."""

    classname: str
    name: str
    outcome: Outcome = ""
    word: str = ""  # the kind of failure or error
    message: str = ""
    details: tuple[str, ...] = ()  # lines beneath the message
    output: tuple[str, ...] = ()  # lines of what is known of it, passed or not


@dataclass(frozen=True)
class JunitSuite:
    """One test suite; ``properties`` may have a name twice."""

    name: str
    cases: tuple[JunitCase, ...]
    properties: tuple[tuple[str, str], ...] = ()
    timestamp: str = ""
    seconds: float | None = None


def write_junit(name: str, suites: Sequence[JunitSuite]) -> str:
    """The document, with a declaration and a final newline."""
    root = Xml.Element("testsuites", name=name)
    root.extend(_suite(suite) for suite in suites)
    for count in ("tests", "failures", "errors"):  # the schema has no other there
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    Xml.indent(root)
    text: str = Xml.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(suite: JunitSuite) -> Xml.Element:
    element = Xml.Element("testsuite", name=visible(suite.name))
    if suite.timestamp:
        element.set("timestamp", visible(suite.timestamp))
    if suite.seconds is not None:
        element.set("time", f"{suite.seconds:.3f}")
    if suite.properties:
        properties = Xml.SubElement(element, "properties")
        for name, text in suite.properties:
            Xml.SubElement(properties, "property", name=visible(name), value=visible(text))
    element.extend(_case(case) for case in suite.cases)
    element.set("tests", str(len(suite.cases)))
    for count, tag in _COUNTS:
        element.set(count, str(sum(case.outcome == tag for case in suite.cases)))
    return element


def _case(case: JunitCase) -> Xml.Element:
    element = Xml.Element("testcase", classname=visible(case.classname), name=visible(case.name))
    if case.outcome:
        message = visible(case.message)
        told = Xml.SubElement(element, case.outcome, message=message)
        if case.outcome != "skipped":
            told.set("type", case.word)
        told.text = "\n".join([message, *map(visible, case.details)])
    if case.output:
        Xml.SubElement(element, "system-out").text = "\n".join(map(visible, case.output))
    return element
