"""Sizes and costs of a family's members -> a fixed cost and a cost per unit of size, or why there is no line. Pure.

``cost = fixed + slope * size``, fitted in each repetition by least squares of *relative* residuals, weights
``1 / cost ** 2``: a machine disturbs a latency by a share of it, so that with equal weights the large members alone
would decide the fixed cost. A coefficient's interval is over repetitions, as everywhere: 5 give 93.75 %, 3 a range.

A line is refused where it misses a member by more than ``STRAIGHT``, or where a coefficient says that it is no cost. A
miss whose interval over repetitions covers 0 may be the machine's noise: then it is unknown whether the line holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

    fixed: Interval  # cost at size 0
    slope: Interval  # cost per unit of size
    misses: Mapping[str, Interval]  # by member: the line over the cost, less 1; below 0 the line is below the cost
    r_squared: float  # of the weighted fit, over the estimates
    sizes: tuple[float, float]  # least and greatest: nothing is said beyond
    coefficients: Mapping[int, tuple[float, float]]  # by repetition: fixed, slope

    @property
    def worst(self) -> tuple[str, Interval]:
        """The member that it misses by most, and by how much."""
        return max(self.misses.items(), key=lambda one: abs(one[1].estimate))

    def at(self, size: float) -> float:
        """The line's cost."""
        return self.fixed.estimate + self.slope.estimate * size

    def bounds_at(self, size: float) -> Interval:
        """The same with its interval over repetitions."""
        return signed_rank_interval([fixed + slope * size for fixed, slope in self.coefficients.values()])


@dataclass(frozen=True)
class Fit:
    """A line that holds, or the reason why none does; a line that was found and does not hold is kept beside it."""

    line: Line | None
    reason: str = ""  # "" where the line holds

    @property
    def holds(self) -> bool:
        """Whether the line may be used."""
        return self.line is not None and not self.reason


def fit_line(members: Sequence[Member]) -> Fit:
    """The line through the members over the repetitions that all of them have."""
    sizes = {member.size for member in members}
    if len(sizes) < LEAST_SIZES:
        return Fit(None, f"{len(sizes)} different size{'s' * (len(sizes) != 1)}, a line needs {LEAST_SIZES}")
    common = sorted(set.intersection(*(set(member.costs) for member in members)))
    if not common:
        return Fit(None, "no repetition has all of its points")
    coefficients = {
        repetition: weighted_line([(m.size, m.costs[repetition]) for m in members]) for repetition in common
    }
    fixed = signed_rank_interval([fixed for fixed, _ in coefficients.values()])
    slope = signed_rank_interval([slope for _, slope in coefficients.values()])
    typical = [(m.size, signed_rank_interval([m.costs[r] for r in common]).estimate) for m in members]
    line = Line(
        fixed=fixed,
        slope=slope,
        misses={m.name: _miss(m, coefficients) for m in members},
        r_squared=_r_squared(typical, fixed.estimate, slope.estimate),
        sizes=(min(sizes), max(sizes)),
        coefficients=coefficients,
    )
    return _judged(line)


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
    name, miss = line.worst
    if abs(miss.estimate) > STRAIGHT:
        said = f"at {name} it is off by {_percent(miss.estimate)}"
        if miss.low is None or miss.high is None:
            return Fit(line, f"cannot tell whether it is a straight line: {said}, in one repetition")
        said += f" ({_percent(miss.low)} to {_percent(miss.high)})"
        if miss.low <= 0 <= miss.high:
            return Fit(line, f"cannot tell whether it is a straight line: {said}; measure on a quieter machine")
        return Fit(line, f"not a straight line: {said}")
    if line.slope.high is not None and line.slope.high <= 0:
        return Fit(line, "it does not grow with size")
    if line.fixed.high is not None and line.fixed.high < 0:
        return Fit(line, "below zero at size 0: what a unit of size costs grows with size")
    return Fit(line)


def _percent(share: float) -> str:
    return f"{100 * share:+.0f} %"
