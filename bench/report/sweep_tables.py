"""The tables of a sweep, points and lines, and ``sweep.md``. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench import units
from bench.analysis.sweep_compare import fronts
from bench.analysis.sweep_fit import Fit
from bench.analysis.sweep_points import Point, Swept
from bench.report.sweep_costs import along_text, bounded, cost_cell, memory_text, millions
from bench.report.sweep_text import PUBLISHED, accuracy_name, doubts, sentences, title_of
from bench.report.text import markdown
from bench.report.verdict import comparison, interval_word, is_reference

LINES_HEADER = (
    "runtime",
    "points",
    "repetitions",
    "fixed cost",
    "per million multiply-adds",
    "R2",
    "furthest off",
    "why there is none",
)


def points_table(swept: Swept) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows of all points; a star where an accuracy's front is."""
    on_front = fronts(swept)
    header = (
        *(axis.name for axis in swept.plan.axes),
        "runtime",
        "multiply-adds",
        "parameters",
        "latency",
        "against reference",
        "items/s",
        "peak memory",
        *(f"{accuracy_name(name)} ({PUBLISHED})" for name in swept.accuracies),
    )
    return header, [_cells(swept, point, on_front) for point in swept.points]


def _cells(swept: Swept, point: Point, on_front: Mapping[str, set[str]]) -> tuple[str, ...]:
    row = point.row
    fine = not point.why_not
    return (
        *(point.values[axis.name] for axis in swept.plan.axes),
        point.series,
        millions(point.macs_millions) if point.macs_millions else units.count(row.macs),
        units.count(row.params),
        bounded(point.latency) if point.latency else f"left out: {point.why_not}",
        _against(point),
        f"{row.throughput_items_per_s:.4g}" if fine and row.throughput_items_per_s else units.UNKNOWN,
        units.size(row.rss_peak_bytes) if fine else units.UNKNOWN,
        *(_accuracy(point, name, on_front[name]) for name in swept.accuracies),
    )


def _against(point: Point) -> str:
    if point.why_not:
        return units.UNKNOWN
    return "reference" if is_reference(point.row) else comparison(point.row)


def _accuracy(point: Point, name: str, on_front: set[str]) -> str:
    if name not in point.published:
        return units.UNKNOWN
    return f"{point.published[name]:g}" + (" *" if point.row.case_id in on_front else "")


def lines_table(swept: Swept) -> list[tuple[str, ...]]:
    """The fits of all sizes, then those along one axis with the others fixed."""
    rows = [_line_cells(name, len(swept.of(name)), fit) for name, fit in swept.latency.items()]
    if len(swept.plan.axes) > 1:
        rows += [_line_cells(f"{s.series}, {s.fixed}", len(s.points), s.fit) for s in swept.strands]
    return rows


def _line_cells(name: str, points: int, fit: Fit) -> tuple[str, ...]:
    line = fit.line
    if line is None or not fit.holds:
        return (name, str(points), *[units.UNKNOWN] * 5, fit.reason)
    where, miss = line.worst
    return (
        name,
        str(len(line.misses)),
        f"{line.fixed.n}{f' ({units.percent(level)} {interval_word(level)}s)' if (level := line.fixed.level) else ''}",
        cost_cell(line.fixed),
        cost_cell(line.slope),
        f"{line.r_squared:.4f}",
        f"{100 * miss.estimate:+.1f} % at {where}",
        "",
    )


def render_markdown(swept: Swept, pictures: Sequence[tuple[str, str]]) -> str:
    """``sweep.md``; of each picture its title and file."""
    header, rows = points_table(swept)
    parts = [
        f"# {markdown(title_of(swept))}",
        "\n".join(f"- {markdown(text)}" for text in [*sentences(swept), *along_text(swept)]),
        *(f"![{markdown(title)}]({file})" for title, file in pictures),
        "## Points",
        _table(header, rows),
        "## Lines",
        _table(LINES_HEADER, lines_table(swept)),
        "## Memory",
        "\n".join(f"- {markdown(text)}" for text in memory_text(swept)),
        "## What to know",
        "\n".join(f"- {markdown(text)}" for text in doubts(swept)),
    ]
    return "\n\n".join(parts) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([markdown(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
