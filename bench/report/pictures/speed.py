"""Latency over the reference's with its interval: what the verdict is made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench import units
from bench.analysis.doubts import INTERVAL_LEVEL
from bench.report import verdict
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.pictures.scene import Group
from bench.rows import Row

_HEADER = ("runtime", "latency over the reference's", "lower", "upper", "level", "standing")
_DECIDES, _RANGE, _OUT = "interval", "only a range", "cannot win"


def speed(group: Group) -> Iterator[Picture]:
    """One line a runtime that has a ratio; none where no runtime was compared, or several references were used."""
    rows = [row for row in group.rows if row.ratio_to_reference is not None]
    if verdict.is_split(group.rows) or not any(not verdict.is_reference(row) for row in rows):
        return
    against = next((row.reference_runtime for row in rows if row.reference_runtime), None)
    told = f"Latency as a multiple of {against}'s in the same round: left of 1 is faster."
    looks = {_look(group, row) for row in rows}
    if _RANGE in looks:
        told += " Dashed: a range over few processes, which decides nothing."
    if _OUT in looks:
        told += " Hollow: cannot win (failed, not verified, or not comparable)."
    yield Picture(
        name=group.name("speed"),
        title=f"Speed against {against}{group.title}",
        told=told,
        spec=_spec(group, rows),
        header=_HEADER,
        cells=tuple(_cells(group, row) for row in rows),
    )


def _look(group: Group, row: Row) -> str:
    if group.cannot_win(row):
        return _OUT
    decides = row.interval_level is not None and row.interval_level >= INTERVAL_LEVEL
    return _DECIDES if decides or verdict.is_reference(row) else _RANGE


def _cells(group: Group, row: Row) -> tuple[str, ...]:
    numbers = [row.ratio_to_reference, row.ratio_low, row.ratio_high]
    shown = [units.UNKNOWN if number is None else f"{number:.3f}" for number in numbers]
    level = units.UNKNOWN if row.ratio_low is None else units.percent(row.interval_level)
    standing = "reference" if verdict.is_reference(row) else _look(group, row)
    return (group.names[row.case_id], *shown, level, standing)


def _spec(group: Group, rows: list[Row]) -> dict[str, Any]:
    import altair as alt

    names = [group.names[row.case_id] for row in rows]
    values = [_value(group, row) for row in rows]
    ends = [number for row in values for key in ("x", "low", "high") if isinstance(number := row.get(key), float)]
    ends = [end for end in ends if end > 0]
    low, high = min(ends), max(ends)
    margin = max((high / low) ** 0.06, 1.02)
    scale = alt.Scale(type="log", domain=[low / margin, high * margin], nice=False)
    x_title = "times the reference's latency (left is faster)"
    x = alt.X("x:Q", title=x_title, scale=scale)
    scales = parts.series(names, group.scene.names)
    y, colour = parts.bands(names), alt.Color(f"{parts.NAME}:N", scale=scales["color"], legend=None)
    shape = alt.Shape(f"{parts.NAME}:N", scale=scales["shape"], legend=None)
    chart = alt.Chart(parts.data(values)).encode(x=x, y=y, color=colour)
    whole = "datum.look == 'interval'"
    bars = chart.encode(x=alt.X("low:Q", title=x_title, scale=scale), x2="high:Q")
    bound = "isValid(datum.low)"
    layers = [
        alt.Chart(parts.data({parts.NAME: name, "x": 1.0} for name in names))
        .mark_tick(thickness=1, height=26, yOffset=9, opacity=0.7, color="#8a8f98")
        .encode(x=x, y=y),
        bars.transform_filter(f"{bound} && {whole}").mark_rule(strokeWidth=3, yOffset=9),
        bars.transform_filter(f"{bound} && !({whole})").mark_rule(strokeWidth=2, strokeDash=[4, 3], yOffset=9),
        chart.transform_filter("datum.look != 'cannot win'")
        .mark_point(filled=True, size=90, opacity=1, yOffset=9)
        .encode(shape=shape),
        chart.transform_filter("datum.look == 'cannot win'")
        .mark_point(filled=False, size=90, strokeWidth=1.6, yOffset=9)
        .encode(shape=shape),
        parts.band_names({group.names[row.case_id]: _beside(group, row) for row in rows}),
    ]
    return parts.finished(alt.layer(*layers), parts.height_of(names))


def _beside(group: Group, row: Row) -> str:
    """What the table says in numbers of a row that cannot win is not said here."""
    if group.cannot_win(row):
        return _OUT
    return "reference" if verdict.is_reference(row) else verdict.comparison(row)


def _value(group: Group, row: Row) -> dict[str, object]:
    value: dict[str, object] = {
        parts.NAME: group.names[row.case_id],
        "x": float(row.ratio_to_reference or 0.0),
        "look": _look(group, row),
    }
    if row.ratio_low is not None and row.ratio_high is not None:
        value |= {"low": float(row.ratio_low), "high": float(row.ratio_high)}
    return value
