"""Pairs of one case -> its verdicts that need no statistics, and when a side is given up. Pure.

Memory and size barely vary and have rules of their own:

- peak memory over 5 pairs is REGRESSED iff the least of head's processes exceeds the greatest of the baseline's by more
  than the budget. Where nothing differs that needs all five of head's to be the five greatest of ten: once in 252
  (0.4 %) as long as any of the ten could as well have had any of the ten peaks; by the coins alone, once in 32.
- size is REGRESSED iff head's files are larger than the baseline's by more than the budget: nothing is random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from bench.check.records import SIDES, GateAnswer, Judged, Metric, Pair, Side
from bench.check.wording import percent

MEMORY_PAIRS = 5
MEMORY_FALSE_ALARM = 1 / math.comb(2 * MEMORY_PAIRS, MEMORY_PAIRS)  # where all ten processes are alike
MEMORY_FALSE_ALARM_BOUND = 2.0**-MEMORY_PAIRS  # by the coins alone
SUSPICIOUS = 5.0  # times faster or smaller: then it is likelier that something is not done any more
_TRIES = 2  # a side that died in so many pairs is given up
_WITHOUT_BLAME = ("ok", "skipped")  # skipped: the other side could not be opened
_NEVER_AGAIN = ("unavailable", "unsupported", "partial")


def failure(case: str, metric: Metric, delta: float, pairs: Sequence[Pair]) -> Judged | None:
    """FAILED where head can't be run any more, NOT COMPARABLE where the baseline can't; None where both go on."""
    died: list[tuple[str, GateAnswer]] = [("head", "FAILED"), ("baseline", "NOT COMPARABLE")]
    for side, answer in died:
        bad = [one for pair in pairs if (one := getattr(pair, side)).status not in _WITHOUT_BLAME]
        final = next((one for one in bad if one.status in _NEVER_AGAIN), None)
        if final or len(bad) >= _TRIES:
            worst = final or bad[-1]
            times = "" if final else f" in {len(bad)} of {len(pairs)} pairs"
            reason = f"{side} {worst.status}{times}: {worst.reason or worst.status}"
            return Judged(
                case=case, metric=metric, answer=answer, reason=reason, delta=delta, pairs=len(measured(pairs))
            )
    return None


def wrong_outputs(case: str, metric: Metric, delta: float, pairs: Sequence[Pair]) -> Judged | None:
    """DISAGREES where head's outputs are wrong by its own truth, NOT COMPARABLE where the baseline's are; else None.

    For gates that were not asked about agreement: another function is no fault there, but a wrong one has no number.
    """
    answers: list[tuple[Side, GateAnswer]] = [("head", "DISAGREES"), ("baseline", "NOT COMPARABLE")]
    for name, answer in answers:
        wrong = [one for pair in measured(pairs) if (one := getattr(pair, name)).verdict == "disagrees"]
        if wrong:
            why = f"{name}'s outputs are wrong: {wrong[0].disagreement or 'outputs disagree'}"
            return Judged(case=case, metric=metric, answer=answer, reason=why, delta=delta, pairs=len(measured(pairs)))
    return None


def lost(pairs: Sequence[Pair]) -> str:
    """A sentence about the pairs that have no values because a side died in them, "" where there is none."""
    bad = [(side, one) for pair in pairs for side in SIDES if (one := getattr(pair, side)).status not in _WITHOUT_BLAME]
    if not bad:
        return ""
    side, one = bad[-1]
    return f"{side} {one.status} in {len(bad)} of {len(pairs)} pairs, which count for nothing: {one.reason}"


def measured(pairs: Sequence[Pair]) -> list[Pair]:
    """Those in which both sides came to their end."""
    return [pair for pair in pairs if pair.baseline.status == pair.head.status == "ok"]


def judge_memory(case: str, delta: float, pairs: Sequence[Pair], ended: str) -> Judged | None:
    """Peak memory by its exact rule over 5 pairs."""
    good = measured(pairs)
    if len(good) < MEMORY_PAIRS:
        if not ended:
            return None
        why = f"{len(good)} pair{'s' * (len(good) != 1)}, the rule for memory takes {MEMORY_PAIRS}: {ended}"
        return Judged(case=case, metric="rss_peak", answer="INCONCLUSIVE", reason=why, delta=delta, pairs=len(good))
    good = good[:MEMORY_PAIRS]
    base = [pair.baseline.rss_peak_bytes for pair in good if pair.baseline.rss_peak_bytes]
    head = [pair.head.rss_peak_bytes for pair in good if pair.head.rss_peak_bytes]
    if len(base) < MEMORY_PAIRS or len(head) < MEMORY_PAIRS:
        why = "the peak could not be read: resetting it is not allowed here"
        return refusal(case, "rss_peak", delta, len(good), why)
    over = min(head) > max(base) * (1 + delta)
    answer: GateAnswer = "REGRESSED" if over else "PASS"
    if over:
        reason = f"the least of head's peaks is {percent(min(head) / max(base) - 1)} above the baseline's greatest"
    else:
        reason = f"head's least peak is not above the baseline's greatest by more than {percent(delta, sign=False)}"
    change = median(head) / median(base) - 1
    if smaller := _too_good(change):
        answer, reason = "INCONCLUSIVE", smaller
    return Judged(
        case=case,
        metric="rss_peak",
        answer=answer,
        reason=reason,
        delta=delta,
        pairs=len(good),
        change=change,
        baseline_value=median(base),
        head_value=median(head),
    )


def judge_size(case: str, delta: float, baseline_bytes: int, head_bytes: int) -> Judged:
    """The size of the files that are loaded: exact."""
    if baseline_bytes <= 0 or head_bytes <= 0:
        return refusal(case, "size", delta, 0, "a size is not known")
    change = head_bytes / baseline_bytes - 1
    answer: GateAnswer = "REGRESSED" if head_bytes > baseline_bytes * (1 + delta) else "PASS"
    reason = f"head's files are {percent(change)}" if change else "the files are of one size"
    if smaller := _too_good(change):
        answer, reason = "INCONCLUSIVE", smaller
    return Judged(
        case=case,
        metric="size",
        answer=answer,
        reason=reason,
        delta=delta,
        change=change,
        baseline_value=baseline_bytes,
        head_value=head_bytes,
    )


def judge_agreement(case: str, delta: float, pairs: Sequence[Pair], ended: str) -> Judged | None:
    """Any change of verdict: head's own, and head's outputs against the baseline's truth; in any pair."""
    good = measured(pairs)
    if not good:
        if not ended:
            return None
        why = f"no outputs were seen: {ended}"
        return Judged(case=case, metric="agreement", answer="INCONCLUSIVE", reason=why, delta=delta)
    wrong = [pair.head for pair in good if "disagrees" in (pair.head.verdict, pair.head.against_baseline)]
    base = {pair.baseline.verdict for pair in good}
    head = {verdict for pair in good for verdict in (pair.head.verdict, pair.head.against_baseline)}
    if wrong:
        same = wrong[0].verdict != "disagrees"
        what = "head computes another function than the baseline" if same else "head's outputs are wrong"
        answer: GateAnswer = "DISAGREES"
        reason = f"{what}: {wrong[0].disagreement or 'outputs disagree'}"
    elif "disagrees" in base:
        why = next(pair.baseline.disagreement for pair in good if pair.baseline.verdict == "disagrees")
        answer, reason = "NOT COMPARABLE", f"the baseline's outputs are wrong: {why or 'outputs disagree'}"
    elif base == head == {"agrees"}:
        answer, reason = "PASS", "both agree with the truth in every pair"
    else:
        seen = ", ".join(sorted(base | head))
        why = next((said for pair in good for side in SIDES if (said := getattr(pair, side).disagreement)), "")
        answer, reason = "INCONCLUSIVE", f"agreement can't be told ({seen}){f': {why}' if why else ''}"
    return Judged(case=case, metric="agreement", answer=answer, reason=reason, delta=delta, pairs=len(good))


def _too_good(change: float) -> str:
    """Why an improvement is not believed, "" where it may be."""
    smaller = 1 / (1 + change)
    return f"suspicious: head is {smaller:.1f}x smaller; check that nothing is missing" if smaller > SUSPICIOUS else ""


def refusal(case: str, metric: Metric, delta: float, pairs: int, reason: str) -> Judged:
    """NOT COMPARABLE, and why."""
    return Judged(case=case, metric=metric, answer="NOT COMPARABLE", reason=reason, delta=delta, pairs=pairs)
