"""Two profiled cases -> which operators explain how much of the change from A to B. Pure.

Kernels are matched by ``kernel_match``. Times are of profiled calls; what is outside of kernels is, repetition by
repetition, wall time less that of all kernels. Medians of parts do not add up to the median of the whole: what they
leave over is a line of its own that explains nothing. Whether there is a change at all is a matter of the plain latency
too: what only the profiler sees is no change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Literal

import msgspec

from bench import units
from bench.analysis.doubts import INTERVAL_LEVEL
from bench.analysis.kernel_match import match_kernels
from bench.analysis.operators import OUTSIDE
from bench.analysis.profile_times import summed, wall_times
from bench.analysis.profiled import Kernel, ProfiledCase
from bench.analysis.rank_sum import shift_interval
from bench.analysis.roofline import Roof
from bench.analysis.statistics import Interval, signed_rank_interval
from bench.analysis.two_runs import doubt_of_two_runs, is_beyond, made_by, roofs_moved
from bench.records import Record

LEAST_REPETITIONS = 5  # of an interval, of each side: in pairs 93.75 %; 4 give only 87.5 %
NAMED_FROM = 0.1  # a line that explains less of the change is not named as its reason

LEFT_OVER = "left over by medians"  # of the total, by all lines

Presence = Literal["both", "only in A", "only in B"]


class Change(Record, frozen=True):
    """What one operator of one place costs on each side, in ns of a profiled call."""

    name: str  # "Transpose to_nchw", "Conv -> FusedConv in conv1 + relu1", OUTSIDE, LEFT_OVER
    presence: Presence
    a_ns: float
    b_ns: float
    change: Interval  # B less A
    is_told: bool  # whether the bounds of the change leave out 0
    explains: float | None = None  # share of the total change; None where that is not told apart from noise


class ProfileDiff(Record, frozen=True):
    """The change from A to B, the line that explains most of it first."""

    a: str  # names of the cases
    b: str
    is_paired: bool  # measured interleaved by one command
    total: Interval  # of the profiled wall time, ns
    plain: Interval | None  # of the latency without profile
    a_ns: float  # profiled wall time
    b_ns: float
    doubt: str  # why the change is not told apart from noise; "" where it is
    changes: tuple[Change, ...]
    rounding_ns: int = 0  # up to which a change of what is outside of kernels may be theirs, cut off

    @property
    def is_told(self) -> bool:
        """Whether there is a change that noise does not explain."""
        return not self.doubt


class _Sides(Record, frozen=True):
    """Both cases and how differences of their repetitions are bounded."""

    a: ProfiledCase
    b: ProfiledCase
    is_paired: bool

    @property
    def rounding_ns(self) -> int:
        """Of a change of what is outside of kernels: they may have taken so much longer on one side."""
        return max(self.a.rounding_ns, self.b.rounding_ns)

    def change(self, a: Sequence[float], b: Sequence[float]) -> Interval:
        """B less A of values by repetition, Hodges-Lehmann's estimate; bounds are None where there are too few."""
        return signed_rank_interval(self._differences(a, b)) if self.is_paired else shift_interval(a, b)

    def _differences(self, a: Sequence[float], b: Sequence[float]) -> list[float]:
        ours, theirs = dict(zip(self.a.repetitions, a, strict=True)), dict(zip(self.b.repetitions, b, strict=True))
        return [theirs[number] - value for number, value in ours.items() if number in theirs]

    def line(self, name: str, a: Sequence[Kernel], b: Sequence[Kernel]) -> Change:
        """One line of these kernels."""
        presence: Presence = "both" if a and b else "only in A" if a else "only in B"
        return self._line(name, summed(a, self.a), summed(b, self.b), presence)

    def outside(self) -> Change:
        """What no kernel explains; told where it is more than what times of kernels that are cut off leave there."""
        ours, theirs = (
            [wall - spent for wall, spent in zip(wall_times(c), summed(c.kernels, c), strict=True)]
            for c in (self.a, self.b)
        )
        found = self._line(OUTSIDE, ours, theirs, "both")
        return msgspec.structs.replace(found, is_told=is_told(found.change, beyond_ns=self.rounding_ns))

    def _line(self, name: str, a: Sequence[float], b: Sequence[float], presence: Presence) -> Change:
        change = self.change(a, b)
        return Change(
            name=name, presence=presence, a_ns=median(a), b_ns=median(b), change=change, is_told=is_told(change)
        )


