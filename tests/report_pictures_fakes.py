"""Reports for the tests of pictures: stored and read again, as the pictures of a real run are made."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.records import CaseRepetition, Environment, GroupRepetition
from bench.report.pictures.scene import Group, Scene
from bench.report.store import Report, load_report, save_report
from bench.rows import Row
from fakes import ScriptedWorker
from report_fakes import ADA, case_repetition, environment, group_repetition, reference, round_state, row, turn

HOSTILE = (
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>'",
    "right\u202eleft\u2066",
    "{{7*7}} ${7*7} datum['x'] \\' + alert(3)",
    "null\x00 \ud83d\ude00 line\nline",
)
_OPENED = ScriptedWorker("worker", iter(()), [], None)._opened()


def stored(
    folder: Path,
    rows: Sequence[Row] | None = None,
    repetitions: Sequence[GroupRepetition] | None = None,
    **changes: Any,
) -> Report:
    """A report of ADA's, saved and loaded."""
    shown: Environment = environment(**changes)
    given = [reference(), row()] if rows is None else rows
    save_report(folder, shown, given, [group_repetition()] if repetitions is None else repetitions, private=ADA)
    return load_report(folder)


def scene(folder: Path, *arguments: Any, **changes: Any) -> Scene:
    return Scene(stored(folder, *arguments, **changes))


def only_group(folder: Path, *arguments: Any, **changes: Any) -> Group:
    (group,) = scene(folder, *arguments, **changes).groups
    return group


def whole(case_id: str, latencies: Sequence[Sequence[int]], repetition: int = 0, **changes: Any) -> CaseRepetition:
    """A repetition that counts: two warm-up calls, then a turn a round with the given timed calls."""
    turns = [turn(0, [900, 800], kind="warmup", switch_ns=None)]
    turns += [turn(number, list(calls), switch_ns=700) for number, calls in enumerate(latencies)]
    return case_repetition(case_id, repetition, turns=turns, opened=_OPENED, **changes)


def many(count: int, cases: Sequence[str] = ("net | tensorflow", "net | onnxruntime-cpu")) -> list[GroupRepetition]:
    """``count`` timed calls over all, in 5 repetitions of 10 rounds, log-normal, with one outlier a case."""
    drawn = random.Random(7)
    each = count // (len(cases) * 50)

    def calls(repetition: int, number: int) -> list[int]:
        some = [int(4e6 * drawn.lognormvariate(0, 0.2)) for _ in range(each)]
        return [*some[:-1], 77_000_000] if (repetition, number) == (2, 3) else some

    return [
        group_repetition(
            repetition=repetition,
            cases=[whole(name, [calls(repetition, n) for n in range(10)], repetition) for name in cases],
            rounds=[round_state(n, disturbed=n == 4) for n in range(10)],
        )
        for repetition in range(5)
    ]
