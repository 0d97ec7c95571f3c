"""``bench verify``: every case's outputs once, whose error they have, and why they differ. Nothing is timed.

Joins the stages as ``pipeline`` does for a run. The rows of the user's own cases decide the exit code; reference cases
(``attributing``) only explain.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench import standing
from bench.analysis.agreement import merge_checks
from bench.analysis.attribution import Attribution
from bench.analysis.checker import budgets_of, make_checker, names_flags_of
from bench.analysis.outcome import exit_code_of
from bench.attributing import Reference, attribute_case, first_pass, reference_cases, with_rejected
from bench.cases import Group, build_groups, make_arm
from bench.explaining import Pair, all_apart, cautions_of, find_causes, stand_ins
from bench.measure import launch, machine
from bench.measure.lock import machine_lock
from bench.measure.rounds import Arm, Check, Repetition
from bench.pinning import Pinner
from bench.prepare.arrays import load_arrays
from bench.preparing import pool_shapes, prepare_models
from bench.progress import Progress
from bench.records import (
    ArrayFile,
    Case,
    Caution,
    Failure,
    Finding,
    GroupRepetition,
    ModelSpec,
    OutputCheck,
    Prepared,
    Suite,
)
from bench.report.kept_outputs import OutputsKeeper
from bench.rows import Row
from bench.stages import Stages
from bench.surroundings import describe_surroundings


@dataclass(frozen=True)
class JudgedCase:
    """One of the user's cases."""

    row: Row
    checks: list[OutputCheck] = field(default_factory=list)
    chain: list[Attribution] = field(default_factory=list)  # one an output; empty where it can't be told
    findings: tuple[Finding, ...] = ()  # what explains a difference


@dataclass(frozen=True)
class JudgedModel:
    """A model with all of its cases."""

    spec: ModelSpec
    cases: list[JudgedCase]
    truth: str | None = None  # None where the model could not be prepared
    cautions: tuple[Caution, ...] = ()
    apart: dict[Pair, float] = field(default_factory=dict)  # by runtime, of one batch size; units of the spread


@dataclass(frozen=True)
class Verified:
    """What a verification came to."""

    rows: list[Row]
    exit_code: int
    models: list[JudgedModel] = field(default_factory=list)


def verify_suite(suite: Suite, *, progress: Progress, out: Path | None = None) -> Verified:
    """Agreement alone, explained; with ``out`` the outputs are kept there to be judged again."""
    with machine_lock(progress.note), launch.run_folder() as folder:
        run = _Verification(suite, progress, folder, OutputsKeeper(out, progress.note) if out else None)
        run.prepare()
        rows = run.verify()
        models = [run.judged(model, rows) for model in suite.models]
    return Verified(rows, exit_code_of(rows, suite.measure), models)


