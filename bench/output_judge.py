"""Verdicts of a pair's outputs: each side's against its own truth, head's also against the baseline's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.analysis.agreement import case_verdict, worst_check
from bench.analysis.budget import Budget
from bench.analysis.checker import make_checker
from bench.check.records import SIDES, Side
from bench.records import ArrayFile, GroupRepetition, OutputCheck, Prepared, Tolerance, Verdict

Check = Callable[[str, ArrayFile], list[OutputCheck]]


class OutputJudge:
    """Verdicts of a pair's outputs: each against its own truth, head's also against the baseline's."""

    def __init__(
        self,
        baseline: Prepared,
        head: Prepared,
        tolerances: Mapping[Side, Tolerance],
        budgets: Mapping[str, Budget] | None = None,
    ) -> None:
        """``budgets``: by side, of one that is not float32."""
        self._own: dict[str, Check] = {
            "baseline": make_checker(baseline, tolerances["baseline"], budgets),
            "head": make_checker(head, tolerances["head"], budgets),
        }
        self._judge_alike = (baseline.truth_file.digest, baseline.yardstick, tolerances["baseline"]) == (
            head.truth_file.digest,
            head.yardstick,
            tolerances["head"],
        )
        self._across: list[OutputCheck] = []

    def begin(self) -> None:
        """Forget the pair before."""
        self._across = []

    def check(self, side: str, file: ArrayFile) -> list[OutputCheck]:
        """Judge one file of outputs; see ``rounds.Check``. Either side's by both truths: as much work for each."""
        own = self._own[side](side, file)
        other: Side = "baseline" if side == "head" else "head"
        across = own if self._judge_alike else self._own[other](side, file)
        if side == "head":
            self._across += across
        return own

    def verdicts(self, done: GroupRepetition) -> dict[Side, Verdict]:
        """Each side's against its own truth."""
        found = {one.case_id: case_verdict(one.checks) for one in done.cases}
        return {side: found[side] for side in SIDES}

    def against_baseline(self) -> Verdict:
        """Head's against the baseline's truth."""
        return case_verdict(self._across)

    def disagreements(self, done: GroupRepetition) -> dict[Side, str]:
        """Why a side does not agree, "" where it does."""
        checks = {one.case_id: list(one.checks) for one in done.cases}
        checks["head"] += self._across
        worst = {side: worst_check(checks[side]) for side in SIDES}
        return {
            side: f"{one.output}: {one.reason}" if one is not None and one.verdict != "agrees" else ""
            for side, one in worst.items()
        }
