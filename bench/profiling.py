"""``bench profile``: plain latency, kernels' times repetition by repetition, and this machine's roofs.

Joins the stages as ``pipeline`` does for a run. Decides nothing about numbers itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import errors, standing
from bench.analysis.checker import budgets_of, make_checker, names_flags_of
from bench.analysis.outcome import exit_code_of
from bench.analysis.profiled import PROFILE_SCHEMA, Profile, ProfiledCase, Reply, join_kernels
from bench.cases import Group, build_groups
from bench.layer_owners import LayerOwners, OwnedLayers
from bench.measure import launch, machine
from bench.measure.alone import measure_roofs_alone
from bench.measure.lock import machine_lock
from bench.measure.plan import shuffled
from bench.measure.process import WorkerDiedError
from bench.measure.rounds import Arm, Check
from bench.pinning import Pinner
from bench.preparing import pool_shapes, prepare_models
from bench.profiled_repetition import ProfiledSet
from bench.progress import Progress
from bench.records import ArrayFile, Failure, GroupRepetition, OutputCheck, Prepared, Record, Roofs, Suite
from bench.rows import Row
from bench.stages import Stages
from bench.surroundings import describe_surroundings

PLAIN_ROUNDS = 5  # at least, of three calls each, in every repetition
_replace = msgspec.structs.replace


class Profiling(Record, frozen=True):
    """What a profile came to."""

    profile: Profile
    exit_code: int


def profile_suite(
    suite: Suite, *, command: str, together: bool, keep: Callable[[Profile], None], progress: Progress
) -> Profiling:
    """The whole profile; on Ctrl-C or SIGTERM the repetitions that are whole, and exit code 130 or 143.

    ``keep`` is given the profile after every repetition; ``together`` measures all cases interleaved, also of several
    models. A case that fails is in it with its reason. KeyboardInterrupt where nothing was whole yet.
    """
    with machine_lock(progress.note), launch.run_folder() as folder:
        run = _Run(suite, command, together, folder, progress)
        run.prepare()
        try:
            run.measure(keep)
        except KeyboardInterrupt as interrupt:
            if not run.done:
                raise
            code = errors.EXIT_TERMINATED if isinstance(interrupt, errors.Terminated) else errors.EXIT_INTERRUPTED
            return Profiling(profile=run.profile(finished=False), exit_code=code)
        profile = run.profile(finished=True)
    return Profiling(profile=profile, exit_code=exit_code(profile, run.suite))


def exit_code(profile: Profile, suite: Suite) -> int:
    """That of the rows, and 6 where a case has no kernels."""
    rows = exit_code_of([case.row for case in profile.cases], suite.measure)
    missing = errors.EXIT_CASE_FAILED if any(not case.kernels for case in profile.cases) else errors.EXIT_OK
    return errors.strongest_exit([rows, missing])


class _Run:
    """One profile in progress."""

    def __init__(self, suite: Suite, command: str, together: bool, folder: Path, progress: Progress) -> None:
        few = _replace(suite.measure, min_rounds=PLAIN_ROUNDS, tail_calls=0, soak_s=0.0)
        self.suite = _replace(suite, measure=few)
        self.together = together
        self.progress = progress
        self.folder = folder
        self.launcher = launch.ProcessLauncher(folder)
        self.environment = describe_surroundings(suite, command)
        self.prepared: dict[str, Prepared | Failure] = {}
        self.groups: list[Group] = []
        self.done: list[GroupRepetition] = []
        self.replies: dict[str, list[Reply]] = {}
        self.reasons: dict[str, str] = {}  # by case id: why its last profiled worker brought nothing
        self.roofs: list[Roofs] = []
        self.roofs_reason = ""

    def prepare(self) -> None:
        """Artifacts, inputs and truth of every model, and where the cases run."""
        self.prepared = prepare_models(self.suite, self.progress, Stages())
        shapes = pool_shapes(self.prepared)
        groups = build_groups(self.suite, self.prepared, shapes, machine.available_bytes(), profiled_apart=True)
        pinner = Pinner(self.progress)
        self.groups = pinner.place(groups)
        self.owners = LayerOwners(self.suite, self.prepared, self.folder / "layers", self.progress)
        models = {name: one for name, one in self.prepared.items() if isinstance(one, Prepared)}
        self.environment = _replace(
            self.environment, environments=pinner.environments, environment_facts=pinner.facts, models=models
        )

    def measure(self, keep: Callable[[Profile], None]) -> None:
        """Roofs, every repetition, roofs again."""
        sets = self._sets()
        if not sets:
            return
        self._measure_roofs()
        repetitions = self.suite.measure.repetitions
        self.progress.start(repetitions * len(sets))
        for repetition in range(repetitions):
            self.progress.stage(f"repetition {repetition + 1} of {repetitions}")
            self._measure_one(sets, repetition)
            keep(self.profile(finished=False))
        self.progress.done()
        self._measure_roofs()

    def profile(self, *, finished: bool) -> Profile:
        """Everything as it stands."""
        ours = self.environment.machine
        rows = standing.rows_of(
            self.groups, self.done, self.suite, self.prepared, cpus=ours.effective_cpus, isa=ours.isa, finished=finished
        )
        arms = {arm.case.case_id: arm for group in self.groups for arm in group.arms}
        return Profile(
            schema_version=PROFILE_SCHEMA,
            environment=_replace(self.environment, finished=finished),
            cases=tuple(self._case(row, arms.get(row.case_id)) for row in rows),
            roofs=tuple(self.roofs),
            roofs_reason=self.roofs_reason,
        )

    def _case(self, row: Row, arm: Arm | None) -> ProfiledCase:
        replies = self.replies.get(row.case_id, [])
        if arm is None or not replies:
            return ProfiledCase(row=row, reason=self.reasons.get(row.case_id) or row.status_reason)
        origins = [one.origins for reply in replies for one in reply.profiled.operators if one.origins]
        owned: OwnedLayers = self.owners.of(row.model, arm.request.artifact, origins)
        return ProfiledCase(
            row=row,
            layers=owned.layers,
            kernels=join_kernels(replies, owned.owners),
            repetitions=tuple(reply.repetition for reply in replies),
            calls_ns=tuple(reply.profiled.calls_ns for reply in replies),
            plain_ns=tuple(reply.plain_ns for reply in replies),
            rounding_ns=max(reply.profiled.rounding_ns for reply in replies),
            layers_reason=owned.reason,
        )

    def _measure_roofs(self) -> None:
        threads = self.suite.threads
        self.progress.stage(f"roofs of this machine, {threads} thread{'s' * (threads > 1)}")
        try:
            self.roofs.append(measure_roofs_alone(self.launcher, threads, (), self.suite.measure.time_limit_s))
        except WorkerDiedError as death:
            self.roofs_reason = death.reason
            self.progress.note(f"the roofs could not be measured: {death.reason}")

    def _sets(self) -> list[ProfiledSet]:
        """What is measured interleaved."""
        groups = [list(group.arms) for group in self.groups if group.arms]
        if self.together:
            groups = [[arm for arms in groups for arm in arms]] if groups else []
        check, settings = self._checker(), self.suite.measure

        def on_turn(detail: str) -> None:
            self.progress.advance(0, detail)

        return [
            ProfiledSet(number, arms, self.launcher, settings, check, on_turn) for number, arms in enumerate(groups)
        ]

    def _checker(self) -> Check:
        """Each case by the truth of its model."""
        checks: dict[str, Check] = {}
        for model, prepared in self.prepared.items():
            if isinstance(prepared, Prepared):
                cases = [case for group in self.groups if group.model == model for case in group.cases]
                check = make_checker(prepared, self.suite.tolerance, budgets_of(cases, prepared), names_flags_of(cases))
                checks |= dict.fromkeys([case.case_id for case in cases], check)

        def judge(case_id: str, file: ArrayFile) -> list[OutputCheck]:
            return checks[case_id](case_id, file)

        return judge

    def _measure_one(self, sets: list[ProfiledSet], repetition: int) -> None:
        """One repetition of everything, sets in random order; nothing of it is kept where it is interrupted."""
        done = self.done
        replies: dict[str, Reply | str] = {}
        for place in shuffled([str(place) for place in range(len(sets))], self.suite.measure.seed, repetition):
            result, found = sets[int(place)].measure(repetition, self._is_given_up)
            replies |= found
            for one in self._by_group(result) if result else ():
                done = standing.with_repetition(done, one)
            self.progress.advance(1, "measured")
        self.done = done
        for case_id, reply in replies.items():
            if isinstance(reply, Reply):
                self.replies.setdefault(case_id, []).append(reply)
            else:
                self.reasons[case_id] = reply

    def _is_given_up(self, arm: Arm) -> bool:
        group = next(group for group in self.groups if any(one.case == arm.case for one in group.arms))
        return standing.is_given_up(self.done, group.number, arm.case.case_id)

    def _by_group(self, result: GroupRepetition) -> list[GroupRepetition]:
        """What was measured together, as repetitions of the groups whose cases they are."""
        split = []
        for group in self.groups:
            mine = {case.case_id for case in group.cases}
            if cases := [one for one in result.cases if one.case_id in mine]:
                split.append(_replace(result, group=group.number, cases=cases))
        return split
