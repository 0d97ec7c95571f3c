"""A suite -> a bundle: prepared, each case opened and judged once, and everything written beside what it was.

Joins prepare, environments, measure, analysis and check, as ``pipeline.py`` does for a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from bench import __version__
from bench.analysis.agreement import case_verdict, judged_error, merge_checks, worst_check
from bench.analysis.checker import budgets_of, make_checker
from bench.cases import cases_together, make_arm
from bench.check.bundle import write_bundle
from bench.check.gate import utc_now
from bench.check.pairing import names_of
from bench.check.records import BUNDLE_SCHEMA, Bundle, BundledCase
from bench.environments.pinned import PinnedEnvironment, own_pins
from bench.errors import BenchError, DisagreeError, UnavailableError, UnsupportedError, UsageError
from bench.measure import launch
from bench.measure.lock import machine_lock
from bench.measure.machine import describe_machine
from bench.measure.rounds import Arm, Repetition
from bench.pinning import Pinner, in_environment
from bench.preparing import failure_of, pool_shapes, prepare_models
from bench.progress import Progress
from bench.records import Case, CaseRepetition, Failure, Prepared, Status, Suite
from bench.runtimes.homes import distributions_of
from bench.runtimes.table import artifact_needed
from bench.stages import Stages

_replace = msgspec.structs.replace


def make_bundle(
    suite: Suite,
    folder: Path,
    *,
    origin: str,
    replacing: bool,
    progress: Progress,
    called: str | None = None,
    tolerant: bool = False,
) -> Bundle:
    """The suite as a bundle in ``folder``; every case was run once.

    Raises BenchError where a case can't be had at all; with ``tolerant`` that case is in ``Bundle.missing`` instead.
    Wrong outputs are no error here: the case records its verdict. ``called`` stands for the runtime in the names of
    cases, so that those of two runtimes pair. Only cases of one caller are bundled: that is what gates measure.
    """
    if 1 not in suite.streams:
        raise UsageError("bundling: a gate measures one caller at a time; use --streams 1, or bench run for several")
    with machine_lock(progress.note):
        prepared = prepare_models(suite, progress, Stages())
        if not tolerant:
            _refuse_failures(prepared)
        with launch.run_folder() as workplace:
            maker = _Maker(suite, prepared, launch.ProcessLauncher(workplace), progress)
            if len(suite.streams) > 1:
                progress.note("cases of several callers are left out: a gate measures one caller at a time")
            tried = [(case, maker.attempt(case) if tolerant else maker.make(case)) for case in _cases(suite)]
    named = list(zip(_names(suite, [case for case, _ in tried], called), tried, strict=True))
    bundle = Bundle(
        schema_version=BUNDLE_SCHEMA,
        bench_version=__version__,
        made=utc_now().isoformat(timespec="seconds"),
        machine=describe_machine(),
        origin=origin,
        seed=suite.prepare.seed,
        models={name: one for name, one in prepared.items() if isinstance(one, Prepared)},
        cases=tuple(_replace(one, name=name) for name, (_, one) in named if isinstance(one, BundledCase)),
        missing={name: one for name, (_, one) in named if isinstance(one, Failure)},
        tolerance=suite.tolerance,
    )
    return write_bundle(folder, _only_needed(bundle), maker.locks, replacing=replacing)


class _Maker:
    """Makes the cases of one suite, one after the other."""

    def __init__(
        self,
        suite: Suite,
        prepared: Mapping[str, Prepared | Failure],
        launcher: launch.ProcessLauncher,
        progress: Progress,
    ) -> None:
        self.locks: dict[str, str] = {}
        self._suite = suite
        self._prepared = prepared
        self._shapes = pool_shapes(prepared)
        self._launcher = launcher
        self._progress = progress
        self._pinner = Pinner(progress)

    def attempt(self, case: Case) -> BundledCase | Failure:
        """As ``make``, or why the case can't be had; UsageError is raised."""
        try:
            return self.make(case)
        except UsageError:
            raise
        except BenchError as error:
            self._progress.note(f"{case.case_id}: {error}")
            failure = failure_of(error)
            return _replace(failure, reason=failure.reason.removeprefix(f"bundling {case.case_id}: "))

    def make(self, case: Case) -> BundledCase:
        """The case as its worker says that it is."""
        self._progress.stage(f"bundling {case.case_id}")
        arm = make_arm(case, self._prepared[case.model], self._shapes, self._suite.plugins)
        if isinstance(arm, CaseRepetition):
            wrong = any(check.verdict == "disagrees" for check in arm.checks)
            raise _error_of(arm.status, wrong)(f"bundling {case.case_id}: {arm.reason}")
        prepared = self._prepared[case.model]
        assert isinstance(prepared, Prepared)
        environment = self._environment(case)
        bundled = _bundled(case, arm, environment, prepared, self._suite, self._launcher)
        if environment is None:
            return bundled
        lock = f"locks/{environment.key[:16]}.txt"
        self.locks[lock] = environment.lock
        return _replace(bundled, lock=lock)

    def _environment(self, case: Case) -> PinnedEnvironment | None:
        """That of a version which is not the installed one."""
        found = self._pinner.environment_of(case.runtime)
        if isinstance(found, Failure):
            raise _error_of(found.status)(f"bundling {case.case_id}: {found.reason}")
        return found


