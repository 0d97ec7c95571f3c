"""A comparison of many reports -> the blocks of a text that can be read: those that end worst, the rest counted. Pure.

Markdown, CSV and JSON have every report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from bench.check.compare import exit_code_of
from bench.check.compare_records import Compared, Comparison, Judgement, RunPair
from bench.check.compare_view import ANSWERS, Block, blocks_of, counted_cases
from bench.errors import PRECEDENCE

MOST_REPORTS = 10  # beside the reference: a column each has room in a line

OfReport = TypeVar("OfReport", Compared, Judgement, RunPair)


def bounded_blocks(comparison: Comparison) -> list[Block]:
    """Those of ``blocks_of``, of MOST_REPORTS against the reference where there are more, and what was left out."""
    if len(comparison.runs) <= MOST_REPORTS:
        return blocks_of(comparison)
    worst = _worst(comparison)
    *blocks, end = blocks_of(_part(comparison, {comparison.reports[0].letter, *worst}))
    left_out = [one.report for one in comparison.runs if one.report not in worst]
    return [*blocks, _left_out(_part(comparison, set(left_out)), len(comparison.runs)), end]


def _worst(comparison: Comparison) -> list[str]:
    """Letters of the reports that end worst; of equal ones those that were named first."""
    cases, judged = _by_report(comparison.cases), _by_report(comparison.judged)
    found = {
        run.report: exit_code_of(cases.get(run.report, []), [run], judged.get(run.report, []), comparison.budgets)
        for run in comparison.runs
    }
    order = (*PRECEDENCE, 0)
    return sorted(found, key=lambda letter: order.index(found[letter]))[:MOST_REPORTS]


def _part(comparison: Comparison, letters: set[str]) -> Comparison:
    """What is about these reports; the exit code stays that of all."""
    return msgspec.structs.replace(
        comparison,
        reports=tuple(one for one in comparison.reports if one.letter in letters),
        runs=tuple(one for one in comparison.runs if one.report in letters),
        cases=tuple(one for one in comparison.cases if one.report in letters),
        judged=tuple(one for one in comparison.judged if one.report in letters),
    )


def _left_out(part: Comparison, compared: int) -> Block:
    """How much is not in the text, what became of it, and where it is."""
    said = [counted_cases(part.cases)]
    if part.judged:
        counts = Counter(one.answer for one in part.judged)
        said.append(f"--fail-on: {', '.join(f'{counts[answer]} {answer}' for answer in ANSWERS if counts[answer])}.")
    return Block(
        f"Not shown: {len(part.runs)} of {compared} reports, none of which ends worse than those above",
        (*said, "Every one is in --format md, csv and json, and in the exit code."),
    )


def _by_report(found: Sequence[OfReport]) -> dict[str, list[OfReport]]:
    grouped: dict[str, list[OfReport]] = {}
    for one in found:
        grouped.setdefault(one.report, []).append(one)
    return grouped
