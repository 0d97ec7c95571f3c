"""The gate: pairs of every case, look by look, until each has its verdicts. Knows no process and no clock of its own.

``Measure`` is the seam: ``pairs.PairDriver`` in earnest, a script of invented pairs in tests.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from bench.analysis.sequential import Design, make_design
from bench.check import judging
from bench.check.pairing import PairedCase, Pairing
from bench.check.ratio_verdict import judge_ratio
from bench.check.records import STATISTICAL, GateAnswer, GateSettings, Judged, Metric, Pair
from bench.errors import (
    EXIT_CANNOT_TELL,
    EXIT_CASE_FAILED,
    EXIT_DISAGREE,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_OVER_BUDGET,
    EXIT_TERMINATED,
    Terminated,
    UsageError,
    strongest_exit,
)
from bench.records import Record

_EXTRA_PAIRS = 2  # beyond --max-pairs, in the place of pairs in which a worker died
_EXITS: dict[GateAnswer, int] = {
    "PASS": EXIT_OK,
    "REGRESSED": EXIT_OVER_BUDGET,
    "INCONCLUSIVE": EXIT_CANNOT_TELL,
    "NOT COMPARABLE": EXIT_CANNOT_TELL,
    "DISAGREES": EXIT_DISAGREE,
    "FAILED": EXIT_CASE_FAILED,
}

_CUT_OFF = "the gate was ended before its verdict"

Measure = Callable[[PairedCase, int], Pair]


class Watcher(Protocol):
    """Who is told while a gate runs."""

    def pair_done(self, pair: Pair, judged: Sequence[Judged]) -> None:
        """A pair was measured; ``judged`` are the verdicts that its case has by now."""
        ...


class Outcome(Record, frozen=True):
    """What a gate came to, before it is put into a result."""

    judged: tuple[Judged, ...]
    pairs: tuple[Pair, ...]
    interrupt: int | None = None  # the exit code of what ended it


def make_designs(pairing: Pairing, settings: GateSettings) -> dict[str, Design]:
    """A design for every case, by name; alpha is shared by all statistical verdicts. UsageError as ``make_design``."""
    if "rss_peak" in settings.metrics and settings.max_pairs < judging.MEMORY_PAIRS:
        raise UsageError(
            f"--max-pairs {settings.max_pairs}: the rule for peak memory takes {judging.MEMORY_PAIRS} pairs; "
            f"the least is --max-pairs {judging.MEMORY_PAIRS}"
        )
    statistical = [metric for metric in settings.metrics if metric in STATISTICAL]
    if not statistical:  # nothing is decided by it
        return {case.name: make_design(delta=case.delta) for case in pairing.cases}
    gates = max(1, len(statistical) * len(pairing.cases))
    return {
        case.name: make_design(
            delta=case.delta,
            alpha=settings.alpha,
            beta=settings.beta,
            max_pairs=settings.max_pairs,
            cases=gates,
        )
        for case in pairing.cases
    }


def family_bound(designs: Mapping[str, Design], settings: GateSettings) -> float:
    """The chance that anything at all is called regressed though nothing differs, at most: by the coins alone."""
    shared = max((design.false_alarm_bound for design in designs.values()), default=0.0)
    statistical = any(metric in STATISTICAL for metric in settings.metrics)
    memory = judging.MEMORY_FALSE_ALARM_BOUND * len(designs) * ("rss_peak" in settings.metrics)
    return (shared if statistical else 0.0) + memory


def run_gate(
    pairing: Pairing,
    settings: GateSettings,
    designs: Mapping[str, Design],
    measure: Measure,
    clock: Callable[[], float],
    watcher: Watcher,
    keep: Callable[[Outcome], object] | None = None,
) -> Outcome:
    """Measure pairs, every open case once in turn, until all verdicts are there or time, pairs or workers run out.

    ``keep`` is given what there is after every pair: should nothing come after it, what is open could not be told, and
    its exit code is that of a gate that was ended. ``clock`` tells seconds. A Ctrl-C ends it as a time limit does: what
    was measured is judged and returned.
    """
    deadline = clock() + settings.time_limit_s if settings.time_limit_s is not None else None
    pairs: dict[str, list[Pair]] = {case.name: [] for case in pairing.cases}
    open_cases = list(pairing.cases)
    ended, interrupt = "", None
    try:
        while open_cases:
            for case in list(open_cases):
                if deadline is not None and clock() >= deadline:
                    ended = f"the time limit of {settings.time_limit_s:g} s was reached"
                    break
                mine = pairs[case.name]
                mine.append(measure(case, len(mine)))
                judged = judge_case(case, settings, designs[case.name], mine, _exhausted(mine, settings))
                watcher.pair_done(mine[-1], [one for one in judged if one is not None])
                if all(judged):
                    open_cases.remove(case)
                if keep:
                    keep(_outcome(pairing, settings, designs, pairs, _CUT_OFF, EXIT_TERMINATED))
            if ended:
                break
    except KeyboardInterrupt as interruption:
        ended = "interrupted"
        interrupt = EXIT_TERMINATED if isinstance(interruption, Terminated) else EXIT_INTERRUPTED
    return _outcome(pairing, settings, designs, pairs, ended or "no more pairs were made", interrupt)


def _outcome(
    pairing: Pairing,
    settings: GateSettings,
    designs: Mapping[str, Design],
    pairs: Mapping[str, Sequence[Pair]],
    ended: str,
    interrupt: int | None = None,
) -> Outcome:
    """The verdicts of all pairs; ``ended`` says why a case that is not decided gets no more of them."""
    judged = [
        one
        for case in pairing.cases
        for one in judge_case(
            case,
            settings,
            designs[case.name],
            pairs[case.name],
            _exhausted(pairs[case.name], settings) or ended,
        )
        if one is not None
    ]
    return Outcome(
        judged=tuple(_with_policy(one, settings) for one in (*judged, *pairing.refused)),
        pairs=tuple(pair for mine in pairs.values() for pair in mine),
        interrupt=interrupt,
    )


def judge_case(
    case: PairedCase, settings: GateSettings, design: Design, pairs: Sequence[Pair], ended: str
) -> list[Judged | None]:
    """One verdict a metric, None where more pairs are needed. ``ended`` says why none will come, "" where they may."""
    failed = [judging.failure(case.name, metric, case.delta, pairs) for metric in settings.metrics]
    if any(failed):
        outputs = judging.judge_agreement(case.name, case.delta, pairs, "")
        seen = outputs if outputs and outputs.answer == "DISAGREES" else None  # before a side died
        both = zip(settings.metrics, failed, strict=True)
        return [seen if metric == "agreement" and seen else one for metric, one in both]
    if "agreement" not in settings.metrics:
        wrong = [judging.wrong_outputs(case.name, metric, case.delta, pairs) for metric in settings.metrics]
        if any(wrong):
            return wrong
    judged = [_judge(case, metric, design, pairs, ended) for metric in settings.metrics]
    lost = judging.lost(pairs)
    if lost and judged and (first := judged[0]) is not None:
        judged[0] = msgspec.structs.replace(first, notes=(*first.notes, lost))
    return judged


def exit_code_of(judged: Sequence[Judged], settings: GateSettings) -> int:
    """The strongest of all verdicts' codes. Nothing judged at all cannot be told, whatever ``--inconclusive`` says."""
    if not judged:
        return EXIT_CANNOT_TELL
    codes = [_EXITS[one.answer] for one in judged]
    return strongest_exit([_inconclusive(settings) if code == EXIT_CANNOT_TELL else code for code in codes])


