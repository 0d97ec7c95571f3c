"""The roofline picture: a runtime's layers under this machine's roofs, both axes logarithmic.

A line without multiply-adds has no place there and is counted in the words beneath.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench import units
from bench.analysis.operators import Line
from bench.analysis.roofline import Rate, Roof
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.profile_cells import LINE_HEADER, CaseView, giga, line_cells, percent, short, spanned

OTHER = "other kinds"
_HEIGHT = 340
_LABELLED = 5  # of the dearest
_APART = 0.07  # of the height: labels nearer than this would cover one another
_GIGA = 1e9
_LABEL: dict[str, Any] = {"fontSize": 11, "limit": 260}


@dataclass(frozen=True)
class _Area:
    """What the axes of every panel reach over."""

    low: float  # flop/byte
    high: float
    least: float  # GFLOP/s
    most: float


def rooflines(views: Sequence[CaseView], roof: Roof, kinds: Sequence[str], names: Sequence[str]) -> list[Picture]:
    """One a case that has something to be drawn, all on the same axes; ``kinds`` in the page's order."""
    placed = [(view, name, _placed(view)) for view, name in zip(views, names, strict=True)]
    placed = [one for one in placed if one[2]]
    if not placed:
        return []
    area = _area(roof, [rate for _, _, found in placed for _, rate in found])
    return [
        Picture(
            name=f"roofline_{number}",
            title=f"Under the roofs of this machine: {name}",
            told=_roofline_told(view, found),
            spec=_roofline_spec(found, roof, area, kinds),
            header=LINE_HEADER,
            cells=tuple(line_cells(view)),
        )
        for number, (view, name, found) in enumerate(placed, 1)
    ]


def _placed(view: CaseView) -> list[tuple[Line, Rate]]:
    """The lines that have products, bytes and a time, the dearest first."""
    found = zip(view.lines, view.rates, strict=True)
    return [(line, rate) for line, rate in found if rate.flops_per_s and rate.intensity and rate.roof_share]


def _area(roof: Roof, rates: Sequence[Rate]) -> _Area:
    across = [roof.ridge, *(rate.intensity or roof.ridge for rate in rates)]
    up = [roof.flops_per_s, *(rate.flops_per_s or roof.flops_per_s for rate in rates)]
    return _Area(low=min(across) / 2, high=max(across) * 2.5, least=min(up) / _GIGA / 2, most=max(up) / _GIGA * 2)


def _roofline_told(view: CaseView, found: Sequence[tuple[Line, Rate]]) -> str:
    wall = view.wall_ns
    best = max(found, key=lambda pair: pair[1].headroom_ns or 0.0)
    shown = sum(line.time.estimate for line, _ in found)
    said = [
        "The lines are the roofs: what the copy and the matrix product allow at so many operations a byte. A point is "
        "a group of layers done together, larger where it takes more time.",
        f"Most would be saved at the roof by {short(best[0].name)}: {units.duration(best[1].headroom_ns)} of "
        f"{spanned(best[0].time)}.",
    ]
    if above := sum((rate.roof_share or 0) > 1 for _, rate in found):
        said.append(f"{above} above the roof: data that stay in caches, or fewer products than are counted.")
    said.append(f"Drawn are {percent(shown / wall)} of the time; the rest has no multiply-adds or no layer.")
    return " ".join(said)


