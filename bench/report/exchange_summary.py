"""A stored report as Markdown for a GitHub job's summary, the file ``$GITHUB_STEP_SUMMARY``. Pure: returns text.

GitHub shows nothing at all of a step whose summary is over 1 MiB: what has no room is counted, never cut in two.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.records import Environment
from bench.report import render
from bench.report.cells import Section, sections
from bench.report.legend import legend
from bench.report.text import markdown
from bench.rows import Row

SUMMARY_LIMIT = 1_000_000  # bytes of one step, of 1 MiB that GitHub allows


def render_summary(rows: Sequence[Row], environment: Environment | None, limit: int = SUMMARY_LIMIT) -> str:
    """At most ``limit`` bytes of UTF-8: each group's verdict, table and cautions, the first groups first."""
    found = sections(rows)
    head = ["## Benchmark report", *(markdown(line) for line in render.heading(environment))]
    full = [render.section_markdown(section, level=3) for section in found]
    legends = ["\n".join(f"- {markdown(line)}" for line in legend(rows)) if rows else "No cases."]
    spare = limit - _size([*head, _more(found), *legends])
    shown: list[str] = []
    for part in full:
        spare -= _size([part])
        if spare < 0:
            break
        shown.append(part)
    left = found[len(shown) :]
    return "\n\n".join([*head, *shown, *([_more(left)] if left else []), *legends]) + "\n"


def _more(left: Sequence[Section]) -> str:
    return f"{len(left)} more groups have no room here: they are in the report's own files."


def _size(parts: Sequence[str]) -> int:
    """Bytes of the parts, each with the empty line after it."""
    return sum(len(part.encode("utf-8", "backslashreplace")) + 2 for part in parts)
