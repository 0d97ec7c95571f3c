"""How pictures and pages look: colours of series that colour-blind people can tell apart, shapes, dashes. Pure data.

A series is never told by its colour alone. The colours were searched for: each stands out from the backgrounds of both
schemes (3:1), neighbours and the first four differ for every kind of colour vision: tests/report/test_theme.py computes
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 720  # pixels of a picture in a file
COLOURS = ("#1471C8", "#DE7510", "#A68895", "#995927", "#7C8EC8", "#7165A6", "#2A9B59", "#B268AA")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
DASHES = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (4, 2), (10, 4), (1, 3), (6, 2, 1, 2))
_TURN = 3  # places by which shapes and dashes are ahead of the colours each time these begin again
LEGEND_AXIS = 60  # pixels left of a chart's plot, where its legend begins: names of its axis
LEGEND_MARK = 40  # pixels of a legend around a name: its mark, and space


@dataclass(frozen=True)
class Scheme:
    """Colours of one scheme; texts have 4.5:1 against both of its backgrounds."""

    background: str
    surface: str  # of boxes and table headers, next to the background
    text: str
    muted: str  # text of less weight: captions, axes
    line: str  # rules and grids, to be seen past
    edge: str  # of controls, 3:1
    accent: str  # links and focus
    good: str
    bad: str
    doubt: str


LIGHT_SCHEME = Scheme(
    background="#ffffff",
    surface="#f5f6f8",
    text="#1b1f24",
    muted="#59616b",
    line="#dfe3e8",
    edge="#868e98",
    accent="#0b5cad",
    good="#1a6b34",
    bad="#b3261e",
    doubt="#7d5200",
)
DARK_SCHEME = Scheme(
    background="#15181d",
    surface="#1e2228",
    text="#e6e8eb",
    muted="#a3abb5",
    line="#333941",
    edge="#77808b",
    accent="#7db7f5",
    good="#6fce8b",
    bad="#ff9088",
    doubt="#e5b455",
)


def _charted(scheme: Scheme) -> dict[str, Any]:
    """Vega-Lite's configuration for one scheme; the background is the page's."""
    text, muted, line = scheme.text, scheme.muted, scheme.line
    return {
        "background": "transparent",
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "range": {"category": list(COLOURS)},
        "axis": {
            "labelColor": muted,
            "titleColor": muted,
            "gridColor": line,
            "domainColor": scheme.edge,
            "tickColor": scheme.edge,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 10,
        },
        "axisX": {"labelSeparation": 3},  # numbers side by side do not run into one
        "legend": {
            "labelColor": text,
            "titleColor": muted,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "symbolOpacity": 1,
            "symbolSize": 80,
            "orient": "top",
        },
        "header": {"labelColor": text, "titleColor": muted, "labelFontSize": 12, "titleFontSize": 12},
        "title": {"color": text, "anchor": "start", "fontSize": 15, "fontWeight": 600, "offset": 12},
        "text": {"color": text, "fontSize": 12},
        "rule": {"color": text},
    }


LIGHT = _charted(LIGHT_SCHEME)
DARK = _charted(DARK_SCHEME)


def legend(width: float, column: float) -> dict[str, int]:
    """Vega-Lite's legend in a chart of ``width`` pixels: as many columns as have room, longer names end in an ellipsis.

    ``column``: what one needs. ``pages/page.js`` computes the same from the room that a window leaves.
    """
    room = width - LEGEND_AXIS
    columns = max(1, int(room // column))
    return {"columns": columns, "labelLimit": int(room / columns) - LEGEND_MARK}


def series(names: list[str]) -> dict[str, dict[str, Any]]:
    """The same colour, shape and dash for a name in every picture of a page: scales of Vega-Lite by channel.

    ``names`` in the page's order. More than there are colours get them again, each with another shape and dash: no two
    of 64 names have the same pair.
    """
    looks: Mapping[str, Sequence[Any]] = {
        "color": COLOURS,
        "shape": SHAPES,
        "strokeDash": [list(dash) for dash in DASHES],
    }
    return {
        channel: {"domain": names, "range": [_look(some, channel, place) for place in range(len(names))]}
        for channel, some in looks.items()
    }


def _look(some: Sequence[Any], channel: str, place: int) -> Any:
    ahead = 0 if channel == "color" else _TURN * (place // len(some))
    return some[(place + ahead) % len(some)]
