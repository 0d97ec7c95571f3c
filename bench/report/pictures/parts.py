"""What several pictures of a report are made of: data, colours of series, names above bars, legends, axes.

Names stand above what they name, so that long ones leave the chart its width on a phone too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench import units
from bench.report import theme

NAME = "name"  # the field that holds a series' name
_LETTER = 6.8  # and of a letter, rather too many
BAND = 46  # pixels of a bar with its name above
LEAST, GREATEST = 1e-290, 1e290  # ends of a logarithmic axis: what is beyond them stands there
_WIDE = 6.0  # greatest over least from which an axis is logarithmic


def data(rows: Iterable[Mapping[str, Any]]) -> Any:
    """Rows as they are, with no pandas between."""
    import altair as alt

    return alt.InlineData(values=list(rows))


def series(names: Sequence[str], every: Sequence[str], *, shown: Sequence[str] | None = None) -> dict[str, Any]:
    """Colour, shape and dash of ``names``: the same in every picture of a page that shows ``every``.

    ``shown``: what they are called in this one, where that is more than the name.
    """
    import altair as alt

    place = {name: number for number, name in enumerate(every)}
    of_all = theme.series(list(every))
    return {
        channel: alt.Scale(domain=list(shown or names), range=[scale["range"][place[name]] for name in names])
        for channel, scale in of_all.items()
    }


def legend(**changes: Any) -> Any:
    """A legend without a title: what it lists is plain."""
    import altair as alt

    return alt.Legend(title=None, **changes)


def bands(names: Sequence[str]) -> Any:
    """A band for each name from above to below; ``band_names`` writes them."""
    import altair as alt

    scale = alt.Scale(paddingInner=0, paddingOuter=0)
    return alt.Y(f"{NAME}:N", sort=list(names), axis=None, scale=scale)


def band_names(beside: Mapping[str, str]) -> Any:
    """Each name at the top of its band, and at the right what is said of it; a name ends where that begins."""
    import altair as alt

    names = list(beside)
    rows = [{NAME: name, "said": said} for name, said in beside.items()]
    room = max(map(len, beside.values()), default=0) * _LETTER
    texts = alt.Chart(data(rows)).encode(y=bands(names))
    looks: dict[str, Any] = {"baseline": "middle", "dy": -12, "fontSize": 12}
    named = texts.mark_text(align="left", limit=alt.ExprRef(expr=f"max(40, width - {room:.0f})"), **looks)
    said = texts.mark_text(align="right", **looks)
    return named.encode(x=alt.value(0), text=f"{NAME}:N") + said.encode(x=alt.value("width"), text="said:N")


def height_of(names: Sequence[str]) -> int:
    """Of a chart of bands."""
    return BAND * len(names)


def finished(chart: Any, height: int) -> dict[str, Any]:
    """The specification, as wide as the page lets it be."""
    spec: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


def is_wide(values: Sequence[float]) -> bool:
    """Whether values reach over so much that an axis has to be logarithmic."""
    return len(values) > 0 and min(values) > 0 and max(values) / min(values) > _WIDE


def scale_of(values: Sequence[float], *, room: float = 0.04) -> Any:
    """Of an axis that holds the values: logarithmic where they reach far, and never from 0 just for its sake."""
    import altair as alt

    least, greatest = min(values), max(values)
    if is_wide(values):
        margin = (greatest / least) ** room
        return alt.Scale(type="log", domain=[least / margin, greatest * margin], nice=False)
    margin = (greatest - least) * room or abs(greatest) * room or 1.0
    return alt.Scale(domain=[least - margin, greatest + margin], nice=False, zero=False)


def time_axis(values_ns: Sequence[float]) -> tuple[float, str]:
    """Nanoseconds of a unit in which most of these are small numbers, and the unit's name."""
    ordered = sorted(values_ns)
    return units.time_unit(ordered[len(ordered) // 2])


def rounded(value: float) -> float:
    """To four digits: what a picture can show of it."""
    return float(f"{value:.4g}")


def listed(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def powers_axis(values: Sequence[float]) -> dict[str, Any]:
    """Scale and axis of errors: logarithmic, labelled at powers of ten."""
    import altair as alt

    low, high = math.floor(math.log10(min(values) / 1.5)), math.ceil(math.log10(max(values) * 1.5))
    step = max(1, (high - low) // 8)
    ticks = [float(f"1e{power}") for power in range(low, high + 1, step)]
    scale = alt.Scale(type="log", domain=[float(f"1e{low}"), float(f"1e{high}")], nice=False)
    return {"scale": scale, "axis": alt.Axis(values=ticks, format=".0e")}
