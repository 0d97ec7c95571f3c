"""Sizes and costs of a family's members -> a fixed cost and a cost per unit of size, or why there is no line. Pure.

``cost = fixed + slope * size``, fitted in each repetition by least squares of *relative* residuals, weights
``1 / cost ** 2``: a machine disturbs a latency by a share of it, so that with equal weights the large members alone
would decide the fixed cost. A coefficient's bounds are those over repetitions, widened to hold the bounds of every line
without one of the members, and Student's t bounds by the members' scatter about the line: members that are off the line
move both coefficients in each repetition alike, which repetitions can't show. A bend that stays within ``STRAIGHT`` can
still move the fixed cost by more than the bounds say.

A line is refused where it misses a member by more than ``STRAIGHT``, or where a coefficient says that it is no cost. A
miss whose interval over repetitions covers 0 may be the machine's noise: then it is unknown whether the line holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from bench.analysis.statistics import Interval, signed_rank_interval

LEAST_SIZES = 3  # distinct: through two there is always a line, and nothing that could contradict it
STRAIGHT = 0.10  # of its cost that a line may miss a member by


@dataclass(frozen=True)
class Member:
    """One member of the family."""

    name: str
    size: float  # positive: multiply-adds or parameters, in millions
    costs: Mapping[int, float]  # positive, by repetition: ns or bytes


@dataclass(frozen=True)
class Line:
    """A straight line through the members, and how far they are off it."""

    fixed: Interval  # cost at size 0; bounds widened beyond their level
    slope: Interval  # cost per unit of size, as well
    misses: Mapping[str, Interval]  # by member: the line over the cost, less 1; below 0 the line is below the cost
    r_squared: float  # of the weighted fit, over the estimates
    sizes: tuple[float, float]  # least and greatest: nothing is said beyond
    coefficients: Mapping[int, tuple[float, float]]  # by repetition: fixed, slope

    @property
    def worst(self) -> tuple[str, Interval]:
        """The member that it misses by most, and by how much."""
        return _furthest(self.misses)

    def at(self, size: float) -> float:
        """The line's cost."""
        return self.fixed.estimate + self.slope.estimate * size


@dataclass(frozen=True)
class Fit:
    """A line that holds, or the reason why none does; a line that was found and does not hold is kept beside it."""

    line: Line | None
    reason: str = ""  # "" where the line holds
    left_out: tuple[str, ...] = ()  # members with too few repetitions, in no line

    @property
    def holds(self) -> bool:
        """Whether the line may be used."""
        return self.line is not None and not self.reason


def fit_line(members: Sequence[Member]) -> Fit:
    """The line through the members over the repetitions that all of them have.

    Members are left out where that gives up fewer of them than it brings repetitions: see ``_kept``.
    """
    sizes = {member.size for member in members}
    if len(sizes) < LEAST_SIZES:
        return Fit(None, f"{len(sizes)} different size{'s' * (len(sizes) != 1)}, a line needs {LEAST_SIZES}")
    kept, common = _kept(members)
    left_out = tuple(member.name for member in members if member not in kept)
    if not common:
        return Fit(None, "no repetition has all of its points", left_out)
    return replace(_judged(_line(kept, common)), left_out=left_out)


def _kept(members: Sequence[Member]) -> tuple[list[Member], list[int]]:
    """The members and their common repetitions with the most of both: as many costs as can be had of whole repetitions.

    Repetitions are those of all members, or all those of one of them; the former where they are equal.
    """
    everywhere = set.intersection(*(set(member.costs) for member in members))
    best = list(members), sorted(everywhere)
    for wanted in (set(member.costs) for member in members):
        kept = [member for member in members if wanted <= set(member.costs)]
        if len({m.size for m in kept}) >= LEAST_SIZES and len(kept) * len(wanted) > len(best[0]) * len(best[1]):
            best = kept, sorted(wanted)
    return best


def _line(members: Sequence[Member], common: Sequence[int]) -> Line:
    coefficients = _coefficients(members, common)
    fixed, slope = _widened(members, common, 0), _widened(members, common, 1)
    sizes = [member.size for member in members]
    return Line(
        fixed=fixed,
        slope=slope,
        misses={m.name: _miss(m, coefficients) for m in members},
        r_squared=_r_squared(_typical(members, common), fixed.estimate, slope.estimate),
        sizes=(min(sizes), max(sizes)),
        coefficients=coefficients,
    )


def _coefficients(members: Sequence[Member], common: Sequence[int]) -> dict[int, tuple[float, float]]:
    """By repetition: fixed, slope."""
    return {r: weighted_line([(m.size, m.costs[r]) for m in members]) for r in common}


def _widened(members: Sequence[Member], common: Sequence[int], place: int) -> Interval:
    """A coefficient; its bounds hold those by scatter, and of every line without one member, down to two sizes."""
    whole = signed_rank_interval([found[place] for found in _coefficients(members, common).values()])
    if whole.low is None or whole.high is None:
        return whole
    half = _scatter(members, common, whole.level or 0.0)[place]
    lows, highs = [whole.low, whole.estimate - half], [whole.high, whole.estimate + half]
    for member in members:
        others = [other for other in members if other is not member]
        if len({other.size for other in others}) > 1:
            found = signed_rank_interval([c[place] for c in _coefficients(others, common).values()])
            lows += [] if found.low is None else [found.low]
            highs += [] if found.high is None else [found.high]
    return msgspec.structs.replace(whole, low=min(lows), high=max(highs))


