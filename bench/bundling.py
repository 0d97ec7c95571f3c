"""A suite -> a bundle: prepared, each case opened and judged once, and everything written beside what it was.

Joins prepare, environments, measure, analysis and check, as ``pipeline.py`` does for a run.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench import __version__
from bench.analysis.agreement import case_verdict, merge_checks, worst_check
from bench.analysis.checker import make_checker
from bench.cases import make_arm, make_case, runtimes_for
from bench.check.bundle import write_bundle
from bench.check.gate import utc_now
from bench.check.pairing import names_of
from bench.check.records import BUNDLE_SCHEMA, Bundle, BundledCase
from bench.environments.pinned import PinnedEnvironment, own_pins, pinned_environment
from bench.errors import BenchError, UnavailableError, UnsupportedError
from bench.measure import launch
from bench.measure.lock import machine_lock
from bench.measure.machine import describe_machine
from bench.measure.rounds import Arm, Repetition
from bench.preparing import pool_shapes, prepare_models
from bench.progress import Progress
from bench.records import Case, CaseRepetition, Failure, Prepared, Status, Suite
from bench.runtimes.table import RUNTIMES
from bench.stages import Stages

_replace = msgspec.structs.replace


def make_bundle(suite: Suite, folder: Path, *, origin: str, replacing: bool, progress: Progress) -> Bundle:
    """The suite as a bundle in ``folder``; every case was run once.

    Raises BenchError where a case can't be had at all. Wrong outputs are no error here: the case records its verdict.
    """
    with machine_lock(progress.note):
        prepared = prepare_models(suite, progress, Stages())
        for name, one in prepared.items():
            if isinstance(one, Failure):
                raise _error_of(one.status)(f"bundling {name}: {one.reason}")
        shapes = pool_shapes(prepared)
        cases: list[BundledCase] = []
        locks: dict[str, str] = {}
        progress.stage("bundling")
        workplace = launch.make_folder()
        try:
            launcher = launch.ProcessLauncher(workplace)
            for case, environment in _cases(suite, progress):
                model = prepared[case.model]
                assert isinstance(model, Prepared)
                arm = make_arm(case, model, shapes)
                if isinstance(arm, CaseRepetition):
                    raise _error_of(arm.status)(f"bundling {case.case_id}: {arm.reason}")
                progress.stage(f"bundling {case.case_id}")
                bundled = _bundled(case, arm, environment, model, suite, launcher)
                if environment is not None:
                    lock = f"locks/{environment.key[:16]}.txt"
                    locks[lock] = environment.lock
                    bundled = _replace(bundled, lock=lock)
                cases.append(bundled)
        finally:
            shutil.rmtree(workplace, ignore_errors=True)
    bundle = Bundle(
        schema_version=BUNDLE_SCHEMA,
        bench_version=__version__,
        made=utc_now().isoformat(timespec="seconds"),
        machine=describe_machine(),
        origin=origin,
        seed=suite.prepare.seed,
        models={name: one for name, one in prepared.items() if isinstance(one, Prepared)},
        cases=tuple(_replace(case, name=name) for case, name in zip(cases, _names(suite, cases), strict=True)),
    )
    return write_bundle(folder, _only_needed(bundle), locks, replacing=replacing)


def _cases(suite: Suite, progress: Progress) -> Iterator[tuple[Case, PinnedEnvironment | None]]:
    """Every case of the suite, with the environment of a version that is not the installed one."""
    made: dict[tuple[str, str], PinnedEnvironment] = {}
    for model in suite.models:
        for batch_size in suite.batch_sizes[model.display]:
            for runtime in runtimes_for(model, suite):
                case = make_case(model, runtime, batch_size, suite.threads)
                distribution = RUNTIMES[runtime.name].package
                installed = own_pins(distribution)
                if runtime.version is None or installed.get(distribution) == runtime.version:
                    yield case, None
                    continue
                key = (distribution, runtime.version)
                if key not in made:
                    made[key] = pinned_environment(*key, like=installed, on_stage=progress.stage)
                yield case, made[key]


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
        request = _replace(arm.request, prefix=environment.prefix)
        arm = _replace(arm, request=request, environment=environment.prefix)
    one = (
        Repetition(
            [arm],
            launcher,
            suite.measure,
            launcher.folder,
            check=make_checker(prepared, suite.tolerance),
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
        relative_error=worst.relative_error if worst else None,
        artifact_bytes=arm.request.artifact.size_bytes,
        pins=environment.pins if environment else own_pins(RUNTIMES[case.runtime.name].package),
    )


def _names(suite: Suite, cases: Sequence[BundledCase]) -> list[str]:
    """What pairs each case with the other side's; a model's label stands for the model."""
    labels = {model.display: model.label or model.display for model in suite.models}
    return names_of(
        [
            (
                labels[one.case.model],
                one.case.runtime.name,
                ",".join(f"{key}={value}" for key, value in sorted(one.case.runtime.options.items())),
                one.case.batch_size,
                one.case.threads,
                one.case.runtime.label or "",
            )
            for one in cases
        ]
    )


def _only_needed(bundle: Bundle) -> Bundle:
    """Without the artifacts that no case loads."""
    kinds: dict[str, set[str]] = {}
    for one in bundle.cases:
        kinds.setdefault(one.case.model, set()).add(RUNTIMES[one.case.runtime.name].artifact)
    return _replace(
        bundle,
        models={
            name: _replace(model, artifacts={k: a for k, a in model.artifacts.items() if k in kinds[name]}, failures={})
            for name, model in bundle.models.items()
            if name in kinds
        },
    )


def _error_of(status: Status) -> type[BenchError]:
    return {"unavailable": UnavailableError, "unsupported": UnsupportedError}.get(status, BenchError)
