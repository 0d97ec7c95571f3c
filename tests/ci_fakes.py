"""Invented gates for the tests of the CI kit: exact numbers, no pair measured."""

from __future__ import annotations

from typing import Any

import msgspec

from bench.analysis.sequential import make_design
from bench.check.ci_gates import FoundGate
from bench.check.gate import exit_code_of
from bench.check.records import GATE_SCHEMA, GateAnswer, GateResult, GateSettings, Judged, SideFacts
from report_fakes import MACHINE

NET = "net | onnxruntime-cpu | batch 1 | threads 1"
HOSTILE = "a|b`c`<img src=x>\n::error::&\x1b[31m\ud800 %0A _x_ </details>\uffff"


def judged(answer: GateAnswer = "PASS", /, **changes: Any) -> Judged:
    """Latency of NET: +4.8 %, at least +3.9 %, below +5.7 %."""
    fields: dict[str, Any] = {
        "case": NET,
        "metric": "latency",
        "answer": answer,
        "reason": {"PASS": "a slowdown of 5% is excluded"}.get(answer, f"because {answer}"),
        "delta": 0.05,
        "pairs": 8,
        "change": 0.048,
        "change_low": 0.039,
        "change_high": 0.057,
        "low_level": 0.996,
        "high_level": 0.992,
        "smallest_detectable": 0.031,
        "sd": 0.007,
        "baseline_value": 14_280_000.0,
        "head_value": 14_980_000.0,
    }
    return Judged(**(fields | changes))


def agreement(answer: GateAnswer = "PASS", /, **changes: Any) -> Judged:
    """Of NET, without any number."""
    fields = {"change": None, "change_low": None, "change_high": None, "baseline_value": None, "head_value": None}
    return judged(answer, **({"metric": "agreement", "smallest_detectable": None} | fields | changes))


def gate_result(*verdicts: Judged, **changes: Any) -> GateResult:
    """With the exit code that its verdicts have."""
    settings = changes.pop("settings", GateSettings())
    side = SideFacts(
        origin="net.onnx",
        made="2026-11-24T08:00:00+00:00",
        bench_version="0.1.0",
        machine=MACHINE,
        versions={NET: "1.32"},
    )
    result = GateResult(
        schema_version=GATE_SCHEMA,
        settings=settings,
        design=make_design(),
        command="bench gate --baseline a --head b",
        bench_version="0.1.0",
        started="2026-11-25T08:00:00+00:00",
        seconds=15.4,
        threads=1,
        cpus=(1,),
        machine=MACHINE,
        baseline=side,
        head=side,
        judged=verdicts,
        pairs=(),
        family_bound=0.0089,
        exit_code=exit_code_of(verdicts, settings),
    )
    return msgspec.structs.replace(result, **changes)


def found(*verdicts: Judged, folder: str = "gate", **changes: Any) -> FoundGate:
    """A gate's folder that was read."""
    return FoundGate(folder=folder, result=gate_result(*verdicts, **changes))


def missing(folder: str = "gone") -> FoundGate:
    """A gate's folder that was not there."""
    return FoundGate(folder=folder, problem=f"reading gate {folder}: no such folder")
