"""Bars of parts that add up, one a runtime: what memory, cold start and placement are drawn as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.report import theme
from bench.report.pictures import parts

_BAR = 18  # pixels
_FAINT = 0.85


@dataclass(frozen=True)
class Stack:
    """One bar."""

    name: str
    sizes: Mapping[str, float]  # by part, in the order from left to right; none below 0
    beside: str  # said beside the name
    is_out: bool = False  # of the contest: drawn hollow


def stacked(stacks: Sequence[Stack], kinds: Sequence[str], title: str, *, whole: float | None = None) -> dict[str, Any]:
    """The specification; ``kinds``: every part in its order, ``title`` of the axis, ``whole``: where the axis ends."""
    import altair as alt

    names = [stack.name for stack in stacks]
    values = [row for stack in stacks for row in _pieces(stack)]
    end = whole or max((row["x2"] for row in values), default=1.0) * 1.02
    scale = alt.Scale(domain=list(kinds), range=[theme.COLOURS[i % len(theme.COLOURS)] for i in range(len(kinds))])
    colour = alt.Color("part:N", scale=scale, legend=parts.legend(symbolType="square"))
    bars = alt.Chart(parts.data(values)).encode(
        x=alt.X("x:Q", title=title, scale=alt.Scale(domain=[0, end], nice=False)),
        x2="x2",
        y=parts.bands(names),
        color=colour,
        tooltip=[f"{parts.NAME}:N", "part:N", "size:Q"],
    )
    bar: dict[str, Any] = {"height": _BAR, "yOffset": 9}
    layers = [
        bars.transform_filter("!datum.out").mark_bar(opacity=_FAINT, **bar),
        bars.transform_filter("datum.out").mark_bar(filled=False, strokeWidth=1.5, **bar),
        parts.band_names({stack.name: _beside(stack) for stack in stacks}),
    ]
    return parts.finished(alt.layer(*layers), parts.height_of(names))


def _beside(stack: Stack) -> str:
    return f"cannot win, {stack.beside}" if stack.is_out else stack.beside


def _pieces(stack: Stack) -> list[dict[str, Any]]:
    found, start = [], 0.0
    for part, size in stack.sizes.items():
        if size > 0:
            sides = {"x": start, "x2": start + size, "size": parts.rounded(size)}
            found.append({parts.NAME: stack.name, "part": part, **sides, "out": stack.is_out})
            start += size
    return found
