"""How a run stands: from its groups and the repetitions that were measured so far. Pure but for a date."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.analysis.budget import artifact_of
from bench.analysis.doubts import joined
from bench.analysis.formats import with_formats
from bench.analysis.outcome import choose_reference
from bench.analysis.pareto import pareto_rows
from bench.analysis.retiming import retiming_cautions
from bench.analysis.summary import barred_rows, summarise_group
from bench.cases import Group
from bench.measure.feeds import is_batched
from bench.measure.plan import batch_count, shuffled
from bench.records import (
    CaseRepetition,
    Failure,
    GroupRepetition,
    MeasureSettings,
    Prepared,
    RoundPlan,
    Status,
    Suite,
)
from bench.reproduce import reproduce_command
from bench.rows import Row

_NEVER_AGAIN: tuple[Status, ...] = ("unavailable", "unsupported")
_KEY_LENGTH = 12  # of an environment: as much as people are shown
_TRIES = 2  # a case whose worker died in so many repetitions on end is given up
_SPLIT = "split: the group would not have fit the memory; measured apart from its other cases"
_BOUNDED = "bounded: -t or -r asked for more rounds than one run makes"


def rows_of(
    groups: Sequence[Group],
    done: Sequence[GroupRepetition],
    suite: Suite,
    prepared: Mapping[str, Prepared | Failure],
    *,
    cpus: int,
    finished: bool,
    isa: Sequence[str] = (),
) -> list[Row]:
    """One row a case, in the order asked for; those of a run that is not ``finished`` say what they lack.

    ``cpus`` is how many may be used, ``isa`` their instruction sets.
    """
    return [
        row
        for group in groups
        for row in _with_formats(
            _rows_of_group(group, done, suite, prepared[group.model], cpus, finished), group, prepared[group.model], isa
        )
    ]


def repetitions_of(group: Group, done: Sequence[GroupRepetition]) -> list[GroupRepetition]:
    """What was measured of a group, and in its first repetition the cases that could not be."""
    measured = [r for r in done if r.group == group.number]
    if not group.refused:
        return measured
    first, *others = measured or [_nothing_measured(group.number)]
    return [msgspec.structs.replace(first, cases=[*first.cases, *group.refused]), *others]


def measuring_order(groups: Sequence[Group], suite: Suite) -> Iterator[tuple[Group, int]]:
    """Every group and repetition, group by group; of a grid pass by pass, each pass in an order of its own.

    What a machine does over hours is then in the intervals over repetitions, and not in the place of a point.
    """
    if not suite.is_grid:
        yield from ((group, repetition) for group in groups for repetition in range(suite.measure.repetitions))
        return
    for repetition in range(suite.measure.repetitions):
        names = [str(place) for place in range(len(groups))]
        yield from ((groups[int(name)], repetition) for name in shuffled(names, suite.measure.seed, repetition))


def unsoaked(
    groups: Sequence[Group], done: Sequence[GroupRepetition], settings: MeasureSettings
) -> list[tuple[Group, CaseRepetition]]:
    """The cases whose memory is yet to be watched: in the last repetition, those that came through it."""
    last = settings.repetitions - 1
    return [
        (group, one)
        for group in groups
        for repetition in done
        if settings.soak_s and (repetition.group, repetition.repetition) == (group.number, last)
        for one in repetition.cases
        if one.complete and one.status == "ok" and not one.soak
    ]


def with_repetition(done: Sequence[GroupRepetition], result: GroupRepetition) -> list[GroupRepetition]:
    """What was measured with one repetition more, or anew, in order."""
    by_number = {(r.group, r.repetition): r for r in (*done, result)}
    return [by_number[number] for number in sorted(by_number)]


def with_case(done: Sequence[GroupRepetition], group: int, one: CaseRepetition) -> GroupRepetition:
    """The group's repetition of ``one`` with it in place of what is there of that case."""
    found = next(r for r in done if (r.group, r.repetition) == (group, one.repetition))
    return msgspec.structs.replace(found, cases=[one if case.case_id == one.case_id else case for case in found.cases])


