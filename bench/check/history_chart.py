"""One case of a history as a chart: points by time, levels between change points, versions that changed, gaps.

A line joins neighbours of one series and is broken at a gap of the case. Nothing else is drawn
between points.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import geometric_mean
from typing import Any

from bench.check import history_wording as words
from bench.check.history_records import History, Point, Series, Step, Tracked, Trend
from bench.report.pictures import parts

_LABEL_ROWS = 3  # labels of steps stand in turns at these heights
_ROW = 15  # pixels
_MARK = 7  # pixels above the lower edge
_CROSS = "M-0.8,-0.8L0.8,0.8M0.8,-0.8L-0.8,0.8"
_LONG_DAYS, _SHORT_DAYS = 400, 6


@dataclass(frozen=True)
class Drawing:
    """What every part of one picture needs."""

    history: History
    trend: Trend
    tracked: Tracked
    dates: Mapping[int, str]
    names: dict[int, str]  # of the trend's series, by number
    every: tuple[str, ...]  # names of series in all pictures
    unit: tuple[float, str]  # size of one on the axis, and its name
    height: int

    def when(self, report: int) -> str:
        """The start of a report's run, for an axis."""
        return self.history.reports[report - 1].started

    def scaled(self, value: float) -> float:
        """A number in the axis' unit."""
        return parts.rounded(value / self.unit[0])


def chart_of(drawing: Drawing) -> Any:
    """The layers from behind to before."""
    import altair as alt

    return alt.layer(*_levels(drawing), *_points(drawing), *_steps(drawing), *_marks(drawing))


def levels_of(series: Series) -> list[list[Point]]:
    """The points of a series between its change points."""
    starts = {step.report for step in series.steps or ()}
    levels: list[list[Point]] = []
    for point in series.points:
        if point.report in starts or not levels:
            levels.append([])
        levels[-1].append(point)
    return levels


def _points(drawing: Drawing) -> list[Any]:
    """Points, the lines between neighbours, and intervals where the number has them."""
    import altair as alt

    rows = [row for series in drawing.trend.series for row in _rows(drawing, series)]
    names = list(drawing.names.values())
    scales = parts.series(names, drawing.every)
    legend = parts.legend() if len(names) > 1 else None
    base = alt.Chart(parts.data(rows)).encode(
        x=_when(drawing), y=_value("value", drawing), color=alt.Color("series:N", scale=scales["color"], legend=legend)
    )
    shape = alt.Shape("series:N", scale=scales["shape"], legend=legend)
    tooltip = [alt.Tooltip(f"{name}:N") for name in ("report", "number", "series") if name != "series" or legend]
    drawn = [base.mark_line(strokeWidth=1, opacity=0.45).encode(detail="run:N")]
    if any("low" in row for row in rows):
        drawn.append(base.mark_rule(opacity=0.6).encode(y=_value("low", drawing), y2="high:Q"))
    drawn.append(base.mark_point(filled=True, size=30, opacity=0.9).encode(shape=shape, tooltip=tooltip))
    return drawn


def _rows(drawing: Drawing, series: Series) -> Iterator[dict[str, object]]:
    gaps = [gap.report for gap in drawing.trend.gaps]
    for point in series.points:
        row: dict[str, object] = {
            "when": drawing.when(point.report),
            "value": drawing.scaled(point.value),
            "series": drawing.names[series.number],
            "run": f"{series.number}.{sum(gap < point.report for gap in gaps)}",
            "report": drawing.dates[point.report],
            "number": words.number_text(point.value, drawing.tracked),
        }
        if point.low is not None and point.high is not None:
            row |= {"low": drawing.scaled(point.low), "high": drawing.scaled(point.high)}
        yield row


def _levels(drawing: Drawing) -> list[Any]:
    """The mean of each level, of series that have steps."""
    import altair as alt

    rows = [
        {
            "from": drawing.when(level[0].report),
            "to": drawing.when(level[-1].report),
            "mean": drawing.scaled(geometric_mean([one.value for one in level])),
        }
        for series in drawing.trend.series
        if series.steps
        for level in levels_of(series)
    ]
    if not rows:
        return []
    chart = alt.Chart(parts.data(rows)).mark_rule(strokeWidth=2)
    return [chart.encode(x=_when(drawing, "from"), x2="to:T", y=_value("mean", drawing))]


