"""Rows -> the sections of a report as plain text: titles, verdicts, cells and notes. Pure; knows no output format."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from bench import units
from bench.report import verdict
from bench.rows import Row


class Cells(NamedTuple):
    """One row of a table; the fields are its columns."""

    runtime: str
    status: str
    speed: str
    best: str
    p50: str
    p90: str
    items: str
    agreement: str
    tolerance: str
    max_error: str
    top1: str
    memory: str
    cold_start: str
    notes: str


HEADER = Cells(
    runtime="runtime",
    status="status",
    speed="speed",
    best="best",
    p50="p50",
    p90="p90",
    items="items/s",
    agreement="agreement",
    tolerance="tolerance",
    max_error="max error",
    top1="top-1",
    memory="memory",
    cold_start="cold start",
    notes="notes",
)
TEXTUAL = {"runtime", "status", "speed", "agreement", "notes"}  # to the left; numbers go to the right
TIMED = ("runtime", "speed", "best", "p50", "p90", "items", "agreement", "memory", "cold_start", "notes")
CHECKED = ("runtime", "status", "agreement", "tolerance", "max_error", "top1", "notes")
_SAID_BY_REMARKS = ("unverified: ", "disagrees: ", "vacuous: ")  # cautions that only say that a row cannot win


class Remark(NamedTuple):
    """Something that must be said of a row."""

    runtime: str
    text: str
    reproduce: str = ""


class Section(NamedTuple):
    """One group of cases: same model, batch, threads and precision."""

    title: str
    facts: str  # of the model; "" where none are known
    verdict: str
    columns: list[str]  # fields of Cells to show
    cells: list[Cells]
    states: list[str]  # by row: "good", "bad", "doubt" or "plain"
    remarks: list[Remark]  # rows that cannot win, with their reasons
    notes: list[str]  # cautions; cells refer to them by number from 1


def sections(rows: Sequence[Row]) -> list[Section]:
    """A section per group, in the order in which the groups first come."""
    groups: dict[tuple[str, int, int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.model, row.batch_size, row.threads, row.precision), []).append(row)
    usual = _usual_interval(rows)
    return [_section(group, usual) for group in groups.values()]


def legend(rows: Sequence[Row]) -> list[str]:
    """What the numbers mean: said once for all sections."""
    agreement = "agreement: verdict and relative error, the distance from the truth in units of its spread over inputs."
    if all(row.latency_ns_best is None for row in rows):
        return [agreement]
    lines = []
    usual = _usual_interval(rows)
    if usual is not None:
        lines.append(f"speed: latency against the reference in the same round; in brackets the {_interval(usual)}.")
        lines.append("Below 1 in the brackets points the other way: an interval that covers 1 decides nothing.")
    lines.append("best: median over rounds of a turn's fastest call. p50, p90: of all timed calls. All per call.")
    if any("p90" in (row.percentile_block or "") for row in rows):
        lines.append("p90 is of the uninterrupted block (--tail) where the other timed calls are too few for it.")
    lines.append(agreement)
    caches = sorted({row.page_cache for row in rows if row.page_cache})
    cold = f" (page cache: {' and '.join(caches)})" if caches else ""
    lines.append(f"memory: peak over what the import took. cold start: import, load and first call{cold}.")
    return lines


def split_cautions(cautions: str) -> list[str]:
    """The cautions of a row: ``code: sentence`` each, also where a sentence has a semicolon of its own."""
    found: list[str] = []
    for part in cautions.split("; "):
        if found and not re.match(r"[a-z][a-z0-9 _-]{0,40}: ", part):
            found[-1] += f"; {part}"
        elif part:
            found.append(part)
    return found


def _section(rows: Sequence[Row], usual: tuple[float, int] | None) -> Section:
    notes: list[str] = []
    split = verdict.is_split(rows)
    cells = [_cells(row, rows, _numbers(row, usual, notes, split=split)) for row in rows]
    chosen = CHECKED if verdict.is_agreement_alone(rows) else TIMED
    return Section(
        title=_title(rows[0]),
        facts=_facts(rows),
        verdict=verdict.sentence(rows),
        columns=[name for name in chosen if name != "notes" or notes],
        cells=cells,
        states=[_state(row) for row in rows],
        remarks=[remark for row in rows for remark in _remarks(row, rows)],
        notes=notes,
    )


def _cells(row: Row, rows: Sequence[Row], notes: str) -> Cells:
    measured = row.latency_ns_best is not None
    speed = "reference" if verdict.is_reference(row) else verdict.comparison(row)
    name = verdict.name(row, rows)
    return Cells(
        runtime=f"{name} [{row.status}]" if measured and row.status != "ok" else name,
        status=row.status,
        speed=speed if measured else row.status,
        best=units.duration(row.latency_ns_best),
        p50=units.duration(row.latency_ns_p50),
        p90=units.duration(row.latency_ns_p90),
        items=units.count(row.throughput_items_per_s),
        agreement=_agreement(row),
        tolerance=units.error(row.tolerance),
        max_error=units.error(row.max_abs_error),
        top1=units.percent(row.top1_agreement),
        memory=units.size(_difference(row.rss_peak_bytes, row.rss_import_bytes)),
        cold_start=units.duration(_sum(row.import_ns, row.load_ns, row.first_call_ns)),
        notes=notes,
    )


def _numbers(row: Row, usual: tuple[float, int] | None, notes: list[str], *, split: bool) -> str:
    """The numbers of this row's notes; new ones are added to ``notes``, equal ones share a number."""
    said = [caution for caution in split_cautions(row.cautions) if not caution.startswith(_SAID_BY_REMARKS)]
    own = _own_interval(row)
    if own and own != usual:
        said.append(f"in brackets the {_interval(own)}")
    if split and row.reference_runtime and not verdict.is_reference(row):
        said.append(f"speed is against {row.reference_runtime} of its own part")
    for note in said:
        if note not in notes:
            notes.append(note)
    return ",".join(str(number) for number in sorted({notes.index(note) + 1 for note in said}))


