"""A comparison -> a page of text, Markdown, CSV or JSON. Pure: returns strings, prints nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pandas as pd

from bench import units
from bench.check.compare_bounds import bounded_blocks
from bench.check.compare_frame import comparison_frame
from bench.check.compare_records import COMPARE_SCHEMA, NOT_A_VERDICT, Compared, Comparison
from bench.check.compare_view import Block, Line, blocks_of
from bench.check.false_alarms import FAIL_ON_FALSE_ALARMS
from bench.report import text
from bench.report.plain import csv_field, without_nan

_GAP = 2
_INDENT = "  "
_LEAST_WIDTH = 60
_LONGEST_NAME = 26  # of a case within its line; a longer one has a line of its own
_SIDE = (
    "status", "status_reason", "agreement", "agreement_reason", "relative_error", "runtime_spec", "runtime_version",
    "ratio_to_reference", "ratio_low", "ratio_high", "interval_level", "reference_runtime", "processes", "calls",
)  # fmt: skip


def render_text(comparison: Comparison, *, width: int = 100) -> str:
    """The page, ``width`` columns wide; a table loses its last columns where they don't fit."""
    width = max(width, _LEAST_WIDTH)
    return "\n\n".join(block_text(block, width) for block in bounded_blocks(comparison)) + "\n"


def render_markdown(comparison: Comparison) -> str:
    """The same with every column."""
    return "\n\n".join(["# Comparison", *(block_markdown(block) for block in blocks_of(comparison))]) + "\n"


def render_csv(comparison: Comparison) -> str:
    """The frame of ``compare_reports``: strings in quotes, numbers bare, nothing where unknown."""
    frame = comparison_frame(comparison)
    lines = [",".join(frame.columns)]
    lines += [
        ",".join("" if value is pd.NA else csv_field(value) for value in row)
        for row in frame.itertuples(index=False, name=None)
    ]
    return "\n".join(lines) + "\n"


def render_json(comparison: Comparison) -> str:
    """Reports, their differences, and every case with its changes; null where unknown."""
    plain: dict[str, Any] = msgspec.to_builtins(comparison)
    plain["cases"] = [_plain_case(one) for one in comparison.cases]
    about: dict[str, Any] = {"schema_version": COMPARE_SCHEMA}
    if any(not run.is_one_run for run in comparison.runs):
        about["numbers"] = NOT_A_VERDICT
    if comparison.budgets:
        about["fail_on_false_alarms"] = FAIL_ON_FALSE_ALARMS
    return json.dumps({**about, **plain}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain_case(compared: Compared) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(compared, reference=None, other=None))
    for side in ("reference", "other"):
        row = getattr(compared, side)
        plain[side] = None if row is None else {name: without_nan(getattr(row, name)) for name in _SIDE}
    return plain


# --- text -------------------------------------------------------------------------------------------------------------


def block_text(block: Block, width: int) -> str:
    """One part of a page, ``width`` wide."""
    parts = [text.wrap(block.title, width)] * bool(block.title)
    parts += [text.wrap(line, width, "  ") for line in block.said]
    if block.lines:
        parts += ["", *_table(block, width)]
    parts += ["", *(text.wrap(line, width, "  ") for line in block.remarks)] if block.remarks else []
    return "\n".join(parts)


def _table(block: Block, width: int) -> list[str]:
    """Names to the left, the rest to the right, the heading of a group across all columns."""
    lines = [Line(tuple(map(text.visible, line.cells)), line.is_heading) for line in block.lines]
    rows = [block.header, *(line.cells for line in lines if not line.is_heading)]
    short = [len(row[0]) + len(_INDENT) for row in rows if len(row[0]) <= _LONGEST_NAME]
    name_width = max(short)
    widths = {i: max(len(row[i]) for row in rows) for i in _filled(rows)}
    left_out: list[str] = []
    while len(widths) > block.least and name_width + sum(widths.values()) + _GAP * len(widths) > width:
        left_out.insert(0, block.header[widths.popitem()[0]])
    drawn = [_draw(block.header, name_width, widths)]
    for line in lines:
        drawn += [line.cells[0]] if line.is_heading else _draw_row(line.cells, name_width, widths)
    drawn += [text.wrap(f"No room for {', '.join(left_out)}: --format md has all.", width)] * bool(left_out)
    return drawn


def _filled(rows: Sequence[Sequence[str]]) -> list[int]:
    """The columns after the name that have something to show; of an empty table all."""
    filled = [i for i in range(1, len(rows[0])) if any(row[i] != units.UNKNOWN for row in rows[1:])]
    return filled if len(rows) > 1 else list(range(1, len(rows[0])))


def _draw_row(cells: Sequence[str], name_width: int, widths: Mapping[int, int]) -> list[str]:
    """One line, or two where the name is too long to stand within it."""
    name = _INDENT + cells[0]
    if len(name) <= name_width:
        return [_draw((name, *cells[1:]), name_width, widths)]
    return [name, _draw(("", *cells[1:]), name_width, widths)]


def _draw(cells: Sequence[str], name_width: int, widths: Mapping[int, int]) -> str:
    gap = " " * _GAP
    return "".join([cells[0].ljust(name_width), *(gap + cells[i].rjust(width) for i, width in widths.items())]).rstrip()


# --- Markdown ---------------------------------------------------------------------------------------------------------


def block_markdown(block: Block) -> str:
    """The same with every column."""
    parts = [f"## {text.markdown(block.title)}"] * bool(block.title)
    parts += ["\n".join(_item(line) for line in block.said)] * bool(block.said)
    for heading, lines in _groups(block.lines):
        parts += [f"**{text.markdown(heading)}**", _markdown_table(block.header, lines)]
    parts += ["\n".join(_item(line) for line in block.remarks)] * bool(block.remarks)
    return "\n\n".join(parts)


def _groups(lines: Sequence[Line]) -> list[tuple[str, list[Line]]]:
    found: list[tuple[str, list[Line]]] = []
    for line in lines:
        if line.is_heading:
            found.append((line.cells[0], []))
        else:
            found[-1][1].append(line)
    return found


def _item(line: str) -> str:
    """Each sentence an item; those that belong to the one before them are indented."""
    return f"  - {text.markdown(line[2:])}" if line.startswith("- ") else f"- {text.markdown(line)}"


def _markdown_table(header: Sequence[str], lines: Sequence[Line]) -> str:
    rule = ["---", *("--:" for _ in header[1:])]
    rows = [header, rule, *([text.markdown(cell) for cell in line.cells] for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
