"""Every model of a suite prepared, a failing one failing alone: what a run, a verification and a bundle begin with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec

from bench import errors
from bench.cases import Shapes
from bench.errors import BenchError
from bench.prepare.arrays import load_arrays
from bench.prepare.prepare import prepare_model
from bench.prepare.variants import make_variant
from bench.progress import Progress
from bench.records import Artifact, Failure, ModelSpec, Prepared, Status, Suite, artifact_key
from bench.runtimes.table import artifact_kind, artifact_precision
from bench.stages import Stages
from bench.suite import check_tolerance_names

_FIRST_FEW = 3  # points of a grid


def prepare_models(suite: Suite, progress: Progress, stages: Stages) -> dict[str, Prepared | Failure]:
    """Artifacts, inputs and truth by ``ModelSpec.display``; UsageError is raised, any other error is that model's.

    Of a grid a UsageError is that model's too, unless it is of an option, or the first few all have one: then it is of
    every point.
    """
    prepared: dict[str, Prepared | Failure] = {}
    mistakes = 0
    for model in suite.models:
        progress.stage(f"preparing {model.display}")
        start = time.monotonic()
        try:
            made = prepare_model(model, suite.prepare, on_stage=_of_model(progress, model))
        except BenchError as error:
            if isinstance(error, errors.UsageError):
                mistakes += 1
                is_of_all = len(prepared) < mistakes == min(_FIRST_FEW, len(suite.models))
                if not suite.is_grid or is_of_all or isinstance(error, errors.OptionError):
                    raise
            prepared[model.display] = failure_of(error)
            progress.note(f"{model.display}: {error}")
        else:
            _add_stages(stages, made, time.monotonic() - start)
            with stages.timed("prepare: variants"):
                prepared[model.display] = with_variants(made, model, suite, progress)
    known = [one for one in prepared.values() if isinstance(one, Prepared)]
    if known:
        check_tolerance_names(suite.tolerance, [output.name for one in known for output in one.outputs])
    return prepared


def with_variants(prepared: Prepared, model: ModelSpec, suite: Suite, progress: Progress) -> Prepared:
    """The model with every artifact that the suite's runtimes load, or why there is none."""
    artifacts, failures = dict(prepared.artifacts), dict(prepared.failures)
    for runtime in suite.runtimes:
        kind, precision = (
            artifact_kind(runtime.name, runtime.options),
            artifact_precision(runtime.name, runtime.options),
        )
        key = artifact_key(kind, precision)
        if key in artifacts or key in failures:
            continue
        made = make_variant(prepared, model, suite.prepare, kind, precision, on_stage=progress.stage)
        if isinstance(made, Artifact):
            artifacts[key] = made
        else:
            failures[key] = made
            progress.note(f"{prepared.model} as {key}: {made.reason}")
    return msgspec.structs.replace(prepared, artifacts=artifacts, failures=failures)


def _of_model(progress: Progress, model: ModelSpec) -> Callable[[str], None]:
    """A child's words for what it is at, with the model that it has."""
    return lambda stage: progress.stage(f"preparing {model.display}: {stage}")


def pool_shapes(prepared: Mapping[str, Prepared | Failure]) -> dict[str, Shapes]:
    """Shapes of every model's inputs, the leading axis the items; none of a model that failed."""
    return {
        name: {} if isinstance(one, Failure) else {n: array.shape for n, array in load_arrays(one.pool).items()}
        for name, one in prepared.items()
    }


def failure_of(error: BenchError) -> Failure:
    """What an error means for the cases of its model."""
    if isinstance(error, errors.DisagreeError):
        return Failure(status="failed", reason=str(error), verdict="disagrees")
    status: Status = "failed"
    if isinstance(error, errors.UnsupportedError):
        status = "unsupported"
    elif isinstance(error, errors.UnavailableError):
        status = "unavailable"
    return Failure(status=status, reason=str(error))


def _add_stages(stages: Stages, prepared: Prepared, wall_s: float) -> None:
    for stage, duration_ns in prepared.stages_ns.items():
        stages.add(f"prepare: {stage}", duration_ns / 1e9)
    rest = wall_s - sum(prepared.stages_ns.values()) / 1e9
    stages.add("prepare: start" if prepared.stages_ns else "prepare: from the cache", max(0.0, rest))