def _refuse_failures(prepared: Mapping[str, Prepared | Failure]) -> None:
    for name, one in prepared.items():
        if isinstance(one, Failure):
            raise _error_of(one.status, one.verdict == "disagrees")(f"bundling {name}: {one.reason}")


def _cases(suite: Suite) -> Iterator[Case]:
    for _, cases in cases_together(suite):
        yield from (case for case in cases if case.streams == 1)


def _bundled(
    case: Case,
    arm: Arm,
    environment: PinnedEnvironment | None,
    prepared: Prepared,
    suite: Suite,
    launcher: launch.ProcessLauncher,
) -> BundledCase:
    """The case as its worker says that it is; BenchError where it can't be opened or called."""
    if environment is not None:
        arm = in_environment(arm, environment)
    one = (
        Repetition(
            [arm],
            launcher,
            suite.measure,
            launcher.folder,
            check=make_checker(prepared, suite.tolerance, budgets_of([case], prepared)),
            merge=merge_checks,
            on_turn=lambda _: None,
        )
        .verify(0)
        .cases[0]
    )
    if one.status != "ok" or one.opened is None:
        raise _error_of(one.status)(f"bundling {case.case_id}: {one.reason}")
    info = one.opened.info
    worst = worst_check(one.checks)
    return BundledCase(
        name=case.case_id,
        case=_replace(case, runtime=_replace(case.runtime, version=info.runtime_version)),
        info=_replace(info, runtime_file=Path(info.runtime_file).name),
        verdict=case_verdict(one.checks),
        relative_error=None if worst is None else judged_error(worst),
        artifact_bytes=arm.request.artifact.size_bytes,
        pins=environment.pins if environment else own_pins(*distributions_of(case.runtime.name)),
    )


def _names(suite: Suite, cases: Sequence[Case], called: str | None) -> list[str]:
    """What pairs each case with the other side's; a model's label stands for the model, ``called`` for the runtime."""
    labels = {model.display: model.label or model.display for model in suite.models}
    return names_of(
        [
            (
                labels[one.model],
                called or one.runtime.name,
                ",".join(f"{key}={value}" for key, value in sorted(one.runtime.options.items())),
                one.batch_size,
                one.threads,
                "" if called else one.runtime.label or "",
            )
            for one in cases
        ]
    )


def _only_needed(bundle: Bundle) -> Bundle:
    """Without the artifacts that no case loads."""
    kinds: dict[str, set[str]] = {}
    for one in bundle.cases:
        needed = artifact_needed(one.case.runtime.name, one.case.runtime.options)
        kinds.setdefault(one.case.model, set()).add(needed)
    return _replace(
        bundle,
        models={
            name: _replace(model, artifacts={k: a for k, a in model.artifacts.items() if k in kinds[name]}, failures={})
            for name, model in bundle.models.items()
            if name in kinds
        },
    )


def _error_of(status: Status, is_wrong: bool = False) -> type[BenchError]:
    if is_wrong:
        return DisagreeError
    return {"unavailable": UnavailableError, "unsupported": UnsupportedError}.get(status, BenchError)
