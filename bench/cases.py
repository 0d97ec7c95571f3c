"""Suite and prepared models -> cases, what their workers need, and the groups that are measured together.

Pure but for reading the pool's shapes; the pipeline calls it once every model is prepared.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence

from bench.measure import plan
from bench.measure.rounds import Arm
from bench.places import cache_folder
from bench.records import (
    Artifact,
    Case,
    CaseRepetition,
    Failure,
    ModelSpec,
    OpenRequest,
    OutputCheck,
    Prepared,
    Record,
    RuntimeSpec,
    SessionSettings,
    Suite,
)
from bench.runtimes.onnx_versions import why_unread
from bench.runtimes.table import artifact_kind, artifact_needed, boundary_of, precision_of
from bench.specs import ALL

Shapes = Mapping[str, tuple[int, ...]]  # of the pool: model's input name -> [items, ...]


class Group(Record, frozen=True):
    """Cases that are measured together: one model, batch size, thread count, number of streams and boundary."""

    number: int
    model: str
    cases: tuple[Case, ...]  # every one, in the order asked for
    arms: tuple[Arm, ...]  # those that a worker can be started for
    refused: tuple[CaseRepetition, ...] = ()  # those that it can't, with the reason
    split: bool = False  # part of a group that would not have fit the memory


def build_groups(
    suite: Suite,
    prepared: Mapping[str, Prepared | Failure],
    shapes: Mapping[str, Shapes],
    available_bytes: int,
    *,
    profiled_apart: bool = False,
) -> list[Group]:
    """Every group of the suite, in the order asked for; what can't be opened is in it with its reason.

    ``profiled_apart``: where each case runs will be profiled in a process of its own.
    """
    groups: list[Group] = []
    for model, cases in cases_together(suite):
        made = [
            make_arm(case, prepared[model.display], shapes, suite.plugins, profiled_apart=profiled_apart)
            for case in cases
        ]
        answers = {case.case_id: answer for case, answer in zip(cases, made, strict=True)}
        arms = {case_id: answer for case_id, answer in answers.items() if isinstance(answer, Arm)}
        needs = {case_id: _need(arm, shapes[model.display]) for case_id, arm in arms.items()}
        parts = plan.split_by_memory(cases, needs, available_bytes)
        for part in parts:
            groups.append(
                Group(
                    number=len(groups),
                    model=model.display,
                    cases=tuple(part),
                    arms=tuple(arms[case.case_id] for case in part if case.case_id in arms),
                    refused=tuple(
                        answer for case in part if isinstance(answer := answers[case.case_id], CaseRepetition)
                    ),
                    split=len(parts) > 1,
                )
            )
    return groups


def cases_together(suite: Suite) -> Iterator[tuple[ModelSpec, list[Case]]]:
    """The suite's cases, those together that are compared: rows of different boundaries never are."""
    for model in suite.models:
        for batch_size, streams in itertools.product(suite.batch_sizes[model.display], suite.streams):
            cases = [
                make_case(model, runtime, batch_size, suite.threads, streams) for runtime in runtimes_for(model, suite)
            ]
            for boundary in dict.fromkeys(case.boundary for case in cases):
                yield model, [case for case in cases if case.boundary == boundary]


def runtimes_for(model: ModelSpec, suite: Suite) -> tuple[RuntimeSpec, ...]:
    """The suite's runtimes; those that nobody named (the default's, or of ``all``) must be able to load the model."""
    return tuple(
        runtime
        for runtime in suite.runtimes
        if model.kind != "onnx"
        or artifact_kind(runtime.name, runtime.options) == "onnx"
        or not (suite.defaulted_runtimes or runtime.text == ALL)
    )


def make_case(model: ModelSpec, runtime: RuntimeSpec, batch_size: int, threads: int, streams: int = 1) -> Case:
    """A case, its id readable and the same in every run of the same suite."""
    several = f" | streams {streams}" if streams > 1 else ""
    return Case(
        case_id=f"{model.display} | {runtime.display} | batch {batch_size} | threads {threads}{several}",
        model=model.display,
        runtime=runtime,
        batch_size=batch_size,
        threads=threads,
        precision=precision_of(runtime.options),
        boundary=boundary_of(runtime.options),
        streams=streams,
    )


