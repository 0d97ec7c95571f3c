"""What passes before the first answer: import, load (of it, building), first call."""

from __future__ import annotations

from collections.abc import Iterator

from bench import units
from bench.report import row_cells
from bench.report.picture import Picture
from bench.report.pictures.parts import listed
from bench.report.pictures.scene import Group
from bench.report.pictures.stacks import Stack, stacked
from bench.rows import Row

_STEPS = ("import", "build", "load", "first call")
_HEADER = ("runtime", "import", "load", "of it build", "first call", "in all")


def cold_start(group: Group) -> Iterator[Picture]:
    """One bar a runtime of which every step is known; none where no runtime has them."""
    some = [row for row in group.rows if any(step is not None for step in _times(row))]
    rows = [row for row in some if all(step is not None for step in _times(row))]
    if not rows:
        return
    told = "Time from a bare process to the first answer, medians over processes"
    if caches := sorted({row.page_cache for row in rows if row.page_cache}):
        told += f"; page cache of the model's file: {listed(caches)}"
    told += "."
    if left := [group.names[row.case_id] for row in some if row not in rows]:
        told += f" Not drawn, for a step is missing: {listed(left)}."
    told += group.told_of_barred(some)
    unit, unit_name = units.time_unit(max(sum(step or 0 for step in _times(row)) for row in rows))
    built = any(row.build_ns for row in rows)
    yield Picture(
        name=group.name("cold_start"),
        title=f"Cold start{group.title}",
        told=told,
        spec=stacked(
            [_stack(group, row, unit) for row in rows],
            [step for step in _STEPS if step != "build" or built],
            f"time to the first answer ({unit_name})",
        ),
        header=_HEADER,
        cells=tuple(_cells(group.marked(row), row) for row in some),
    )


def _times(row: Row) -> tuple[int | None, int | None, int | None]:
    return row.import_ns, row.load_ns, row.first_call_ns


def _stack(group: Group, row: Row, unit: float) -> Stack:
    loaded, build = row.load_ns or 0, min(row.build_ns or 0, row.load_ns or 0)
    times = {"import": row.import_ns or 0, "build": build, "load": loaded - build, "first call": row.first_call_ns or 0}
    sizes = {step: time / unit for step, time in times.items()}
    return Stack(group.names[row.case_id], sizes, row_cells.cold_start(row), is_out=group.cannot_win(row))


def _cells(name: str, row: Row) -> tuple[str, ...]:
    times = (row.import_ns, row.load_ns, row.build_ns, row.first_call_ns)
    known = all(step is not None for step in _times(row))
    whole = sum(step or 0 for step in _times(row)) if known else None
    return (name, *map(units.duration, (*times, whole)))
