"""The pictures of a sweep: latency, its price per multiply-add, throughput, memory, accuracy against latency.

Only points that were verified are drawn; a line only where it holds; accuracy is called published wherever it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bench import units
from bench.analysis.sweep_points import Point, Strand, Swept
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.pictures.parts import listed
from bench.report.sweep_accuracy_pictures import accuracy_pictures
from bench.report.sweep_charts import (
    MACS,
    axis_x,
    axis_y,
    dots,
    joined,
    latency_of,
    layered,
    marks,
    number,
    price_of,
    scattered,
    spot,
    values,
)
from bench.report.sweep_costs import bounded, holds_zero
from bench.report.sweep_text import title_of

_STEPS = 40  # of a line that is drawn on logarithmic axes


def sweep_pictures(swept: Swept) -> list[Picture]:
    """All that there is something to draw of."""
    drawn = [p for p in swept.points if p.latency is not None and p.macs_millions]
    made = [_latency(swept, drawn), *_prices(swept, drawn), *_throughput(swept, drawn)] if drawn else []
    return [*made, *_memory(swept), *accuracy_pictures(swept)]


def _latency(swept: Swept, drawn: Sequence[Point]) -> Picture:
    crooked = [name for name in dict.fromkeys(p.series for p in drawn) if not swept.latency[name].holds]
    told = "Each point is a model of the grid, its bar the interval over repetitions."
    told += " Lines are fixed cost and cost per multiply-add." if len(crooked) < len(swept.series) else ""
    told += f" No line is drawn for {listed(crooked)}: none holds over all sizes." if crooked else ""
    if level := [name for name, fit in swept.latency.items() if fit.holds and fit.line and holds_zero(fit.line.slope)]:
        told += f" Whether that of {listed(level)} rises is not told: its slope is not told apart from 0."
    return Picture(
        name="sweep_latency",
        title=f"Latency against multiply-adds: {title_of(swept)}",
        told=told,
        spec=_latency_spec(swept, drawn),
        header=("point", "runtime", MACS, "latency"),
        cells=tuple((p.name, p.series, number(p.macs_millions), bounded(latency_of(p))) for p in drawn),
    )


def _latency_spec(swept: Swept, drawn: Sequence[Point]) -> dict[str, Any]:
    import altair as alt

    unit, unit_name = parts.time_axis([latency_of(p).estimate for p in drawn])
    points = [_barred(p, unit) for p in drawn]
    lines = list(_fitted(swept, unit))
    title, reach = f"latency of a call ({unit_name})", values([*points, *lines], "low", "high", "y")
    x, y, low = axis_x(MACS, points), axis_y(title, reach), axis_y(title, reach, "low")
    channels = marks([p.series for p in drawn], swept.series)
    bars = alt.Chart(parts.data(points)).mark_rule(strokeWidth=1.5)
    layers = [bars.encode(x=x, y=low, y2="high", color=channels["color"]), dots(points, x, y, channels)]
    return layered(*([joined(lines, x, y, channels)] if lines else []), *layers)


def _barred(point: Point, unit: float) -> dict[str, object]:
    found = latency_of(point)
    low, high = (found.estimate if end is None else end for end in (found.low, found.high))
    drawn = spot(point, point.macs_millions, found.estimate / unit, bounded(found))
    return {**drawn, "low": low / unit, "high": high / unit}


def _fitted(swept: Swept, unit: float) -> Iterator[dict[str, object]]:
    """Each line that holds, from its least size to its greatest."""
    for name, fit in swept.latency.items():
        if fit.line is not None and fit.holds:
            low, high = fit.line.sizes
            for size in (low * (high / low) ** (step / _STEPS) for step in range(_STEPS + 1)):
                yield {parts.NAME: name, "x": size, "y": fit.line.at(size) / unit}


def _prices(swept: Swept, drawn: Sequence[Point]) -> Iterator[Picture]:
    """What a million multiply-adds costs, a picture a runtime, all on one scale."""
    for place, name in enumerate(swept.series, 1):
        strands = [s for s in swept.strands if s.series == name and any(p.macs_millions for p in s.points)]
        if strands:
            points = [p for strand in strands for p in strand.points if p.macs_millions]
            yield Picture(
                name=f"sweep_price_{place}",
                title=f"What a million multiply-adds costs on {name}",
                told=_price_told(swept, strands),
                spec=_price_spec(swept, strands, drawn),
                header=("point", MACS, "latency per million"),
                cells=tuple((p.name, number(p.macs_millions), units.duration(price_of(p))) for p in points),
            )


def _price_told(swept: Swept, strands: Sequence[Strand]) -> str:
    told = f"Latency over multiply-adds; a line joins the models that differ in {swept.along.name} alone."
    if len(strands) == 1:
        return f"{told} It falls to the right where a fixed cost is shared by more multiply-adds."
    return f"{told} Where lines lie apart, models of as many multiply-adds have different latencies."


def _price_spec(swept: Swept, strands: Sequence[Strand], drawn: Sequence[Point]) -> dict[str, Any]:
    unit, unit_name = parts.time_axis([price_of(p) for p in drawn])
    names = list(dict.fromkeys(_strand_name(swept, strand) for strand in swept.strands))
    points = [
        spot(p, p.macs_millions, price_of(p) / unit, units.duration(price_of(p)), _strand_name(swept, strand))
        for strand in strands
        for p in strand.points
        if p.macs_millions
    ]
    x = axis_x(MACS, [{"x": p.macs_millions} for p in drawn])
    y = axis_y(f"latency per {MACS} ({unit_name})", [price_of(p) / unit for p in drawn])
    channels = marks([_strand_name(swept, strand) for strand in strands], names)
    return layered(joined(points, x, y, channels), dots(points, x, y, channels))


def _strand_name(swept: Swept, strand: Strand) -> str:
    return strand.fixed or swept.along.name


def _throughput(swept: Swept, drawn: Sequence[Point]) -> Iterator[Picture]:
    known = [(p, p.row.throughput_items_per_s) for p in drawn if p.row.throughput_items_per_s]
    if known:
        points = [spot(p, p.macs_millions, rate, f"{number(rate)} items/s") for p, rate in known]
        yield Picture(
            name="sweep_throughput",
            title=f"Throughput against multiply-adds: {title_of(swept)}",
            told="Items per second over all timed calls, which come one after the other.",
            spec=scattered(swept, points, (MACS, "items per second")),
            header=("point", "runtime", MACS, "items/s"),
            cells=tuple((p.name, p.series, number(p.macs_millions), number(rate)) for p, rate in known),
        )


def _memory(swept: Swept) -> Iterator[Picture]:
    known = [p for p in swept.points if not p.why_not and p.row.rss_peak_bytes and p.params_millions]
    if known:
        sizes = [units.size(p.row.rss_peak_bytes) for p in known]
        points = [
            spot(p, p.params_millions, (p.row.rss_peak_bytes or 0) / 2**20, size)
            for p, size in zip(known, sizes, strict=True)
        ]
        yield Picture(
            name="sweep_memory",
            title=f"Peak memory against parameters: {title_of(swept)}",
            told="Resident memory of the whole process, the runtime included, at its peak while calls were timed.",
            spec=scattered(swept, points, ("million parameters", "peak memory (MiB)")),
            header=("point", "runtime", "million parameters", "peak memory"),
            cells=tuple(
                (p.name, p.series, number(p.params_millions), size) for p, size in zip(known, sizes, strict=True)
            ),
        )
