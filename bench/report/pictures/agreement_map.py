"""How far each output of each runtime is from the truth, as a share of its tolerance, with the verdict in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from bench import units
from bench.report import text
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.pictures.scene import Group
from bench.rows import Row

_OUTPUTS = 8  # more are the worst of them, the table has all
_CELL = 44  # pixels of a row
_LEAST, _GREATEST = 1e-3, 1e3  # shares of the tolerance at which the colour ends
# blue below the tolerance, orange above it: told apart by every kind of colour vision, and by lightness from the middle
_COLOURS = ("#08519c", "#6baed6", "#f2f2f2", "#fd8d3c", "#a63603")
_HEADER = ("runtime", "output", "verdict", "error", "tolerance", "error over tolerance", "reason")


def agreement_map(group: Group) -> Iterator[Picture]:
    """A cell for each runtime and output; none where nothing was checked."""
    cells = [cell for row in group.rows for cell in _cells_of(group, row)]
    if not any(cell["verdict"] != "unchecked" for cell in cells):
        return
    outputs = list(dict.fromkeys(cell["output"] for cell in cells if cell["output"]))
    shown = _worst(cells, outputs)
    told = "The largest error of each output over its tolerance: blue is within, orange beyond (log scale); "
    told += "cells without colour were not told: not checked, or vacuous (the output hardly depends on the input)."
    if len(shown) < len(outputs):
        told += f" Drawn are the {len(shown)} worst of {len(outputs)} outputs; the table has all."
    yield Picture(
        name=group.name("agreement_map"),
        title=f"Agreement with the truth{group.title}",
        told=told,
        spec=_spec(cells, shown),
        header=_HEADER,
        cells=tuple(_line(cell) for cell in cells),
    )


def _cells_of(group: Group, row: Row) -> Iterator[dict[str, Any]]:
    """As checked; a row that was not gets one cell that says so."""
    table = group.scene.report.agreement
    found: list[dict[str, Any]] = table[table["case_id"] == row.case_id].to_dict("records")  # type: ignore[assignment]
    for check in found:
        yield _cell(group.names[row.case_id], check)
    if not found:
        nothing = {"output": "", "verdict": "unchecked", "reason": row.agreement_reason or row.status_reason}
        yield _cell(group.names[row.case_id], nothing)


def _cell(name: str, check: dict[str, Any]) -> dict[str, Any]:
    precise, relative = (_number(check.get(key)) for key in ("precision_error", "relative_error"))
    error, tolerance = relative if precise is None else precise, _number(check.get("tolerance"))
    share = error / tolerance if error is not None and tolerance else None
    return {
        parts.NAME: name,
        "output": text.visible(str(check["output"])),
        "verdict": str(check["verdict"]),
        "error": error,
        "tolerance": tolerance,
        "share": share,
        "reason": reason if isinstance(reason := check["reason"], str) else "",
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not math.isnan(value) else None


def _worst(cells: Sequence[dict[str, Any]], outputs: Sequence[str]) -> list[str]:
    """The outputs to draw, in the model's order."""
    worst = {
        output: max((_rank(cell) for cell in cells if cell["output"] == output), default=0.0) for output in outputs
    }
    kept = sorted(outputs, key=lambda output: -worst[output])[:_OUTPUTS]
    return [output for output in outputs if output in kept]


def _rank(cell: dict[str, Any]) -> float:
    if cell["verdict"] == "disagrees":
        return math.inf
    return cell["share"] or 0.0


def _line(cell: dict[str, Any]) -> tuple[str, ...]:
    share = units.UNKNOWN if cell["share"] is None else units.error(cell["share"])
    numbers = (units.error(cell["error"]), units.error(cell["tolerance"]), share)
    return (cell[parts.NAME], cell["output"] or "all", cell["verdict"], *numbers, cell["reason"])


def _spec(cells: Sequence[dict[str, Any]], outputs: Sequence[str]) -> dict[str, Any]:
    import altair as alt

    names = list(dict.fromkeys(cell[parts.NAME] for cell in cells))
    drawn = [_drawn(cell) for cell in cells if cell["output"] in outputs]
    room = alt.ExprRef(expr=f"max(24, width / {max(1, len(outputs))} - 8)")
    axis = alt.Axis(orient="top", labelAngle=0, labelLimit=room, labelOverlap=False, domain=False, ticks=False)
    chart = alt.Chart(parts.data(drawn)).encode(
        x=alt.X(
            "output:N",
            sort=list(outputs),
            title="output",
            axis=axis,
            scale=alt.Scale(paddingInner=0.03, paddingOuter=0),
        ),
        y=parts.bands(names),
    )
    box: dict[str, Any] = {"height": 20, "yOffset": 9, "width": alt.RelativeBandSize(1)}
    domain = [_LEAST, math.sqrt(_LEAST), 1.0, math.sqrt(_GREATEST), _GREATEST]
    scale = alt.Scale(type="log", domain=domain, range=list(_COLOURS), clamp=True)
    legend = alt.Legend(title="error over tolerance", format=".0e", values=[_LEAST, 1, _GREATEST], gradientLength=160)
    known = "isValid(datum.share)"
    said: dict[str, Any] = {"yOffset": 9, "fontSize": 11, "baseline": "middle", "limit": room}
    layers = [
        chart.transform_filter(known).mark_bar(**box).encode(color=alt.Color("share:Q", scale=scale, legend=legend)),
        chart.transform_filter(f"!{known}").mark_bar(filled=False, strokeDash=[3, 3], stroke="#8a8f98", **box),
        chart.transform_filter("datum.ink == 'dark'").mark_text(color="#101418", **said).encode(text="said:N"),
        chart.transform_filter("datum.ink == 'light'").mark_text(color="#ffffff", **said).encode(text="said:N"),
        chart.transform_filter("datum.ink == ''").mark_text(**said).encode(text="said:N"),
        parts.band_names({name: _unchecked(cells, name) for name in names}),
    ]
    return parts.finished(alt.layer(*layers), _CELL * len(names))


def _unchecked(cells: Sequence[dict[str, Any]], name: str) -> str:
    """Said beside a runtime none of whose outputs was checked."""
    return "" if any(cell["output"] for cell in cells if cell[parts.NAME] == name) else "not checked"


def _drawn(cell: dict[str, Any]) -> dict[str, Any]:
    """With its share as far as the colours go, its words, and the ink that can be read on its colour."""
    share, is_told = cell["share"], cell["verdict"] in ("agrees", "disagrees")
    infinite = cell["verdict"] == "disagrees" and (share is None or math.isinf(share))
    shown = _GREATEST if infinite else None if share is None or not is_told else min(max(share, _LEAST), _GREATEST)
    ink = "" if shown is None else "light" if not 0.006 < shown < 90 else "dark"
    words = cell["verdict"] if share is None else f"{cell['verdict']} {units.error(share)}"
    return {parts.NAME: cell[parts.NAME], "output": cell["output"], "share": shown, "said": words, "ink": ink}
