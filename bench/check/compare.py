"""Stored reports side by side: what became of every case, whether numbers can be compared, and the numbers. Pure.

Numbers of two runs are never a verdict: that takes ``bench gate``, which interleaves both on one machine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bench.check import fail_on
from bench.check.comparability import case_differences, run_differences
from bench.check.compare_join import Identity, Joined, group_of, identify, join, likely_name, name_of, runtime_of
from bench.check.compare_records import Compared, Comparison, Difference, Judgement, ReportFacts, RunPair, Side
from bench.check.compare_within import compare_within
from bench.check.standing import EXITS, changes_of, standing_of
from bench.errors import EXIT_CANNOT_TELL, EXIT_CASE_FAILED, EXIT_OK, UsageError, strongest_exit
from bench.records import Environment


def compare(
    sides: Sequence[Side], *, budgets: Mapping[str, float] | None = None, allowed: Collection[str] = ()
) -> Comparison:
    """Every other report against the first; of one report alone, its cases against the reference within it.

    ``budgets`` are those of --fail-on, ``allowed`` the fields that may differ. UsageError where a case comes twice in
    a report, or a budget is given without a second report.
    """
    budgets = dict(budgets or {})
    if not sides:
        raise UsageError("comparing reports: no report was given; name the folder of one or more")
    if len(sides) < 2 and budgets:
        raise UsageError("--fail-on: it compares reports, and there is one; name the report that it is judged against")
    found, runs = _between(sides, allowed) if len(sides) > 1 else _within(sides[0])
    judged = [judgement for one in found for judgement in fail_on.judge(one, budgets)]
    return Comparison(
        reports=tuple(_facts(side) for side in sides),
        runs=tuple(runs),
        cases=tuple(found),
        judged=tuple(judged),
        budgets=budgets,
        exit_code=exit_code_of(found, runs, judged, budgets),
    )


def _within(side: Side) -> tuple[list[Compared], list[RunPair]]:
    return compare_within(side), [RunPair(report=side.letter, is_one_run=True)]


def _between(sides: Sequence[Side], allowed: Collection[str]) -> tuple[list[Compared], list[RunPair]]:
    by_identity = identify(sides)
    found, runs = [], []
    for side, rows in zip(sides[1:], by_identity[1:], strict=True):
        differences = run_differences(sides[0].environment, side.environment, allowed)
        runs.append(
            RunPair(
                report=side.letter,
                is_one_run=_is_one_run(sides[0].environment, side.environment),
                differences=differences,
            )
        )
        joined = join(by_identity[0], rows)
        new = [one.identity for one in joined if one.reference is None]
        found += [_compare(one, side.letter, not _hindering(differences), new, allowed) for one in joined]
    return found, runs


def _compare(
    joined: Joined, letter: str, is_like_run: bool, new: Sequence[Identity], allowed: Collection[str]
) -> Compared:
    ours, theirs = joined.reference, joined.other
    standing, reason = standing_of(ours, theirs, likely_name(joined.identity, new))
    both = ours is not None and theirs is not None
    differences = case_differences(ours, theirs, allowed) if ours and theirs and standing != "failed" else ()
    return Compared(
        case=name_of(joined.identity),
        group=group_of(joined.identity),
        runtime=runtime_of(joined.identity),
        report=letter,
        standing=standing,
        reason=reason,
        differences=differences,
        is_comparable=both and standing == "same" and is_like_run and not _hindering(differences),
        changes=changes_of(ours, theirs) if ours and theirs else (),
        reference=ours,
        other=theirs,
    )


def _hindering(differences: Sequence[Difference]) -> bool:
    return any(not one.is_allowed for one in differences)


def _is_one_run(reference: Environment, other: Environment) -> bool:
    return all(getattr(reference, name) == getattr(other, name) for name in ("started", "command", "machine", "suite"))


def _facts(side: Side) -> ReportFacts:
    environment = side.environment
    return ReportFacts(
        letter=side.letter,
        path=side.path,
        started=environment.started,
        bench_version=environment.bench_version,
        machine=environment.machine,
        finished=environment.finished,
        cases=len(side.rows),
    )


def exit_code_of(
    found: Sequence[Compared], runs: Sequence[RunPair], judged: Sequence[Judgement], budgets: Mapping[str, float]
) -> int:
    """The strongest of all codes. Nothing compared at all can't be told, nor a budget that was never judged."""
    codes = [EXITS[one.standing] for one in found]
    codes += [EXIT_CASE_FAILED for one in found if one.standing == "disagrees" and _did_not_run(one)]
    codes += [EXIT_CANNOT_TELL for one in found if one.standing == "same" and not one.is_comparable]
    codes += [EXIT_CANNOT_TELL for run in runs if _hindering(run.differences)]
    codes += [fail_on.EXITS[one.answer] for one in judged]
    is_empty = not any(one.standing == "same" for one in found) or (budgets and not judged)
    return strongest_exit([*codes, EXIT_CANNOT_TELL if is_empty else EXIT_OK])


def _did_not_run(compared: Compared) -> bool:
    return compared.other is not None and compared.other.status not in ("ok", "partial")
