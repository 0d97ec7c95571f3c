"""One pair: a fresh process of either side, measured interleaved, on equal terms but for what differs.

Both sides see paths of one length (``slot/0``, ``slot/1``; a coin says who gets which), the same environment variables
and the same CPUs: where a file or a variable lies in memory changes speed, and so does the core. Nothing that can reach
a number knows which side is which: whatever goes over both goes over the slots in their order, and both are judged by
the same work.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.analysis.agreement import merge_checks
from bench.analysis.budget import Budget
from bench.analysis.checker import budgets_of
from bench.cases import Shapes, make_arm
from bench.check.pair_values import make_pair
from bench.check.pairing import PairedCase
from bench.check.records import SIDES, Bundle, BundledCase, GateSettings, Pair, Side
from bench.measure.launch import Launcher
from bench.measure.rounds import Arm, Repetition
from bench.output_judge import OutputJudge
from bench.prepare.arrays import load_arrays
from bench.records import (
    CaseRepetition,
    GroupRepetition,
    MeasureSettings,
    Prepared,
    RoundPlan,
)
from bench.slots import Slots

_replace = msgspec.structs.replace


class SideToRun(msgspec.Struct, frozen=True):
    """An opened bundle with the environment of each of its cases."""

    bundle: Bundle
    prefixes: Mapping[str, Path]  # by BundledCase.name


class PairDriver:
    """Measures pairs of any case; see ``gate.Measure``."""

    def __init__(
        self,
        sides: Mapping[Side, SideToRun],
        launcher: Launcher,
        folder: Path,
        settings: GateSettings,
        cpus: tuple[int, ...],
        on_turn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``folder`` takes slots and outputs and is the caller's to remove."""
        self._sides = sides
        self._launcher = launcher
        self._folder = folder
        self._settings = settings
        self._cpus = cpus
        self._on_turn = on_turn
        self._slots = Slots(folder)
        self._shapes_of: dict[str, Shapes] = {}
        self._plans: dict[str, RoundPlan | None] = {}
        self._judges: dict[str, OutputJudge] = {}
        self._numbers: dict[str, int] = {}

    def measure(self, case: PairedCase, number: int) -> tuple[Pair, GroupRepetition]:
        """The pair and what it was made from; a side that died is in it with its reason."""
        judge = self._judge(case)
        group = self._numbers.setdefault(case.name, len(self._numbers))
        coin = random.Random(repr((self._settings.seed, case.name, number, "slot"))).getrandbits(1)
        slots: dict[Side, int] = {"baseline": coin, "head": 1 - coin}
        in_slots = sorted(SIDES, key=lambda side: slots[side])
        arms = {side: self._arm(side, slots[side], getattr(case, side)) for side in in_slots}
        judge.begin()
        ready = [arm for arm in arms.values() if isinstance(arm, Arm)]
        if len(ready) < len(SIDES):
            done, first = _refused(group, number, arms), in_slots[0]
        else:
            done, first = self._run(ready, judge, case, group, number)
        pair = make_pair(
            done,
            case=case.name,
            slot_of_baseline=coin,
            first=first,
            verdicts=judge.verdicts(done),
            against_baseline=judge.against_baseline(),
            disagreement=judge.disagreements(done),
        )
        return pair, done

    def _run(
        self, arms: Sequence[Arm], judge: OutputJudge, case: PairedCase, group: int, number: int
    ) -> tuple[GroupRepetition, Side]:
        """What both workers brought, and whose was started first."""
        measure = MeasureSettings(
            repetitions=1,
            min_rounds=self._settings.min_rounds,
            time_limit_s=self._settings.answer_limit_s,
            seed=self._settings.seed,
        )
        driver = Repetition(
            arms,
            self._launcher,
            measure,
            self._folder,
            check=judge.check,
            merge=merge_checks,
            on_turn=self._on_turn,
        )
        done = driver.run(group, number, self._plans.get(case.name))
        done = _replace(
            done,
            cases=[as_bundled(one, case.head if one.case_id == "head" else case.baseline) for one in done.cases],
        )
        if all(one.complete for one in done.cases):
            self._plans.setdefault(case.name, done.plan)
        return done, "head" if driver.order[0] == "head" else "baseline"

    def _judge(self, case: PairedCase) -> OutputJudge:
        if case.name not in self._judges:
            sides = {side: self._sides[side].bundle for side in SIDES}
            self._judges[case.name] = OutputJudge(
                sides["baseline"].models[case.baseline.case.model],
                sides["head"].models[case.head.case.model],
                {side: bundle.tolerance for side, bundle in sides.items()},
                self._budgets(case),
            )
        return self._judges[case.name]

    def _budgets(self, case: PairedCase) -> dict[str, Budget]:
        """By side, of one that is not float32."""
        bundled: dict[Side, BundledCase] = {"baseline": case.baseline, "head": case.head}
        found: dict[str, Budget] = {}
        for side, one in bundled.items():
            prepared = self._sides[side].bundle.models[one.case.model]
            found |= budgets_of([_replace(one.case, case_id=side)], prepared)
        return found

    def _arm(self, side: Side, slot: int, bundled: BundledCase) -> Arm | CaseRepetition:
        """What the worker of a side needs, every path of it in its slot."""
        opened = self._sides[side]
        prepared = opened.bundle.models[bundled.case.model]
        case = _replace(
            bundled.case,
            case_id=side,
            runtime=_replace(bundled.case.runtime, version=bundled.info.runtime_version, display=f"slot {slot}"),
        )
        arm = make_arm(case, prepared, {bundled.case.model: self._shapes(prepared)})
        if isinstance(arm, CaseRepetition):
            return arm
        prefix = str(self._slots.place_environment(slot, opened.prefixes[bundled.name]))
        request = _replace(
            arm.request,
            artifact=self._slots.place_artifact(slot, arm.request.artifact),
            pool=self._slots.place_arrays(slot, prepared.pool),
            prefix=prefix,
            cpus=self._cpus,
            busy=bundled.busy,
        )
        return _replace(arm, request=request, environment=prefix)

    def _shapes(self, prepared: Prepared) -> Shapes:
        """Of the pool's arrays, read once."""
        digest = prepared.pool.digest
        if digest not in self._shapes_of:
            self._shapes_of[digest] = {name: array.shape for name, array in load_arrays(prepared.pool).items()}
        return self._shapes_of[digest]


