"""Reports by time -> the series of every case: which numbers can be set in one line, and what changed along it. Pure.

A row that cannot win in its own report is none here either. Compare's fields decide the rest: where machine, model,
inputs or options differ a series ends, and another one goes on as soon as its like is measured again; where a version
differs the numbers go on and the version is an event.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

import msgspec

from bench import units
from bench.analysis.summary import barred_rows
from bench.check.comparability import case_differences, run_differences
from bench.check.compare_join import Identity, group_of, name_of, runtime_of
from bench.check.compare_records import Difference, ReportFacts
from bench.check.history_read import Stored
from bench.check.history_records import Event, Gap, Point, Series, Tracked, Trend
from bench.check.standing import trouble_of
from bench.records import Environment, Machine
from bench.rows import Row

_MACHINE = ("cpu", "isa", "effective_cpus", "memory")
_EVENTS = ("runtime_version", "package", "artifact_digest", "bench_version", "python", "system", "tolerance")
_OF_ONE = {"page_cache": "load", "truth": "error", "percentile_block": ""}  # fields that only this number depends on


def facts_of(stored: Sequence[Stored]) -> tuple[ReportFacts, ...]:
    """What there is to know of each report, numbered by time."""
    return tuple(
        ReportFacts(
            letter=str(number),
            path=one.path,
            started=one.environment.started,
            bench_version=one.environment.bench_version,
            machine=one.environment.machine,
            finished=one.environment.finished,
            cases=len(one.cases),
        )
        for number, one in enumerate(stored, 1)
    )


def machine_words(machine: Machine) -> str:
    """The machine in a few words."""
    cpus = f"{machine.effective_cpus} CPU{'s' * (machine.effective_cpus != 1)}"
    return f"{machine.cpu}, {cpus}, {units.size(machine.memory_bytes)}"


def trends_of(stored: Sequence[Stored], tracked: Tracked) -> tuple[tuple[str, ...], tuple[Trend, ...]]:
    """The machines in words, and every case in the order in which they first come, its steps not looked for yet."""
    runs = _Runs(stored)
    identities = dict.fromkeys(identity for one in stored for identity in one.cases)
    return runs.machine_names, tuple(_trend(identity, stored, runs, tracked) for identity in identities)


class _Place(NamedTuple):
    """A row and its report's number."""

    report: int
    row: Row


class _Line:
    """A series as it grows."""

    def __init__(self, first: _Place, differs: tuple[Difference, ...]) -> None:
        self.first = self.last = first
        self.differs = differs
        self.points: list[Point] = []
        self.events: list[Event] = []


class _Runs:
    """In what runs differ, each pair computed once for all of their cases."""

    def __init__(self, stored: Sequence[Stored]) -> None:
        self._stored = stored
        self._known: dict[tuple[int, int, str, str], tuple[Difference, ...]] = {}
        self.machines, self.machine_names = self._number_machines()
        self._groups = [{group_of(identity) for identity in one.cases} for one in stored]

    def differences(self, before: _Place, after: _Place) -> tuple[Difference, ...]:
        """Of the runs and of the case itself."""
        key = (before.report, after.report, _own(before.row), _own(after.row))
        if key not in self._known:
            self._known[key] = run_differences(self._around(before), self._around(after))
        return (*case_differences(before.row, after.row), *self._known[key])

    def lacks(self, report: int, identity: Identity, known: Container[int]) -> bool:
        """Whether a report without a case might have had it: it is of the same model and of a machine that had it."""
        return self.machines[report - 1] in known and group_of(identity) in self._groups[report - 1]

    def _around(self, place: _Place) -> Environment:
        """The environment that the row's worker had: that of its report, or one of its own."""
        environment = self._stored[place.report - 1].environment
        if not _own(place.row):
            return environment
        return msgspec.structs.replace(environment, packages=environment.environments.get(place.row.runtime_spec, {}))

    def _number_machines(self) -> tuple[list[int], tuple[str, ...]]:
        """The machine of each report, numbered by first report; and each in words."""
        found: list[Environment] = []
        numbers = []
        for one in self._stored:
            same = (number for number, known in enumerate(found, 1) if not _other_machine(known, one.environment))
            number = next(same, 0)
            if not number:
                found.append(one.environment)
            numbers.append(number or len(found))
        return numbers, tuple(machine_words(one.machine) for one in found)