def feeds_of(groups: Sequence[Group]) -> dict[str, int]:
    """Distinct feeds of each case, so that a sample's input can be told."""
    arms = [arm for group in groups for arm in group.arms]
    return {
        arm.case.case_id: batch_count(
            arm.request.pool.items, arm.case.batch_size, is_batched(arm.request.settings.inputs)
        )
        for arm in arms
    }


def is_done(done: Sequence[GroupRepetition], group: int, repetition: int) -> bool:
    """Whether the repetition was measured."""
    return any(r.group == group and r.repetition == repetition for r in done)


def is_given_up(done: Sequence[GroupRepetition], group: int, case_id: str) -> bool:
    """Not there, or its worker died in the last two repetitions on end."""
    tries = [c for r in done if r.group == group for c in r.cases if c.case_id == case_id]
    if any(c.status in _NEVER_AGAIN for c in tries):
        return True
    return len(tries) >= _TRIES and all(c.status != "ok" for c in tries[-_TRIES:])


def rounds_of(done: Sequence[GroupRepetition], group: int) -> RoundPlan | None:
    """The plan of the first repetition in which every case took its turns."""
    mine = [r for r in done if r.group == group and r.plan is not None]
    return next((r.plan for r in mine if all(case.turns for case in r.cases)), None)


def _rows_of_group(
    group: Group,
    done: Sequence[GroupRepetition],
    suite: Suite,
    prepared: Prepared | Failure,
    cpus: int,
    finished: bool,
) -> list[Row]:
    repetitions = repetitions_of(group, done)
    there = prepared if isinstance(prepared, Prepared) else None
    summarised = summarise_group(
        group.cases,
        repetitions,
        there,
        choose_reference(group.cases, repetitions),
        _commands(group, suite, [output.name for output in there.outputs] if there else None),
        planned=None if finished else suite.measure.repetitions,
        cpus=cpus,
        min_placement=suite.measure.min_placement,
    )
    doubts = [_SPLIT] * group.split + [_BOUNDED] * any(r.plan is not None and r.plan.bounded for r in repetitions)
    rows = _with_environments(_with_pareto(summarised), group)
    return [_with_doubts(row, [*doubts, *_retimed(row.case_id, repetitions)]) for row in rows]


def _retimed(case_id: str, repetitions: Sequence[GroupRepetition]) -> list[str]:
    told = joined(retiming_cautions([c for r in repetitions for c in r.cases if c.case_id == case_id]))
    return [told] if told else []


def _with_formats(rows: Sequence[Row], group: Group, prepared: Prepared | Failure, isa: Sequence[str]) -> list[Row]:
    """The rows, each with what its number format means on this processor."""
    there = prepared if isinstance(prepared, Prepared) else None
    return [
        with_formats(row, case, artifact_of(case, there) if there else None, isa)
        for row, case in zip(rows, group.cases, strict=True)
    ]


def _with_environments(rows: Sequence[Row], group: Group) -> list[Row]:
    """The rows, each with the beginning of the key of the environment that was made for its runtime."""
    keys = {arm.case.case_id: Path(arm.environment).name for arm in group.arms if arm.environment}
    return [msgspec.structs.replace(row, environment=keys.get(row.case_id, "")[:_KEY_LENGTH]) for row in rows]


def _with_pareto(rows: Sequence[Row]) -> list[Row]:
    front = pareto_rows([row for row in rows if not barred_rows([row])])
    return [msgspec.structs.replace(row, pareto=front.get(row.case_id)) for row in rows]


def _commands(group: Group, suite: Suite, outputs: Collection[str] | None) -> dict[str, str]:
    model = next(model for model in suite.models if model.display == group.model)
    return {case.case_id: reproduce_command(case, model, suite, outputs=outputs) for case in group.cases}


def _with_doubts(row: Row, doubts: Sequence[str]) -> Row:
    return msgspec.structs.replace(row, cautions="; ".join([*filter(None, [row.cautions]), *doubts]))


def _nothing_measured(group: int) -> GroupRepetition:
    return GroupRepetition(
        group=group,
        repetition=0,
        cases=[],
        rounds=[],
        page_cache="warm",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
