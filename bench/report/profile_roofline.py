"""The roofline picture: a runtime's layers under this machine's roofs, both axes logarithmic.

A line without multiply-adds has no place there and is counted in the words beneath.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench import units
from bench.analysis.operators import Line, main_layer
from bench.analysis.profiled import ProfiledCase
from bench.analysis.roofline import Rate, Roof
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.profile_cells import LINE_HEADER, WHY_ABOVE, CaseView, giga, line_cells, percent, short, spanned

OTHER = "other kinds"
_HEIGHT = 340
_WIDTH = 640  # of a chart in a file, without its axis: where names are put
_LABELLED = 8  # of the dearest
_LETTER = 6.3  # pixels
_SIDES: dict[str, dict[str, Any]] = {
    "right": {"align": "left", "dx": 12},
    "left": {"align": "right", "dx": -12},
    "above": {"align": "center", "dy": -18},
    "below": {"align": "center", "dy": 18},
}
_GIGA = 1e9


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
            spec=_roofline_spec(view.case, found, roof, area, kinds),
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
    best = max(found, key=lambda pair: pair[1].headroom_ns or 0.0)
    shown = sum(line.time.estimate for line, _ in found)
    said = [
        "The lines are the roofs: what the copy and the matrix product allow at so many operations a byte. A point is "
        "a group of layers done together, larger where it takes more time.",
        f"Most would be saved at the roof by {short(best[0].name)}: {units.duration(best[1].headroom_ns)} of "
        f"{spanned(best[0].time)}.",
    ]
    if above := sum((rate.roof_share or 0) > 1 for _, rate in found):
        said.append(f"{above} above the roof: {WHY_ABOVE}.")
    said.append(
        f"Drawn are {percent(shown / view.whole_ns)} of the time; the rest has no known multiply-adds or bytes."
    )
    return " ".join(said)


def _roofline_spec(
    case: ProfiledCase, found: Sequence[tuple[Line, Rate]], roof: Roof, area: _Area, kinds: Sequence[str]
) -> dict[str, Any]:
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
    return parts.finished(
        alt.layer(*_roofs(roof, area, x, y), points, *_labels(case, found, roof, area, x, y)), _HEIGHT
    )


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
    middle = max(start, roof.ridge * 0.6)
    corners = [{"x": at, "y": min(flat, at * slope)} for at in (start, roof.ridge, area.high)]
    line = alt.Chart(parts.data(corners)).mark_line(strokeWidth=2, color="#8a8f98", interpolate="linear")
    corner = min(roof.ridge, area.high)  # where few layers are: their names would run into it at the right end
    products = alt.Chart(parts.data([{"x": corner, "y": flat, "said": f"{giga(roof.flops_per_s)} GFLOP/s"}]))
    copied = alt.Chart(parts.data([{"x": middle, "y": middle * slope, "said": f"{giga(roof.bytes_per_s)} GB/s"}]))
    return [
        line.encode(x=x, y=y),
        products.mark_text(align="left" if corner < area.high else "right", dx=4, dy=-10).encode(
            x=x, y=y, text="said:N"
        ),
        copied.mark_text(align="right", dx=-8, dy=-8).encode(x=x, y=y, text="said:N"),
    ]


def _labels(
    case: ProfiledCase, found: Sequence[tuple[Line, Rate]], roof: Roof, area: _Area, x: Any, y: Any
) -> list[Any]:
    """Names of the dearest, each on a side on which it covers no point, no name and no roof; else none."""
    import altair as alt

    taken = [_spot(area, rate.intensity or 1.0, (rate.flops_per_s or 1.0) / _GIGA) for _, rate in found]
    taken += _roof_spots(roof, area)
    rows: dict[str, list[dict[str, object]]] = {side: [] for side in _SIDES}
    for line, rate in sorted(found, key=lambda pair: -pair[0].time.estimate)[:_LABELLED]:
        across, up = rate.intensity or 1.0, (rate.flops_per_s or 1.0) / _GIGA
        name = short(main_layer(case, line))
        side = _free_side(_spot(area, across, up), _LETTER * len(name), taken)
        if side is not None:
            taken += _covered(_spot(area, across, up), _LETTER * len(name), side)
            rows[side].append({"x": parts.rounded(across), "y": parts.rounded(up), "said": name})
    return [
        alt.Chart(parts.data(some)).mark_text(fontSize=11, **_SIDES[side]).encode(x=x, y=y, text="said:N")
        for side, some in rows.items()
        if some
    ]


def _free_side(spot: tuple[float, float], width: float, taken: Sequence[tuple[float, float]]) -> str | None:
    for side in _SIDES:
        left, right, top, bottom = _box(spot, width, side)
        is_inside = left >= 0 and right <= _WIDTH and top >= 0 and bottom <= _HEIGHT
        if is_inside and not any(left <= across <= right and top <= down <= bottom for across, down in taken):
            return side
    return None


def _box(spot: tuple[float, float], width: float, side: str) -> tuple[float, float, float, float]:
    """Left, right, top and bottom of a name with its margins, pixels."""
    across, down = spot
    if side in ("right", "left"):
        start = across + 10 if side == "right" else across - 10 - width
        return start, start + width + 4, down - 11, down + 11
    middle = down - 18 if side == "above" else down + 18
    return across - width / 2, across + width / 2, middle - 10, middle + 10


def _covered(spot: tuple[float, float], width: float, side: str) -> list[tuple[float, float]]:
    """Places that a name takes, so near one another that no other fits between."""
    left, right, top, bottom = _box(spot, width, side)
    steps = max(2, int(width / 15))
    return [(left + (right - left) * step / steps, (top + bottom) / 2) for step in range(steps + 1)]


def _roof_spots(roof: Roof, area: _Area) -> list[tuple[float, float]]:
    flat, slope = roof.flops_per_s / _GIGA, roof.bytes_per_s / _GIGA
    places = [area.low * (area.high / area.low) ** (step / 60) for step in range(61)]
    return [_spot(area, at, min(flat, at * slope)) for at in places]


def _spot(area: _Area, intensity: float, gflops: float) -> tuple[float, float]:
    """Pixels from the left and from the top, in a chart as wide as in a file."""
    across = math.log(intensity / area.low) / math.log(area.high / area.low)
    up = math.log(gflops / area.least) / math.log(area.most / area.least)
    return across * _WIDTH, (1 - up) * _HEIGHT


def _ticks(low: float, high: float) -> Any:
    """Powers of ten with 2 and 5 between where there are few of them."""
    import altair as alt

    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1,) if len(powers) > 4 else (1, 2, 5)
    values = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
    return alt.Axis(values=values, format="~g", grid=True)


def _kind(line: Line, kinds: Sequence[str]) -> str:
    return line.kind if line.kind in kinds else OTHER