def _refused(group: int, number: int, arms: Mapping[Side, Arm | CaseRepetition]) -> GroupRepetition:
    """A pair that is not run because a side can't be opened at all; the other side has no part in that."""
    skipped = [
        CaseRepetition(case_id=side, repetition=number, status="skipped", reason="the other side can't be run")
        for side, arm in arms.items()
        if isinstance(arm, Arm)
    ]
    refused = [_replace(arm, repetition=number) for arm in arms.values() if isinstance(arm, CaseRepetition)]
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return GroupRepetition(
        group=group, repetition=number, cases=[*refused, *skipped], rounds=[], page_cache="warm", started=started
    )


def as_bundled(one: CaseRepetition, bundled: BundledCase) -> CaseRepetition:
    """The repetition, failed where its session is not the one that was bundled: elsewhere it would go unseen."""
    info = one.opened.info if one.opened else None
    if info is None or one.status != "ok":
        return one
    asked = bundled.info
    fields = {
        "provider": (asked.provider, info.provider),
        "call path": (asked.call_path, info.call_path),
        "version": (asked.runtime_version, info.runtime_version),
        "node share": (asked.node_share, info.node_share),
    }
    wrong = next((f"{name} {was} was bundled, {now} ran" for name, (was, now) in fields.items() if was != now), None)
    return one if wrong is None else _replace(one, status="failed", reason=wrong, complete=False)


def choose_cpus(threads: int) -> tuple[int, ...]:
    """As many of the CPUs that we may use as there are threads, the last ones: the first take the interrupts."""
    usable = sorted(os.sched_getaffinity(0))
    return tuple(usable[-threads:]) if threads < len(usable) else tuple(usable)
