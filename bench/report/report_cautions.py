"""The cautions of a group for its page: each with what to do; rows that cannot win with their reason and command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.report import verdict
from bench.report.advice import advice_for
from bench.report.cells import Remark, Section
from bench.report.notes import is_said_by_remarks, split_cautions
from bench.report.pages.page import Caution
from bench.rows import Row

_BY_STATUS = {
    "unavailable": "bench runtimes lists what is usable here, and why the rest is not.",
    "partial": "The picture of where it ran tells what went elsewhere.",
    "unsupported": "The runtime can't run this model as it is; the reason tells what it would take.",
    "crashed": "Run it alone with the command, and with another version of the runtime.",
    "timeout": "Give it more time with --time-limit, or a smaller batch.",
    "oom": "Use a smaller batch, or a machine with more memory.",
    "failed": "Run it alone with the command; the reason is what the runtime said.",
}


def cautions_of(rows: Sequence[Row], section: Section) -> tuple[Caution, ...]:
    """First what keeps rows out of the contest, then every doubt, one that rows share said once."""
    return (*_remarks(rows, section.remarks), *_doubts(rows))


def _remarks(rows: Sequence[Row], remarks: Sequence[Remark]) -> Iterator[Caution]:
    found = {verdict.name(row, rows): row for row in rows}
    for remark in remarks:
        row = found[remark.runtime]
        code = row.status if row.status != "ok" else {"unchecked": "unverified"}.get(row.agreement, row.agreement)
        advice = _BY_STATUS.get(code) or advice_for(code)
        yield Caution(about=remark.runtime, text=remark.text, advice=advice, command=remark.reproduce)


def _doubts(rows: Sequence[Row]) -> Iterator[Caution]:
    said: dict[str, list[str]] = {}
    for row in rows:
        for caution in split_cautions(row.cautions):
            if not is_said_by_remarks(caution):
                said.setdefault(caution, []).append(verdict.name(row, rows))
    for caution, names in said.items():
        yield Caution(
            about=", ".join(dict.fromkeys(names)), text=caution, advice=advice_for(caution.partition(": ")[0])
        )
