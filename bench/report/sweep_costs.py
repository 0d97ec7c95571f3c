"""A sweep's lines in words: the fixed cost and that of a multiply-add or a parameter, or why none is told. Pure.

A cost whose bounds hold 0 is unknown, which is not 0: it is not told, only its bounds are.
"""

from __future__ import annotations

from bench import units
from bench.analysis.statistics import Interval
from bench.analysis.sweep_compare import is_range
from bench.analysis.sweep_fit import Fit, Line
from bench.analysis.sweep_points import MILLION, Swept

_NOT_TOLD = "not told apart from 0"


def along_text(swept: Swept) -> list[str]:
    """Of each runtime without a line over all points those along one axis."""
    return [f"{name}: {text}" for name in swept.series if (text := _along(swept, name))]


def cost_text(fit: Fit, points: int) -> str:
    """``0.19 ms (0.16 ms to 0.23 ms) and 14 us (...) per million multiply-adds``, or why not."""
    if not fit.holds or fit.line is None:
        return f"no line over all sizes: {fit.reason}."
    line = fit.line
    return (
        f"{_costs(line, 'million multiply-adds')}, over {_used(fit, points)} "
        f"from {millions(line.sizes[0])} to {millions(line.sizes[1])} ({miss_text(line)}){_own_level(line)}."
    )


def _costs(line: Line, per: str, *, size: bool = False) -> str:
    """Both costs, each told or said to be unknown; ``size``: bytes."""
    what = "memory" if size else "cost"
    fixed, slope = bounded(line.fixed, size=size), bounded(line.slope, size=size)
    told = [
        _unknown(line.fixed, f"fixed {what}", size=size) if holds_zero(line.fixed) else fixed,
        _unknown(line.slope, f"{what} per {per}", size=size) if holds_zero(line.slope) else f"{slope} per {per}",
    ]
    return ("; " if holds_zero(line.fixed) or holds_zero(line.slope) else " and ").join(told)


def _unknown(cost: Interval, what: str, *, size: bool) -> str:
    return f"no {what} can be told ({_bounds(cost, size=size)}: {_NOT_TOLD})"


def holds_zero(cost: Interval) -> bool:
    """Whether the bounds hold 0, so that the cost may as well be none."""
    return cost.low is not None and cost.high is not None and cost.low <= 0 <= cost.high


def cost_cell(cost: Interval) -> str:
    """A cost in ns for a table."""
    return f"{_NOT_TOLD} ({_bounds(cost)})" if holds_zero(cost) else bounded(cost)


def _used(fit: Fit, points: int) -> str:
    """How many points the line is through: of those that could be used."""
    used = len(fit.line.misses) if fit.line is not None else 0
    return units.counted(used, "point") if used == points else f"{used} of {units.counted(points, 'point')}"


def _own_level(line: Line) -> str:
    """What its brackets are where they are no intervals."""
    if line.fixed.level is None:
        return "; one repetition has no intervals"
    if not is_range(line.fixed.level):
        return ""
    return (
        f"; in brackets {units.percent(line.fixed.level)} ranges over {line.fixed.n} repetitions, which decide nothing"
    )


def _along(swept: Swept, name: str) -> str:
    """The lines along one axis, where none holds over all points."""
    held = [(s.fixed, s.fit.line) for s in swept.strands if s.series == name and s.fit.holds and s.fit.line is not None]
    if swept.latency[name].holds or not held or not held[0][0]:
        return ""
    each = (f"{fixed}: {_costs(line, 'million')}{_own_level(line)}" for fixed, line in held)
    return f"along {swept.along.name} alone there is a line at {'; '.join(each)}."


def miss_text(line: Line) -> str:
    """How far the line is off where it is furthest."""
    name, miss = line.worst
    return f"off by at most {100 * abs(miss.estimate):.1f} %, at {name}"


def memory_text(swept: Swept) -> list[str]:
    """A line a runtime: memory over parameters."""
    return [f"Peak memory, {name}: {_memory(fit)}" for name, fit in swept.memory.items()]


def _memory(fit: Fit) -> str:
    if not fit.holds or fit.line is None:
        return f"no line: {fit.reason}."
    line = fit.line
    return f"{_costs(line, 'million parameters', size=True)} ({miss_text(line)}){_own_level(line)}."


def bounded(interval: Interval, *, size: bool = False) -> str:
    """An estimate with its bounds: ``7.5 ms (7.4 ms to 7.6 ms)``."""
    said = units.size if size else units.duration
    if interval.low is None or interval.high is None:
        return said(interval.estimate)
    return f"{said(interval.estimate)} ({_bounds(interval, size=size)})"


def _bounds(interval: Interval, *, size: bool = False) -> str:
    said = units.size if size else units.duration
    return f"{said(interval.low)} to {said(interval.high)}"


def millions(value: float) -> str:
    """``569 M``."""
    return units.count(value * MILLION)
