"""How a stored report and its pictures show themselves in a notebook, and its tidy tables. Functions of a Report, pure.

HTML without scripts, so that a saved notebook shows the same; a picture is an image of its own with a light ground,
readable in a dark notebook too. Every text is made visible and escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from bench.report.cells import HEADER, TEXTUAL, Section, sections
from bench.report.picture import Picture, draw
from bench.report.results_columns import RESULTS
from bench.report.text import visible

if TYPE_CHECKING:
    import pandas as pd

    from bench.report.store import Report

CASE = ["case_id", "model", "runtime", "batch_size", "threads", "streams", "precision", "status", "agreement"]
_MOST_GROUPS = 4  # with pictures: a notebook's cell is no page
_SIGNS = {"good": "✓ ", "bad": "✗ ", "doubt": "? "}
_FRAME = (
    "display:grid;grid-template-columns:minmax(0,1fr);overflow-wrap:anywhere"  # never wider than the notebook's cell
)


def one_line(report: Report) -> str:
    """``<Report reports/mine: 4 cases of mobilenet_v1>``."""
    models = list(dict.fromkeys(str(name) for name in report.results["model"]))
    named = ", ".join(models[:3]) + (f" and {len(models) - 3} more" if len(models) > 3 else "")
    unfinished = "" if report.environment.finished else ", not finished"
    return visible(f"<Report {report.path}: {len(report.results)} cases of {named or 'no model'}{unfinished}>")


def report_html(report: Report) -> str:
    """Each group's verdict, table and cautions, and of the first ones the pictures that need no samples."""
    from bench.report.pictures.memory_ledger import memory_ledger
    from bench.report.pictures.scene import Scene
    from bench.report.pictures.speed import speed

    parts = [] if report.environment.finished else ["<p>This run is not finished.</p>"]
    for group, section in zip(Scene(report).groups, sections(report.rows()), strict=True):
        parts.append(_section(section))
        if group.number < _MOST_GROUPS:
            parts += [picture_html(picture) for make in (speed, memory_ledger) for picture in make(group)]
    return f'<div style="{_FRAME}">{"".join(parts) or "<p>No cases.</p>"}</div>'


def picture_html(picture: Picture) -> str:
    """The drawing, what is to be seen in it, and its numbers folded beneath."""
    image = base64.b64encode(draw(picture, "svg")).decode()
    return (
        f'<figure style="margin:1em 0;{_FRAME}">'
        f'<img src="data:image/svg+xml;base64,{image}" alt="{_text(f"{picture.title}. {picture.told}")}" '
        'style="max-width:100%;height:auto;background:#fff">'
        f"<figcaption>{_text(picture.told)}</figcaption>"
        f"<details><summary>The numbers</summary>"
        f"{_table(f'Numbers of {picture.title}', picture.header, picture.cells)}</details></figure>"
    )


def pictures(report: Report) -> dict[str, Picture]:
    """Every picture of the report's page, by name."""
    from bench.report.pictures.every import pictures_of
    from bench.report.pictures.scene import Scene

    return {picture.name: picture for picture in pictures_of(Scene(report))}


def timed_calls(report: Report) -> pd.DataFrame:
    """One row per timed call that counts, in a process that measured to its end, with the case that it is of."""
    whole = report.processes.loc[report.processes["complete"].fillna(False), ["case_id", "repetition"]]
    calls = report.samples[report.samples["kind"] == "timed"].drop(columns="kind")
    counted = calls.merge(whole, on=["case_id", "repetition"])
    return report.results[CASE].merge(counted, on="case_id")


def tidy(report: Report) -> pd.DataFrame:
    """One row per case and number that is known of it: quantity, value, its unit, and which way is better."""
    import pandas as pd

    numbers = [one for one in RESULTS if one.dtype in ("Int64", "Float64") and one.name not in CASE]
    known = pd.DataFrame(
        {"quantity": [one.name for one in numbers], "unit": [one.unit for one in numbers],
         "better": [one.direction for one in numbers]},
        dtype="string",
    )  # fmt: skip
    values = report.results[[one.name for one in numbers]].astype("Float64")
    long = pd.concat([report.results[CASE], values], axis=1).melt(id_vars=CASE, var_name="quantity")
    long["quantity"] = long["quantity"].astype("string")
    return long.dropna(subset="value").merge(known, on="quantity").reset_index(drop=True)


def _section(section: Section) -> str:
    numeric = {place for place, name in enumerate(section.columns) if name not in TEXTUAL}
    signs = [_SIGNS.get(state, "") for state in section.states]
    lines = [
        tuple(f"{sign}{getattr(row, name)}" if name == "agreement" else getattr(row, name) for name in section.columns)
        for row, sign in zip(section.cells, signs, strict=True)
    ]
    remarks = [f"{remark.runtime}: {remark.text}" for remark in section.remarks]
    return (
        f"<h4>{_text(section.title)}</h4><p><strong>{_text(section.verdict)}</strong></p>"
        f"{_table(section.title, [getattr(HEADER, name) for name in section.columns], lines, numeric)}"
        f"{_list('ul', remarks)}{_list('ol', section.notes)}"
    )


def _table(label: str, header: Sequence[str], lines: Sequence[Sequence[str]], numeric: set[int] | None = None) -> str:
    """A region of its own that scrolls, by keyboard too: the notebook around it stays where it is."""
    sides = ["right" if place in (numeric or ()) else "left" for place in range(len(header))]

    def row(tag: str, cells: Sequence[str]) -> str:
        shown = (
            f'<{tag} style="text-align:{side}">{_text(cell)}</{tag}>' for cell, side in zip(cells, sides, strict=True)
        )
        return f"<tr>{''.join(shown)}</tr>"

    body = "".join(row("td", line) for line in lines)
    region = f'role="region" aria-label="{_text(label)}" tabindex="0" style="overflow-x:auto;overflow-wrap:normal"'
    return f"<div {region}><table><thead>{row('th', header)}</thead><tbody>{body}</tbody></table></div>"


def _list(tag: str, lines: Sequence[str]) -> str:
    return f"<{tag}>{''.join(f'<li>{_text(line)}</li>' for line in lines)}</{tag}>" if lines else ""


def _text(text: str) -> str:
    return escape(visible(text))
