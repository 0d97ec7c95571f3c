"""Gates -> JUnit XML: a suite a gate, a test case for each case and metric. Pure.

REGRESSED and DISAGREES are failures, FAILED and what was not measured errors, what can't be told skipped or a failure.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.check.ci_gates import FoundGate, WhenInconclusive, faults, is_doubtful, judged_of, level_of
from bench.check.ci_wording import budget, changed, detectable, value
from bench.check.records import GateResult, Judged
from bench.report.junit import JunitCase, JunitSuite, Outcome, write_junit


def junit_xml(gates: Sequence[FoundGate], inconclusive: WhenInconclusive = "warn") -> str:
    """The document, with a declaration and a final newline."""
    given = gates or [FoundGate(folder="gate", problem="no gate was given")]
    return write_junit("bench gate", [_suite(gate, inconclusive) for gate in given])


def _suite(gate: FoundGate, inconclusive: WhenInconclusive) -> JunitSuite:
    broken = [_fault(gate, word, why) for word, why in faults(gate)]
    result = gate.result
    if result is None:
        return JunitSuite(gate.folder, tuple(broken))
    cases = [_case(one, result, inconclusive) for one in judged_of(gate)]
    return JunitSuite(gate.folder, (*cases, *broken), _properties(result), result.started, result.seconds)


def _properties(result: GateResult) -> tuple[tuple[str, str], ...]:
    facts = {
        "baseline": result.baseline.origin,
        "baseline_made": result.baseline.made,
        "head": result.head.origin,
        "command": result.command,
        "bench_version": result.bench_version,
        "cpu": result.machine.cpu,
        "false_alarm_bound": f"{result.family_bound:.4f}",
    }
    notes = [("note", note) for note in result.notes]
    return (*facts.items(), *notes, *(("not_gated", name) for name in result.new_cases))


def _case(judged: Judged, result: GateResult, inconclusive: WhenInconclusive) -> JunitCase:
    change = f"{changed(judged)}: " if changed(judged) else ""
    return JunitCase(
        classname=judged.case,
        name=judged.metric,
        outcome=_outcome(judged, result, inconclusive),
        word=judged.answer,
        message=f"{judged.answer}: {change}{judged.reason}",
        details=tuple(judged.notes),
        output=tuple(_facts(judged)),
    )


def _outcome(judged: Judged, result: GateResult, inconclusive: WhenInconclusive) -> Outcome:
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


def _fault(gate: FoundGate, word: str, why: str) -> JunitCase:
    return JunitCase(gate.folder, "gate", "error", word, f"{word}: {why}")
