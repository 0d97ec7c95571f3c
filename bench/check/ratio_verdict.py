"""Pairs of one case -> its verdict by latency or load, with the sentence and the notes that explain it. Pure.

The decision is that of ``analysis.sequential``; what the least of a turn's calls can't show is told in notes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import takewhile
from statistics import median

import msgspec

from bench.analysis.power import pair_sd, smallest_detectable
from bench.analysis.sequential import Decision, Design, decide, is_improved
from bench.analysis.statistics import hodges_lehmann
from bench.check.judging import SUSPICIOUS, measured, refusal
from bench.check.records import GateAnswer, Judged, Metric, Pair
from bench.check.wording import explain_noise, percent


def judge_ratio(case: str, metric: Metric, design: Design, pairs: Sequence[Pair], ended: str) -> Judged | None:
    """Latency or load by the sequential rule; None while undecided and not ``ended`` (why no more pairs come)."""
    good = measured(pairs)
    values = list(takewhile(_is_known, (getattr(pair, metric) for pair in good)))
    decision = decide(design, values) if values else None
    if decision is None or decision.answer == "next":
        if len(values) < len(good):
            why = f"a pair has no {metric}: a duration was zero, negative, not a number or missing"
            return refusal(case, metric, design.delta, len(good), why)
        if not ended and len(values) < design.max_pairs:
            return None
    if decision is None:
        why = f"no pair was measured: {ended}"
        return Judged(case=case, metric=metric, answer="INCONCLUSIVE", reason=why, delta=design.delta)
    return _ratio_verdict(case, metric, design, good[: decision.pairs], decision, ended)


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _ratio_verdict(
    case: str, metric: Metric, design: Design, pairs: Sequence[Pair], decision: Decision, ended: str
) -> Judged:
    values = [getattr(pair, metric) for pair in pairs]
    look = next((one for one in design.looks if one.pairs == decision.pairs), None)
    sd = pair_sd(values)
    field = "best_ns" if metric == "latency" else "load_ns"
    answer, reason = _answer(design, decision, ended)
    judged = Judged(
        case=case,
        metric=metric,
        answer=answer,
        reason=reason,
        delta=design.delta,
        pairs=decision.pairs,
        change=math.expm1(decision.estimate),
        change_low=None if decision.low is None else math.expm1(decision.low),
        change_high=None if decision.high is None else math.expm1(decision.high),
        low_level=None if decision.low is None or look is None else 1 - look.alarm_size,
        high_level=None if decision.high is None or look is None else 1 - look.pass_size,
        smallest_detectable=None if sd is None else smallest_detectable(design, sd),
        sd=sd,
        baseline_value=_middle([getattr(pair.baseline, field) for pair in pairs]),
        head_value=_middle([getattr(pair.head, field) for pair in pairs]),
        is_improved=is_improved(design, values),
    )
    notes = _notes(judged, design, pairs) if metric == "latency" else ()
    if answer == "INCONCLUSIVE":
        noise = explain_noise(pairs, sd, detectable=judged.smallest_detectable, delta=design.delta)
        notes = (*noise, *notes)
    return msgspec.structs.replace(judged, notes=notes)


def _answer(design: Design, decision: Decision, ended: str) -> tuple[GateAnswer, str]:
    allowed = percent(design.delta, sign=False)
    change = percent(math.expm1(decision.estimate))
    if decision.answer == "regressed":
        return "REGRESSED", f"{change}, and a slowdown is certain"
    if decision.answer == "pass" and decision.estimate < -math.log(SUSPICIOUS):
        faster = f"{math.exp(-decision.estimate):.1f}x faster"
        return "INCONCLUSIVE", f"suspicious: head is {faster}; check that it does the same work"
    if decision.answer == "pass":
        return "PASS", f"a slowdown of {allowed} is excluded"
    first = design.looks[0].pairs
    if ended and decision.pairs < design.max_pairs:
        few = f", a verdict takes {first} or more" if decision.pairs < first else ""
        return "INCONCLUSIVE", f"{decision.pairs} pair{'s' * (decision.pairs != 1)}{few}: {ended}"
    return "INCONCLUSIVE", f"neither a slowdown nor its absence is certain after {decision.pairs} pairs"


def _notes(judged: Judged, design: Design, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """What the least of a turn's calls can't show: middle calls, the tail, CPU time; and warm-up's bound."""
    notes = []
    middle = [pair.median for pair in pairs if pair.median is not None]
    if middle and judged.change is not None:
        other = hodges_lehmann(middle)
        if abs(other - math.log1p(judged.change)) > design.delta / 2:
            notes.append(
                f"median calls changed by {percent(math.expm1(other))}, the fastest by {percent(judged.change)}: "
                "the tail changed, or the machine was busy"
            )
    notes += _told(pairs, "p95", lambda pair: pair.p95, design)
    cpu = [pair.cpu for pair in pairs if pair.cpu is not None]
    if cpu and judged.change is not None:
        change = hodges_lehmann(cpu)
        agrees = abs(change - math.log1p(judged.change)) <= design.delta / 2
        told = "agrees" if agrees else "differs: threads, waiting or other work"
        notes.append(f"CPU time per call {percent(math.expm1(change))} ({told})")
    if any(False in (pair.baseline.steady, pair.head.steady) for pair in pairs):
        notes.append("not warmed up: a worker's warm-up ended by its bound of 50 calls or 10 s")
    return tuple(notes)


def _told(pairs: Sequence[Pair], name: str, value: Callable[[Pair], float | None], design: Design) -> list[str]:
    """A second statistic's own verdict, of lower power: information."""
    values = [one for pair in pairs if (one := value(pair)) is not None]
    if not values:
        return []
    answer = {"regressed": "regressed", "pass": "no slowdown", "next": "inconclusive"}[decide(design, values).answer]
    return [f"{name} {percent(math.expm1(hodges_lehmann(values)))} ({answer})"]


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
