"""One repetition of two sides -> the pair that the gate decides on. Pure: no clock, no files.

``latency`` is the median over rounds of ``log(min of head's timed calls) - log(min of baseline's)``. Nothing is
deleted: bursts are met by the least of a turn's calls, by the median over rounds, and by ranks over pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median

from bench.analysis.statistics import percentile
from bench.check.records import Pair, Side, SideOfPair
from bench.records import CaseRepetition, GroupRepetition, Turn, Verdict

Statistic = Callable[[Sequence[int]], float]


def make_pair(
    repetition: GroupRepetition,
    *,
    case: str,
    slot_of_baseline: int,
    first: Side,
    verdicts: Mapping[Side, Verdict],
    against_baseline: Verdict,
    disagreement: Mapping[Side, str],
) -> Pair:
    """The pair of a repetition whose two cases are called "baseline" and "head".

    ``verdicts`` are those of either side's outputs against its own truth, ``against_baseline`` that of head's against
    the baseline's; ``disagreement`` says why one does not agree.
    """
    found = {one.case_id: one for one in repetition.cases}
    baseline, head = found["baseline"], found["head"]
    turns = {one.case_id: _timed(one) for one in (baseline, head)} if baseline.complete and head.complete else {}
    states = repetition.rounds
    return Pair(
        case=case,
        number=repetition.repetition,
        started=repetition.started,
        first=first,
        slot_of_baseline=slot_of_baseline,
        baseline=_side(baseline, verdicts["baseline"], verdicts["baseline"], disagreement.get("baseline", "")),
        head=_side(head, verdicts["head"], against_baseline, disagreement.get("head", "")),
        rounds=repetition.plan.rounds if repetition.plan else 0,
        calls=repetition.plan.calls if repetition.plan else 0,
        latency=_over_rounds(turns, min),
        median=_over_rounds(turns, median),
        p95=_log_ratio(_p95(turns.get("head")), _p95(turns.get("baseline"))),
        load=_log_ratio(_load_ns(head), _load_ns(baseline)) if turns else None,
        cpu=_log_ratio(_cpu_per_call(turns.get("head")), _cpu_per_call(turns.get("baseline"))),
        load_1min=mean_known([state.load_1min for state in states]),
        steal_share=mean_known([state.steal_share for state in states]),
        foreign_cpus=mean_known([state.foreign_cpus for state in states]),
    )


def _side(one: CaseRepetition, verdict: Verdict, against_baseline: Verdict, disagreement: str) -> SideOfPair:
    turns = _timed(one) if one.complete else []
    calls = [latency for turn in turns for latency in turn.latencies_ns]
    warm = [turn.steady for turn in one.turns if turn.kind == "warmup" and turn.steady is not None]
    wall = sum(turn.wall_ns for turn in turns)
    return SideOfPair(
        status=one.status if one.status != "ok" or one.complete else "failed",
        reason=one.reason,
        best_ns=median(min(turn.latencies_ns) for turn in turns) if calls else None,
        p95_ns=_p95(turns),
        load_ns=_load_ns(one),
        rss_peak_bytes=one.memory_peak.peak_rss_bytes if one.memory_peak else None,
        cpu_ns_per_call=_cpu_per_call(turns),
        cpu_per_wall=sum(turn.cpu_ns for turn in turns) / wall if wall else None,
        preempted=min(1.0, sum(turn.involuntary_switches for turn in turns) / len(calls)) if calls else None,
        steady=all(warm) if warm else None,
        verdict=verdict,
        against_baseline=against_baseline,
        disagreement=disagreement,
    )


def _timed(one: CaseRepetition) -> list[Turn]:
    """The turns of rounds; none at all where one of them brought no call."""
    turns = [turn for turn in one.turns if turn.kind == "turn"]
    return turns if all(turn.latencies_ns for turn in turns) else []


def _over_rounds(turns: Mapping[str, Sequence[Turn]], statistic: Statistic) -> float | None:
    """The median over rounds of head's log statistic less the baseline's; None where a round lacks one of them."""
    if not turns:
        return None
    sides = [{turn.round: statistic(turn.latencies_ns) for turn in turns[side]} for side in ("baseline", "head")]
    baseline, head = sides
    if not baseline or baseline.keys() != head.keys():
        return None
    ratios = [_log_ratio(head[number], baseline[number]) for number in baseline]
    return None if None in ratios else median(ratio for ratio in ratios if ratio is not None)


def _p95(turns: Sequence[Turn] | None) -> float | None:
    """The 95th percentile of one process's calls.

    A pair has 30 to 60 calls, too few to tell it of one process; over pairs it is an observation like another.
    """
    calls = sorted(latency for turn in turns or () for latency in turn.latencies_ns)
    if not calls:
        return None
    enough = percentile(calls, 0.95)
    return enough if enough is not None else float(calls[math.ceil(0.95 * len(calls)) - 1])


def _cpu_per_call(turns: Sequence[Turn] | None) -> float | None:
    calls = sum(len(turn.latencies_ns) for turn in turns or ())
    return sum(turn.cpu_ns for turn in turns or ()) / calls if calls else None


def _load_ns(one: CaseRepetition) -> int | None:
    return one.opened.load_ns if one.opened else None


def _log_ratio(head: float | None, baseline: float | None) -> float | None:
    """None where either is unknown, zero, negative or no finite number."""
    if head is None or baseline is None or not (0 < head < math.inf and 0 < baseline < math.inf):
        return None
    return math.log(head / baseline)


def mean_known(values: Sequence[float | None]) -> float | None:
    """The mean of what was measured; None where nothing was."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
