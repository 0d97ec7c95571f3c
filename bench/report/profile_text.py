"""A profile as text: what is printed, and ``profile.md``. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench import units
from bench.analysis.profiled import Profile, repetitions_of
from bench.report import text
from bench.report.profile_cells import (
    KIND_HEADER,
    LINE_HEADER,
    LINE_NUMBERS,
    CaseView,
    case_sentences,
    kind_cells,
    line_cells,
)
from bench.report.profile_doubts import doubt_sentences
from bench.report.profile_reading import legend, roof_sentences
from bench.report.render import heading


def render_markdown(profile: Profile, views: Sequence[CaseView]) -> str:
    """``profile.md``: for each case its sentences, the table of kinds and that of lines."""
    parts = ["# Where the time goes", *(text.markdown(line) for line in opening(profile))]
    for view in views:
        parts.append(f"## {text.markdown(view.name)}")
        parts += [text.markdown(line) for line in (*case_sentences(view), *doubt_sentences(view.case.row))]
        if view.lines:
            parts.append(markdown_table(KIND_HEADER, kind_cells(view.kinds), range(1, len(KIND_HEADER))))
            parts.append(markdown_table(LINE_HEADER, line_cells(view), LINE_NUMBERS))
    parts.append("\n".join(f"- {text.markdown(line)}" for line in legend(profile, views)))
    return "\n\n".join(part for part in parts if part) + "\n"


def opening(profile: Profile) -> list[str]:
    """Machine, versions and roofs, and what a profile that is not finished lacks."""
    said = heading(profile.environment)[:1]
    if not profile.environment.finished:
        whole, asked = repetitions_of(profile)
        said.append(f"This profile is not finished: {whole} of {asked} repetitions are whole.")
    return [*said, *roof_sentences(profile)]


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int]) -> str:
    """Numbers stand to the right; names are escaped."""
    rule = ["---:" if column in numeric else "---" for column in range(len(header))]
    lines = [list(header), rule, *([text.markdown(cell or units.UNKNOWN) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