def _scatter(members: Sequence[Member], common: Sequence[int], level: float) -> tuple[float, float]:
    """Half the t interval of fixed cost and slope, by how far the line is off the members."""
    from scipy.special import stdtrit

    coefficients = _coefficients(members, common)
    off = sum(_miss(member, coefficients).estimate ** 2 for member in members)
    points = _typical(members, common)
    weights = [1 / cost**2 for _, cost in points]
    mean_size = sum(w * size for w, (size, _) in zip(weights, points, strict=True)) / sum(weights)
    spread = sum(w * (size - mean_size) ** 2 for w, (size, _) in zip(weights, points, strict=True))
    free = len(points) - 2
    reach = float(stdtrit(free, (1 + level) / 2)) * math.sqrt(off / free)
    return reach * math.sqrt(1 / sum(weights) + mean_size**2 / spread), reach / math.sqrt(spread)


def _typical(members: Sequence[Member], common: Sequence[int]) -> list[tuple[float, float]]:
    """Each member's size and its cost over the repetitions."""
    return [(m.size, signed_rank_interval([m.costs[r] for r in common]).estimate) for m in members]


def _miss(member: Member, coefficients: Mapping[int, tuple[float, float]]) -> Interval:
    return signed_rank_interval(
        [(fixed + slope * member.size) / member.costs[r] - 1 for r, (fixed, slope) in coefficients.items()]
    )


def weighted_line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Fixed cost and slope with the least sum of ``((cost - line) / cost) ** 2``; sizes must differ."""
    weights = [1 / cost**2 for _, cost in points]
    total = sum(weights)
    mean_size = sum(w * size for w, (size, _) in zip(weights, points, strict=True)) / total
    mean_cost = sum(w * cost for w, (_, cost) in zip(weights, points, strict=True)) / total
    spread = sum(w * (size - mean_size) ** 2 for w, (size, _) in zip(weights, points, strict=True))
    joint = sum(w * (size - mean_size) * (cost - mean_cost) for w, (size, cost) in zip(weights, points, strict=True))
    slope = joint / spread
    return mean_cost - slope * mean_size, slope


def _r_squared(points: Sequence[tuple[float, float]], fixed: float, slope: float) -> float:
    weights = [1 / cost**2 for _, cost in points]
    mean = sum(w * cost for w, (_, cost) in zip(weights, points, strict=True)) / sum(weights)
    around = sum(w * (cost - mean) ** 2 for w, (_, cost) in zip(weights, points, strict=True))
    off = sum(w * (cost - fixed - slope * size) ** 2 for w, (size, cost) in zip(weights, points, strict=True))
    return 1 - off / around if around else 0.0


def _judged(line: Line) -> Fit:
    missed = {name: miss for name, miss in line.misses.items() if abs(miss.estimate) > STRAIGHT}
    sure = {name: miss for name, miss in missed.items() if not _covers_zero(miss)}
    if missed:
        return Fit(line, _bent(*_furthest(sure or missed), is_sure=bool(sure)))
    return Fit(line, _no_cost(line))


def _bent(name: str, miss: Interval, *, is_sure: bool) -> str:
    """Why a line with such a miss does not hold, or may not."""
    said = f"at {name} it is off by {_percent(miss.estimate)}"
    if miss.low is None or miss.high is None:
        return f"cannot tell whether it is a straight line: {said}, in one repetition"
    said += f" ({_percent(miss.low)} to {_percent(miss.high)})"
    if is_sure:
        return f"not a straight line: {said}"
    return f"cannot tell whether it is a straight line: {said}; measure on a quieter machine"


def _no_cost(line: Line) -> str:
    """Why its coefficients are no costs, or ""."""
    fixed, slope = (signed_rank_interval([one[place] for one in line.coefficients.values()]) for place in (0, 1))
    if _top(slope) <= 0:
        doubt = "cannot tell whether it grows with size: it does not"
        return _doubted(doubt, slope, is_sure=_top(line.slope) <= 0) or "it does not grow with size"
    if _top(fixed) < 0:
        doubt = "cannot tell what it is at size 0: below zero"
        sure = "below zero at size 0: what a unit of size costs grows with size"
        return _doubted(doubt, fixed, is_sure=_top(line.fixed) < 0) or sure
    return ""


def _doubted(doubt: str, over_repetitions: Interval, *, is_sure: bool) -> str:
    """The doubt with its reason, or "" where the widened bounds say what repetitions say."""
    if over_repetitions.high is None:
        return f"{doubt} in one repetition"
    return "" if is_sure else f"{doubt}, but the points' scatter about the line leaves it open"


def _top(interval: Interval) -> float:
    return interval.estimate if interval.high is None else interval.high


def _covers_zero(miss: Interval) -> bool:
    return miss.low is None or miss.high is None or miss.low <= 0 <= miss.high


def _furthest(misses: Mapping[str, Interval]) -> tuple[str, Interval]:
    return max(misses.items(), key=lambda one: abs(one[1].estimate))


def _percent(share: float) -> str:
    return f"{100 * share:+.0f} %"
