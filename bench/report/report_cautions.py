"""The cautions of a group for its page: each with what to do; rows that cannot win with their reason and command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.report import verdict
from bench.report.advice import advice_for
from bench.report.cells import Remark, Section
from bench.report.notes import is_said_by_remarks, split_cautions
from bench.report.pages.page import Caution
from bench.rows import Row

_WITHOUT_CAUTION = {  # by status, and what else a row may lack
    "unavailable": "bench runtimes lists what is usable here, and why the rest is not.",
    "partial": "The picture of where it ran tells what went elsewhere.",
    "unsupported": "The runtime can't run this model as it is; the reason tells what it would take.",
    "crashed": "Run it alone with the command, and with another version of the runtime.",
    "timeout": "Give it more time with --time-limit, or a smaller batch.",
    "oom": "Use a smaller batch, or a machine with more memory.",
    "failed": "Run it alone with the command; the reason is what the runtime said.",
    "skipped": "Run it alone with the command; a run that was stopped goes on with bench run --resume.",
    "not timed": "Run it again: it has no timed calls that count.",
}


def cautions_of(rows: Sequence[Row], section: Section) -> tuple[Caution, ...]:
    """First what keeps rows out of the contest, then every doubt, one that rows share said once."""
    return (*_remarks(rows, section.remarks), *row_doubts(rows))


def _remarks(rows: Sequence[Row], remarks: Sequence[Remark]) -> Iterator[Caution]:
    found = {verdict.name(row, rows): row for row in rows}
    for remark in remarks:
        row = found[remark.runtime]
        code = _code_of(row)
        advice = _WITHOUT_CAUTION.get(code) or advice_for(code)
        yield Caution(about=remark.runtime, text=remark.text, advice=advice, command=remark.reproduce)


def _code_of(row: Row) -> str:
    """What keeps a row out of the contest: its status, its agreement, or one of its cautions."""
    if row.status != "ok":
        return row.status
    if row.agreement != "agrees":
        return "unverified" if row.agreement == "unchecked" else row.agreement
    return (verdict.why_not(row) or "").partition(": ")[0]


def _is_said(caution: str, row: Row) -> bool:
    """Whether a remark tells it already, as the reason why the row cannot win."""
    why = verdict.why_not(row)
    return is_said_by_remarks(caution) or (why is not None and caution.startswith(why))


def row_doubts(rows: Sequence[Row]) -> Iterator[Caution]:
    """Every doubt that does not only say that a row cannot win, one that rows share once."""
    said: dict[str, list[str]] = {}
    for row in rows:
        for caution in split_cautions(row.cautions):
            if not _is_said(caution, row):
                said.setdefault(caution, []).append(verdict.name(row, rows))
    for caution, names in said.items():
        yield Caution(
            about=", ".join(dict.fromkeys(names)), text=caution, advice=advice_for(caution.partition(": ")[0])
        )
