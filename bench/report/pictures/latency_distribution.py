"""Every timed call of each runtime as a histogram, with its percentiles: those of the row, from all calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bench import units
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.pictures.scene import Group
from bench.rows import Row

_BINS = 90
_BAND = 66  # pixels of one runtime
_TOP, _BASE, _RAIL = 0.26, 0.78, 0.91  # of a band: highest bar, foot of the bars, line of percentiles
_MARKS = {"p50": "circle", "p90": "square", "p95": "triangle-up", "p99": "diamond"}
_GREY = "#8a8f98"  # to be seen in both schemes
_HEADER = ("runtime", "timed calls", "least", "p50", "p90", "p95", "p99", "greatest")


def latency_distribution(group: Group) -> Iterator[Picture]:
    """One band a runtime; none where nothing was timed."""
    timed = {row.case_id: calls.timed.latency_ns for row in group.rows if (calls := group.scene.calls(row.case_id))}
    rows = [row for row in group.rows if len(timed.get(row.case_id, ()))]
    if not rows:
        return
    counted = sum(len(timed[row.case_id]) for row in rows)
    told = (
        f"How the {counted:,} timed calls spread: bars count all of them, each runtime's to its own highest; "
        "the line beneath reaches from the fastest call to the slowest, its marks are percentiles "
        "(those that have enough calls)."
    )
    if any("tail" in (row.percentile_block or "") for row in rows):
        told += " Percentiles that the timed calls are too few for are of the uninterrupted block (--tail)."
    told += group.told_of_barred(rows)
    yield Picture(
        name=group.name("latency_distribution"),
        title=f"Latency of every timed call{group.title}",
        told=told,
        spec=_spec(group, rows, timed),
        header=_HEADER,
        cells=tuple(_cells(group.marked(row), row, timed[row.case_id]) for row in rows),
    )


def _cells(name: str, row: Row, latencies: Any) -> tuple[str, ...]:
    values = (float(latencies.min()), *_percentiles(row).values(), float(latencies.max()))
    return (name, f"{len(latencies):,}", *map(units.duration, values))


def _percentiles(row: Row) -> dict[str, float | None]:
    values = (row.latency_ns_p50, row.latency_ns_p90, row.latency_ns_p95, row.latency_ns_p99)
    return dict(zip(_MARKS, values, strict=True))


def _spec(group: Group, rows: list[Row], timed: dict[str, Any]) -> dict[str, Any]:
    import altair as alt

    ends = [float(pick(timed[row.case_id])) for row in rows for pick in (np.min, np.max)]
    marks = [value for row in rows for value in _percentiles(row).values() if value is not None]
    unit, unit_name = parts.time_axis([float(np.median(timed[row.case_id])) for row in rows])
    reach = [max(value, 1.0) / unit for value in (*ends, *marks)]
    names = [group.names[row.case_id] for row in rows]
    colour = alt.Color(f"{parts.NAME}:N", legend=None, scale=parts.series(names, group.scene.names)["color"])
    x = alt.X("x:Q", title=f"latency of a call ({unit_name})", scale=parts.scale_of(reach))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, len(rows)], reverse=True, nice=False))
    bars = list(_bars(rows, timed, unit, reach, names))
    out = [names[place] for place, row in enumerate(rows) if group.cannot_win(row)]
    rails = [_rail(place, names[place], timed[row.case_id] / unit) for place, row in enumerate(rows)]
    points = list(_points(rows, names, unit))
    shown = [mark for mark in _MARKS if any(point["mark"] == mark for point in points)]
    shape = alt.Shape(
        "mark:N",
        scale=alt.Scale(domain=shown, range=[_MARKS[mark] for mark in shown]),
        legend=parts.legend(symbolFillColor=_GREY, symbolStrokeColor=_GREY),
    )
    labels = [
        {parts.NAME: name, "y": place + 0.13, "said": "cannot win" * (name in out)} for place, name in enumerate(names)
    ]
    counted = alt.Chart(parts.data({**bar, "out": bar[parts.NAME] in out} for bar in bars))
    counted = counted.encode(x=x, x2="x2", y=y, y2="y2", color=colour)
    named = alt.Chart(parts.data(labels)).encode(y=y)
    room = "width - 80" if out else "width"
    chart = alt.layer(
        counted.transform_filter("!datum.out").mark_rect(opacity=0.65),
        counted.transform_filter("datum.out").mark_rect(filled=False, strokeWidth=1),
        alt.Chart(parts.data(rails)).mark_rule(strokeWidth=1.2).encode(x=x, x2="x2", y=y, color=colour),
        alt.Chart(parts.data(points))
        .mark_point(filled=True, size=70, opacity=1)
        .encode(x=x, y=y, color=colour, shape=shape, tooltip=[f"{parts.NAME}:N", "mark:N", "said:N"]),
        named.mark_text(align="left", baseline="middle", fontSize=12, limit=alt.ExprRef(expr=room)).encode(
            x=alt.value(0), text=f"{parts.NAME}:N"
        ),
        named.mark_text(align="right", baseline="middle", fontSize=12).encode(x=alt.value("width"), text="said:N"),
    )
    return parts.finished(chart, _BAND * len(rows))


def _bars(
    rows: list[Row], timed: dict[str, Any], unit: float, reach: list[float], names: list[str]
) -> Iterator[dict[str, object]]:
    """Of every call, in bins that all runtimes share: of equal width as they are drawn."""
    spaced = np.geomspace if parts.is_wide(reach) else np.linspace
    edges = spaced(min(reach), max(reach), _BINS + 1)
    if edges[0] == edges[-1]:  # every call took the same time: one bar, to be seen
        edges = np.array([reach[0] * 0.998, reach[0] * 1.002])
    for place, row in enumerate(rows):
        counts = histogram(timed[row.case_id] / unit, edges)
        for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
            if count:
                top = _BASE - (_BASE - _TOP) * count / counts.max()
                sides = {"x": float(left), "x2": float(right), "y": place + _BASE, "y2": parts.rounded(place + top)}
                yield {parts.NAME: names[place], **sides, "calls": int(count)}


def histogram(values: Any, edges: Any) -> Any:
    """How many values are in each bin: every one is counted, those that rounding put beyond an end too."""
    where = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return np.bincount(where, minlength=len(edges) - 1)


def _rail(place: int, name: str, latencies: Any) -> dict[str, object]:
    return {parts.NAME: name, "x": float(latencies.min()), "x2": float(latencies.max()), "y": place + _RAIL}


def _points(rows: list[Row], names: list[str], unit: float) -> Iterator[dict[str, object]]:
    for place, row in enumerate(rows):
        for mark, value in _percentiles(row).items():
            if value is not None:
                said = units.duration(value)
                yield {parts.NAME: names[place], "mark": mark, "x": value / unit, "y": place + _RAIL, "said": said}
