"""The repetitions of one case -> what is said of its speed. Pure; the fields of ``Speed`` are those of a row.

Calls of one process are not independent, so bounds come from one value a repetition and never from calls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from bench.analysis.statistics import Interval, percentile, ratio_interval, signed_rank_interval
from bench.records import CaseRepetition, Record, Turn, TurnKind


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

    Percentiles, bounds, mean and throughput are from one kind of calls: the tail blocks where there are any, else the
    timed calls of all turns. ``calls`` counts both.
    """
    turns = [turn for repetition in measured for turn in turns_of(repetition, "turn")]
    blocks = {kind: [calls for r in measured if (calls := calls_of(r, kind))] for kind in ("turn", "tail")}
    block = blocks["tail"] or blocks["turn"]
    samples = [latency for calls in block for latency in calls]
    if not samples:
        return Speed(processes=len(measured))
    typical = signed_rank_interval([percentile(calls, 0.5) or 0.0 for calls in block])
    return Speed(
        latency_ns_best=median(best_latency(turn) for turn in turns) if turns else None,
        interval_level=typical.level,
        latency_ns_p50=percentile(samples, 0.5),
        latency_ns_p50_low=typical.low,
        latency_ns_p50_high=typical.high,
        latency_ns_p90=percentile(samples, 0.90),
        latency_ns_p95=percentile(samples, 0.95),
        latency_ns_p99=percentile(samples, 0.99),
        latency_ns_min=min(samples),
        latency_ns_mean=sum(samples) / len(samples),
        percentile_block="tail" if blocks["tail"] else "turns",
        calls=sum(len(calls) for kind in blocks.values() for calls in kind),
        rounds=len(turns),
        processes=len(measured),
        throughput_items_per_s=batch_size * len(samples) * 1e9 / sum(samples) if sum(samples) else None,
        cpu_per_wall=_cpu_per_wall(measured),
    )


def summarise_ratio(measured: Sequence[CaseRepetition], reference: Sequence[CaseRepetition]) -> Interval | None:
    """Latency of a case over that of the reference, with bounds over repetitions.

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


def _log_ratio(case: CaseRepetition, reference: CaseRepetition) -> float | None:
    ours, theirs = _best_by_round(case), _best_by_round(reference)
    common = [math.log(ours[number]) - math.log(theirs[number]) for number in ours if number in theirs]
    return median(common) if common else None


def _best_by_round(repetition: CaseRepetition) -> dict[int, int]:
    return {turn.round: best_latency(turn) for turn in turns_of(repetition, "turn")}


def _cpu_per_wall(measured: Sequence[CaseRepetition]) -> float | None:
    timed = [turn for r in measured for kind in ("turn", "tail") for turn in turns_of(r, kind)]
    wall_ns = sum(turn.wall_ns for turn in timed)
    return sum(turn.cpu_ns for turn in timed) / wall_ns if wall_ns else None
