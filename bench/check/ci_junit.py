"""Gates -> JUnit XML: a suite a gate, a test case for each case and metric. Pure.

REGRESSED and DISAGREES are failures, FAILED and what was not measured errors, what can't be told skipped or a failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from bench.check.ci_gates import FoundGate, WhenInconclusive, faults, is_doubtful, judged_of, level_of
from bench.check.ci_wording import budget, changed, detectable, value
from bench.check.records import GateResult, Judged
from bench.report.text import visible


def junit_xml(gates: Sequence[FoundGate], inconclusive: WhenInconclusive = "warn") -> str:
    """The document, with a declaration and a final newline."""
    root = Xml.Element("testsuites", name="bench gate")
    for gate in gates or [FoundGate(folder="gate", problem="no gate was given")]:
        root.append(_suite(gate, inconclusive))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    Xml.indent(root)
    text: str = Xml.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(gate: FoundGate, inconclusive: WhenInconclusive) -> Xml.Element:
    suite = Xml.Element("testsuite", name=visible(gate.folder))
    cases = []
    if gate.result:
        suite.set("timestamp", visible(gate.result.started))
        suite.set("time", f"{gate.result.seconds:.3f}")
        suite.append(_properties(gate.result))
        cases = [_case(one, gate.result, inconclusive) for one in judged_of(gate)]
    cases += [_fault(gate, word, why) for word, why in faults(gate)]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(case.find(tag) is not None for case in cases)))
    return suite


def _properties(result: GateResult) -> Xml.Element:
    facts = {
        "baseline": result.baseline.origin,
        "baseline_made": result.baseline.made,
        "head": result.head.origin,
        "command": result.command,
        "bench_version": result.bench_version,
        "cpu": result.machine.cpu,
        "false_alarm_bound": f"{result.family_bound:.4f}",
    }
    listed = [*facts.items(), *(("note", note) for note in result.notes)]
    listed += [("not_gated", name) for name in result.new_cases]
    properties = Xml.Element("properties")
    for name, text in listed:
        Xml.SubElement(properties, "property", name=name, value=visible(text))
    return properties


def _case(judged: Judged, result: GateResult, inconclusive: WhenInconclusive) -> Xml.Element:
    case = Xml.Element("testcase", classname=visible(judged.case), name=judged.metric)
    tag = _tag(judged, result, inconclusive)
    if tag:
        change = f"{changed(judged)}: " if changed(judged) else ""
        message = visible(f"{judged.answer}: {change}{judged.reason}")
        told = Xml.SubElement(case, tag, message=message)
        if tag != "skipped":
            told.set("type", judged.answer)
        told.text = "\n".join([message, *map(visible, judged.notes)])
    Xml.SubElement(case, "system-out").text = "\n".join(map(visible, _facts(judged)))
    return case


def _tag(judged: Judged, result: GateResult, inconclusive: WhenInconclusive) -> str:
    if judged.answer == "PASS":
        return ""
    if judged.answer == "FAILED":
        return "error"
    if is_doubtful(judged) and level_of(judged, result, inconclusive) == "warning":
        return "skipped"
    return "failure"


def _facts(judged: Judged) -> list[str]:
    sides = f"baseline {value(judged, judged.baseline_value)}, head {value(judged, judged.head_value)}"
    lines = [f"{judged.answer}: {judged.reason}", f"budget {budget(judged)}, {judged.pairs} pairs"]
    if judged.change is not None:
        lines.append(f"change {changed(judged)}, {sides}, detectable here {detectable(judged)}")
    return [*lines, *judged.notes]


def _fault(gate: FoundGate, word: str, why: str) -> Xml.Element:
    case = Xml.Element("testcase", classname=visible(gate.folder), name="gate")
    message = visible(f"{word}: {why}")
    Xml.SubElement(case, "error", message=message, type=word).text = message
    return case