def _remarks(row: Row, rows: Sequence[Row]) -> list[Remark]:
    """Why a row has no place in the verdict, and how to see it again."""
    doubt = verdict.why_not(row)
    alone = verdict.is_agreement_alone(rows)
    if doubt is None or (alone and row.status == "ok" and row.agreement == "agrees"):
        return []
    start = "" if row.status != "ok" or alone else "cannot win, "
    return [Remark(verdict.name(row, rows), f"{start}{doubt}", row.reproduce)]


def _agreement(row: Row) -> str:
    if row.relative_error is None:
        return row.agreement if row.latency_ns_best is not None or row.agreement != "unchecked" else units.UNKNOWN
    return f"{row.agreement} {units.error(row.relative_error)}"


def _state(row: Row) -> str:
    if row.status not in ("ok", "partial") or row.agreement == "disagrees":
        return "bad"
    return "good" if row.status == "ok" and row.agreement == "agrees" else "doubt"


def _title(row: Row) -> str:
    precision = "" if row.precision == "float32" else f", {row.precision}"
    return f"{row.model}, batch {row.batch_size}, {row.threads} thread{'s' * (row.threads != 1)}{precision}"


def _facts(rows: Sequence[Row]) -> str:
    macs = next((row.macs for row in rows if row.macs is not None), None)
    params = next((row.params for row in rows if row.params is not None), None)
    known = [f"{units.count(macs)} multiply-adds"] * (macs is not None)
    known += [f"{units.count(params)} parameters"] * (params is not None)
    truths = sorted({row.truth for row in rows if row.truth})
    return ", ".join(known + [f"truth: {', '.join(truths)}"] * bool(truths))


def _own_interval(row: Row) -> tuple[float, int] | None:
    if verdict.is_reference(row) or row.ratio_low is None or row.interval_level is None:
        return None
    rests_on_fewer = "few pairs: " in row.cautions  # which says on how many
    return (row.interval_level, 0 if rests_on_fewer else row.processes)


def _usual_interval(rows: Sequence[Row]) -> tuple[float, int] | None:
    """Level and processes of most rows' intervals, the higher level where two are as frequent."""
    counts = Counter(own for row in rows if (own := _own_interval(row)) is not None)
    return max(counts, key=lambda own: (counts[own], own), default=None)


def _interval(own: tuple[float, int]) -> str:
    level, processes = own
    said = f"{units.percent(level)} {verdict.interval_word(level)}"
    return f"{said} over {processes} processes" if processes else said


def _sum(*values: int | None) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _difference(value: int | None, base: int | None) -> int | None:
    return None if value is None or base is None else value - base
