"""A stored report -> the page that people look at: the verdict, then each group with its pictures and its table. Pure.

What it says is what ``cells`` says for ``report.md``; it adds pictures, what to do about each caution, and the numbers
of the run that few look for, folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bench import units
from bench.report import cells, verdict
from bench.report.cells import HEADER, TEXTUAL, Cells, Section
from bench.report.legend import legend
from bench.report.pages.page import Cell, Page, Part, Table
from bench.report.pictures.every import group_pictures
from bench.report.pictures.scene import Group, Scene
from bench.report.pictures.throughput import throughput
from bench.report.report_cautions import cautions_of
from bench.report.report_facts import fact_parts, facts_of
from bench.rows import Row

if TYPE_CHECKING:
    from bench.report.store import Report

# columns that sort by a number of the row, and not by their text
_KEYS = {
    "best": "latency_ns_best",
    "p50": "latency_ns_p50",
    "p90": "latency_ns_p90",
    "items": "throughput_items_per_s",
    "agreement": "relative_error",
    "tolerance": "tolerance",
    "max_error": "max_abs_error",
    "top1": "top1_agreement",
    "speed": "ratio_to_reference",
}
_MORE = {"p95": "latency_ns_p95", "p99": "latency_ns_p99", "least": "latency_ns_min", "mean": "latency_ns_mean"}
_UNFINISHED = (
    "This run is not finished: what is missing was not measured yet; bench run --resume with this report's folder "
    "measures it."
)


def report_page(report: Report) -> Page:
    """The page of a report of any schema version, of a run that timed or only verified, whole or not."""
    scene = Scene(report)
    sections = cells.sections(scene.rows)
    several = len(sections) > 1
    said = tuple(f"{one.title}: {one.verdict}" if several else one.verdict for one in sections)
    unfinished = () if report.environment.finished else (_UNFINISHED,)
    groups = zip(scene.groups, sections, strict=True)
    return Page(
        title=_title(scene),
        verdict=(*unfinished, *(said or ("No cases.",))),
        facts=facts_of(report.environment),
        parts=(
            *(_group_part(group, section) for group, section in groups),
            *_across(scene),
            *_legend(scene.rows),
            *fact_parts(report, scene.rows),
        ),
    )


def _title(scene: Scene) -> str:
    models = list(dict.fromkeys(row.model for row in scene.rows))
    named = ", ".join(models[:3]) + (f" and {len(models) - 3} more" if len(models) > 3 else "")
    return f"Benchmark report: {named}" if models else "Benchmark report"


def _group_part(group: Group, section: Section) -> Part:
    """The cautions stand with the table: a number and its doubt belong together."""
    return Part(
        name=f"group_{group.number + 1}",
        title=section.title,
        texts=tuple(filter(None, ((section.verdict if len(group.scene.groups) > 1 else ""), section.facts))),
        pictures=group_pictures(group),
        tables=(_table(group, section),),
        cautions=cautions_of(group.rows, section),
    )


def _across(scene: Scene) -> Iterator[Part]:
    if pictures := tuple(throughput(scene)):
        yield Part(name="batches", title="Across batches", pictures=pictures)


def _legend(rows: Sequence[Row]) -> Iterator[Part]:
    if rows:
        yield Part(name="legend", title="What the numbers mean", texts=tuple(legend(rows)), folded=True)


def _table(group: Group, section: Section) -> Table:
    """Every column that a row fills, in the order of the text's table, and the percentiles that it has no room for."""
    names = list(section.columns)
    more = [name for name, field in _MORE.items() if any(getattr(row, field) is not None for row in group.rows)]
    header = (*(getattr(HEADER, name) for name in names), *more)
    lines = zip(group.rows, section.cells, section.states, strict=True)
    return Table(
        name=f"table_{group.number + 1}",
        caption=f"All cases of {section.title}",
        header=header,
        rows=tuple((*_cells(row, shown, state, names), *_more(row, more)) for row, shown, state in lines),
        numeric=frozenset(i for i, name in enumerate((*names, *more)) if name not in TEXTUAL),
    )


def _cells(row: Row, shown: Cells, state: str, names: Sequence[str]) -> Iterator[Cell]:
    for name in names:
        text = getattr(shown, name)
        yield Cell(text=text, key=_key(row, name), state=state if name in ("agreement", "status") else "")


def _more(row: Row, more: Sequence[str]) -> Iterator[Cell]:
    for name in more:
        value = getattr(row, _MORE[name])
        yield Cell(text=units.duration(value), key=_number(value))


def _key(row: Row, name: str) -> float | None:
    """What a column of numbers with units sorts by; None where its text says it."""
    if name == "speed" and verdict.is_reference(row):
        return 1.0
    if name == "agreement" and row.precision_error is not None:
        return _number(row.precision_error)  # which the cell shows
    if name in _KEYS:
        return _number(getattr(row, _KEYS[name]))
    if name == "memory":
        peak, base = row.rss_peak_bytes, row.rss_import_bytes
        return _number(None if peak is None or base is None else peak - base)
    if name == "cold_start":
        steps = (row.import_ns, row.load_ns, row.first_call_ns)
        return _number(None if None in steps else sum(step or 0 for step in steps))
    if name == "placement":
        return _number(row.node_share if row.time_share is None else row.time_share)
    return None


def _number(value: float | None) -> float:
    """Unknown is no number: it goes last, whichever way a column is sorted."""
    return float("nan") if value is None else float(value)
