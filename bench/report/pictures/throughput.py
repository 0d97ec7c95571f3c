"""Items per second against the batch, of one model on every runtime, and the best batch of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bench import units
from bench.report import text
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.pictures.scene import Group, Scene
from bench.rows import Row

_HEIGHT = 300
_HEADER = ("runtime", "batch", "items/s", "p50 of a call", "standing")
_Point = tuple[Group, Row]


def throughput(scene: Scene) -> Iterator[Picture]:
    """One picture for every model, thread count, streams and boundary that was measured at several batches."""
    sets: dict[tuple[Any, ...], list[_Point]] = {}
    for group in scene.groups:
        for row in group.rows:
            key = (row.model, row.threads, row.streams, row.boundary)
            sets.setdefault(key, []).append((group, row))
    several = [points for points in sets.values() if len({row.batch_size for _, row in _timed(points)}) > 1]
    for number, points in enumerate(several, start=1):
        yield _picture(points, number, of_several=len(several) > 1)


def _picture(points: Sequence[_Point], number: int, *, of_several: bool) -> Picture:
    first = points[0][1]
    which = f": {text.visible(first.model)}, {first.threads} threads" if of_several else ""
    best, timed = _best(points), _timed(points)
    said = [f"{name} {units.count(row.throughput_items_per_s)} at {row.batch_size}" for name, row in best.items()]
    told = "Items per second by the size of the batch."
    told += f" Greatest measured of each verified runtime, ringed: {parts.listed(said)}." if said else ""
    if any(group.cannot_win(row) for group, row in timed):
        told += " Hollow: cannot win (failed, not verified, or not comparable), joined to nothing."
    if left := [_missing(group, row) for group, row in points if row.throughput_items_per_s is None]:
        told += f" Without a number: {parts.listed(left)}."
    if any(_stretches(points, name)[-1] for name in _names(points)):
        told += " A line ends where the next batch has no verified number."
    return Picture(
        name=f"throughput_{number}",
        title=f"Throughput against batch{which}",
        told=told,
        spec=_spec(points, timed, best),
        header=_HEADER,
        cells=tuple(_cells(group, row, best) for group, row in points),
    )


def _timed(points: Sequence[_Point]) -> list[_Point]:
    return [(group, row) for group, row in points if row.throughput_items_per_s is not None]


def _names(points: Sequence[_Point]) -> list[str]:
    return list(dict.fromkeys(group.names[row.case_id] for group, row in points))


def _missing(group: Group, row: Row) -> str:
    return f"{group.names[row.case_id]} at {row.batch_size} ({row.status if row.status != 'ok' else 'not timed'})"


def _batches(points: Sequence[_Point]) -> list[int]:
    return sorted({row.batch_size for _, row in points})


def _stretches(points: Sequence[_Point], name: str) -> list[int]:
    """For each batch of the picture how many of them, up to it and behind the runtime's first, have no verified number.

    Points with the same count are joined: nothing is drawn across what was not measured or not verified.
    """
    able = {
        row.batch_size
        for group, row in _timed(points)
        if group.names[row.case_id] == name and not group.cannot_win(row)
    }
    holes, found = 0, []
    for batch in _batches(points):
        within = min(able, default=batch) < batch < max(able, default=batch)
        holes += within and batch not in able
        found.append(holes)
    return found


def _best(points: Sequence[_Point]) -> dict[str, Row]:
    """By name, of those with several batches that can win; the smaller batch where two are equal."""
    able: dict[str, list[Row]] = {}
    for group, row in _timed(points):
        if not group.cannot_win(row):
            able.setdefault(group.names[row.case_id], []).append(row)
    return {
        name: max(rows, key=lambda row: (_rate(row), -row.batch_size)) for name, rows in able.items() if len(rows) > 1
    }


def _rate(row: Row) -> float:
    return row.throughput_items_per_s or 0.0


def _cells(group: Group, row: Row, best: dict[str, Row]) -> tuple[str, ...]:
    name = group.names[row.case_id]
    standing = "cannot win" if group.cannot_win(row) else "best batch" if best.get(name) is row else ""
    standing = row.status if row.status not in ("ok", "partial") else standing
    rate, p50 = units.count(row.throughput_items_per_s), units.duration(row.latency_ns_p50)
    return (name, str(row.batch_size), rate, p50, standing)


def _spec(points: Sequence[_Point], timed: Sequence[_Point], best: dict[str, Row]) -> dict[str, Any]:
    import altair as alt

    names = _names(timed)
    scales = parts.series(names, points[0][0].scene.names)
    stretch = {(name, b): n for name in names for b, n in zip(_batches(points), _stretches(points, name), strict=True)}
    values = [_value(group, row, best) for group, row in timed]
    values = [{**value, "stretch": stretch[value[parts.NAME], value["batch"]]} for value in values]
    batches = _batches(timed)
    x = alt.X(
        "batch:Q",
        title="items in one call (batch)",
        scale=alt.Scale(type="log", base=2, domain=[batches[0] / 1.2, batches[-1] * 1.2], nice=False),
        axis=alt.Axis(values=batches, format="d", grid=False, labelOverlap="greedy"),
    )
    rates = [_rate(row) for _, row in timed]
    scale = parts.scale_of(rates) if parts.is_wide(rates) else alt.Scale(domain=[0, max(rates) * 1.08], nice=False)
    y = alt.Y("rate:Q", title="items per second", scale=scale)
    encoded: dict[str, Any] = {
        "x": x,
        "y": y,
        "color": alt.Color(f"{parts.NAME}:N", scale=scales["color"], legend=parts.legend()),
    }
    shape = alt.Shape(f"{parts.NAME}:N", scale=scales["shape"], legend=parts.legend())
    chart = alt.Chart(parts.data(values)).encode(**encoded)
    can, cannot = "datum.standing != 'cannot win'", "datum.standing == 'cannot win'"
    layers = [
        chart.transform_filter(can).mark_line(strokeWidth=1.4).encode(detail="stretch:O"),
        chart.transform_filter(can).mark_point(filled=True, size=60, opacity=1).encode(shape=shape),
        chart.transform_filter(cannot).mark_point(filled=False, size=60, strokeWidth=1.5).encode(shape=shape),
        chart.transform_filter("datum.standing == 'best'").mark_point(shape="circle", filled=False, size=220),
    ]
    return parts.finished(alt.layer(*layers), _HEIGHT)


def _value(group: Group, row: Row, best: dict[str, Row]) -> dict[str, Any]:
    name = group.names[row.case_id]
    standing = "cannot win" if group.cannot_win(row) else "best" if best.get(name) is row else "other"
    return {parts.NAME: name, "batch": row.batch_size, "rate": parts.rounded(_rate(row)), "standing": standing}