def diff_profiles(
    a: ProfiledCase,
    b: ProfiledCase,
    *,
    is_paired: bool,
    roofs: tuple[Roof | None, Roof | None] = (None, None),
    cpus: int = 0,
    barred: str = "",
) -> ProfileDiff:
    """The change from A to B; both have kernels, in at least one repetition in common where they are paired.

    ``roofs`` and ``cpus``: of the two commands where they are two: see ``two_runs``; the fewer CPUs, 0 where unknown.
    ``barred``: why a side cannot win, so that no change is told; "" where both can.
    """
    sides = _Sides(a=a, b=b, is_paired=is_paired)
    total = sides.change(wall_times(a), wall_times(b))
    plain = _plain_change(sides)
    doubt = barred or _range_doubt(sides, total) or _doubt(total, plain)
    lines = [sides.line(one.name, one.ours, one.theirs) for one in match_kernels(a, b)]
    lines.append(sides.outside())
    if not is_paired:
        moved, has_free_core = roofs_moved(roofs), max(one.row.threads * one.row.streams for one in (a, b)) < cpus
        doubt = doubt or _doubt_of_two_runs(sides, total, plain, lines, moved=moved, has_free_core=has_free_core)
        lines = [_of_two_runs(line, moved=moved, has_free_core=has_free_core) for line in lines]
    lines.append(_left_over(sides, total, lines))
    if not doubt:
        lines = [_explaining(line, total.estimate) for line in lines]
    return ProfileDiff(
        a=a.row.case_id,
        b=b.row.case_id,
        is_paired=is_paired,
        total=total,
        plain=plain,
        a_ns=median(wall_times(a)),
        b_ns=median(wall_times(b)),
        doubt=doubt,
        rounding_ns=sides.rounding_ns,
        changes=tuple(sorted(lines, key=_order(total.estimate))),
    )


def is_told(change: Interval, beyond_ns: float = 0.0) -> bool:
    """Whether an interval is above or below 0 by more than that; a range, or a single repetition, tells nothing."""
    if change.low is None or change.high is None or is_range(change):
        return False
    return change.low > beyond_ns or change.high < -beyond_ns


def is_range(change: Interval) -> bool:
    """Whether there are bounds, of too low a level or over too few repetitions of a side to decide anything."""
    return change.level is not None and (change.level < INTERVAL_LEVEL or change.n < LEAST_REPETITIONS)


def dearest(diff: ProfileDiff) -> Change | None:
    """The line that is named as the change's reason; None where it is spread over many, or there is no change."""
    first = next((line for line in diff.changes if line.is_told and line.explains is not None), None)
    return first if first is not None and (first.explains or 0.0) >= NAMED_FROM else None


def _order(total_ns: float) -> Callable[[Change], tuple[bool, bool, float]]:
    """Lines that are told apart first, in the order of what they add in the direction of the total."""
    sign = math.copysign(1.0, total_ns)
    return lambda line: (line.name == LEFT_OVER, not line.is_told, -sign * line.change.estimate)


def _explaining(line: Change, total_ns: float) -> Change:
    return msgspec.structs.replace(line, explains=line.change.estimate / total_ns if total_ns else None)


def _plain_change(sides: _Sides) -> Interval | None:
    """Of the latency without profile; None where a repetition of a side has none."""
    a, b = ([one for one in side.plain_ns if one is not None] for side in (sides.a, sides.b))
    if not a or not b or len(a) < len(sides.a.plain_ns) or len(b) < len(sides.b.plain_ns):
        return None
    return sides.change(a, b)


def _doubt(total: Interval, plain: Interval | None) -> str:
    """Why there may be no change; "" where profiled and plain times both say that there is, in one direction."""
    if total.low is None:
        return "a single repetition tells nothing of noise"
    if not is_told(total):
        return "the profiled times are not told apart from noise"
    if plain is None:
        return "there is no plain latency of both sides to confirm it"
    if not is_told(plain):
        return "the latency without profile is not told apart from noise"
    if plain.estimate * total.estimate < 0:
        return "the latency without profile moved the other way: it is the profiler's own cost that differs"
    return ""


def _range_doubt(sides: _Sides, total: Interval) -> str:
    """Whether there are too few repetitions for an interval."""
    if not is_range(total):
        return ""
    of = f"{total.n} {'pairs of repetitions' if sides.is_paired else 'repetitions of a side'}"
    level = units.percent(round(total.level or 0.0, 4))
    return f"a range ({level} over {of}) decides nothing; measure {LEAST_REPETITIONS} or more, without --quick"


def _doubt_of_two_runs(
    sides: _Sides,
    total: Interval,
    plain: Interval | None,
    lines: Sequence[Change],
    *,
    moved: tuple[float, float] | None,
    has_free_core: bool,
) -> str:
    ratios = [(total, median(wall_times(sides.a)))]
    if plain is not None:
        ratios.append((plain, median(one for one in sides.a.plain_ns if one is not None)))
    a, b = (made_by(one.row) for one in (sides.a, sides.b))
    return doubt_of_two_runs(lines, ratios=ratios, moved=moved, has_free_core=has_free_core, is_like=a == b)


def _of_two_runs(line: Change, *, moved: tuple[float, float] | None, has_free_core: bool) -> Change:
    """A line of both sides is told only where its change is beyond what two runs of like code may differ by."""
    if line.presence != "both" or (has_free_core and is_beyond(line.change, line.a_ns, moved)):
        return line
    return msgspec.structs.replace(line, is_told=False)


def _left_over(sides: _Sides, total: Interval, lines: Sequence[Change]) -> Change:
    """With it all lines add up to the total."""
    change = total.estimate - sum(line.change.estimate for line in lines)
    return Change(
        name=LEFT_OVER,
        presence="both",
        a_ns=median(wall_times(sides.a)) - sum(line.a_ns for line in lines),
        b_ns=median(wall_times(sides.b)) - sum(line.b_ns for line in lines),
        change=Interval(estimate=change, low=None, high=None, level=None, n=total.n),
        is_told=False,
    )
