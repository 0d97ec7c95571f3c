"""run_suite() and verify_suite(): they join the stages, and save after each repetition.

The only module that knows every stage. Decides nothing about numbers itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from bench import errors, standing
from bench.analysis.agreement import merge_checks
from bench.analysis.checker import budgets_of, make_checker, names_flags_of
from bench.analysis.outcome import exit_code_of
from bench.apart import with_placements, with_soak
from bench.cases import Group, Shapes, build_groups
from bench.measure import launch, machine
from bench.measure.lock import machine_lock
from bench.measure.rounds import Arm, Check, Repetition
from bench.pinning import Pinner
from bench.preparing import pool_shapes, prepare_models
from bench.progress import Progress
from bench.records import CaseRepetition, Environment, Failure, GroupRepetition, Prepared, Suite
from bench.report import store
from bench.report.kept_outputs import OutputsKeeper
from bench.resume import (
    KeptPlan,
    interrupted_run,
    keep_plan,
    refuse_other_environments,
    refuse_other_groups,
    refuse_other_machine,
    refuse_other_models,
)
from bench.retiming import pair_driver, with_retiming
from bench.rows import Row
from bench.stages import Stages
from bench.surroundings import describe_surroundings


@dataclass(frozen=True)
class RunResult:
    """What a run came to."""

    rows: list[Row]
    exit_code: int
    report: Path | None = None
    environment: Environment | None = None


def run_suite(suite: Suite, out: Path, *, resume: bool, command: str, progress: Progress) -> RunResult:
    """Prepare, measure, verify and report everything that the suite asks for.

    A case that fails is a row; UsageError is raised before anything is measured. On Ctrl-C or SIGTERM the repetitions
    that are whole are kept and the result's exit code is 130 or 143.
    """
    run = _Run(suite, out, command, progress)
    with machine_lock(progress.note):
        if resume:
            run.load_earlier()
        run.prepare()
        try:
            run.measure()
        except KeyboardInterrupt as interrupt:
            code = errors.EXIT_TERMINATED if isinstance(interrupt, errors.Terminated) else errors.EXIT_INTERRUPTED
            return RunResult(run.save(finished=False), code, out, run.environment_now(finished=False))
        rows = run.save(finished=True)
    store.finish(out)
    return RunResult(rows, exit_code_of(rows, suite.measure), out, run.environment_now(finished=True))


class _Run:
    """One run in progress."""

    def __init__(self, suite: Suite, out: Path, command: str, progress: Progress) -> None:
        self.suite = suite
        self.out = out
        self.progress = progress
        self.keeper = OutputsKeeper(out, progress.note)
        self.stages = Stages()
        self.prepared: dict[str, Prepared | Failure] = {}
        self.shapes: dict[str, Shapes] = {}
        self.groups: list[Group] = []
        self.done: list[GroupRepetition] = []
        self.kept_groups: tuple[tuple[str, ...], ...] | None = None
        self.checkers: dict[str, Check] = {}
        self.available_bytes = machine.available_bytes()
        self.environment = describe_surroundings(suite, command)

    def load_earlier(self) -> None:
        """The repetitions that an interrupted run left, refused where they can't be joined with new ones."""
        earlier = interrupted_run(self.out)
        refuse_other_machine(self.out, earlier.environment, self.environment)
        self.done = store.read_journal(self.out)
        self.keeper.resume()
        self.available_bytes = earlier.available_bytes
        self.kept_groups = earlier.groups
        self.stages.seconds.update(earlier.environment.stages_s)
        self.environment = earlier.environment

    def prepare(self) -> None:
        """Artifacts, inputs and truth of every model, the groups that they make, and where their cases run."""
        self.prepared = prepare_models(self.suite, self.progress, self.stages)
        self.shapes = pool_shapes(self.prepared)
        refuse_other_models(self.environment.models, self.prepared)
        groups = build_groups(self.suite, self.prepared, self.shapes, self.available_bytes, profiled_apart=True)
        if self.kept_groups is not None:
            refuse_other_groups(self.kept_groups, [[case.case_id for case in group.cases] for group in groups])
        pinner = Pinner(self.progress)
        with self.stages.timed("environments"):
            groups = pinner.place(groups)
        self.groups = groups
        if self.kept_groups is not None:
            refuse_other_environments(self.environment, pinner.environments)
        self.environment = msgspec.structs.replace(
            self.environment, environments=pinner.environments, environment_facts=pinner.facts
        )

    def measure(self) -> None:
        """Every repetition of every group that is not there yet; the report is whole after each."""
        self._keep_plan()
        missing = [
            (group, repetition)
            for group, repetition in standing.measuring_order(self.groups, self.suite)
            if group.arms and not standing.is_done(self.done, group.number, repetition)
        ]
        self.progress.start(len(missing))
        with self._launcher() as launcher:
            for group, repetition in missing:
                self._measure_one(group, repetition, launcher)
            unsoaked = standing.unsoaked(self.groups, self.done, self.suite.measure)
            if unsoaked:
                self.progress.start(len(unsoaked))
            for group, one in unsoaked:
                self._soak_one(group, one, launcher)
        self.progress.done()

    def _keep_plan(self) -> None:
        groups = tuple(tuple(case.case_id for case in group.cases) for group in self.groups)
        environment = self.environment_now(finished=False)
        keep_plan(self.out, KeptPlan(environment=environment, available_bytes=self.available_bytes, groups=groups))

    def _measure_one(self, group: Group, repetition: int, launcher: launch.ProcessLauncher) -> None:
        self.progress.stage(f"{group.model}, batch {group.cases[0].batch_size}: repetition {repetition + 1}")
        arms = [arm for arm in group.arms if not standing.is_given_up(self.done, group.number, arm.case.case_id)]
        if not arms:
            self.progress.advance(1, "given up")
            return
        with self.stages.timed("measure"):
            rounds = standing.rounds_of(self.done, group.number)
            result = self._driver(arms, launcher).run(group.number, repetition, rounds)
        with self.stages.timed("placement"):
            result = with_placements(result, arms, self.done, launcher, self.suite.measure)
        with self.stages.timed("retiming"):
            result = self._retimed(group, result, arms, launcher)
        self._keep(result)

    def _retimed(
        self, group: Group, result: GroupRepetition, arms: Sequence[Arm], launcher: launch.ProcessLauncher
    ) -> GroupRepetition:
        prepared = self.prepared[group.model]
        assert isinstance(prepared, Prepared)
        turn = partial(self.progress.advance, 0)
        drive = pair_driver(launcher, self.suite.measure, group.number, result.repetition, turn)
        return with_retiming(result, arms, prepared, drive)

    def _soak_one(self, group: Group, one: CaseRepetition, launcher: launch.ProcessLauncher) -> None:
        minutes = self.suite.measure.soak_s / 60
        self.progress.stage(f"{one.case_id}: watching its memory over {minutes:g} min of calls")
        arm = next(arm for arm in group.arms if arm.case.case_id == one.case_id)
        with self.stages.timed("soak"):
            one = with_soak(one, arm, launcher, self.suite.measure)
        self._keep(standing.with_case(self.done, group.number, one))

    def _keep(self, result: GroupRepetition) -> None:
        """A repetition that is new, or the same with more in it: from here on a killed run has it."""
        with self.stages.timed("save"):
            store.append_repetition(self.out, result)
            self.done = standing.with_repetition(self.done, result)
            self.save(finished=False)
            self._keep_plan()
        self.progress.advance(1, "saved")

    def _driver(self, arms: Sequence[Arm], launcher: launch.ProcessLauncher) -> Repetition:
        model = arms[0].case.model
        prepared = self.prepared[model]
        assert isinstance(prepared, Prepared)
        if model not in self.checkers:
            cases = [case for group in self.groups if group.model == model for case in group.cases]
            budgets = budgets_of(cases, prepared)
            check = make_checker(prepared, self.suite.tolerance, budgets, names_flags_of(cases))
            self.checkers[model] = self.keeper.watched(check, prepared, budgets)
        return Repetition(
            arms,
            launcher,
            self.suite.measure,
            launcher.folder,
            check=self.checkers[model],
            merge=merge_checks,
            on_turn=lambda detail: self.progress.advance(0, detail),
        )

    def save(self, *, finished: bool) -> list[Row]:
        """Write the whole report as it stands; returns its rows."""
        rows = self._rows(finished=finished)
        everything = [one for group in self.groups for one in standing.repetitions_of(group, self.done)]
        environment, feeds = self.environment_now(finished=finished), standing.feeds_of(self.groups)
        store.save_report(self.out, environment, rows, everything, batches=feeds)
        self.keeper.save(rows, self.suite.tolerance)
        return rows

    def _rows(self, *, finished: bool) -> list[Row]:
        ours = self.environment.machine
        return standing.rows_of(
            self.groups, self.done, self.suite, self.prepared, cpus=ours.effective_cpus, isa=ours.isa, finished=finished
        )

    def environment_now(self, *, finished: bool) -> Environment:
        """The environment as it stands."""
        return msgspec.structs.replace(
            self.environment,
            stages_s=dict(self.stages.seconds),
            finished=finished,
            models={name: p for name, p in self.prepared.items() if isinstance(p, Prepared)},
        )

    @contextmanager
    def _launcher(self) -> Iterator[launch.ProcessLauncher]:
        with launch.run_folder() as folder:
            yield launch.ProcessLauncher(folder)
