"""Error along depth as a picture: what TensorFlow's float32, the file and the runtime lose from layer to layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import units
from bench.bisected import Bisected, Depth
from bench.report import theme
from bench.report.picture import Picture, PictureFormat, write_pictures

_LEAST_POWER = -300  # no smaller one has a logarithm in float64
_MOST_TICKS = 12
_NAMED_STEPS = 40  # more have numbers below them
_SERIES = ["TensorFlow float32", "file, unoptimised", "runtime", "budget"]  # in the order of their values
_STEP_WIDTH, _LEAST_WIDTH, _GREATEST_WIDTH, _HEIGHT = 22, 420, 1100, 320  # pixels


@dataclass(frozen=True)
class _Powers:
    """Of ten: what the axis reaches from and to, and where stands what a log scale has no place for."""

    zero: int | None  # below every error; None where none is 0
    least: int
    greatest: int
    no_number: int | None  # above every error; None where each has a number

    @property
    def domain(self) -> list[float]:
        """With room for a name above."""
        top = self.greatest if self.no_number is None else self.no_number
        return [10.0 ** (self.least if self.zero is None else self.zero), 10.0 ** (top + 1)]

    @property
    def ticks(self) -> list[float]:
        """At powers of ten, and at the places of what has none."""
        step = max(1, math.ceil((self.greatest - self.least) / _MOST_TICKS))
        powers = [self.zero, *range(self.least, self.greatest + 1, step), self.no_number]
        return [10.0**power for power in powers if power is not None]

    @property
    def labels(self) -> str:
        """Vega's expression of a tick's label."""
        zero = "" if self.zero is None else f"datum.value < {10.0 ** (self.zero + 0.5)} ? '0' : "
        none = "" if self.no_number is None else f"datum.value > {10.0 ** (self.no_number - 0.5)} ? 'no number' : "
        return f"{zero}{none}format(datum.value, '.0e')"

    def drawn(self, value: float) -> float:
        """Where an error stands."""
        if not math.isfinite(value):
            assert self.no_number is not None
            return 10.0**self.no_number
        if value == 0:
            assert self.zero is not None
            return 10.0**self.zero
        return max(value, 10.0**self.least)


def draw_errors(found: Bisected, folder: Path) -> None:
    """``errors.png`` and ``errors.svg`` in a folder that is there."""
    kinds: tuple[PictureFormat, ...] = ("png", "svg")
    for kind in kinds:
        write_pictures([errors_picture(found)], folder, kind)


def errors_picture(found: Bisected) -> Picture:
    """The chart with its numbers."""
    return Picture(
        name="errors",
        title=f"{found.model} on {found.runtime}",
        told="Largest error of each layer over its spread, in order of computation, and the budget that it may reach.",
        spec=errors_chart(found).to_dict(),
        header=("layer", *_SERIES),
        cells=tuple((row.layer, *map(units.error, _values(row))) for row in found.layers),
    )


def errors_chart(found: Bisected) -> Any:
    """Errors relative to each layer's spread, on a log scale as far as they go; budget dashed, named layer marked."""
    import altair as alt

    powers = _powers(found)
    points = list(_points(found, powers))
    names = {row.place: row.layer for row in found.layers}
    few = len(names) <= _NAMED_STEPS
    labels = " : ".join(f"datum.value == {place} ? {_quoted(name)}" for place, name in names.items()) + " : ''"
    axis = alt.Axis(
        title="layer, in order of computation",
        values=list(names) if few else alt.Undefined,
        labelExpr=labels if few else alt.Undefined,
        labelAngle=-60 if few else 0,
        labelLimit=160,
        labelOverlap=False if few else "greedy",
        grid=False,
        format="d",
    )
    x = alt.X("place:Q", axis=axis, scale=alt.Scale(domain=[0.5, len(names) + 0.5], nice=False))
    y = alt.Y(
        "error:Q",
        title="largest error over spread",
        scale=alt.Scale(type="log", domain=powers.domain, nice=False),
        axis=alt.Axis(values=powers.ticks, labelExpr=powers.labels),
    )
    scales = theme.series(_SERIES)
    colour = alt.Color("what:N", title=None, scale=alt.Scale(**scales["color"]), sort=_SERIES)
    shape = alt.Shape("what:N", title=None, scale=alt.Scale(**scales["shape"]), sort=_SERIES)
    base = alt.Chart(_data(points)).encode(x=x, y=y, color=colour)
    measured = base.transform_filter("datum.what != 'budget'")
    marks = measured.mark_point(filled=True, size=36, opacity=1).encode(shape=shape)
    lines = measured.mark_line(strokeWidth=1.2) + marks
    budget = base.transform_filter("datum.what == 'budget'").mark_line(strokeDash=[5, 4])
    width = min(_GREATEST_WIDTH, max(_LEAST_WIDTH, _STEP_WIDTH * len(names)))
    return alt.layer(budget, lines, *_marked(found, alt, x)).properties(width=width, height=_HEIGHT)


def _marked(found: Bisected, alt: Any, x: Any) -> list[Any]:
    """A line at the layer whose tensor is the first wrong one, with its name."""
    row = next((one for one in found.layers if found.tensor and one.tensor == found.tensor), None)
    row = row or next((one for one in found.layers if one.layer == found.layer), None)
    if row is None:
        return []
    mark = alt.Chart(_data([{"place": row.place, "name": found.layer or row.layer}])).encode(x=x)
    right = row.place > len(found.layers) / 2
    text = mark.mark_text(align="right" if right else "left", dx=-5 if right else 5, baseline="top", fontWeight="bold")
    return [mark.mark_rule(strokeWidth=1.2), text.encode(text="name:N", y=alt.value(2))]


def _points(found: Bisected, powers: _Powers) -> Iterator[dict[str, object]]:
    for row in found.layers:
        yield from (
            {"place": row.place, "what": what, "error": powers.drawn(value)}
            for what, value in zip(_SERIES, _values(row), strict=True)
            if value is not None
        )


def _data(values: Sequence[dict[str, object]]) -> Any:
    """Rows as they are, with no pandas between."""
    import altair as alt

    return alt.InlineData(values=values)


def _values(row: Depth) -> Sequence[float | None]:
    """In the order of the series; infinite where a difference has no number."""
    beyond = math.inf if row.verdict == "beyond" and row.error is None else row.error
    return (row.yardstick, row.file_error, beyond, row.budget)


def _powers(found: Bisected) -> _Powers:
    """From the errors that are there."""
    values = [value for row in found.layers for value in _values(row) if value is not None]
    said = [value for value in values if math.isfinite(value) and value > 0] or [1.0]
    least = max(_LEAST_POWER, math.floor(math.log10(min(said))))
    greatest = math.floor(math.log10(max(said))) + 1
    return _Powers(
        zero=least - 1 if 0 in values else None,
        least=least,
        greatest=greatest,
        no_number=None if all(map(math.isfinite, values)) else greatest + 1,
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
