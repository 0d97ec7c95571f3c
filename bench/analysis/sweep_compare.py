"""Which of two runtimes is faster at which size, and which points are a sensible choice by accuracy and latency. Pure.

Rows of one point are compared by their ratios within rounds that they shared (``ranking.py``). A size from which the
other runtime is the faster one is told only where both sides were told apart; the lines' crossing is beside it, never
instead of it. Points of different sizes shared no round: they are told apart where their intervals do not overlap.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.analysis.doubts import INTERVAL_LEVEL
from bench.analysis.ranking import bounds_of, is_only_a_range, is_told_faster
from bench.analysis.statistics import Interval, signed_rank_interval
from bench.analysis.sweep_fit import Fit
from bench.analysis.sweep_points import Point, Swept


@dataclass(frozen=True)
class Contest:
    """Two series at the points that both have."""

    first: str
    second: str
    compared: int  # points with intervals of both
    first_wins: tuple[Point, ...]  # points of the first at which it is told to be faster
    second_wins: tuple[Point, ...]  # points of the second
    is_range: bool  # the intervals decide nothing
    crossing: Interval | None  # millions of multiply-adds at which the fitted lines cross, within the sizes measured

    @property
    def is_by_size(self) -> bool:
        """Whether each wins on a side of its own: one up to a size, the other from a greater one."""
        return bool(self.first_wins and self.second_wins) and (
            _span(self.first_wins)[1] < _span(self.second_wins)[0]
            or _span(self.second_wins)[1] < _span(self.first_wins)[0]
        )


def contests(swept: Swept) -> list[Contest]:
    """Every pair of series that shares points, in the order of the series."""
    pairs = itertools.combinations(swept.series, 2)
    found = [_contest(swept, first, second) for first, second in pairs]
    return [one for one in found if one is not None]


def _contest(swept: Swept, first: str, second: str) -> Contest | None:
    theirs = {(p.row.model, p.row.batch_size): p for p in swept.of(second)}
    pairs = [(p, theirs[key]) for p in swept.of(first) if (key := (p.row.model, p.row.batch_size)) in theirs]
    pairs = [(a, b) for a, b in pairs if _is_comparable(a, b)]
    if not pairs:
        return None
    return Contest(
        first=first,
        second=second,
        compared=len(pairs),
        first_wins=tuple(a for a, b in pairs if is_told_faster(a.row, b.row)),
        second_wins=tuple(b for a, b in pairs if is_told_faster(b.row, a.row)),
        is_range=any(is_only_a_range([a.row, b.row]) for a, b in pairs),
        crossing=crossing_of(swept.latency[first], swept.latency[second]),
    )


def _is_comparable(a: Point, b: Point) -> bool:
    return (
        a.row.reference_runtime == b.row.reference_runtime
        and bounds_of(a.row) is not None
        and bounds_of(b.row) is not None
    )


def crossing_of(first: Fit, second: Fit) -> Interval | None:
    """The size at which two lines that hold cross, over the repetitions of both; None unless all of them do, in turn.

    Each repetition must have the same one of the two ahead at the least size and the other one at the greatest.
    """
    if first.line is None or second.line is None or not (first.holds and second.holds):
        return None
    least = max(first.line.sizes[0], second.line.sizes[0])
    greatest = min(first.line.sizes[1], second.line.sizes[1])
    sizes, ahead = [], set()
    for repetition in first.line.coefficients.keys() & second.line.coefficients.keys():
        fixed, slope = (
            a - b
            for a, b in zip(first.line.coefficients[repetition], second.line.coefficients[repetition], strict=True)
        )
        low, high = fixed + slope * least, fixed + slope * greatest
        if low * high >= 0:
            return None
        ahead.add(low < 0)
        sizes.append(-fixed / slope)
    return signed_rank_interval(sizes) if len(ahead) == 1 else None


def front_of(points: Sequence[Point], column: str) -> set[str]:
    """Case ids of the points of one series to which no other is preferable: as accurate, and told to be faster.

    More accurate at a latency that is not told apart counts too. Points without the accuracy are left out.
    """
    known = [p for p in points if column in p.published and p.latency is not None]
    return {
        p.row.case_id for p in known if not any(_is_preferable(other, p, column) for other in known if other is not p)
    }


def _is_preferable(other: Point, point: Point, column: str) -> bool:
    gain = other.published[column] - point.published[column]
    if gain < 0 or _is_faster(point, other):
        return False
    return gain > 0 or _is_faster(other, point)


def _is_faster(one: Point, other: Point) -> bool:
    ours, theirs = one.latency, other.latency
    assert ours is not None
    assert theirs is not None
    if ours.high is None or theirs.low is None:
        return ours.estimate < theirs.estimate
    return ours.high < theirs.low


def is_range(level: float | None) -> bool:
    """Whether intervals of this level decide nothing."""
    return level is None or level < INTERVAL_LEVEL


def _span(points: Sequence[Point]) -> tuple[float, float]:
    sizes = [p.macs_millions or 0.0 for p in points]
    return min(sizes), max(sizes)


def fronts(swept: Swept) -> Mapping[str, set[str]]:
    """By column of accuracy, the case ids on the fronts of all series."""
    return {
        column: set().union(*(front_of(swept.of(name), column) for name in swept.series)) for column in swept.accuracies
    }
