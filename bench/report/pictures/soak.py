"""Memory over minutes of calls (--soak): a plateau, or growth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench import units
from bench.report import row_cells
from bench.report.drawn import outline, shared_limits
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.pictures.scene import Group
from bench.rows import Row

_HEIGHT = 280
_MINUTE = 60e9
_HEADER = ("runtime", "minutes", "calls", "at first", "at last", "most", "verdict")


def soak(group: Group) -> Iterator[Picture]:
    """One line a runtime that was soaked; none where none was."""
    table = group.scene.report.soak
    found = {row.case_id: table[(table["case_id"] == row.case_id) & table["rss_bytes"].notna()] for row in group.rows}
    rows = [row for row in group.rows if len(found[row.case_id])]
    if not rows:
        return
    yield Picture(
        name=group.name("soak"),
        title=f"Memory over minutes of calls{group.title}",
        told="Resident memory while the model was called on and on; the verdict judges the second half: "
        + "; ".join(f"{group.marked(row)}: {row_cells.soak(row) if row.soak_verdict else 'none'}" for row in rows)
        + "."
        + group.told_of_barred(rows),
        spec=_spec(group, rows, {group.marked(row): found[row.case_id] for row in rows}),
        header=_HEADER,
        cells=tuple(_cells(group.marked(row), found[row.case_id], row_cells.soak(row)) for row in rows),
    )


def _cells(name: str, looks: Any, verdict: str) -> tuple[str, ...]:
    memory = looks["rss_bytes"]
    sizes = map(units.size, (int(memory.iloc[0]), int(memory.iloc[-1]), int(memory.max())))
    minutes = f"{int(looks['elapsed_ns'].iloc[-1]) / _MINUTE:.1f}"
    return (name, minutes, f"{int(looks['calls'].iloc[-1]):,}", *sizes, verdict)


def _spec(group: Group, rows: list[Row], found: dict[str, Any]) -> dict[str, Any]:
    import altair as alt

    unit, unit_name = units.size_unit(max(int(looks["rss_bytes"].max()) for looks in found.values()))
    limits = shared_limits([len(looks) for looks in found.values()])
    values: list[dict[str, Any]] = []
    for (name, looks), limit in zip(found.items(), limits, strict=True):
        memory = looks["rss_bytes"].to_numpy(dtype=float)
        minutes = looks["elapsed_ns"].to_numpy(dtype=float) / _MINUTE
        values += [
            {parts.NAME: name, "x": parts.rounded(minutes[i]), "y": parts.rounded(memory[i] / unit)}
            for i in outline(memory, limit)
        ]
    scales = parts.series([group.names[row.case_id] for row in rows], group.scene.names, shown=list(found))
    y_scale = parts.scale_of([value["y"] for value in values], room=0.1)
    chart = (
        alt.Chart(parts.data(values))
        .mark_line(strokeWidth=1.6)
        .encode(
            x=alt.X("x:Q", title="minutes"),
            y=alt.Y("y:Q", title=f"resident memory ({unit_name})", scale=y_scale),
            color=alt.Color(f"{parts.NAME}:N", scale=scales["color"], legend=parts.legend()),
            strokeDash=alt.StrokeDash(f"{parts.NAME}:N", scale=scales["strokeDash"], legend=parts.legend()),
        )
    )
    return parts.finished(chart, _HEIGHT)
