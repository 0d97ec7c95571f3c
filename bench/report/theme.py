"""How pictures look: colours of series that colour-blind people can tell apart, with shapes and dashes. Pure data.

A series is never told by its colour alone.
"""

from __future__ import annotations

from typing import Any

WIDTH = 720  # pixels of a picture in a file
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#A2599B", "#8A6D00", "#5B7FA6", "#B03A48", "#4D7F17")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
DASHES = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (4, 2), (10, 4), (1, 3), (6, 2, 1, 2))


def _scheme(text: str, line: str) -> dict[str, Any]:
    """Vega-Lite's configuration for one scheme; the background is the page's."""
    return {
        "background": "transparent",
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "range": {"category": list(COLOURS)},
        "axis": {
            "labelColor": text,
            "titleColor": text,
            "gridColor": line,
            "domainColor": text,
            "tickColor": text,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
        },
        "legend": {"labelColor": text, "titleColor": text, "labelFontSize": 12, "orient": "top", "labelLimit": 400},
        "header": {"labelColor": text, "titleColor": text},
        "title": {"color": text, "anchor": "start"},
        "text": {"color": text},
        "rule": {"color": text},
    }


LIGHT = _scheme("#1b1f24", "#d9dde3")
DARK = _scheme("#e8eaed", "#3a3f47")


def series(names: list[str]) -> dict[str, dict[str, Any]]:
    """The same colour, shape and dash for a name in every picture of a page: scales of Vega-Lite by channel.

    ``names`` in the page's order; more than there are colours begin again.
    """
    return {
        "color": {"domain": names, "range": [COLOURS[i % len(COLOURS)] for i in range(len(names))]},
        "shape": {"domain": names, "range": [SHAPES[i % len(SHAPES)] for i in range(len(names))]},
        "strokeDash": {"domain": names, "range": [list(DASHES[i % len(DASHES)]) for i in range(len(names))]},
    }
