"""The reference cases that tell whose error it is, and the chain of each case made of their outputs.

Reference cases run the model's ONNX file on onnxruntime-cpu, one for each level of its optimiser. Joins prepare and
analysis; runs nothing itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from bench.analysis.attribution import CONVERSION, EXPORT, LEVELS, OPTIMISER, RUNTIME, Attribution, Point, attribute
from bench.analysis.budget import artifact_of
from bench.analysis.checker import split_passes
from bench.analysis.distance import Array
from bench.cases import make_case
from bench.prepare.arrays import load_arrays
from bench.records import ArrayFile, Case, ModelSpec, OutputCheck, Precision, Prepared, RuntimeSpec, Suite, artifact_key
from bench.runtimes.table import artifact_kind, artifact_precision

Reference = tuple[Precision, str]  # which file, and level of the optimiser

_CPU = "onnxruntime-cpu"  # also the beginning of ``Prepared.truth`` where that is the file itself, unoptimised
_LEVEL, _PRECISION = "optimization", "precision"


def with_rejected(prepared: Prepared) -> Prepared:
    """The model with the files that no runtime is given in the places of those that it lacks."""
    return msgspec.structs.replace(prepared, artifacts={**prepared.rejected, **prepared.artifacts})


def reference_cases(
    model: ModelSpec, suite: Suite, prepared: Prepared, cases: Sequence[Case], ran: Collection[str]
) -> dict[Reference, Case]:
    """The case that stands for each reference that the model's ``cases`` need.

    One of theirs where it is among those that ``ran`` (case ids), else an extra one.
    """
    mine = [case for case in cases if case.case_id in ran]
    there = {reference: case for case in reversed(mine) if (reference := _as_reference(case)) is not None}
    wanted: dict[Reference, None] = {}
    for case in cases:
        wanted |= dict.fromkeys(_chain_of(case, with_rejected(prepared)))
    batch = suite.batch_sizes[model.display][0]
    return {
        reference: there.get(reference) or make_case(model, _runtime(*reference), batch, suite.threads)
        for reference in wanted
    }


def attribute_case(
    case: Case,
    prepared: Prepared,
    truth: Mapping[str, Array],
    references: Mapping[Reference, Case],
    files: Mapping[str, ArrayFile],
    checks: Mapping[str, Sequence[OutputCheck]],
) -> list[Attribution]:
    """Whose error each output of the case has; nothing where a part of its chain did not run.

    ``files`` are outputs by case id, ``checks`` what they were judged to be.
    """
    prepared = with_rejected(prepared)
    chain = _chain_of(case, prepared)
    standing = [references[reference].case_id for reference in chain]
    if any(case_id not in files for case_id in standing):
        return []
    points: list[Point] = []
    base: int | None = None  # the file unoptimised
    for (precision, level), case_id in zip(chain, standing, strict=True):
        link = _link(precision, level)
        given = prepared.artifacts[artifact_key("onnx", precision)].conversion_error if link == CONVERSION else None
        points.append(_point(link, files[case_id], base, checks[case_id], prepared, given))
        base = len(points) - 1 if level == LEVELS[0] else base
    if case.case_id in files and case.case_id not in standing:
        since = len(points) - 1 if points else None
        points.append(_point(RUNTIME, files[case.case_id], since, checks[case.case_id], prepared))
    return attribute(truth, prepared.yardstick, points, rms=_is_few_bits(case, prepared)) if points else []


def first_pass(file: ArrayFile, items: int) -> dict[str, Array]:
    """The outputs of a file, one row an item of the pool."""
    return split_passes(load_arrays(file), file.items, items)[0]


def loads_onnx(case: Case) -> bool:
    """Whether the case's runtime runs an ONNX file."""
    return artifact_kind(case.runtime.name, case.runtime.options) == "onnx"


def _chain_of(case: Case, prepared: Prepared) -> list[Reference]:
    """What has to run besides the case, in the order of the chain; nothing for one without an ONNX file."""
    if not loads_onnx(case):
        return []
    precision = artifact_precision(case.runtime.name, case.runtime.options)
    if artifact_key("onnx", precision) not in prepared.artifacts:
        return []
    is_bare = prepared.truth.startswith(_CPU)
    export: list[Reference] = [] if is_bare or "onnx" not in prepared.artifacts else [("float32", LEVELS[0])]
    converted: list[Reference] = [] if precision == "float32" else [(precision, LEVELS[0])]
    levels = LEVELS[1 : LEVELS.index(_level(case)) + 1]
    return [*export, *converted, *((precision, level) for level in levels)]


def _link(precision: Precision, level: str) -> str:
    if level != LEVELS[0]:
        return f"{OPTIMISER}{level}"
    return EXPORT if precision == "float32" else CONVERSION


def _level(case: Case) -> str:
    """Up to where ONNX Runtime's optimiser goes in this case; any other runtime is held against all of it."""
    asked = case.runtime.options.get(_LEVEL, LEVELS[-1]) if case.runtime.name.startswith("onnxruntime") else LEVELS[-1]
    return asked if asked in LEVELS else LEVELS[-2]  # "layout" does all but the layout of "all"


def _as_reference(case: Case) -> Reference | None:
    """Which reference a user's case is, where it is one."""
    runtime = case.runtime
    is_plain = runtime.name == _CPU and runtime.version is None and runtime.options.keys() <= {_LEVEL, _PRECISION}
    if not is_plain or runtime.options.get(_LEVEL, LEVELS[-1]) not in LEVELS or case.streams != 1:
        return None
    return artifact_precision(runtime.name, runtime.options), _level(case)


def _runtime(precision: Precision, level: str) -> RuntimeSpec:
    options = {_LEVEL: level} | ({} if precision == "float32" else {_PRECISION: precision})
    text = f"{_CPU}:{','.join(f'{key}={value}' for key, value in options.items())}"
    return RuntimeSpec(text=text, name=_CPU, display=text, options=options)


def _point(
    link: str,
    file: ArrayFile,
    since: int | None,
    checks: Sequence[OutputCheck],
    prepared: Prepared,
    given: Mapping[str, float | None] | None = None,
) -> Point:
    outputs = first_pass(file, prepared.truth_file.items)
    return Point(link, outputs, {one.output: one for one in checks}, since, given)


def _is_few_bits(case: Case, prepared: Prepared) -> bool:
    artifact = artifact_of(case, prepared)
    return case.precision != "float32" or (artifact is not None and artifact.has_integer_products)
