"""A sweep as a page: ``sweep.html``. Records in, records out; ``pages/html.py`` writes it."""

from __future__ import annotations

from collections.abc import Sequence

from bench import units
from bench.analysis.sweep_points import Point, Swept
from bench.records import Environment
from bench.report.advice import advice_for
from bench.report.pages.page import Caution, Cell, Page, Part, Table
from bench.report.picture import Picture
from bench.report.sweep_costs import along_text, memory_text
from bench.report.sweep_doubts import doubts_of
from bench.report.sweep_tables import LINES_HEADER, lines_table, points_table
from bench.report.sweep_text import (
    accuracy_notes,
    faster_text,
    intervals_text,
    not_in_lines,
    sentences,
    title_of,
)

_UNFINISHED = "This sweep is not finished: points are missing that bench sweep --resume with this folder measures."


def sweep_page(swept: Swept, environment: Environment, pictures: Sequence[Picture]) -> Page:
    """Verdict first, then pictures, the points, the lines, and what was left out."""
    cost = [one for one in pictures if not one.name.startswith(("sweep_memory", "sweep_accuracy"))]
    accuracy = [one for one in pictures if one.name.startswith("sweep_accuracy")]
    memory = [one for one in pictures if one.name.startswith("sweep_memory")]
    built = [
        Part("accuracy", "Accuracy against latency", tuple(accuracy_notes(swept)), tuple(accuracy)),
        Part(
            "cost",
            "Latency and multiply-adds",
            (*along_text(swept), *not_in_lines(swept), *faster_text(swept), *intervals_text(swept)),
            tuple(cost),
            (_lines(swept),),
        ),
        Part("memory", "Memory and parameters", tuple(memory_text(swept)), tuple(memory)),
        Part("points", "Every point", tables=(_points(swept),), cautions=tuple(_cautions(swept))),
    ]
    return Page(
        title=title_of(swept),
        verdict=(*(() if environment.finished else (_UNFINISHED,)), *sentences(swept)),
        parts=tuple(part for part in built if part.texts or part.pictures or part.tables),
        facts=_facts(swept, environment),
    )


def _lines(swept: Swept) -> Table:
    rows = tuple(tuple(Cell(text) for text in row) for row in lines_table(swept))
    return Table("lines", "Fixed cost and cost per multiply-add", LINES_HEADER, rows, frozenset({1, 5}))


def _points(swept: Swept) -> Table:
    header, rows = points_table(swept)
    cells = tuple(_keyed(swept, point, row) for point, row in zip(swept.points, rows, strict=True))
    axes = len(swept.plan.axes)
    return Table("points", "One row a point and runtime", header, cells, frozenset(range(axes + 1, len(header))))


def _keyed(swept: Swept, point: Point, texts: Sequence[str]) -> tuple[Cell, ...]:
    """The cells with what they are sorted by."""
    row, fine = point.row, not point.why_not
    keys: list[float | str | None] = [
        *(_number(point.values[axis.name]) for axis in swept.plan.axes),
        None,
        point.macs_millions,
        row.params,
        point.latency.estimate if point.latency else None,
        row.ratio_to_reference if fine else None,
        row.throughput_items_per_s if fine else None,
        row.rss_peak_bytes if fine else None,
        *(point.published.get(name) for name in swept.accuracies),
    ]
    states = ["" if fine or place != len(swept.plan.axes) + 3 else "bad" for place in range(len(keys))]
    return tuple(Cell(text, key, state) for text, key, state in zip(texts, keys, states, strict=True))


def _number(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


def _cautions(swept: Swept) -> list[Caution]:
    """What is left out, then each kind of doubt of the rows."""
    left_out = [
        Caution(
            about=f"{point.series}, {point.name}",
            text=f"{point.why_not}: left out of lines, comparisons and fronts",
            command=point.row.reproduce,
        )
        for point in swept.points
        if point.why_not
    ]
    doubts = [
        Caution(
            about=f"{one.rows} of {units.counted(len(swept.points), 'case')}",
            text=f"{one.code}, such as {one.example}",
            advice=advice_for(one.code),
        )
        for one in doubts_of(swept)
        if one.code != "interrupted"  # the first sentence says it, and how a sweep goes on
    ]
    return [*left_out, *doubts]


def _facts(swept: Swept, environment: Environment) -> tuple[tuple[str, str], ...]:
    machine = environment.machine
    versions = {
        f"{point.row.runtime} {point.row.runtime_version}": None for point in swept.points if point.row.runtime_version
    }
    return (
        ("grid", "; ".join(f"{axis.name} {', '.join(axis.values)}" for axis in swept.plan.axes)),
        ("runtimes", ", ".join(versions)),
        ("processor", f"{machine.cpu}, {machine.effective_cpus} CPUs"),
        ("threads", str(environment.suite.threads)),
        ("command", environment.command),
        ("started", environment.started),
        ("bench", environment.bench_version + ("" if environment.finished else ", not finished")),
    )
