"""Which of two runtimes is faster at which size, and which points are a sensible choice by accuracy and latency. Pure.

Rows of one point are compared by their ratios within rounds that they shared (``ranking.py``). One such comparison is
wrong in up to 6.25 % of like pairs, so a runtime is told to be faster only where it is ahead at more points than chance
brings: see ``least_wins``. Points of different sizes shared no round: they are told apart where their intervals do not
overlap.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from bench.analysis.doubts import INTERVAL_LEVEL
from bench.analysis.ranking import bounds_of, is_only_a_range, is_told_faster
from bench.analysis.statistics import Interval, signed_rank_interval
from bench.analysis.sweep_fit import Fit
from bench.analysis.sweep_points import Point, Swept

ALPHA = 0.03125  # chance that a sweep of like runtimes tells a difference: no more than the verdict of one group
Pair = tuple[Point, Point]


@dataclass(frozen=True)
class Contest:
    """Two series at the points that both have."""

    first: str
    second: str
    points: int  # that one of them has, usable or not
    compared: int  # points with intervals of both
    apart: int  # points at which the intervals do not overlap: more than the wins where chance may have brought them
    first_wins: tuple[Point, ...]  # points of the first at which it is told to be faster
    second_wins: tuple[Point, ...]  # points of the second
    is_range: bool  # the intervals decide nothing
    crossing: Interval | None  # millions of multiply-adds at which the fitted lines cross, between the wins of both

    @property
    def is_by_size(self) -> bool:
        """Whether each wins on a side of its own: one at lesser sizes, the other at greater ones."""
        return _gap(self.first_wins, self.second_wins) is not None


def contests(swept: Swept) -> list[Contest]:
    """Every pair of series that has points to compare, in the order of the series."""
    found = {
        (first, second): pairs
        for first, second in itertools.combinations(swept.series, 2)
        if (pairs := _pairs(swept, first, second))
    }
    return [_contest(swept, names, pairs, ALPHA / len(found)) for names, pairs in found.items()]


def _pairs(swept: Swept, first: str, second: str) -> list[Pair]:
    theirs = {_key(p): p for p in swept.of(second)}
    both = [(p, theirs[_key(p)]) for p in swept.of(first) if _key(p) in theirs]
    return [(a, b) for a, b in both if _is_comparable(a, b)]


def _contest(swept: Swept, names: tuple[str, str], pairs: Sequence[Pair], alpha: float) -> Contest:
    first_ahead = [a for a, b in pairs if is_told_faster(a.row, b.row)]
    second_ahead = [b for a, b in pairs if is_told_faster(b.row, a.row)]
    level, n = _least_level(pairs), len(pairs)
    first_wins = first_ahead if len(first_ahead) >= least_wins(n - len(second_ahead), level, alpha / 2) else []
    second_wins = second_ahead if len(second_ahead) >= least_wins(n - len(first_ahead), level, alpha / 2) else []
    return Contest(
        first=names[0],
        second=names[1],
        points=len({_key(p) for p in swept.points if p.series in names}),
        compared=n,
        apart=len(first_ahead) + len(second_ahead),
        first_wins=tuple(first_wins),
        second_wins=tuple(second_wins),
        is_range=any(is_only_a_range([a.row, b.row]) for a, b in pairs),
        crossing=_crossing_between(swept.latency[names[0]], swept.latency[names[1]], first_wins, second_wins),
    )


def least_wins(points: int, level: float, alpha: float) -> int:
    """At how many of ``points`` a runtime must be ahead, so that one that is faster nowhere is in at most ``alpha``.

    ``points`` are those at which the other one is not ahead, so that what each is told is right whatever the other is.
    An interval of ``level`` puts a like runtime ahead by chance with ``(1 - level) / 2``, points independently of one
    another: each is measured in processes of its own. Above ``points`` where no number is enough.
    """
    chance = (1 - level) / (1 + level)  # (1 - level) / 2, given that the other is not ahead
    return next(wins for wins in range(1, points + 2) if _at_least(wins, points, chance) <= alpha)


def _at_least(wins: int, points: int, chance: float) -> float:
    """The binomial probability of as many wins or more."""
    return sum(math.comb(points, k) * chance**k * (1 - chance) ** (points - k) for k in range(wins, points + 1))


def _least_level(pairs: Sequence[Pair]) -> float:
    """Of the ratios' intervals; 0 where one has no level."""
    rows = [point.row for pair in pairs for point in pair if bounds_of(point.row) != (1.0, 1.0)]
    return min((row.interval_level or 0.0 for row in rows), default=0.0)


