"""The repetitions of one case -> what is said of its speed. Pure; the fields of ``Speed`` are those of a row.

Calls of one process are not independent, so bounds come from one value a repetition and never from calls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from bench.analysis.statistics import Interval, percentile, ratio_interval, signed_rank_interval
from bench.records import CaseRepetition, Record, Turn, TurnKind

_HIGH = (90, 95, 99)  # percentiles that need many calls


class Speed(Record, frozen=True):
    """One case's latency, throughput and CPU use over its repetitions; ``report/columns.py`` describes each field."""

    latency_ns_best: float | None = None
    interval_level: float | None = None  # of the bounds of the median
    latency_ns_p50: float | None = None
    latency_ns_p50_low: float | None = None
    latency_ns_p50_high: float | None = None
    latency_ns_p90: float | None = None
    latency_ns_p95: float | None = None
    latency_ns_p99: float | None = None
    latency_ns_min: float | None = None
    latency_ns_mean: float | None = None
    percentile_block: str | None = None
    calls: int = 0
    rounds: int = 0
    processes: int = 0
    throughput_items_per_s: float | None = None
    cpu_per_wall: float | None = None


def summarise_speed(measured: Sequence[CaseRepetition], batch_size: int) -> Speed:
    """The speed of a case over its complete repetitions, in any order; all None where nothing was timed.

    Everything is from the timed calls of all turns. Only a percentile that those are too few for is from the tail
    blocks, and ``percentile_block`` names it: ``"turns; p99: tail"``.
    """
    turns = [turn for repetition in measured for turn in turns_of(repetition, "turn")]
    by_repetition = [calls for repetition in measured if (calls := calls_of(repetition, "turn"))]
    samples = [latency for calls in by_repetition for latency in calls]
    if not samples:
        return Speed(processes=len(measured))
    tail = [latency for repetition in measured for latency in calls_of(repetition, "tail")]
    from_turns = {p: percentile(samples, p / 100) for p in _HIGH}
    from_tail = {p: percentile(tail, p / 100) for p, value in from_turns.items() if value is None}
    high = from_turns | from_tail
    named = ", ".join(f"p{p}" for p, value in from_tail.items() if value is not None)
    typical = signed_rank_interval([percentile(calls, 0.5) or 0.0 for calls in by_repetition])
    return Speed(
        latency_ns_best=median(best_latency(turn) for turn in turns),
        interval_level=typical.level,
        latency_ns_p50=percentile(samples, 0.5),
        latency_ns_p50_low=typical.low,
        latency_ns_p50_high=typical.high,
        latency_ns_p90=high[90],
        latency_ns_p95=high[95],
        latency_ns_p99=high[99],
        latency_ns_min=min(samples),
        latency_ns_mean=sum(samples) / len(samples),
        percentile_block=f"turns; {named}: tail" if named else "turns",
        calls=len(samples),
        rounds=len(turns),
        processes=len(measured),
        throughput_items_per_s=_throughput(turns, batch_size),
        cpu_per_wall=_cpu_per_wall(measured),
    )


def summarise_ratio(measured: Sequence[CaseRepetition], reference: Sequence[CaseRepetition]) -> Interval | None:
    """Cost of a case over that of the reference, see ``cost_of``, with bounds over repetitions.

    A repetition's value is the median over rounds that both took part in; None where there was no such round.
    """
    partners = {repetition.repetition: repetition for repetition in reference}
    values = [_log_ratio(r, partners[r.repetition]) for r in measured if r.repetition in partners]
    known = [value for value in values if value is not None]
    return ratio_interval(known) if known else None


def turns_of(repetition: CaseRepetition, kind: TurnKind) -> list[Turn]:
    """The turns of one kind that timed at least one call."""
    return [turn for turn in repetition.turns if turn.kind == kind and turn.latencies_ns]


def calls_of(repetition: CaseRepetition, kind: TurnKind) -> list[int]:
    """All calls of one kind of turn; the switch call is not among them."""
    return [latency for turn in turns_of(repetition, kind) for latency in turn.latencies_ns]


def best_latency(turn: Turn) -> int:
    """The least of the turn's timed calls, at least the one nanosecond that a clock can tell."""
    return max(1, min(turn.latencies_ns))


def cost_of(turn: Turn) -> float:
    """What turns are compared by, in ns: the least call of one caller, the wall time a call of several.

    Where callers wait for one another, one of them may be served as fast as alone: the least call then hides the rest.
    """
    return best_latency(turn) if turn.streams == 1 else max(1.0, turn.wall_ns / _whole_calls(turn))


def _throughput(turns: Sequence[Turn], batch_size: int) -> float | None:
    """Items per second: all of them over all the time, never a mean of rates."""
    calls = sum(_whole_calls(turn) for turn in turns)
    time_ns = sum(turn.wall_ns if turn.streams > 1 else sum(turn.latencies_ns) for turn in turns)
    return batch_size * calls * 1e9 / time_ns if time_ns else None


def _whole_calls(turn: Turn) -> int:
    return len(turn.latencies_ns) + turn.extra_calls


def _log_ratio(case: CaseRepetition, reference: CaseRepetition) -> float | None:
    ours, theirs = _cost_by_round(case), _cost_by_round(reference)
    common = [math.log(ours[number]) - math.log(theirs[number]) for number in ours if number in theirs]
    return median(common) if common else None


def _cost_by_round(repetition: CaseRepetition) -> dict[int, float]:
    return {turn.round: cost_of(turn) for turn in turns_of(repetition, "turn")}


def _cpu_per_wall(measured: Sequence[CaseRepetition]) -> float | None:
    timed = [turn for r in measured for kind in ("turn", "tail") for turn in turns_of(r, kind)]
    wall_ns = sum(turn.wall_ns for turn in timed)
    return sum(turn.cpu_ns for turn in timed) / wall_ns if wall_ns else None
