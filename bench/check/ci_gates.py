"""Gates as CI sees them: each folder's result or why there is none, what all come to, and how loudly to say it. Pure.

A gate that can't be read, or judged nothing, is a verdict of its own, NOT MEASURED: never green.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from bench.check.gate import exit_code_of
from bench.check.gate_summary import WORST_FIRST, is_interrupted
from bench.check.records import GateAnswer, GateResult, Judged
from bench.errors import (
    EXIT_CANNOT_TELL,
    EXIT_OVER_BUDGET,
    EXIT_USAGE,
    strongest_exit,
)
from bench.records import Record

NOT_MEASURED = "NOT MEASURED"
INTERRUPTED = "INTERRUPTED"
WhenInconclusive = Literal["warn", "fail"]
Level = Literal["error", "warning", "notice"]
LEVELS: tuple[Level, ...] = ("error", "warning", "notice")
STRONGEST_FIRST: tuple[str, ...] = (INTERRUPTED, NOT_MEASURED, *WORST_FIRST)
_DOUBTFUL: tuple[GateAnswer, ...] = ("INCONCLUSIVE", "NOT COMPARABLE")


class FoundGate(Record, frozen=True):
    """A gate's folder, as it was named."""

    folder: str
    result: GateResult | None = None
    problem: str = ""  # why there is no result, one sentence


def exit_code(gates: Sequence[FoundGate], inconclusive: WhenInconclusive = "warn") -> int:
    """The strongest of the gates' own codes and of their verdicts': 2 where one is missing or none is given.

    "fail" makes what can't be told a 4; nothing makes a verdict weaker than its gate left it.
    """
    codes = [_code(gate) for gate in gates] or [EXIT_USAGE]
    if inconclusive == "fail" and any(is_doubtful(one) for gate in gates for one in judged_of(gate)):
        codes.append(EXIT_OVER_BUDGET)
    code = strongest_exit(codes)
    return EXIT_OVER_BUDGET if code == EXIT_CANNOT_TELL and inconclusive == "fail" else code


def level_of(judged: Judged, result: GateResult, inconclusive: WhenInconclusive = "warn") -> Level:
    """How loudly a verdict is told: what can't be told is a warning unless it was asked to fail."""
    if judged.answer == "PASS":
        return "notice"
    strict = inconclusive == "fail" or result.settings.inconclusive == "fail"
    return "warning" if is_doubtful(judged) and not strict else "error"


def is_doubtful(judged: Judged) -> bool:
    """Whether it says neither yes nor no."""
    return judged.answer in _DOUBTFUL


def faults(gate: FoundGate) -> list[tuple[str, str]]:
    """What is wrong with the gate itself: NOT MEASURED or INTERRUPTED, each with its sentence."""
    if gate.result is None:
        return [(NOT_MEASURED, gate.problem)]
    found = [] if gate.result.judged else [(NOT_MEASURED, "the gate judged no case")]
    if is_interrupted(gate.result):
        found.append((INTERRUPTED, "the gate was ended before its verdicts were there"))
    return found


def judged_of(gate: FoundGate) -> tuple[Judged, ...]:
    """The verdicts, none where there is no result."""
    return gate.result.judged if gate.result else ()


def verdict_of(gates: Sequence[FoundGate]) -> str:
    """The strongest answer of all, one of STRONGEST_FIRST."""
    words = set(_words(gates))
    return next(word for word in STRONGEST_FIRST if word in words)


def tally(gates: Sequence[FoundGate]) -> str:
    """``1 REGRESSED, 3 PASS``: every verdict is in it once, the strongest first."""
    counts = Counter(_words(gates))
    return ", ".join(f"{counts[word]} {word}" for word in STRONGEST_FIRST if counts[word])


def _words(gates: Sequence[FoundGate]) -> Iterator[str]:
    if not gates:
        yield NOT_MEASURED
    for gate in gates:
        yield from (word for word, _why in faults(gate))
        yield from (one.answer for one in judged_of(gate))


def _code(gate: FoundGate) -> int:
    if gate.result is None:
        return EXIT_USAGE
    if not gate.result.judged:
        return strongest_exit([gate.result.exit_code, EXIT_CANNOT_TELL])
    return strongest_exit([gate.result.exit_code, exit_code_of(gate.result.judged, gate.result.settings)])
