"""A sweep in words: the fixed cost and that of a multiply-add, who is faster where, and what is doubtful. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench import units
from bench.analysis.sweep_compare import ALPHA, Contest, contests, is_range
from bench.analysis.sweep_fit import LEAST_SIZES, STRAIGHT
from bench.analysis.sweep_points import Point, Swept
from bench.report.pictures.parts import listed
from bench.report.sweep_costs import cost_text, millions
from bench.report.sweep_doubts import rows_doubted
from bench.report.verdict import LEAST_PROCESSES, interval_word

PUBLISHED = "published, not measured"
FRONT = (
    "Filled and joined are the points of a runtime to which no other of these is preferable: as accurate and told to "
    "be faster, or more accurate and not told to be slower."
)
_NAMED = 4  # points of one reason
_CURE = f"{LEAST_PROCESSES} repetitions make intervals"


def title_of(swept: Swept) -> str:
    """``mobilenet_v1 over alpha and resolution``."""
    return f"{swept.plan.base} over {listed([axis.name for axis in swept.plan.axes])}"


def sentences(swept: Swept) -> list[str]:
    """What is to be known first: who is faster where, then a line a runtime."""
    return [
        *(contest_text(one) for one in contests(swept)),
        *(f"{name}: {cost_text(fit, len(swept.of(name)))}" for name, fit in swept.latency.items()),
    ]


def contest_text(one: Contest) -> str:
    """Which of two is faster at which size."""
    return f"By ranges, which decide nothing ({_CURE}): {_told(one)}" if one.is_range else _told(one)


def _told(one: Contest) -> str:
    if not one.first_wins and not one.second_wins:
        chance = f": told apart at {one.apart}, which chance may bring" if one.apart else ""
        absent = f"; {one.points - one.compared} not compared" if one.points > one.compared else ""
        where = "at the one point compared" if one.compared == 1 else f"at any of {one.compared} points"
        return f"Cannot say whether {one.first} or {one.second} is faster {where}{chance}{absent}."
    if one.is_by_size:
        return f"{_by_size(one)}{_not_said(one)}."
    if one.first_wins and one.second_wins:
        counts = f"{one.first} at {len(one.first_wins)}, {one.second} at {len(one.second_wins)}"
        of = f"of {units.counted(one.points, 'point')}{_not_said(one)}"
        return f"Multiply-adds alone do not tell which is faster: {counts} {of}."
    winner, loser = (one.first, one.second) if one.first_wins else (one.second, one.first)
    wins = len(one.first_wins or one.second_wins)
    where = f"all {wins}" if wins == one.points else f"{wins} of {one.points}"
    return f"{winner} is faster than {loser} at {where} points{_not_said(one)}."


def _by_size(one: Contest) -> str:
    """Each where it wins; what lies between those points was not measured."""
    sides = sorted([(one.first_wins, one.first), (one.second_wins, one.second)], key=lambda side: greatest(side[0]))
    (small, one_name), (large, other_name) = sides
    crossing = "" if one.crossing is None else f"; the lines cross at {millions(one.crossing.estimate)}"
    return f"{one_name} is faster at {_where(small)} multiply-adds, {other_name} at {_where(large)}{crossing}"


def _where(points: Sequence[Point]) -> str:
    """``7 points from 10 M to 163 M``."""
    least = min(p.macs_millions or 0.0 for p in points)
    reach = f"from {millions(least)} to " if least < greatest(points) else "of "
    return f"{units.counted(len(points), 'point')} {reach}{millions(greatest(points))}"


def _not_said(one: Contest) -> str:
    """The points of which nothing is told."""
    open_, absent = one.compared - len(one.first_wins) - len(one.second_wins), one.points - one.compared
    return (f"; at {open_} it cannot be said" if open_ else "") + (f"; {absent} not compared" if absent else "")


def greatest(points: Sequence[Point]) -> float:
    """Their most multiply-adds, in millions."""
    return max(p.macs_millions or 0.0 for p in points)


def doubts(swept: Swept) -> list[str]:
    """What to know of the numbers: how sure they are, what is missing, what others measured."""
    own = [*faster_text(swept), *intervals_text(swept), *left_out(swept), *accuracy_notes(swept)]
    return [*rows_doubted(swept), *own]


def faster_text(swept: Swept) -> Iterator[str]:
    """When a runtime is told to be faster, and how often that is wrong; nothing where none is compared."""
    if any(not one.is_range for one in contests(swept)):
        yield (
            "Faster is told of a runtime whose interval of the ratio lies wholly below the other's at more points than "
            f"chance brings: of sweeps of equal runtimes, {units.percent(ALPHA)} at most tell a difference."
        )


def intervals_text(swept: Swept) -> Iterator[str]:
    """How lines are fitted, and what stands in brackets."""
    yield (
        "Lines: least squares of relative residuals (weights 1/latency squared), one a repetition; none is told with "
        f"fewer than {LEAST_SIZES} sizes, or where it is off by more than {100 * STRAIGHT:.0f} % at a point. The fixed "
        "cost is the line's value at size 0, where nothing was measured: a bend that stays within that limit can move "
        "it further than its brackets say."
    )
    if any(point.row.batch_size > 1 for point in swept.points):
        yield "Multiply-adds are those of a whole call, for all items of its batch."
    if not swept.levels:
        return
    told = [_brackets(level, n, len(swept.levels) > 1 and points) for (level, n), points in swept.levels.items()]
    yield f"In brackets behind a point's latency: {'; '.join(told)}."
    if any(fit.holds and fit.line is not None and fit.line.fixed.level is not None for fit in swept.latency.values()):
        yield (
            "In brackets behind a line's costs: bounds over the repetitions that all its points have, widened to hold "
            "those by the scatter of its points about it, and those of the lines without any one of its points."
        )


def _brackets(level: float | None, n: int, points: int) -> str:
    """``93.75 % intervals over 5 repetitions``; of how many points, where there are others."""
    of = f" ({units.counted(points, 'point')})" if points else ""
    if level is None:
        return f"nothing over one repetition{of}"
    rest = f", which decide nothing ({_CURE})" if is_range(level) else ""
    return f"{units.percent(level)} {interval_word(level)}s over {n} repetitions{of}{rest}"


def left_out(swept: Swept) -> list[str]:
    """The points that are in no fit, those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for point in swept.points:
        if point.why_not:
            by_reason.setdefault(point.why_not, []).append(f"{point.series} at {point.name}")
    return [
        *(f"Left out ({reason}): {_some(names)}." for reason, names in by_reason.items()),
        *not_in_lines(swept),
    ]


def not_in_lines(swept: Swept) -> list[str]:
    """The points that could be used and are in no line."""
    return [
        f"Not in the line of {name} (fewer repetitions than the others): {_some(fit.left_out)}."
        for name, fit in swept.latency.items()
        if fit.left_out
    ]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return "; ".join(names[:_NAMED]) + (f"; and {more} more" if more > 0 else "")


def accuracy_notes(swept: Swept) -> list[str]:
    """Where accuracy is from, and of which points there is none."""
    notes = [f"{note}." for note in swept.plan.notes]
    if swept.accuracies:
        sources = "; ".join(swept.plan.accuracy_sources) or "the file names no source"
        notes.insert(0, f"Accuracy is {PUBLISHED}: {swept.plan.accuracy_file} ({sources}).")
        other = sorted({p.series for p in swept.points if p.row.precision != "float32"})
        notes += [f"{name} does not compute in float32: no published accuracy is put to it." for name in other]
    return notes


def accuracy_name(column: str) -> str:
    """``published_top1`` -> ``top1``."""
    return column.removeprefix("published_")


def no_front(names: Sequence[str]) -> str:
    """Of which runtimes there is none, and why."""
    return f"Which points of {listed(names)} are preferable is not told: ranges decide nothing ({_CURE})."