def _key(point: Point) -> tuple[str, int]:
    return point.row.model, point.row.batch_size


def _is_comparable(a: Point, b: Point) -> bool:
    return (
        a.row.reference_runtime == b.row.reference_runtime
        and bounds_of(a.row) is not None
        and bounds_of(b.row) is not None
    )


def _gap(first_wins: Sequence[Point], second_wins: Sequence[Point]) -> tuple[float, float] | None:
    """The sizes between which the faster one changes; None where both win in turns, or a size is unknown."""
    first, second = ([p.macs_millions for p in wins if p.macs_millions] for wins in (first_wins, second_wins))
    if not first or not second or len(first) + len(second) < len(first_wins) + len(second_wins):
        return None
    small, large = (first, second) if max(first) < max(second) else (second, first)
    return (max(small), min(large)) if max(small) < min(large) else None


def _crossing_between(
    first: Fit, second: Fit, first_wins: Sequence[Point], second_wins: Sequence[Point]
) -> Interval | None:
    """Where the lines cross, if that is where the points say and in their direction."""
    gap, found = _gap(first_wins, second_wins), crossing_of(first, second)
    if gap is None or found is None or first.line is None or second.line is None:
        return None
    is_steeper = first.line.slope.estimate > second.line.slope.estimate
    is_small = all(p.macs_millions is not None and p.macs_millions <= gap[0] for p in first_wins)
    return found if gap[0] <= found.estimate <= gap[1] and is_steeper == is_small else None


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
    """Case ids of the points of one series to which no other of them is preferable; any other point has one that is.

    Preferable is as accurate and told to be faster, or more accurate and not told to be slower. That is not transitive,
    so it is gone through from the most accurate down. Points without the accuracy are left out. Ranges, which decide
    nothing, make no front: it is empty then.
    """
    front: list[Point] = []
    those = _with_accuracy(points, column)
    if any(is_range(point.latency.level) for point in those if point.latency is not None):
        return set()
    for point in sorted(those, key=lambda p: _by_accuracy(p, column)):
        if not any(_is_preferable(other, point, column) for other in front):
            front.append(point)
    return {point.row.case_id for point in front}


def _with_accuracy(points: Sequence[Point], column: str) -> list[Point]:
    return [p for p in points if column in p.published and p.latency is not None]


def _by_accuracy(point: Point, column: str) -> tuple[float, float]:
    """The most accurate first, of equals the faster."""
    assert point.latency is not None
    return -point.published[column], point.latency.estimate


def _is_preferable(other: Point, point: Point, column: str) -> bool:
    gain = other.published[column] - point.published[column]
    if gain < 0 or _is_faster(point, other):
        return False
    return gain > 0 or _is_faster(other, point)


def _is_faster(one: Point, other: Point) -> bool:
    ours, theirs = one.latency, other.latency
    assert ours is not None
    assert theirs is not None
    return ours.high is not None and theirs.low is not None and ours.high < theirs.low


def is_range(level: float | None) -> bool:
    """Whether intervals of this level decide nothing."""
    return level is None or level < INTERVAL_LEVEL


def fronts(swept: Swept) -> Mapping[str, set[str]]:
    """By column of accuracy, the case ids on the fronts of all series."""
    return {
        column: set().union(*(front_of(swept.of(name), column) for name in swept.series)) for column in swept.accuracies
    }


def fronted(swept: Swept, front: Container[str]) -> set[str]:
    """The series that have a front of an accuracy: those of the cases that are on it."""
    return {point.series for point in swept.points if point.row.case_id in front}
