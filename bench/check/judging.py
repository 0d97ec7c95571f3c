"""Pairs of one case -> its verdict by each metric, with the sentence and the notes that explain it. Pure.

Latency and load are decided by ``analysis.sequential``. Memory and size barely vary and have rules of their own:

- peak memory over 5 pairs is REGRESSED iff the least of head's processes exceeds the greatest of the baseline's by more
  than the budget. Where nothing differs that needs all five of head's to be the five greatest of ten: at most once in
  252 (0.4 %).
- size is REGRESSED iff head's files are larger than the baseline's by more than the budget: nothing is random.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median

from bench.analysis.power import pair_sd, smallest_detectable
from bench.analysis.sequential import Decision, Design, decide, is_improved
from bench.analysis.statistics import hodges_lehmann
from bench.check.records import GateAnswer, Judged, Metric, Pair
from bench.check.wording import explain_noise, percent

MEMORY_PAIRS = 5
MEMORY_FALSE_ALARM = 1 / math.comb(2 * MEMORY_PAIRS, MEMORY_PAIRS)
SUSPICIOUS = 5.0  # times faster: then it is likelier that something is not done any more
_TRIES = 2  # a side that died in so many pairs is given up
_NEVER_AGAIN = ("unavailable", "unsupported", "partial")


def failure(case: str, metric: Metric, delta: float, pairs: Sequence[Pair]) -> Judged | None:
    """FAILED where head can't be run any more, NOT COMPARABLE where the baseline can't; None where both go on."""
    died: list[tuple[str, GateAnswer]] = [("head", "FAILED"), ("baseline", "NOT COMPARABLE")]
    for side, answer in died:
        bad = [one for pair in pairs if (one := getattr(pair, side)).status != "ok"]
        final = next((one for one in bad if one.status in _NEVER_AGAIN), None)
        if final or len(bad) >= _TRIES:
            worst = final or bad[-1]
            times = "" if final else f" in {len(bad)} of {len(pairs)} pairs"
            reason = f"{side} {worst.status}{times}: {worst.reason or worst.status}"
            return Judged(
                case=case, metric=metric, answer=answer, reason=reason, delta=delta, pairs=len(measured(pairs))
            )
    return None


def measured(pairs: Sequence[Pair]) -> list[Pair]:
    """Those in which both sides came to their end."""
    return [pair for pair in pairs if pair.baseline.status == pair.head.status == "ok"]


def judge_ratio(case: str, metric: Metric, design: Design, pairs: Sequence[Pair], ended: str) -> Judged | None:
    """Latency or load by the sequential rule; None while undecided and not ``ended`` (why no more pairs come)."""
    good = measured(pairs)
    values = [getattr(pair, metric) for pair in good]
    if any(value is None for value in values):
        why = f"a pair has no {metric}: a duration was zero, negative, not a number or missing"
        return _refusal(case, metric, design.delta, len(good), why)
    decision = decide(design, values) if values else None
    if decision is None or (decision.answer == "next" and not ended and len(values) < design.max_pairs):
        return None if not ended else _refusal(case, metric, design.delta, 0, f"no pair was measured: {ended}")
    return _ratio_verdict(case, metric, design, good[: decision.pairs], decision, ended)


def judge_memory(case: str, delta: float, pairs: Sequence[Pair], ended: str) -> Judged | None:
    """Peak memory by its exact rule over 5 pairs."""
    good = measured(pairs)
    if len(good) < MEMORY_PAIRS:
        if not ended:
            return None
        why = f"{len(good)} pairs, the rule for memory takes {MEMORY_PAIRS}: {ended}"
        return Judged(case=case, metric="rss_peak", answer="INCONCLUSIVE", reason=why, delta=delta, pairs=len(good))
    good = good[:MEMORY_PAIRS]
    base = [pair.baseline.rss_peak_bytes for pair in good if pair.baseline.rss_peak_bytes]
    head = [pair.head.rss_peak_bytes for pair in good if pair.head.rss_peak_bytes]
    if len(base) < MEMORY_PAIRS or len(head) < MEMORY_PAIRS:
        why = "the peak could not be read: resetting it is not allowed here"
        return _refusal(case, "rss_peak", delta, len(good), why)
    over = min(head) > max(base) * (1 + delta)
    change = median(head) / median(base) - 1
    return Judged(
        case=case,
        metric="rss_peak",
        answer="REGRESSED" if over else "PASS",
        reason=(
            f"the least of head's peaks is {percent(min(head) / max(base) - 1)} of the baseline's greatest"
            if over
            else f"head's least peak is not above the baseline's greatest by more than {percent(delta, sign=False)}"
        ),
        delta=delta,
        pairs=len(good),
        change=change,
        baseline_value=median(base),
        head_value=median(head),
    )


def judge_size(case: str, delta: float, baseline_bytes: int, head_bytes: int) -> Judged:
    """The size of the files that are loaded: exact."""
    if baseline_bytes <= 0 or head_bytes <= 0:
        return _refusal(case, "size", delta, 0, "a size is not known")
    change = head_bytes / baseline_bytes - 1
    return Judged(
        case=case,
        metric="size",
        answer="REGRESSED" if change > delta else "PASS",
        reason=f"head's files are {percent(change)}" if change else "the files are of one size",
        delta=delta,
        change=change,
        baseline_value=baseline_bytes,
        head_value=head_bytes,
    )


def judge_agreement(case: str, delta: float, pairs: Sequence[Pair], ended: str) -> Judged | None:
    """Any change of verdict: head's own, and head's outputs against the baseline's truth; in any pair."""
    good = measured(pairs)
    if not good:
        return None if not ended else _refusal(case, "agreement", delta, 0, f"no outputs were seen: {ended}")
    wrong = [pair.head for pair in good if "disagrees" in (pair.head.verdict, pair.head.against_baseline)]
    base = {pair.baseline.verdict for pair in good}
    head = {verdict for pair in good for verdict in (pair.head.verdict, pair.head.against_baseline)}
    if wrong:
        same = wrong[0].verdict != "disagrees"
        what = "head computes another function than the baseline" if same else "head's outputs are wrong"
        answer: GateAnswer = "DISAGREES"
        reason = f"{what}: {wrong[0].disagreement or 'outputs disagree'}"
    elif "disagrees" in base:
        answer, reason = "NOT COMPARABLE", f"the baseline's outputs are wrong: {good[0].baseline.disagreement}"
    elif base == head == {"agrees"}:
        answer, reason = "PASS", "both agree with the truth in every pair"
    else:
        seen = ", ".join(sorted(base | head))
        answer, reason = "INCONCLUSIVE", f"agreement can't be told: {seen}"
    return Judged(case=case, metric="agreement", answer=answer, reason=reason, delta=delta, pairs=len(good))


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
        notes = (*explain_noise(pairs, sd), *notes)
    return _replace(judged, notes=notes)


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
    first = next(look.pairs for look in design.looks)
    if ended and decision.pairs < design.max_pairs:
        few = f", a verdict takes {first} or more" if decision.pairs < first else ""
        return "INCONCLUSIVE", f"{decision.pairs} pairs{few}: {ended}"
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


def _refusal(case: str, metric: Metric, delta: float, pairs: int, reason: str) -> Judged:
    return Judged(case=case, metric=metric, answer="NOT COMPARABLE", reason=reason, delta=delta, pairs=pairs)


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _replace(judged: Judged, **changes: object) -> Judged:
    import msgspec

    return msgspec.structs.replace(judged, **changes)
