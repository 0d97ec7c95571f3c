"""What pictures of a sweep are made of: points and joined points over a size; runtimes by colour, shape and dash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.analysis.statistics import Interval
from bench.analysis.sweep_points import Point, Swept
from bench.report.pictures import parts

HEIGHT = 340  # pixels
MACS = "million multiply-adds"
Drawn = Mapping[str, object]  # NAME, point (its values), x, y, said; low and high where it has a bar


def latency_of(point: Point) -> Interval:
    """Of a point that is in the pictures."""
    assert point.latency is not None
    return point.latency


def price_of(point: Point) -> float:
    """Latency per million multiply-adds, in ns."""
    assert point.macs_millions is not None
    return latency_of(point).estimate / point.macs_millions


def number(value: float | None) -> str:
    """To four digits."""
    return "-" if value is None else f"{value:.4g}"


def spot(point: Point, x: float | None, y: float | None, said: str, name: str = "") -> dict[str, object]:
    """A point to draw; ``name`` in place of its runtime's."""
    return {parts.NAME: name or point.series, "point": point.name, "x": x, "y": y, "said": said}


def axis_x(title: str, points: Sequence[Drawn], *, room: float = 0.04) -> Any:
    """A size, logarithmic where it reaches far; ``room`` is left at both ends."""
    import altair as alt

    return alt.X("x:Q", title=title, scale=parts.scale_of(values(points, "x"), room=room))


def axis_y(title: str, reach: Sequence[float], field: str = "y") -> Any:
    """A cost, logarithmic where it reaches far."""
    import altair as alt

    return alt.Y(f"{field}:Q", title=title, scale=parts.scale_of(reach))


def values(points: Sequence[Drawn], *fields: str) -> list[float]:
    """The numbers that are there in these fields."""
    found = [point.get(field) for point in points for field in fields]
    return [float(value) for value in found if isinstance(value, int | float)]


def marks(names: Sequence[str], every: Sequence[str]) -> dict[str, Any]:
    """Encodings by name: ``color``, ``shape``, ``strokeDash``; one legend of the first two, none for a single name."""
    import altair as alt

    scales = parts.series([name for name in every if name in names], every)
    legend = parts.legend() if len(every) > 1 else None
    return {
        "color": alt.Color(f"{parts.NAME}:N", scale=scales["color"], legend=legend),
        "shape": alt.Shape(f"{parts.NAME}:N", scale=scales["shape"], legend=legend),
        "strokeDash": alt.StrokeDash(f"{parts.NAME}:N", scale=scales["strokeDash"], legend=None),
    }


def tooltip(*more: Any) -> list[Any]:
    """What a point says of itself."""
    import altair as alt

    return [alt.Tooltip(f"{field}:N", title=title) for field, title in _SAID.items()] + list(more)


_SAID = {parts.NAME: "runtime", "point": "point", "said": "value"}


def dots(points: Sequence[Drawn], x: Any, y: Any, channels: Mapping[str, Any]) -> Any:
    """A mark for each point."""
    import altair as alt

    chart = alt.Chart(parts.data(points)).mark_point(filled=True, size=60, opacity=1)
    return chart.encode(x=x, y=y, color=channels["color"], shape=channels["shape"], tooltip=tooltip())


def joined(points: Sequence[Drawn], x: Any, y: Any, channels: Mapping[str, Any]) -> Any:
    """A line a name, through its points from left to right."""
    import altair as alt

    chart = alt.Chart(parts.data(points)).mark_line(strokeWidth=1.5)
    return chart.encode(x=x, y=y, color=channels["color"], strokeDash=channels["strokeDash"])


def layered(*layers: Any) -> dict[str, Any]:
    """The specification of layers over one another; the legend of colours and shapes tells dashes, too."""
    import altair as alt

    return parts.finished(alt.layer(*layers).resolve_legend(strokeDash="independent"), HEIGHT)


def scattered(swept: Swept, points: Sequence[Drawn], titles: tuple[str, str]) -> dict[str, Any]:
    """Points of every runtime, y over x."""
    channels = marks([str(point[parts.NAME]) for point in points], swept.series)
    x, y = axis_x(titles[0], points), axis_y(titles[1], values(points, "y"))
    return parts.finished(dots(points, x, y, channels), HEIGHT)
