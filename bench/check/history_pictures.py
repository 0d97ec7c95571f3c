"""A history as pictures, one a case: what is seen in each, and its numbers as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from bench import units
from bench.check import history_wording as words
from bench.check.history_chart import Drawing, chart_of, levels_of
from bench.check.history_records import TRACKED, Gap, History, Point, Series, Tracked, Trend
from bench.report.picture import Picture
from bench.report.pictures import parts

MOST_DRAWN = 24
_FEW = 6  # pictures that may be tall
_TALL, _LOW = 220, 150  # pixels
_MOST_TOLD = 3  # change points in its words
_MOST_LISTED = 100  # points in a picture's table; of more its levels are listed


def pictures_of(history: History) -> list[Picture]:
    """One a case, those whose level changed most first, then as they came; MOST_DRAWN at most."""
    trends = drawn_first(history)[:MOST_DRAWN]
    dates = words.dates_of(history.reports)
    every = tuple(dict.fromkeys(name for trend in trends for name in series_names(trend).values()))
    height = _TALL if len(trends) <= _FEW else _LOW
    return [_picture(number, trend, history, dates, every, height) for number, trend in enumerate(trends, 1)]


def drawn_first(history: History) -> list[Trend]:
    """The cases that have a number at all, in the order in which they are drawn."""
    changed = list(dict.fromkeys(trend.case for trend, *_ in words.steps_by_size(history)))
    there = [trend for trend in history.trends if trend.series]
    return sorted(there, key=lambda trend: changed.index(trend.case) if trend.case in changed else len(changed))


def series_names(trend: Trend) -> dict[int, str]:
    """What tells the series of a case apart, by number; "" of the only one."""
    if len(trend.series) == 1:
        return {trend.series[0].number: ""}
    if len({one.machine for one in trend.series}) == len(trend.series):
        return {one.number: f"machine {one.machine}" for one in trend.series}
    return {one.number: f"{one.number}: {_why(one)}" for one in trend.series}


def _why(series: Series) -> str:
    return (
        f"machine {series.machine}, other {parts.listed([one.field for one in series.differs])}"
        if series.differs
        else "first"
    )


def _picture(
    number: int, trend: Trend, history: History, dates: Mapping[int, str], every: tuple[str, ...], height: int
) -> Picture:
    tracked = TRACKED[history.metric]
    values = [point.value for series in trend.series for point in series.points]
    drawing = Drawing(history, trend, tracked, dates, series_names(trend), every, _unit(values, tracked), height)
    return Picture(
        name=f"trend_{number}",
        title=trend.case,
        told=" ".join(_told(drawing)),
        spec=parts.finished(chart_of(drawing), height),
        header=_header(drawing),
        cells=tuple(_cells(drawing)),
    )


def _unit(values: Sequence[float], tracked: Tracked) -> tuple[float, str]:
    middle = sorted(values)[len(values) // 2]
    if tracked.unit == "ns":
        return units.time_unit(middle)
    return (
        units.size_unit(middle) if tracked.unit == "bytes" else (1.0, "" if tracked.unit == "spread" else tracked.unit)
    )


# --- in words ---------------------------------------------------------------------------------------------------------


def _told(drawing: Drawing) -> Iterator[str]:
    """What is to be seen, in sentences."""
    trend = drawing.trend
    yield f"{units.counted(sum(len(one.points) for one in trend.series), 'report')} with a number."
    steps = [
        words.step_text(step, trend, drawing.tracked, drawing.dates, is_last=step is (series.steps or ())[-1])
        for series in trend.series
        for step in series.steps or ()
    ]
    yield from (f"{step}." for step in steps[:_MOST_TOLD])
    if len(steps) > _MOST_TOLD:
        yield f"{len(steps) - _MOST_TOLD} more change points."
    if not steps and any(one.steps is not None for one in trend.series):
        yield "No change point."
    events = {event.report for one in trend.series for event in one.events}
    if events:
        yield f"Versions changed at {units.counted(len(events), 'report')}."
    if trend.gaps:
        yield f"{units.counted(len(trend.gaps), 'report')} without a number."


def _header(drawing: Drawing) -> tuple[str, ...]:
    number = drawing.tracked.heading
    if _is_long(drawing):
        return ("from", "to", "series", "reports", f"median {number}", "least", "greatest")
    return ("report", "series", number, "interval", "what happened")


def _cells(drawing: Drawing) -> list[tuple[str, ...]]:
    """Point for point; of many the levels between change points."""
    if _is_long(drawing):
        return [_level(drawing, one, level) for one in drawing.trend.series for level in levels_of(one)]
    found = [(point.report, _point(drawing, one, point)) for one in drawing.trend.series for point in one.points]
    found += [(gap.report, _gap(drawing, gap)) for gap in drawing.trend.gaps]
    return [cells for _, cells in sorted(found, key=lambda one: one[0])]


def _is_long(drawing: Drawing) -> bool:
    return sum(len(one.points) for one in drawing.trend.series) + len(drawing.trend.gaps) > _MOST_LISTED


def _level(drawing: Drawing, series: Series, level: Sequence[Point]) -> tuple[str, ...]:
    values = [point.value for point in level]
    numbers = [words.number_text(value, drawing.tracked) for value in (median(values), min(values), max(values))]
    dates = (drawing.dates[level[0].report], drawing.dates[level[-1].report])
    return (*dates, drawing.names[series.number], str(len(level)), *numbers)


def _point(drawing: Drawing, series: Series, point: Point) -> tuple[str, ...]:
    tracked, name = drawing.tracked, words.runtime_name(drawing.trend)
    bounds = [words.number_text(bound, tracked) for bound in (point.low, point.high) if bound is not None]
    steps = [words.step_words(step, tracked) for step in series.steps or () if step.report == point.report]
    events = [event for event in series.events if event.report == point.report]
    happened = [*steps, *([words.events_text(events, name)] if events else [])]
    number = words.number_text(point.value, tracked)
    interval = " to ".join(bounds) or units.UNKNOWN
    return (drawing.dates[point.report], drawing.names[series.number], number, interval, "; ".join(happened))


def _gap(drawing: Drawing, gap: Gap) -> tuple[str, ...]:
    return (drawing.dates[gap.report], "", units.UNKNOWN, units.UNKNOWN, f"{gap.standing}: {gap.reason}")