def _roofline_spec(found: Sequence[tuple[Line, Rate]], roof: Roof, area: _Area, kinds: Sequence[str]) -> dict[str, Any]:
    import altair as alt

    x = alt.X("x:Q", title="floating point operations a byte (log)", axis=_ticks(area.low, area.high))
    x = x.scale(type="log", domain=[area.low, area.high], nice=False)
    y = alt.Y("y:Q", title="GFLOP/s (log)", axis=_ticks(area.least, area.most))
    y = y.scale(type="log", domain=[area.least, area.most], nice=False)
    here = [kind for kind in kinds if any(_kind(line, kinds) == kind for line, _ in found)]
    looks = parts.series(here, kinds)
    greatest = max(line.time.estimate for line, _ in found)
    size = alt.Scale(domain=[0, greatest / 1e6], range=[12, 500])
    points = alt.Chart(parts.data([_point(line, rate, kinds) for line, rate in found]))
    points = points.mark_point(filled=True, opacity=0.75).encode(
        x=x,
        y=y,
        color=alt.Color("kind:N", scale=looks["color"], legend=parts.legend()),
        shape=alt.Shape("kind:N", scale=looks["shape"], legend=parts.legend()),
        size=alt.Size("ms:Q", scale=size, legend=None),
        tooltip=["layers:N", "kind:N", "time:N", "x:Q", "y:Q"],
    )
    return parts.finished(alt.layer(*_roofs(roof, area, x, y), points, *_labels(found, area, x, y)), _HEIGHT)


def _point(line: Line, rate: Rate, kinds: Sequence[str]) -> dict[str, object]:
    return {
        "x": parts.rounded(rate.intensity or 0.0),
        "y": parts.rounded((rate.flops_per_s or 0.0) / _GIGA),
        "ms": parts.rounded(line.time.estimate / 1e6),
        "kind": _kind(line, kinds),
        "layers": line.name,
        "time": spanned(line.time),
    }


def _roofs(roof: Roof, area: _Area, x: Any, y: Any) -> list[Any]:
    """Both roofs as one line, and what each of them is."""
    import altair as alt

    flat, slope = roof.flops_per_s / _GIGA, roof.bytes_per_s / _GIGA
    start = max(area.low, area.least / slope)
    corners = [{"x": at, "y": min(flat, at * slope)} for at in (start, roof.ridge, area.high)]
    line = alt.Chart(parts.data(corners)).mark_line(strokeWidth=2, color="#8a8f98", interpolate="linear")
    products = alt.Chart(parts.data([{"x": area.high, "y": flat, "said": f"{giga(roof.flops_per_s)} GFLOP/s"}]))
    copied = alt.Chart(parts.data([{"x": start, "y": start * slope, "said": f"{giga(roof.bytes_per_s)} GB/s"}]))
    return [
        line.encode(x=x, y=y),
        products.mark_text(align="right", dx=-4, dy=-8).encode(x=x, y=y, text="said:N"),
        copied.mark_text(align="left", dx=0, dy=-16).encode(x=x, y=y, text="said:N"),
    ]


def _labels(found: Sequence[tuple[Line, Rate]], area: _Area, x: Any, y: Any) -> list[Any]:
    """Names of the dearest, each only where no other is; to the side on which there is room."""
    import altair as alt

    taken: list[float] = []
    rows: list[dict[str, object]] = []
    for line, rate in sorted(found, key=lambda pair: -pair[0].time.estimate)[:_LABELLED]:
        height = math.log((rate.flops_per_s or 1) / _GIGA / area.least) / math.log(area.most / area.least)
        if all(abs(height - other) > _APART for other in taken):
            taken.append(height)
            point = {"x": parts.rounded(rate.intensity or 0.0), "y": parts.rounded((rate.flops_per_s or 0.0) / _GIGA)}
            right = math.log((rate.intensity or 1) / area.low) / math.log(area.high / area.low) > 1 / 2
            rows.append({**point, "said": short(line.name), "right": right})
    sides = [
        alt.Chart(parts.data([row for row in rows if row["right"]])).mark_text(align="right", dx=-13, **_LABEL),
        alt.Chart(parts.data([row for row in rows if not row["right"]])).mark_text(align="left", dx=13, **_LABEL),
    ]
    return [side.encode(x=x, y=y, text="said:N") for side in sides]


def _ticks(low: float, high: float) -> Any:
    """Powers of ten with 2 and 5 between where there are few of them."""
    import altair as alt

    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1,) if len(powers) > 4 else (1, 2, 5)
    values = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
    return alt.Axis(values=values, format="~g", grid=True)


def _kind(line: Line, kinds: Sequence[str]) -> str:
    return line.kind if line.kind in kinds else OTHER
