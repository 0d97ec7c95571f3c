"""Memory over minutes of calls -> its slope with an interval, and whether it grows, stands or can't be told. Pure.

Memory is no line with noise around it. An arena fills and stands; a heap takes a step of megabytes once; a collector
makes a saw of it; what looks like a trend is often one step. So the second half alone counts, and it is cut into
``BLOCKS`` blocks, of which each gives its least: what is left when temporary memory is gone. The slope is the
Hodges-Lehmann estimate of the changes from block to block, its interval their signed-rank interval. A leak grows in
nearly every block; a step, however high, is one change among twelve and never lifts the lower bound above 0. Where
changes are independent and as likely up as down, chance does in at most ``SIZE`` of soaks, exactly; where memory
comes back to where it was, changes undo one another and it is rarer still; where it wanders for ever, changes of
neighbours lean the same way and it is about 1 in 200. ``benchmarks/soak_statistics.py`` prints these, and how often
a leak is found.

The upper bound is the signed-rank one or, where that is lower, the change from the least of the first third to the
greatest of the last: memory that swings but comes back has not grown by more.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import Literal

import msgspec

from bench import units
from bench.analysis.statistics import hodges_lehmann, lower_bound, rank_of_size, upper_bound
from bench.records import CaseRepetition, Caution, Record, SoakSample

SoakVerdict = Literal["plateau", "growing", "cannot tell"]

BLOCKS = 13  # of the second half: twelve changes
LOOKS = 3  # at least so many in each block
SIZE = 0.002  # chance of growing where changes are as likely up as down, at most
LEAST_CALLS = 100  # in the first half: an arena of ONNX Runtime stood after 50
LEAST_GROWTH = 256 * 1024  # bytes over the second half: pages that the kernel has yet to count, and our own looks
NEGLIGIBLE = 2**20  # bytes a minute that a plateau may not be told from
SLOWING = 0.5  # of the growth in the first of its halves: one that gets slower like this is an end of settling

_MINUTE_NS = 60e9


class Soak(Record, frozen=True):
    """What is said of one case's memory; the fields of a row have the same names."""

    soak_verdict: SoakVerdict
    reason: str  # one sentence
    soak_slope_per_minute: float | None = None  # bytes
    soak_slope_per_minute_low: float | None = None
    soak_slope_per_minute_high: float | None = None

    def fields(self) -> dict[str, object]:
        """Those of a row."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if name != "reason"}


def soak_of(tries: Sequence[CaseRepetition]) -> Soak | None:
    """That of the last repetition of a case that has one."""
    return next((summarise_soak(one.soak) for one in reversed(tries) if one.soak), None)


def summarise_soak(samples: Sequence[SoakSample]) -> Soak | None:
    """The verdict over a soak's samples; None where there was none.

    Of what the process alone has written to where the kernel tells it, of resident memory elsewhere.
    """
    if not samples:
        return None
    late = [one for one in samples if 2 * one.elapsed_ns >= samples[-1].elapsed_ns]
    calls = late[0].calls
    if len(late) < BLOCKS * LOOKS or calls < LEAST_CALLS:
        return Soak(
            soak_verdict="cannot tell",
            reason=f"{calls} calls and {len(samples) - len(late)} looks at memory before the second half, "
            f"{LEAST_CALLS} and {BLOCKS * LOOKS} are needed: soak longer",
        )
    blocks = _blocks(late)
    changes = [(b.least - a.least) / (b.minute - a.minute) for a, b in pairwise(blocks)]
    k = rank_of_size(len(changes), SIZE)
    high = min(upper_bound(changes, k), _most(blocks))
    slope, low = min(hodges_lehmann(changes), high), min(lower_bound(changes, k), high)
    verdict, reason = _judge(late, blocks, changes, (slope, low, high))
    return Soak(
        soak_verdict=verdict,
        reason=reason,
        soak_slope_per_minute=slope,
        soak_slope_per_minute_low=low,
        soak_slope_per_minute_high=high,
    )


def soak_cautions(soak: Soak | None) -> list[Caution]:
    """A case whose memory grows, or of which that can't be told."""
    if soak is None or soak.soak_verdict == "plateau":
        return []
    return [Caution(code="memory grows" if soak.soak_verdict == "growing" else "soak", text=soak.reason)]


class _Block(Record, frozen=True):
    minute: float  # when it began: the least of memory that grows is there
    least: float  # bytes
    most: float


def _judge(
    late: Sequence[SoakSample], blocks: Sequence[_Block], changes: Sequence[float], bounds: tuple[float, float, float]
) -> tuple[SoakVerdict, str]:
    slope, low, high = bounds
    minutes = (late[-1].elapsed_ns - late[0].elapsed_ns) / _MINUTE_NS
    said = f"by {_size(slope)} a minute ({_size(low)} to {_size(high)})"
    swing = median(block.most - block.least for block in blocks)  # a saw out of step with the blocks moves their least
    if low > 0 and slope * minutes >= max(LEAST_GROWTH, swing):
        first, second = (hodges_lehmann(part) for part in (changes[: BLOCKS // 2], changes[BLOCKS // 2 :]))
        if second < SLOWING * first:
            return "cannot tell", f"memory grew {said}, but ever more slowly: soak longer"
        each = slope * minutes / (late[-1].calls - late[0].calls) * 1000
        return "growing", f"memory grew {said} until the end, {_size(each)} every 1000 calls"
    if high <= NEGLIGIBLE or high * minutes < LEAST_GROWTH:
        return "plateau", f"memory stood: it changed {said}"
    return "cannot tell", f"memory changed {said}: growth can't be excluded, soak longer"


def _blocks(late: Sequence[SoakSample]) -> list[_Block]:
    edges = [round(i * len(late) / BLOCKS) for i in range(BLOCKS + 1)]
    private = all(one.private_bytes is not None for one in late)
    levels = [(one.private_bytes or 0) if private else one.rss_bytes for one in late]
    return [
        _Block(
            minute=late[start].elapsed_ns / _MINUTE_NS,
            least=min(levels[start:end]),
            most=max(levels[start:end]),
        )
        for start, end in pairwise(edges)
    ]


def _most(blocks: Sequence[_Block]) -> float:
    """The steepest line from the first third to the last, in bytes a minute."""
    first, last = blocks[: BLOCKS // 3], blocks[-(BLOCKS // 3) :]
    rise = max(block.least for block in last) - min(block.least for block in first)
    return rise / (fmean(block.minute for block in last) - fmean(block.minute for block in first))


def _size(n_bytes: float) -> str:
    """Never below a KiB: what the kernel counts in."""
    return f"{'-' * (n_bytes < 0)}{units.size(abs(n_bytes))}" if abs(n_bytes) >= 1024 else "0"
