"""run_suite() and verify_suite(): they join the stages, and save after each repetition.

The only module that knows every stage. Decides nothing about numbers itself.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import msgspec

from bench import __version__, errors
from bench.analysis.agreement import check_outputs, merge_checks
from bench.analysis.distance import distinct_items
from bench.analysis.summary import summarise_group
from bench.cases import Group, Shapes, build_groups, reproduce_command
from bench.errors import BenchError
from bench.measure import launch, machine
from bench.measure.lock import machine_lock
from bench.measure.plan import RoundPlan, batch_count
from bench.measure.rounds import Arm, Repetition, plan_of
from bench.prepare.arrays import load_arrays
from bench.prepare.prepare import prepare_model
from bench.progress import Progress
from bench.records import (
    ArrayFile,
    CaseRepetition,
    Environment,
    Failure,
    GroupRepetition,
    OutputCheck,
    Prepared,
    Status,
    Suite,
)
from bench.report import store
from bench.report.columns import SCHEMA_VERSION
from bench.rows import Row

PACKAGES = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "numpy", "pandas", "msgspec")
_NEVER_AGAIN: tuple[Status, ...] = ("unavailable", "unsupported")
_TRIES = 2  # a case whose worker died in so many repetitions on end is given up


@dataclass(frozen=True)
class RunResult:
    """What a run or a verification came to."""

    rows: list[Row]
    exit_code: int
    report: Path | None = None
    environment: Environment | None = None


@dataclass
class Stages:
    """Where the time goes, in seconds, stage by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time of the block to the stage's."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - start


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
    return RunResult(rows, exit_code_of(rows), out, run.environment_now(finished=True))


def interrupted_run(out: Path) -> Environment:
    """What an unfinished run in ``out`` was asked for; UsageError where there is none."""
    earlier = store.read_plan(out, Environment)
    if earlier is None:
        raise errors.UsageError(
            f"resuming {out}: no interrupted run is kept there; a finished report can't be resumed, "
            "start a new one with `bench run`"
        )
    return earlier


def verify_suite(suite: Suite, *, progress: Progress) -> RunResult:
    """Agreement alone: every case's outputs once, nothing timed, nothing stored."""
    run = _Run(suite, None, "", progress)
    run.prepare()
    rows = run.verify()
    return RunResult(rows, exit_code_of(rows))


def exit_code_of(rows: Sequence[Row]) -> int:
    """The strongest of: outputs disagree (3), a case failed (6), agreement can't be told (5)."""
    codes = []
    for row in rows:
        if row.agreement == "disagrees":
            codes.append(errors.EXIT_DISAGREE)
        if row.status != "ok":
            codes.append(errors.EXIT_CASE_FAILED)
        elif row.agreement != "agrees":
            codes.append(errors.EXIT_CANNOT_TELL)
    return errors.strongest_exit(codes)


