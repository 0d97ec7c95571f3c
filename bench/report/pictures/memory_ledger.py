"""What a process's memory went to: before the import, import, model, first call, and the peak while timed."""

from __future__ import annotations

from collections.abc import Iterator

from bench import units
from bench.report.picture import Picture
from bench.report.pictures.parts import listed
from bench.report.pictures.scene import Group
from bench.report.pictures.stacks import Stack, stacked
from bench.rows import Row

_STEPS = ("start", "import", "load", "first call", "peak while timed")
_HEADER = ("runtime", "before the import", "after import", "after load", "after first call", "peak while timed")


def memory_ledger(group: Group) -> Iterator[Picture]:
    """One bar a runtime that has every number of the ledger; none where no runtime has."""
    some = [row for row in group.rows if any(level is not None for level in _levels(row))]
    rows = [row for row in some if all(level is not None for level in _levels(row))]
    if not rows:
        return
    told = "Resident memory of a fresh process: each part is what the step added to the most that was there before it."
    if left := [group.names[row.case_id] for row in some if row not in rows]:
        told += f" Not drawn, for a number is missing: {listed(left)}."
    told += group.told_of_barred(some)
    unit, unit_name = units.size_unit(max(level or 0 for row in rows for level in _levels(row)))
    yield Picture(
        name=group.name("memory_ledger"),
        title=f"Memory, step by step{group.title}",
        told=told,
        spec=stacked([_stack(group, row, unit) for row in rows], _STEPS, f"memory ({unit_name})"),
        header=_HEADER,
        cells=tuple((group.marked(row), *map(units.size, _levels(row))) for row in some),
    )


def _levels(row: Row) -> tuple[int | None, ...]:
    return (row.rss_start_bytes, row.rss_import_bytes, row.rss_load_bytes, row.rss_first_bytes, row.rss_peak_bytes)


def _stack(group: Group, row: Row, unit: float) -> Stack:
    """A step after which less is there adds nothing: the bar is as long as the highest level."""
    sizes, highest = {}, 0
    for step, level in zip(_STEPS, _levels(row), strict=True):
        sizes[step] = max(0, (level or 0) - highest) / unit
        highest = max(highest, level or 0)
    return Stack(group.names[row.case_id], sizes, units.size(highest), is_out=group.cannot_win(row))