def make_arm(
    case: Case,
    prepared: Prepared | Failure,
    shapes: Mapping[str, Shapes],
    plugins: Mapping[str, str] | None = None,
    *,
    profiled_apart: bool = False,
) -> Arm | CaseRepetition:
    """What the case's worker needs, or the failed repetition that stands for it."""
    if isinstance(prepared, Failure):
        return refusal(case, prepared)
    key = artifact_needed(case.runtime.name, case.runtime.options)
    artifact = prepared.artifacts.get(key)
    if artifact is None:
        missing = Failure(status="unsupported", reason=f"{case.runtime.name} needs the model as {key}, there is none")
        return refusal(case, prepared.failures.get(key, missing))
    unfit = _unfit(case, artifact, shapes[case.model])
    if unfit is not None:
        return refusal(case, unfit)
    renamed = {name: shapes[case.model][artifact.names.get(name, name)] for name in (t.name for t in artifact.inputs)}
    request = OpenRequest(
        runtime=case.runtime.name,
        expected_version=case.runtime.version,
        artifact=artifact,
        settings=SessionSettings(
            threads=case.threads,
            batch_size=case.batch_size,
            inputs=plan.fixed_inputs(artifact.inputs, case.batch_size, renamed),
            outputs=tuple(output.name for output in artifact.outputs),
            options=case.runtime.options,
            precision=case.precision,
            boundary=case.boundary,
            plugin=(plugins or {}).get(case.runtime.name),
            profiled_apart=profiled_apart,
            cache=_built_folder(case, artifact) if case.runtime.options.get("cache") == "on" else None,
        ),
        pool=prepared.pool,
        prefix=sys.prefix,
        streams=case.streams,
    )
    return Arm(case=case, request=request)


def _built_folder(case: Case, artifact: Artifact) -> str:
    """A folder for what this runtime with these options builds from this file; ``pinning`` adds its environment."""
    key = f"{artifact.digest} {case.runtime.display} {case.threads} {case.batch_size}"
    return str(cache_folder() / "built" / hashlib.sha256(key.encode()).hexdigest())


def refusal(case: Case, failure: Failure) -> CaseRepetition:
    """The failed repetition that stands for a case which no worker is started for."""
    checks = []
    if failure.verdict == "disagrees":
        checks.append(
            OutputCheck(output="*", verdict="disagrees", reason=failure.reason, relative_error=failure.relative_error)
        )
    return CaseRepetition(
        case_id=case.case_id, repetition=0, status=failure.status, reason=failure.reason, checks=checks
    )


def _unfit(case: Case, artifact: Artifact, shapes: Shapes) -> Failure | None:
    """Why the inputs at this batch size do not fit the artifact, or None."""
    wanted = {artifact.names.get(tensor.name, tensor.name) for tensor in artifact.inputs}
    if wanted - set(shapes):
        return Failure(
            status="failed",
            reason=f"the file's inputs are {_listed(wanted)}, the model's are {_listed(set(shapes))}; "
            f"nothing was compared; map them with --{artifact.kind}-names FILE_NAME=MODEL_NAME",
        )
    only = plan.fixed_batch(artifact)
    if only is not None and only != case.batch_size:
        return Failure(
            status="unsupported",
            reason=f"the file's batch is fixed at {only}, {case.batch_size} was asked for; use -b {only}",
        )
    unread = why_unread(case.runtime.name, case.runtime.version, artifact)
    if unread is not None:
        return Failure(status="unsupported", reason=unread)
    if case.batch_size > 1 and not any(tensor.batched for tensor in artifact.inputs):
        return Failure(status="unsupported", reason="the model has no batch dimension; use -b 1")
    return None


def _need(arm: Arm, shapes: Shapes) -> int:
    item_bytes = 0
    for shape in shapes.values():
        size = 4
        for dimension in shape[1:]:
            size *= dimension
        item_bytes += size
    return plan.estimate_bytes(arm.case.runtime.name, arm.request.artifact, item_bytes, arm.case.batch_size)


def _listed(names: Sequence[str] | set[str]) -> str:
    return ", ".join(sorted(names))