class _Run:
    """One run in progress; ``out`` is None where nothing is stored."""

    def __init__(self, suite: Suite, out: Path | None, command: str, progress: Progress) -> None:
        self.suite = suite
        self.out = out
        self.progress = progress
        self.stages = Stages()
        self.prepared: dict[str, Prepared | Failure] = {}
        self.shapes: dict[str, Shapes] = {}
        self.groups: list[Group] = []
        self.done: list[GroupRepetition] = []
        self.earlier: Environment | None = None
        self.environment = Environment(
            schema_version=SCHEMA_VERSION,
            bench_version=__version__,
            command=command,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=machine.describe_machine(),
            packages={name: metadata.version(name) for name in PACKAGES},
            suite=suite,
            stages_s={},
            finished=False,
        )

    def load_earlier(self) -> None:
        """The repetitions that an interrupted run left, refused where they can't be joined with new ones."""
        assert self.out is not None
        self.earlier = interrupted_run(self.out)
        differing = [
            name
            for name in ("machine", "packages", "bench_version")
            if getattr(self.earlier, name) != getattr(self.environment, name)
        ]
        if differing:
            raise errors.UsageError(
                f"resuming {self.out.name}: {' and '.join(differing)} differ from those of the interrupted run; "
                "run it anew into another folder"
            )
        self.done = store.read_journal(self.out)
        self.environment = msgspec.structs.replace(self.environment, started=self.earlier.started)

    def prepare(self) -> None:
        """Artifacts, inputs and truth of every model; a model that fails fails its own cases only."""
        for model in self.suite.models:
            self.progress.stage(f"preparing {model.display}")
            try:
                with self.stages.timed("prepare"):
                    prepared = prepare_model(model, self.suite.prepare, on_stage=self.progress.stage)
                self.shapes[model.display] = {name: array.shape for name, array in load_arrays(prepared.pool).items()}
                self.prepared[model.display] = prepared
                for stage, duration_ns in prepared.stages_ns.items():
                    name = f"prepare: {stage}"
                    self.stages.seconds[name] = self.stages.seconds.get(name, 0.0) + duration_ns / 1e9
            except errors.UsageError:
                raise
            except BenchError as error:
                self.prepared[model.display] = _failure_of(error)
                self.shapes[model.display] = {}
                self.progress.note(f"{model.display}: {error}")
        self._refuse_other_models()
        self.groups = build_groups(self.suite, self.prepared, self.shapes, machine.available_bytes())

    def measure(self) -> None:
        """Every repetition of every group that is not there yet; the report is whole after each."""
        assert self.out is not None
        store.save_plan(self.out, self.environment_now(finished=False))
        missing = [
            (group, repetition)
            for group in self.groups
            for repetition in range(self.suite.measure.repetitions)
            if group.arms and not self._has(group.number, repetition)
        ]
        self.progress.start(len(missing))
        with self._launcher() as launcher, self.stages.timed("measure"):
            for group, repetition in missing:
                self._measure_one(group, repetition, launcher)
        self.progress.done()

    def _measure_one(self, group: Group, repetition: int, launcher: launch.ProcessLauncher) -> None:
        assert self.out is not None
        self.progress.stage(f"{group.model}, batch {group.cases[0].batch_size}: repetition {repetition + 1}")
        arms = [arm for arm in group.arms if not self._given_up(group.number, arm.case.case_id)]
        if not arms:
            self.progress.advance(1, "given up")
            return
        driver = self._driver(arms, launcher)
        result, _ = driver.run(group.number, repetition, self._rounds(group.number))
        store.append_repetition(self.out, result)
        self.done.append(result)
        self.progress.advance(1, "saving")
        with self.stages.timed("save"):
            self.save(finished=False)

    def _driver(self, arms: Sequence[Arm], launcher: launch.ProcessLauncher) -> Repetition:
        return Repetition(
            arms,
            launcher,
            self.suite.measure,
            launcher.folder,
            check=self._checker(arms[0].case.model),
            merge=merge_checks,
            on_turn=lambda detail: self.progress.advance(0, detail),
        )

    def verify(self) -> list[Row]:
        """One worker per case, its outputs once."""
        self.progress.stage("verifying")
        self.progress.start(sum(len(group.arms) for group in self.groups))
        with self._launcher() as launcher:
            for group in self.groups:
                for arm in group.arms:
                    self.done.append(self._driver([arm], launcher).verify(group.number))
                    self.progress.advance(1, arm.case.runtime.display)
        self.progress.done()
        return self._rows()

    def save(self, *, finished: bool) -> list[Row]:
        """Write the whole report as it stands; returns its rows."""
        assert self.out is not None
        rows = self._rows()
        store.save_report(self.out, self.environment_now(finished=finished), rows, self.done, batches=self._batches())
        return rows

    def _rows(self) -> list[Row]:
        rows = []
        models = {model.display: model for model in self.suite.models}
        for group in self.groups:
            repetitions = [r for r in self.done if r.group == group.number]
            if group.refused:
                repetitions = [_with_refused(r, group.refused) for r in repetitions] or [_only_refused(group)]
            prepared = self.prepared[group.model]
            rows += summarise_group(
                group.cases,
                repetitions,
                prepared if isinstance(prepared, Prepared) else None,
                _reference(group, repetitions),
                {c.case_id: reproduce_command(c, models[group.model], self.suite) for c in group.cases},
                planned=self.suite.measure.repetitions if self.out else None,
            )
        return rows

    def _batches(self) -> dict[str, int]:
        """Distinct feeds of each case, so that a sample's input can be told."""
        return {
            arm.case.case_id: batch_count(
                arm.request.pool.items,
                arm.case.batch_size,
                any(tensor.batched for tensor in arm.request.settings.inputs),
            )
            for group in self.groups
            for arm in group.arms
        }

    def environment_now(self, *, finished: bool) -> Environment:
        return msgspec.structs.replace(
            self.environment,
            stages_s=dict(self.stages.seconds),
            finished=finished,
            models={name: p for name, p in self.prepared.items() if isinstance(p, Prepared)},
        )

    def _refuse_other_models(self) -> None:
        """A resumed run goes on with the very same files and inputs, or not at all."""
        for name, before in (self.earlier.models if self.earlier else {}).items():
            now = self.prepared.get(name)
            same = isinstance(now, Prepared) and _digests(now) == _digests(before)
            if not same:
                raise errors.UsageError(
                    f"resuming: the digests of {name} differ from those of the interrupted run; "
                    "run it anew into another folder"
                )

    def _has(self, group: int, repetition: int) -> bool:
        return any(r.group == group and r.repetition == repetition for r in self.done)

    def _given_up(self, group: int, case_id: str) -> bool:
        """Not there, or its worker died in the last two repetitions on end."""
        tries = [c for r in self.done if r.group == group for c in r.cases if c.case_id == case_id]
        if any(c.status in _NEVER_AGAIN for c in tries):
            return True
        return len(tries) >= _TRIES and all(c.status != "ok" for c in tries[-_TRIES:])

    def _rounds(self, group: int) -> RoundPlan | None:
        plans = [plan for r in self.done if r.group == group and (plan := plan_of(r)) is not None]
        return plans[0] if plans else None

    def _checker(self, model: str) -> Callable[[str, ArrayFile], list[OutputCheck]]:
        prepared = self.prepared[model]
        assert isinstance(prepared, Prepared)
        truth = load_arrays(prepared.truth_file)
        items = prepared.truth_file.items
        distinct = distinct_items(load_arrays(prepared.pool))
        dtypes = {tensor.name: tensor.dtype for tensor in prepared.outputs}

        def check(_case_id: str, file: ArrayFile) -> list[OutputCheck]:
            outputs = load_arrays(file)
            worst: list[OutputCheck] = []
            for p in range(max(1, file.items // items)):
                one = {name: array[p * items : (p + 1) * items] for name, array in outputs.items()}
                checks = check_outputs(
                    truth,
                    one,
                    prepared.yardstick,
                    self.suite.tolerance,
                    distinct_inputs=distinct,
                    dtypes=dtypes,
                )
                worst = merge_checks(worst, checks) if worst else checks
            return worst

        return check

    @contextmanager
    def _launcher(self) -> Iterator[launch.ProcessLauncher]:
        folder = launch.make_folder()
        try:
            yield launch.ProcessLauncher(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _failure_of(error: BenchError) -> Failure:
    if isinstance(error, errors.DisagreeError):
        return Failure(status="failed", reason=str(error), verdict="disagrees")
    status: Status = "unsupported" if isinstance(error, errors.UnsupportedError) else "failed"
    return Failure(status=status, reason=str(error))


def _reference(group: Group, repetitions: Sequence[GroupRepetition]) -> str | None:
    """TensorFlow where it was measured, else the first case that was."""
    measured = {c.case_id for r in repetitions for c in r.cases if any(turn.kind == "turn" for turn in c.turns)}
    candidates = sorted(group.cases, key=lambda case: case.runtime.name != "tensorflow")
    return next((case.case_id for case in candidates if case.case_id in measured), None)


def _with_refused(repetition: GroupRepetition, refused: Sequence[CaseRepetition]) -> GroupRepetition:
    return msgspec.structs.replace(repetition, cases=[*repetition.cases, *refused])


def _only_refused(group: Group) -> GroupRepetition:
    return GroupRepetition(
        group=group.number,
        repetition=0,
        cases=list(group.refused),
        rounds=[],
        page_cache="warm",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _digests(prepared: Prepared) -> Mapping[str, str]:
    artifacts = {kind: artifact.digest for kind, artifact in prepared.artifacts.items()}
    return {
        "model": prepared.model_digest,
        "pool": prepared.pool.digest,
        "truth": prepared.truth_file.digest,
        **artifacts,
    }