def _steps(drawing: Drawing) -> list[Any]:
    """A dashed rule at each change point, its size at the top, with the version that changed there.

    Rows of words are dealt so that no rule crosses the words of its neighbour: to the right of a rule words are the
    higher the earlier it is, to the left the later.
    """
    steps = sorted((step for series in drawing.trend.series for step in series.steps or ()), key=lambda s: s.report)
    middle = len(drawing.history.reports) / 2
    right = [step for step in steps if step.report <= middle]
    left = [step for step in reversed(steps) if step.report > middle]
    return [
        layer
        for side, is_left in ((right, False), (left, True))
        for number, step in enumerate(side)
        for layer in _step(drawing, step, number % _LABEL_ROWS, is_left)
    ]


def _step(drawing: Drawing, step: Step, row: int, is_left: bool) -> list[Any]:
    """The rule of a change point from its words downwards; they stand on the side that has room."""
    import altair as alt

    change = words.change_text(step.before, step.after)
    events = words.events_text(step.events[:1], words.runtime_name(drawing.trend))
    data = parts.data([{"when": drawing.when(step.report), "text": f"{change}: {events}" if events else change}])
    base = alt.Chart(data).encode(x=_when(drawing), y=alt.value(_ROW * row + 1))
    text = base.mark_text(
        align="right" if is_left else "left",
        dx=-5 if is_left else 5,
        baseline="top",
        limit=alt.ExprRef(expr="width / 2"),
    )
    rule = base.mark_rule(strokeDash=[4, 3]).encode(y2=alt.value(drawing.height))
    return [rule, text.encode(text="text:N")]


def _marks(drawing: Drawing) -> list[Any]:
    """On the lower edge: a triangle where a version changed, a cross for a report without a number."""
    import altair as alt

    name = words.runtime_name(drawing.trend)
    events: dict[int, list[str]] = {}
    for series in drawing.trend.series:
        for event in series.events:
            events.setdefault(event.report, []).append(words.event_text(event, name))
    gaps = [(gap.report, f"{gap.standing}: {gap.reason}") for gap in drawing.trend.gaps]
    layers = []
    for shape, found in (("triangle-up", [(r, "; ".join(said)) for r, said in events.items()]), (_CROSS, gaps)):
        data = [{"when": drawing.when(r), "report": drawing.dates[r], "what": what} for r, what in found]
        mark = alt.Chart(parts.data(data)).mark_point(shape=shape, size=55, filled=shape != _CROSS, strokeWidth=2)
        encoded = mark.encode(x=_when(drawing), y=alt.value(drawing.height - _MARK), tooltip=["report:N", "what:N"])
        layers += [encoded] if data else []
    return layers


def _when(drawing: Drawing, field: str = "when") -> Any:
    import altair as alt

    axis = alt.Axis(grid=False, labelOverlap="greedy", format=_date_format(drawing), tickCount=7)
    return alt.X(f"{field}:T", title=None, scale=alt.Scale(type="utc", padding=6), axis=axis)


def _date_format(drawing: Drawing) -> str:
    """Of an axis: no finer than its ticks."""
    first, last = (
        datetime.fromisoformat(one.started) for one in (drawing.history.reports[0], drawing.history.reports[-1])
    )
    days = (last - first).days
    return "%b %Y" if days > _LONG_DAYS else "%-d %b" if days > _SHORT_DAYS else "%-d %b %H:%M"


def _value(field: str, drawing: Drawing) -> Any:
    import altair as alt

    unit = f" ({drawing.unit[1]})" if drawing.unit[1] else ""
    title = f"{drawing.tracked.heading}{unit}" if drawing.tracked.unit != "items/s" else drawing.unit[1]
    return alt.Y(f"{field}:Q", title=title, scale=_scale(drawing), axis=alt.Axis(tickCount=5))


def _scale(drawing: Drawing) -> Any:
    """Room above for labels of steps and below for marks; never from 0 just for its sake."""
    import altair as alt

    values = [drawing.scaled(v) for series in drawing.trend.series for point in series.points for v in _drawn(point)]
    least, greatest = min(values), max(values)
    steps = sum(len(series.steps or ()) for series in drawing.trend.series)
    above = (_ROW * min(steps, _LABEL_ROWS) + 8) / drawing.height
    below = 22 / drawing.height
    inside = 1 - above - below
    if parts.is_wide(values):
        span = math.log(greatest / least) / inside
        domain = [least * math.exp(-span * below), greatest * math.exp(span * above)]
        return alt.Scale(type="log", domain=domain, nice=False)
    span = (greatest - least or abs(greatest) * 0.1 or 1.0) / inside
    return alt.Scale(domain=[least - span * below, greatest + span * above], nice=False, zero=False)


def _drawn(point: Point) -> list[float]:
    return [point.value, *(one for one in (point.low, point.high) if one is not None)]