class _Verification:
    """One verification in progress."""

    def __init__(self, suite: Suite, progress: Progress, folder: Path, keeper: OutputsKeeper | None) -> None:
        self.suite, self.progress, self.folder, self.keeper = suite, progress, folder, keeper
        self.launcher = launch.ProcessLauncher(folder)
        self.prepared: dict[str, Prepared | Failure] = {}
        self.groups: list[Group] = []
        self.done: list[GroupRepetition] = []
        self.files: dict[str, dict[str, ArrayFile]] = {}  # by model and case id
        self.checks: dict[str, list[OutputCheck]] = {}  # by case id

    def prepare(self) -> None:
        """Artifacts, inputs and truth of every model, and where the cases run."""
        self.prepared = prepare_models(self.suite, self.progress, Stages())
        groups = build_groups(self.suite, self.prepared, pool_shapes(self.prepared), machine.available_bytes())
        self.groups = Pinner(self.progress).place(groups)

    def verify(self) -> list[Row]:
        """One worker per case; their rows. What was verified is kept however it ends."""
        try:
            self._run_cases()
        except BaseException:
            self._keep_rows(finished=False)
            raise
        return self._keep_rows(finished=True)

    def _run_cases(self) -> None:
        self.progress.stage("verifying")
        self.progress.start(sum(len(group.arms) for group in self.groups))
        for group in self.groups:
            for arm in group.arms:
                self.done.append(self._run(arm, group.number, keep=True))
                self.progress.advance(1, arm.case.runtime.display)
        self.progress.done()

    def _keep_rows(self, *, finished: bool) -> list[Row]:
        ours = describe_surroundings(self.suite, "").machine
        rows = standing.rows_of(
            self.groups, self.done, self.suite, self.prepared, cpus=ours.effective_cpus, isa=ours.isa, finished=finished
        )
        if self.keeper is not None:
            self.keeper.save(rows, self.suite.tolerance)
        return rows

    def judged(self, spec: ModelSpec, rows: list[Row]) -> JudgedModel:
        """The model's cases with what explains them."""
        prepared = self.prepared[spec.display]
        own = {row.case_id: row for row in rows if row.model == spec.display}
        if isinstance(prepared, Failure):
            return JudgedModel(spec=spec, cases=[JudgedCase(row=row) for row in own.values()])
        cases = [case for group in self.groups if group.model == spec.display for case in group.cases]
        references = self._run_references(spec, prepared, cases)
        truth, files = load_arrays(prepared.truth_file), self.files.get(spec.display, {})
        differing = [case for case in cases if own[case.case_id].agreement == "disagrees"]
        theirs = stand_ins(differing, prepared, files, references)
        findings = find_causes(
            {case_id: first_pass(files[one], prepared.truth_file.items) for case_id, one in theirs.items()},
            {case_id: self.checks[one] for case_id, one in theirs.items()},
            truth,
            spec,
            prepared,
            self.suite,
            self.folder,
            self.progress,
        )
        return JudgedModel(
            spec=spec,
            cases=[
                JudgedCase(
                    row=own[case.case_id],
                    checks=self.checks.get(case.case_id, []),
                    chain=attribute_case(case, prepared, truth, references, files, self.checks),
                    findings=findings.get(case.case_id, ()),
                )
                for case in cases
            ],
            truth=prepared.truth,
            cautions=cautions_of(prepared),
            apart=all_apart(cases, truth, files, prepared.truth_file.items),
        )

    def _run_references(self, spec: ModelSpec, prepared: Prepared, cases: list[Case]) -> dict[Reference, Case]:
        """Run the reference cases that are not there yet; a rejected file is run in the place of the model's."""
        files = self.files.setdefault(spec.display, {})
        references = reference_cases(spec, self.suite, prepared, cases, files)
        shapes = pool_shapes({spec.display: prepared})
        for case in references.values():
            arm = make_arm(case, with_rejected(prepared), shapes, self.suite.plugins)
            if case.case_id not in files and isinstance(arm, Arm):
                self.progress.stage(f"whose error it is: {case.runtime.display}")
                self._run(arm, 0, keep=False)
        self.progress.done()
        return references

    def _run(self, arm: Arm, group: int, *, keep: bool) -> GroupRepetition:
        prepared = self.prepared[arm.case.model]
        assert isinstance(prepared, Prepared)
        budgets = budgets_of([arm.case], with_rejected(prepared))
        check = make_checker(prepared, self.suite.tolerance, budgets, names_flags_of([arm.case]))
        if keep and self.keeper is not None:
            check = self.keeper.watched(check, prepared, budgets_of([arm.case], prepared))
        driver = Repetition(
            [arm],
            self.launcher,
            self.suite.measure,
            self.folder,
            check=self._collecting(check, arm.case.model),
            merge=merge_checks,
            on_turn=lambda detail: self.progress.advance(0, detail),
        )
        return driver.verify(group)

    def _collecting(self, check: Check, model: str) -> Check:
        """``check``, and outputs and checks are there afterwards."""

        def collecting(case_id: str, file: ArrayFile) -> list[OutputCheck]:
            files = self.files.setdefault(model, {})
            path = self.folder / f"collected-{len(self.files)}-{len(files)}.npz"
            shutil.copyfile(file.path, path)
            files[case_id] = msgspec.structs.replace(file, path=str(path))
            self.checks[case_id] = check(case_id, file)
            return self.checks[case_id]

        return collecting
