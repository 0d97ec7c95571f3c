"""Rows -> a text table for the terminal, Markdown, CSV or JSON. Pure: returns strings, prints nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

from bench import units
from bench.records import Environment, Machine
from bench.report import cells, places, text
from bench.report.cells import HEADER, TEXTUAL, Cells, Section
from bench.report.columns import SCHEMA_VERSION
from bench.report.legend import legend
from bench.report.plain import csv_field, without_nan
from bench.report.results_columns import RESULTS
from bench.rows import Row

_STYLES = {"good": "green", "bad": "red", "doubt": "yellow", "plain": ""}
_GAP = 2  # columns of a text table are this far apart
_LEAST_WIDTH = 60
_FIRST_TABLE = ("runtime", "precision", "rank", "speed", "best", "p50", "p90", "items")
_SECOND_TABLE = (
    "runtime", "status", "agreement", "tolerance", "max_error", "top1", "placement", "memory", "soak", "cold_start",
    "pareto", "notes",
)  # fmt: skip


def render_text(
    rows: Sequence[Row], environment: Environment | None = None, *, width: int = 100, colour: bool = False
) -> str:
    """Verdict, table and notes of each group, ``width`` columns wide; without ``colour`` plain text."""
    width = max(width, _LEAST_WIDTH)
    parts = [text.wrap(line, width) for line in heading(environment)]
    parts += [_section_text(section, width, colour) for section in cells.sections(rows)]
    if lines := places.environment_lines(environment, rows):
        parts.append("\n".join(text.wrap(line, width, "  ") for line in ["Environments of their own:", *lines]))
    parts.append("\n".join(text.wrap(line, width, "  ") for line in legend(rows)) if rows else "No cases.")
    return "\n\n".join(parts) + "\n"


def render_markdown(rows: Sequence[Row], environment: Environment | None = None) -> str:
    """The same as ``report.md``."""
    parts = ["# Benchmark report"]
    parts += [text.markdown(line) for line in heading(environment)]
    parts += [section_markdown(section) for section in cells.sections(rows)]
    if facts := places.environment_rows(environment, rows):
        parts += ["## Environments", "These runtimes ran in environments of their own.", _markdown_places(facts)]
    parts.append("\n".join(f"- {text.markdown(line)}" for line in legend(rows)) if rows else "No cases.")
    return "\n\n".join(parts) + "\n"


def render_json(rows: Sequence[Row]) -> str:
    """Every column of every row, typed; null where unknown (JSON has no NaN)."""
    plain = [{column.name: without_nan(getattr(row, column.name)) for column in RESULTS} for row in rows]
    content = {"schema_version": SCHEMA_VERSION, "rows": plain}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def render_csv(rows: Sequence[Row]) -> str:
    """Every column of every row: strings in quotes, numbers bare, nothing where unknown.

    CSV has no types: read it with those of ``columns.RESULTS``, or take the parquet file.
    """
    lines = [",".join(column.name for column in RESULTS)]
    lines += [",".join(csv_field(getattr(row, column.name)) for column in RESULTS) for row in rows]
    return "\n".join(lines) + "\n"


def heading(environment: Environment | None) -> list[str]:
    """Machine, version and time, and that a run is not finished."""
    if environment is None:
        return []
    lines = [f"{_machine(environment.machine)}; bench {environment.bench_version}; {environment.started}"]
    if not environment.finished:
        way_on = "bench run --resume with this report's folder measures it"
        lines.append(f"This run is not finished: what is missing below was not measured yet; {way_on}.")
    return lines


def _machine(machine: Machine) -> str:
    cpus = f"{machine.effective_cpus} of {machine.logical_cpus} CPUs"
    memory = units.size(machine.memory_bytes)
    return f"{machine.cpu}, {cpus}, {memory}, {machine.system}, Python {machine.python}"


# --- text -------------------------------------------------------------------------------------------------------------


def _section_text(section: Section, width: int, colour: bool) -> str:
    title = f"{section.title} ({section.facts})" if section.facts else section.title
    parts = [text.wrap(title, width), text.wrap(section.verdict, width), ""]
    parts += ["\n\n".join(_tables(section, width, colour))]
    lines = [text.wrap(f"{remark.runtime}: {remark.text}", width, "  ") for remark in section.remarks]
    if section.remarks or section.notes:
        parts.append("")
    for remark, line in zip(section.remarks, lines, strict=True):
        parts.append(line)
        if remark.reproduce:
            parts.append(f"  reproduce: {text.visible(remark.reproduce)}")  # never wrapped: it is there to be copied
    parts += [text.wrap(f"[{i}] {note}", width, "    ") for i, note in enumerate(section.notes, start=1)]
    return "\n".join(parts)


def _tables(section: Section, width: int, colour: bool) -> list[str]:
    """One table where it fits, in one line per row or with brackets beneath; else several, one after the other."""
    shown = [Cells(*map(text.visible, row)) for row in section.cells]
    names = section.columns
    for candidate in (shown, [_stacked(row) for row in shown]):
        if _natural_width(candidate, names) <= width:
            return [_draw(candidate, names, section.states, width, colour)]
    parts = [part for half in _halves(shown, names, width) for part in _fitting(shown, half, width)]
    return [_draw(_narrowed(shown, part, width), part, section.states, width, colour) for part in parts]


def _halves(rows: Sequence[Cells], names: Sequence[str], width: int) -> list[list[str]]:
    """Speed, then the rest; what speed has no room for joins the rest."""
    if "speed" not in names:
        return [list(names)]
    first, second = ([name for name in half if name in names] for half in (_FIRST_TABLE, _SECOND_TABLE))
    fitting, *left = _fitting(rows, first, width)
    return [fitting, [names[0], *(name for part in left for name in part[1:]), *second[1:]]]


def _fitting(rows: Sequence[Cells], names: Sequence[str], width: int) -> list[list[str]]:
    """The columns in as many tables as it takes, each with the runtime; names too long for that are folded instead."""
    stacked = [_stacked(row) for row in rows]
    parts = [[names[0]]]
    for name in names[1:]:
        if len(parts[-1]) > 1 and _natural_width(stacked, [*parts[-1], name]) > width:
            parts.append([names[0]])
        parts[-1].append(name)
    return [list(names)] if 2 * _natural_width(stacked, names[:1]) > width else parts


def _narrowed(rows: Sequence[Cells], names: Sequence[str], width: int) -> Sequence[Cells]:
    return rows if _natural_width(rows, names) <= width else [_stacked(row) for row in rows]


def _stacked(row: Cells) -> Cells:
    """The same row with options, brackets, errors and providers beneath what they belong to."""
    beneath = {name: getattr(row, name).replace(" (", "\n(") for name in ("speed", "soak", "cold_start")}
    return row._replace(
        **beneath,
        runtime=row.runtime.replace(":", "\n  :", 1),
        agreement=row.agreement.replace(" ", "\n"),
        placement=row.placement.replace(" on ", "\non "),
    )


def _natural_width(rows: Sequence[Cells], names: Sequence[str]) -> int:
    from rich.cells import cell_len

    widths = [
        max(cell_len(line) for row in (HEADER, *rows) for line in getattr(row, name).split("\n")) for name in names
    ]
    return sum(widths) + _GAP * (len(widths) - 1)


def _draw(rows: Sequence[Cells], names: Sequence[str], states: Sequence[str], width: int, colour: bool) -> str:
    """The table as text. Cells are ``Text``, never markup, so that brackets in names are just brackets."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), collapse_padding=True, header_style="bold")
    for name in names:
        justify: Any = "left" if name in TEXTUAL else "right"
        table.add_column(getattr(HEADER, name), justify=justify, overflow="fold")
    for row, state in zip(rows, states, strict=True):
        styles = {"agreement": _STYLES[state], "runtime": "bold"}
        table.add_row(*(Text(getattr(row, name), style=styles.get(name, "")) for name in names))
    out = io.StringIO()
    system: Any = "standard" if colour else None
    console = Console(
        file=out, width=width, force_terminal=colour, color_system=system, legacy_windows=False, _environ={}
    )
    console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n"))


