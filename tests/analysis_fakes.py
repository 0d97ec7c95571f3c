"""Repetitions by hand: every latency is chosen, so that a summary's numbers can be worked out on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from bench.records import (
    ArrayFile,
    Artifact,
    ArtifactKind,
    CaseRepetition,
    Caution,
    FirstDone,
    GroupRepetition,
    Memory,
    Opened,
    OutputCheck,
    Prepared,
    RoundState,
    SessionInfo,
    Status,
    Tensor,
    Turn,
)

AGREES = OutputCheck(output="y", verdict="agrees", reason="relative error 1e-05 is within 0.001", relative_error=1e-5)
INPUT = Tensor(name="x", shape=(None, 4), dtype="float32")
OUTPUT = Tensor(name="y", shape=(None, 2), dtype="float32")


def turn(number: int, latencies: Sequence[int], **changes: Any) -> Turn:
    """One turn; its CPU time is its wall time, as of one busy thread."""
    fields: dict[str, Any] = {
        "round": number,
        "kind": "turn",
        "input_index": 0,
        "switch_ns": 999_999_999,
        "latencies_ns": list(latencies),
        "cpu_ns": sum(latencies),
        "wall_ns": sum(latencies),
        "involuntary_switches": 0,
        "thread_count": 1,
    }
    return Turn(**(fields | changes))


def warmup(calls: int = 6, *, steady: bool | None = True) -> Turn:
    return turn(0, [900_000_000] * calls, kind="warmup", switch_ns=None, steady=steady)


def opened(**changes: Any) -> Opened:
    fields: dict[str, Any] = {
        "runtime_version": "1.32.0",
        "runtime_file": "r.py",
        "provider": "CPUExecutionProvider",
        "call_path": "session.run",
        "effective_options": {"optimization": "all", "arena": "on"},
    }
    info = SessionInfo(**(fields | changes))
    memory = [Memory(rss_bytes=rss, private_bytes=rss // 2) for rss in (50, 100, 200)]
    return Opened(
        import_ns=10,
        load_ns=20,
        info=info,
        memory_start=memory[0],
        memory_import=memory[1],
        memory_load=memory[2],
        thread_count=2,
    )


def measured(case_id: str, repetition: int, rounds: Sequence[Sequence[int]], **changes: Any) -> CaseRepetition:
    """A complete repetition of a case: for each round the latencies of its timed calls."""
    fields: dict[str, Any] = {
        "case_id": case_id,
        "repetition": repetition,
        "status": "ok",
        "opened": opened(),
        "first": FirstDone(first_call_ns=500, memory=Memory(rss_bytes=300)),
        "turns": [warmup(), *(turn(number, latencies) for number, latencies in enumerate(rounds))],
        "memory_peak": Memory(rss_bytes=350, peak_rss_bytes=400 + repetition),
        "checks": [AGREES],
        "complete": True,
    }
    return CaseRepetition(**(fields | changes))


def died(
    case_id: str, repetition: int, status: Status = "crashed", reason: str = "it died of SIGKILL"
) -> CaseRepetition:
    """A worker that never opened."""
    return CaseRepetition(case_id=case_id, repetition=repetition, status=status, reason=reason)


def together(repetition: int, *cases: CaseRepetition, disturbed: int = 0, **changes: Any) -> GroupRepetition:
    """A repetition of a group, the first ``disturbed`` of its rounds disturbed."""
    rounds = max((turn.round + 1 for case in cases for turn in case.turns), default=0)
    states = [
        RoundState(
            round=number,
            wall_ns=1,
            load_1min=None,
            steal_share=None,
            foreign_cpus=None,
            frequency_mhz=None,
            disturbed=number < disturbed,
        )
        for number in range(rounds)
    ]
    group = GroupRepetition(
        group=0,
        repetition=repetition,
        cases=list(cases),
        rounds=states,
        page_cache="warm",
        started="2026-01-01T00:00:00+00:00",
    )
    return msgspec.structs.replace(group, **changes)


def prepared(**changes: Any) -> Prepared:
    sizes: tuple[tuple[ArtifactKind, int], ...] = (("saved_model", 2000), ("onnx", 1000))
    artifacts = {
        kind: Artifact(
            kind=kind, path=kind, digest=f"digest of {kind}", size_bytes=n, inputs=(INPUT,), outputs=(OUTPUT,)
        )
        for kind, n in sizes
    }
    fields: dict[str, Any] = {
        "model": "m",
        "model_digest": "digest of m",
        "inputs": (INPUT,),
        "outputs": (OUTPUT,),
        "output_paths": {},
        "artifacts": artifacts,
        "failures": {},
        "pool": ArrayFile(path="pool.npz", digest="digest of pool", items=8),
        "truth_file": ArrayFile(path="truth.npz", digest="digest of truth", items=8),
        "truth": "float64",
        "yardstick": {"y": 1e-5},
        "parameters": 12,
        "multiply_adds": 34,
        "versions": {},
        "cautions": (Caution(code="range", text="inputs were taken from [0, 1]"),),
    }
    return Prepared(**(fields | changes))