def _own(row: Row) -> str:
    return row.runtime_spec if row.environment else ""


def _other_machine(known: Environment, other: Environment) -> bool:
    return known.machine != other.machine and any(one.field in _MACHINE for one in run_differences(known, other))


def _trend(identity: Identity, stored: Sequence[Stored], runs: _Runs, tracked: Tracked) -> Trend:
    lines: list[_Line] = []
    gaps: list[Gap] = []
    machines: set[int] = set()  # that had the case
    for report, one in enumerate(stored, 1):
        row = one.cases.get(identity)
        if row is None:
            gaps += [Gap(report, "gone", "not in the report")] if runs.lacks(report, identity, machines) else []
            continue
        machines.add(runs.machines[report - 1])
        point = _point(report, row, tracked)
        if isinstance(point, Gap):
            gaps.append(point)
        else:
            _add(lines, _Place(report, row), point, runs, tracked)
    series = tuple(_series(number, line, runs) for number, line in enumerate(lines, 1))
    return Trend(name_of(identity), group_of(identity), runtime_of(identity), series, tuple(gaps))


def _point(report: int, row: Row, tracked: Tracked) -> Point | Gap:
    """The number, where it is that of the right thing."""
    trouble = trouble_of(row)
    only_verified = tracked.name == "error" and trouble is not None and trouble[0] == "unmeasured"
    if trouble and not only_verified:
        return Gap(report, *trouble)
    if not only_verified and (barred := barred_rows([row])):
        return Gap(report, "unverified", barred[0][1])
    value, low, high = (getattr(row, name) if name else None for name in (tracked.column, tracked.low, tracked.high))
    if value is None or not math.isfinite(value):
        return Gap(report, "unmeasured", f"it has no {tracked.heading}")
    return Point(report, float(value), low, high)


def _add(lines: list[_Line], place: _Place, point: Point, runs: _Runs, tracked: Tracked) -> None:
    """Put the point in the line that it continues, else in a new one."""
    why: tuple[Difference, ...] = ()
    for line in sorted(lines, key=lambda line: -line.last.report):
        why = tuple(one for one in runs.differences(line.first, place) if _ends_a_line(one.field, tracked))
        if not why:
            line.events += _events(runs.differences(line.last, place), place.report)
            line.last = place
            line.points.append(point)
            return
    if lines:
        every = runs.differences(lines[0].first, place)
        why = tuple(one for one in every if _ends_a_line(one.field, tracked))
    lines.append(_Line(place, why))
    lines[-1].points.append(point)


def _ends_a_line(field: str, tracked: Tracked) -> bool:
    return field.partition(" ")[0] not in _EVENTS and _OF_ONE.get(field, tracked.name) == tracked.name


def _events(differences: Sequence[Difference], report: int) -> Iterator[Event]:
    """Those of versions, that of the runtime first; its package is not told again."""
    told = [one for one in differences if one.field == "runtime_version"]
    same = {(one.reference, one.other) for one in told}
    events = [one for one in differences if one.field.partition(" ")[0] in _EVENTS and one not in told]
    packages = [one for one in events if not (one.field.startswith("package ") and (one.reference, one.other) in same)]
    ordered = sorted(packages, key=lambda one: (_EVENTS.index(one.field.partition(" ")[0]), one.field))
    yield from (Event(report, one.field, one.reference, one.other) for one in [*told, *ordered])


def _series(number: int, line: _Line, runs: _Runs) -> Series:
    machine = runs.machines[line.first.report - 1]
    return Series(number, machine, line.differs, tuple(line.points), tuple(line.events))
