"""One repetition of a profile: plain workers in turns, verified, then a profiled worker of each case.

Part of ``profiling``; joins measure and the records of a profile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

import msgspec

from bench.analysis.agreement import merge_checks
from bench.analysis.profiled import Reply
from bench.analysis.timing import calls_of
from bench.apart import judged_by_placement
from bench.measure.alone import operators_arm
from bench.measure.launch import ProcessLauncher
from bench.measure.plan import shuffled
from bench.measure.process import WorkerDiedError
from bench.measure.rounds import Arm, Check, Repetition
from bench.records import CaseRepetition, GroupRepetition, MeasureSettings, Placement, RoundPlan
from bench.runtimes.table import RUNTIMES

MOST_CALLS, LEAST_CALLS = 20, 3  # profiled in one worker
PROFILED_NS = 2_000_000_000  # that they may take together, as long as there are LEAST_CALLS
_replace = msgspec.structs.replace


class ProfiledSet:
    """Cases that are measured together: of one group, or all of a comparison."""

    def __init__(
        self,
        number: int,
        arms: Sequence[Arm],
        launcher: ProcessLauncher,
        settings: MeasureSettings,
        check: Check,
        on_turn: Callable[[str], None],
    ) -> None:
        self.arms = {arm.case.case_id: arm for arm in arms}
        self._number = number
        self._launcher = launcher
        self._settings = settings
        self._check = check
        self._on_turn = on_turn
        self._plan: RoundPlan | None = None

    def measure(
        self, repetition: int, given_up: Callable[[Arm], bool]
    ) -> tuple[GroupRepetition | None, Mapping[str, Reply | str]]:
        """What the plain workers brought, and of each case its kernels or why there are none."""
        arms = [arm for arm in self.arms.values() if not given_up(arm)]
        if not arms:
            return None, {}
        plain = self._plain(arms, repetition)
        by_id = {one.case_id: one for one in plain.cases}
        replies: dict[str, Reply | str] = {}
        for case_id in shuffled(list(by_id), self._settings.seed, repetition, self._number):
            case = self.arms[case_id].case
            self._on_turn(f"profiling {case.model} on {case.runtime.display}")
            by_id[case_id], replies[case_id] = self._profiled(by_id[case_id], self.arms[case_id])
        return _replace(plain, cases=[by_id[one.case_id] for one in plain.cases]), replies

    def _plain(self, arms: Sequence[Arm], repetition: int) -> GroupRepetition:
        """Fresh workers in turns, verified before and after."""
        driver = Repetition(
            arms,
            self._launcher,
            self._settings,
            self._launcher.folder,
            check=self._check,
            merge=merge_checks,
            on_turn=self._on_turn,
        )
        result = driver.run(self._number, repetition, self._plan)
        if self._plan is None and all(one.complete for one in result.cases):
            self._plan = result.plan
        return result

    def _profiled(self, one: CaseRepetition, arm: Arm) -> tuple[CaseRepetition, Reply | str]:
        """The case with where it ran, and its kernels; one that was not measured whole has none."""
        if not one.complete:
            return one, one.reason
        plain_ns = float(median(calls_of(one, "turn")))
        calls = max(LEAST_CALLS, min(MOST_CALLS, int(PROFILED_NS / max(1.0, plain_ns))))
        try:
            profiled = operators_arm(arm, self._launcher, calls, self._settings.time_limit_s)
        except WorkerDiedError as death:
            return one, death.reason
        if RUNTIMES[arm.case.runtime.name].provider is not None:
            placement = Placement(parts=profiled.parts, calls=profiled.calls)
            one = judged_by_placement(one, placement, self._settings.min_placement)
        if not profiled.operators or not profiled.calls_ns:
            return one, "its profile holds no operator"
        return one, Reply(repetition=one.repetition, profiled=profiled, plain_ns=plain_ns)
