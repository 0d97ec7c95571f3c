"""The pictures of a sweep's published accuracy against measured latency, one an accuracy.

Only points that were verified are drawn; accuracy is called published wherever it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from bench import units
from bench.analysis.sweep_compare import fronted, fronts
from bench.analysis.sweep_points import Point, Swept
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.pictures.parts import listed
from bench.report.sweep_charts import axis_x, dots, joined, latency_of, layered, marks, number, spot
from bench.report.sweep_costs import bounded
from bench.report.sweep_text import FRONT, PUBLISHED, accuracy_name, no_front, title_of

_LABEL_ROOM = 0.12  # of the axis, for names beside the last points


def accuracy_pictures(swept: Swept) -> Iterator[Picture]:
    """Of each accuracy with a number for a point that was measured."""
    on_front = fronts(swept)
    for place, column in enumerate(swept.accuracies, 1):
        known = [p for p in swept.points if column in p.published and p.latency is not None]
        if known:
            yield _accuracy_picture(swept, column, known, on_front[column], _file_name(swept, place))


def _file_name(swept: Swept, place: int) -> str:
    """By the accuracy's name; its place is added where another's is written alike in plain letters."""
    plain = [re.sub(r"[^A-Za-z0-9]+", "_", accuracy_name(column)) for column in swept.accuracies]
    own = plain[place - 1]
    return f"sweep_accuracy_{own}" + (f"_{place}" if plain.count(own) > 1 else "")


def _accuracy_picture(swept: Swept, column: str, known: Sequence[Point], front: set[str], file: str) -> Picture:
    name, names = accuracy_name(column), [axis.name for axis in swept.plan.axes]
    with_front = fronted(swept, front)
    return Picture(
        name=file,
        title=f"{name} ({PUBLISHED}) against measured latency: {title_of(swept)}",
        told=(
            f"Accuracy is from {swept.plan.accuracy_file}, {PUBLISHED}; latency was measured here. "
            + _told(known, names, with_front)
        ),
        spec=_accuracy_spec(swept, column, known, front),
        header=("point", "runtime", f"{name} ({PUBLISHED})", "latency", "on the front"),
        cells=tuple(
            (
                p.name,
                p.series,
                number(p.published[column]),
                bounded(latency_of(p)),
                ("yes" if p.row.case_id in front else "no") if p.series in with_front else units.UNKNOWN,
            )
            for p in known
        ),
    )


def _told(known: Sequence[Point], names: Sequence[str], with_front: Collection[str]) -> str:
    without = [one for one in dict.fromkeys(point.series for point in known) if one not in with_front]
    beside = f"Beside the fastest point of a model, where it is joined: {listed(names)}; all of them are in the table."
    return " ".join([*([FRONT, beside] if with_front else []), *([no_front(without)] if without else [])])


def _accuracy_spec(swept: Swept, column: str, known: Sequence[Point], front: set[str]) -> dict[str, Any]:
    import altair as alt

    unit, unit_name = parts.time_axis([latency_of(p).estimate for p in known])
    points = [
        {
            **spot(p, latency_of(p).estimate / unit, p.published[column], bounded(latency_of(p))),
            "front": p.row.case_id in front,
        }
        for p in known
    ]
    best, others = ([point for point in points if point["front"] is on] for on in (True, False))
    x = axis_x(f"measured latency of a call ({unit_name})", points, room=_LABEL_ROOM)
    y = alt.Y("y:Q", title=f"{accuracy_name(column)}, {PUBLISHED}", scale=alt.Scale(zero=False))
    channels = marks([p.series for p in known], swept.series)
    layers = [joined(best, x, y, channels), dots(best, x, y, channels), _labels(known, column, unit, x, y, front)]
    if others:
        layers.append(dots(others, x, y, channels).mark_point(filled=False, size=60, opacity=1))
    return layered(*layers)


def _labels(known: Sequence[Point], column: str, unit: float, x: Any, y: Any, front: set[str]) -> Any:
    """The values of each model above its fastest point, where that is on a front: no other point lies there."""
    import altair as alt

    fastest: dict[str, Point] = {}
    for point in sorted(known, key=lambda p: -latency_of(p).estimate):
        fastest[point.row.model] = point
    texts = [
        {**spot(p, latency_of(p).estimate / unit, p.published[column], ""), "text": ", ".join(p.values.values())}
        for p in fastest.values()
        if p.row.case_id in front
    ]
    text = alt.Chart(parts.data(texts)).mark_text(align="right", dx=-6, dy=-8, fontSize=10)
    return text.encode(x=x, y=y, text="text:N")