# --- Markdown ---------------------------------------------------------------------------------------------------------


def section_markdown(section: Section, level: int = 2) -> str:
    """Title (a heading of ``level``), verdict, table and notes of one group."""
    rule = ["---" if name in TEXTUAL else "--:" for name in section.columns]
    lines = [_markdown_line([getattr(HEADER, name) for name in section.columns]), _markdown_line(rule)]
    lines += [_markdown_line([text.markdown(getattr(row, name)) for name in section.columns]) for row in section.cells]
    parts = [f"{'#' * level} {text.markdown(section.title)}"]
    parts += [text.markdown(section.facts)] * bool(section.facts)
    parts += [f"**{text.markdown(section.verdict)}**", "\n".join(lines)]
    remarks = "\n".join(_markdown_remark(remark) for remark in section.remarks)
    notes = "\n".join(f"{i}. {text.markdown(note)}" for i, note in enumerate(section.notes, start=1))
    return "\n\n".join([*parts, *filter(None, (remarks, notes))])


def _markdown_places(facts: Sequence[Sequence[str]]) -> str:
    lines = [_markdown_line(places.HEADER), _markdown_line(["---"] * len(places.HEADER))]
    return "\n".join([*lines, *(_markdown_line([text.markdown(field) for field in row]) for row in facts)])


def _markdown_line(fields: Sequence[str]) -> str:
    return f"| {' | '.join(fields)} |"


def _markdown_remark(remark: cells.Remark) -> str:
    said = f"- {text.markdown(remark.runtime)}: {text.markdown(remark.text)}"
    return f"{said}  \n  reproduce: {text.code(remark.reproduce)}" if remark.reproduce else said