def with_coins(settings: GateSettings) -> GateSettings:
    """With a seed for slots and orders, drawn where none was given: coins that always fall alike are none."""
    return settings if settings.seed else msgspec.structs.replace(settings, seed=1 + secrets.randbelow(2**31))


def utc_now() -> datetime:
    """The time, for records."""
    return datetime.now(UTC)


def _judge(case: PairedCase, metric: Metric, design: Design, pairs: Sequence[Pair], ended: str) -> Judged | None:
    if metric == "agreement":
        return judging.judge_agreement(case.name, case.delta, pairs, ended)
    if metric == "rss_peak":
        return judging.judge_memory(case.name, case.delta, pairs, ended)
    if metric == "size":
        return judging.judge_size(case.name, case.delta, case.baseline.artifact_bytes, case.head.artifact_bytes)
    return judge_ratio(case.name, metric, design, pairs, ended)


def _exhausted(pairs: Sequence[Pair], settings: GateSettings) -> str:
    """Why no more pairs are made of this case, "" while they are."""
    if len(pairs) < settings.max_pairs + _EXTRA_PAIRS and len(judging.measured(pairs)) < settings.max_pairs:
        return ""
    return f"{len(pairs)} pairs were made"


def _with_policy(judged: Judged, settings: GateSettings) -> Judged:
    """What can't be told says in its own line that ``--inconclusive`` made something of it."""
    if _EXITS[judged.answer] != EXIT_CANNOT_TELL or settings.inconclusive == "exit 5":
        return judged
    done = "passed" if settings.inconclusive == "pass" else "failed"
    reason = f"{judged.reason} ({done} by --inconclusive {settings.inconclusive})"
    return msgspec.structs.replace(judged, reason=reason)


def _inconclusive(settings: GateSettings) -> int:
    return {"exit 5": EXIT_CANNOT_TELL, "pass": EXIT_OK, "fail": EXIT_OVER_BUDGET}[settings.inconclusive]
