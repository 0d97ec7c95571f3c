"""One pair: a fresh process of either side, measured interleaved, on equal terms but for what differs.

Both sides see paths of one length (``slot/0``, ``slot/1``; a coin says who gets which), the same environment variables
and the same CPUs: where a file or a variable lies in memory changes speed, and so does the core.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from bench.analysis.agreement import case_verdict, merge_checks, worst_check
from bench.analysis.checker import make_checker
from bench.cases import make_arm
from bench.check.pair_values import make_pair
from bench.check.pairing import PairedCase
from bench.check.records import SIDES, Bundle, BundledCase, GateSettings, Pair, Side
from bench.errors import BenchError
from bench.measure.launch import Launcher
from bench.measure.rounds import Arm, Repetition
from bench.prepare.arrays import load_arrays
from bench.records import (
    ArrayFile,
    CaseRepetition,
    GroupRepetition,
    MeasureSettings,
    OutputCheck,
    Prepared,
    RoundPlan,
    Tolerance,
    Verdict,
)

Check = Callable[[str, ArrayFile], list[OutputCheck]]
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
        self._plans: dict[str, RoundPlan | None] = {}
        self._judges: dict[str, _Judge] = {}
        self._numbers: dict[str, int] = {}

    def measure(self, case: PairedCase, number: int) -> tuple[Pair, GroupRepetition]:
        """The pair and what it was made from; a side that died is in it with its reason."""
        judge = self._judge(case)
        group = self._numbers.setdefault(case.name, len(self._numbers))
        coin = random.Random(repr((self._settings.seed, case.name, number, "slot"))).getrandbits(1)
        slots: dict[Side, int] = {"baseline": coin, "head": 1 - coin}
        arms = [self._arm(side, slots[side], getattr(case, side)) for side in SIDES]
        refused = [arm for arm in arms if isinstance(arm, CaseRepetition)]
        if refused:
            raise BenchError(f"gating {case.name}: {refused[0].reason}")
        measure = MeasureSettings(
            repetitions=1,
            min_rounds=self._settings.min_rounds,
            time_limit_s=self._settings.answer_limit_s,
            seed=self._settings.seed,
        )
        driver = Repetition(
            [arm for arm in arms if isinstance(arm, Arm)],
            self._launcher,
            measure,
            self._folder,
            check=judge.check,
            merge=merge_checks,
            on_turn=self._on_turn,
        )
        judge.begin()
        done = driver.run(group, number, self._plans.get(case.name))
        done = _replace(
            done,
            cases=[as_bundled(one, case.head if one.case_id == "head" else case.baseline) for one in done.cases],
        )
        if all(one.complete for one in done.cases):
            self._plans.setdefault(case.name, done.plan)
        pair = make_pair(
            done,
            case=case.name,
            slot_of_baseline=coin,
            first="head" if driver.order[0] == "head" else "baseline",
            verdicts=judge.verdicts(done),
            against_baseline=judge.against_baseline(),
            disagreement=judge.disagreements(done),
        )
        return pair, done

    def _judge(self, case: PairedCase) -> _Judge:
        if case.name not in self._judges:
            sides = {side: self._sides[side].bundle for side in SIDES}
            self._judges[case.name] = _Judge(
                sides["baseline"].models[case.baseline.case.model],
                sides["head"].models[case.head.case.model],
                {side: bundle.tolerance for side, bundle in sides.items()},
            )
        return self._judges[case.name]

    def _arm(self, side: Side, slot: int, bundled: BundledCase) -> Arm | CaseRepetition:
        """What the worker of a side needs, every path of it in its slot."""
        opened = self._sides[side]
        prepared = opened.bundle.models[bundled.case.model]
        shapes = {bundled.case.model: {name: array.shape for name, array in load_arrays(prepared.pool).items()}}
        case = _replace(
            bundled.case,
            case_id=side,
            runtime=_replace(bundled.case.runtime, version=bundled.info.runtime_version, display=side),
        )
        arm = make_arm(case, prepared, shapes)
        if isinstance(arm, CaseRepetition):
            return arm
        place = self._folder / "slot" / str(slot)
        artifact = Path(arm.request.artifact.path)
        _link(place / "files", artifact.parent)
        _link(place / "inputs", Path(prepared.pool.path).parent)
        prefix = opened.prefixes[bundled.name]
        if (prefix / "pyvenv.cfg").is_file():
            _link(place / "env", prefix)
            prefix = place / "env"
        request = _replace(
            arm.request,
            artifact=_replace(arm.request.artifact, path=str(place / "files" / artifact.name)),
            pool=_replace(prepared.pool, path=str(place / "inputs" / Path(prepared.pool.path).name)),
            prefix=str(prefix),
            cpus=self._cpus,
            busy=bundled.busy,
        )
        return _replace(arm, request=request, environment=str(prefix))


class _Judge:
    """Verdicts of a pair's outputs: each against its own truth, head's also against the baseline's."""

    def __init__(self, baseline: Prepared, head: Prepared, tolerances: Mapping[Side, Tolerance]) -> None:
        self._own: dict[str, Check] = {
            "baseline": make_checker(baseline, tolerances["baseline"]),
            "head": make_checker(head, tolerances["head"]),
        }
        self._same_truth = baseline.truth_file.digest == head.truth_file.digest
        self._across: list[OutputCheck] = []

    def begin(self) -> None:
        """Forget the pair before."""
        self._across = []

    def check(self, side: str, file: ArrayFile) -> list[OutputCheck]:
        """Judge one file of outputs; see ``rounds.Check``."""
        own = self._own[side](side, file)
        if side == "head":
            self._across += own if self._same_truth else self._own["baseline"](side, file)
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
        "status": (asked.status, info.status),
        "node share": (asked.node_share, info.node_share),
    }
    wrong = next((f"{name} {was} was bundled, {now} ran" for name, (was, now) in fields.items() if was != now), None)
    return one if wrong is None else _replace(one, status="failed", reason=wrong, complete=False)


def choose_cpus(threads: int) -> tuple[int, ...]:
    """As many of the CPUs that we may use as there are threads, the last ones: the first take the interrupts."""
    usable = sorted(os.sched_getaffinity(0))
    return tuple(usable[-threads:]) if threads < len(usable) else tuple(usable)


def _link(link: Path, target: Path) -> None:
    """Point ``link`` at ``target``, whatever it pointed at before."""
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_name(f".{link.name}")
    new.unlink(missing_ok=True)
    new.symlink_to(target, target_is_directory=True)
    os.replace(new, link)
