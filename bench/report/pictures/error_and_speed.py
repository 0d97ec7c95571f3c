"""Error against latency: rows on the Pareto front, off it, and those that cannot win at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from bench import units
from bench.analysis.ranking import is_only_a_range
from bench.report import verdict
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.pictures.scene import Group
from bench.rows import Row

_HEIGHT = 300
_FRONT, _OFF, _OPEN, _OUT = "on the front", "off the front", "no contest", "cannot win"
_HEADER = ("runtime", "latency (best)", "relative error", "tolerance", "peak memory", "standing")


def error_and_speed(group: Group) -> Iterator[Picture]:
    """One point a row that has both numbers; none where fewer than two rows do."""
    timed = [row for row in group.rows if row.latency_ns_best is not None]
    rows = [row for row in timed if row.relative_error is not None and math.isfinite(row.relative_error)]
    if len(rows) < 2:
        return
    standings = {_standing(group, row) for row in rows}
    told = "Left is faster, low is nearer to the truth."
    if _FRONT in standings:
        told += " Ringed: the Pareto front, where no other row is as good in latency, peak memory and error, and "
        told += "better in one; memory is not in the picture."
        told += " By ranges over few processes, which decide nothing." * is_only_a_range(verdict.able(group.rows))
    if _OUT in standings:
        told += f" Hollow, named: cannot win: {parts.listed(_named(group, rows, _OUT))}."
    if left := [group.names[row.case_id] for row in timed if row not in rows]:
        told += f" Not drawn, without a finite error: {parts.listed(left)}."
    yield Picture(
        name=group.name("error_and_speed"),
        title=f"Error against latency{group.title}",
        told=told,
        spec=_spec(group, rows),
        header=_HEADER,
        cells=tuple(_cells(group, row) for row in timed),
    )


def _standing(group: Group, row: Row) -> str:
    if group.cannot_win(row):
        return _OUT
    return _OPEN if row.pareto is None else _FRONT if row.pareto else _OFF


def _named(group: Group, rows: list[Row], standing: str) -> list[str]:
    return [group.names[row.case_id] for row in rows if _standing(group, row) == standing]


def _cells(group: Group, row: Row) -> tuple[str, ...]:
    errors = (units.error(row.relative_error), units.error(row.tolerance))
    name, best = group.names[row.case_id], units.duration(row.latency_ns_best)
    return (name, best, *errors, units.size(row.rss_peak_bytes), _standing(group, row))


def _spec(group: Group, rows: list[Row]) -> dict[str, Any]:
    import altair as alt

    unit, unit_name = parts.time_axis([row.latency_ns_best or 0.0 for row in rows])
    errors = [error for row in rows if (error := row.relative_error)]
    zero = max(
        min(errors, default=1.0) / 10, parts.LEAST
    )  # where an error of 0 stands: a log scale has no place for it
    values = [_value(group, row, unit, zero) for row in rows]
    times, drawn = ([float(value[key]) for value in values] for key in ("x", "y"))
    bounds = sorted({row.tolerance for row in rows if row.tolerance and row.precision == "float32"})
    names = [group.names[row.case_id] for row in rows]
    scales = parts.series(names, group.scene.names)
    x = alt.X("x:Q", title=f"latency, best ({unit_name})", scale=parts.scale_of(times, room=0.08))
    y = alt.Y("y:Q", title=_error_title(rows, zero), **parts.powers_axis([*drawn, *bounds]))
    colour = alt.Color(f"{parts.NAME}:N", scale=scales["color"], legend=parts.legend())
    shape = alt.Shape(f"{parts.NAME}:N", scale=scales["shape"], legend=parts.legend())
    chart = alt.Chart(parts.data(values)).encode(x=x, y=y, color=colour)
    out, front = (f"datum.standing == '{word}'" for word in (_OUT, _FRONT))
    hollow = chart.transform_filter(out)
    layers = [
        *_tolerance(bounds, y),
        chart.transform_filter(f"!({out})").mark_point(filled=True, size=110, opacity=1).encode(shape=shape),
        chart.transform_filter(front).mark_point(shape="circle", filled=False, size=420, strokeWidth=1.4),
        hollow.mark_point(filled=False, size=110, strokeWidth=1.8).encode(shape=shape),
        *(
            alt.Chart(parts.data([value]))
            .mark_text(fontSize=11, dy=-12, align=_side(value, times))
            .encode(x=x, y=y, text="standing:N")
            for value in values
            if value["standing"] == _OUT
        ),
    ]
    return parts.finished(alt.layer(*layers), _HEIGHT)


def _error_title(rows: list[Row], zero: float) -> str:
    bottom = f"; 0 stands at {units.error(zero)}" if any(row.relative_error == 0 for row in rows) else ""
    return f"relative error{bottom}"


def _tolerance(bounds: list[float], y: Any) -> Iterator[Any]:
    """A line at the float32 rows' tolerance, where they share one."""
    import altair as alt

    if len(bounds) != 1:
        return
    line = alt.Chart(parts.data([{"y": bounds[0], "said": "tolerance"}])).encode(y=y)
    yield line.mark_rule(strokeDash=[5, 4], opacity=0.7)
    yield line.mark_text(align="left", baseline="bottom", dx=4, dy=-3, fontSize=11).encode(
        x=alt.value(0), text="said:N"
    )


def _side(value: dict[str, Any], times: list[float]) -> Any:
    """So that a word stays in the picture."""
    middle = (min(times) * max(times)) ** 0.5
    return "left" if value["x"] <= middle else "right"


def _value(group: Group, row: Row, unit: float, zero: float) -> dict[str, Any]:
    return {
        parts.NAME: group.names[row.case_id],
        "x": parts.rounded((row.latency_ns_best or 0.0) / unit),
        "y": min(max(row.relative_error or zero, parts.LEAST), parts.GREATEST),
        "standing": _standing(group, row),
    }
