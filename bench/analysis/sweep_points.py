"""The points of a sweep and what is said of all of them together. Pure: rows and values by repetition in.

A series is what one line is fitted through: a runtime at one batch size. A point that failed, disagrees or can't win
for another reason is kept with its reason and is in no fit, no comparison and on no front.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from bench.analysis.statistics import Interval, signed_rank_interval
from bench.analysis.summary import barred_rows
from bench.analysis.sweep_fit import Fit, Member, fit_line
from bench.records import SweepAxis, SweepPlan
from bench.rows import Row

MILLION = 1e6


@dataclass(frozen=True)
class Point:
    """One member of the family on one runtime."""

    row: Row
    values: Mapping[str, str]  # by axis
    series: str
    published: Mapping[str, float]  # accuracy by column: not measured; none where the row computes another precision
    latencies_ns: Mapping[int, float]  # median over rounds of a turn's fastest call, by repetition
    peaks_bytes: Mapping[int, float]  # peak resident memory, by repetition

    @cached_property
    def why_not(self) -> str:
        """Why it is in no fit, or ""."""
        barred = next((reason for _, reason in barred_rows([self.row])), "")
        return barred or ("" if self.latencies_ns else "no whole repetition yet")

    @property
    def name(self) -> str:
        """``alpha=0.25, resolution=128``."""
        return ", ".join(f"{axis}={value}" for axis, value in self.values.items())

    @cached_property
    def latency(self) -> Interval | None:
        """The row's latency with the interval over repetitions; None where it can't be used."""
        if self.why_not or self.row.latency_ns_best is None:
            return None
        bounds = signed_rank_interval(list(self.latencies_ns.values()))
        return msgspec.structs.replace(bounds, estimate=self.row.latency_ns_best)

    @property
    def macs_millions(self) -> float | None:
        """Multiply-adds of one call, for all items of its batch; None where they are unknown or none."""
        return self.row.macs * self.row.batch_size / MILLION if self.row.macs else None

    @property
    def params_millions(self) -> float | None:
        """Trainable parameters; None where they are unknown or none."""
        return self.row.params / MILLION if self.row.params else None


@dataclass(frozen=True)
class Strand:
    """The points of a series along one axis, all other axes fixed."""

    series: str
    fixed: str  # ``alpha=0.25``, the values that they share; "" where there is one axis
    points: tuple[Point, ...]
    fit: Fit  # of latency over multiply-adds


@dataclass(frozen=True)
class Swept:
    """Everything that is told of a sweep."""

    plan: SweepPlan
    points: tuple[Point, ...]  # in the grid's order, series by series within a point
    along: SweepAxis  # the axis that strands follow
    latency: Mapping[str, Fit]  # by series, over millions of multiply-adds
    memory: Mapping[str, Fit]  # by series, over millions of parameters
    strands: tuple[Strand, ...]

    @property
    def series(self) -> list[str]:
        """In the order of the runtimes."""
        return list(self.latency)

    @property
    def accuracies(self) -> list[str]:
        """Columns of published accuracy, those with a number for a point."""
        return list(dict.fromkeys(name for point in self.plan.points for name in point.published))

    def of(self, series: str) -> list[Point]:
        """The usable points of a series."""
        return [point for point in self.points if point.series == series and not point.why_not]

    @property
    def levels(self) -> dict[tuple[float | None, int], int]:
        """How many points have intervals of a level over so many repetitions; the most first."""
        return dict(Counter((p.latency.level, p.latency.n) for p in self.points if p.latency is not None).most_common())


def sweep_of(plan: SweepPlan, points: Sequence[Point]) -> Swept:
    """All that follows from the points."""
    along = max(reversed(plan.axes), key=lambda axis: len(axis.values))
    names = list(dict.fromkeys(point.series for point in points))
    usable = {name: [p for p in points if p.series == name and not p.why_not] for name in names}
    return Swept(
        plan=plan,
        points=tuple(points),
        along=along,
        latency={name: _fit_or_none(usable[name], latency_fit) for name in names},
        memory={name: _fit_or_none(usable[name], _memory_fit) for name in names},
        strands=tuple(strand for name in names for strand in _strands(name, usable[name], along)),
    )


def latency_fit(points: Sequence[Point]) -> Fit:
    """Of latency over millions of multiply-adds."""
    return _fit([Member(p.name, p.macs_millions, p.latencies_ns) for p in points if p.macs_millions], "multiply-adds")


def _memory_fit(points: Sequence[Point]) -> Fit:
    known = [Member(p.name, p.params_millions, p.peaks_bytes) for p in points if p.params_millions and p.peaks_bytes]
    return _fit(known, "parameters")


def _fit(members: Sequence[Member], what: str) -> Fit:
    return fit_line(members) if members else Fit(None, f"no point with known {what}")


def _fit_or_none(points: Sequence[Point], fit: Callable[[Sequence[Point]], Fit]) -> Fit:
    return fit(points) if points else Fit(None, "none of its points ran whole and was verified")


def _strands(series: str, points: Sequence[Point], along: SweepAxis) -> list[Strand]:
    """In the order of the grid, the points of each by the order of the axis' values."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        shared = ", ".join(f"{axis}={value}" for axis, value in point.values.items() if axis != along.name)
        groups.setdefault(shared, []).append(point)
    return [
        Strand(
            series=series,
            fixed=shared,
            points=tuple(sorted(those, key=lambda p: along.values.index(p.values[along.name]))),
            fit=latency_fit(those),
        )
        for shared, those in groups.items()
    ]
