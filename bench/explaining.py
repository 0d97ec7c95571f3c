"""Why a model's cases differ from the truth and from one another: what a verification says beside its verdicts.

Joins prepare and analysis; starts the child that tries hypotheses, and no worker.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bench.analysis.attribution import LEVELS, apart
from bench.analysis.diagnosis import diagnose
from bench.analysis.distance import Array
from bench.analysis.hypotheses.trial import rank
from bench.attributing import Reference, first_pass, loads_onnx, with_rejected
from bench.errors import BenchError
from bench.prepare.arrays import save_arrays
from bench.prepare.hypotheses import try_hypotheses
from bench.progress import Progress
from bench.records import ArrayFile, Case, Caution, Finding, ModelSpec, OutputCheck, Prepared, Suite

Pair = tuple[str, str]  # two runtimes as asked for
Outputs = Mapping[str, Array]


def stand_ins(
    cases: Sequence[Case], prepared: Prepared, files: Collection[str], references: Mapping[Reference, Case]
) -> dict[str, str]:
    """By id, the case whose outputs are each case's: itself, or one that ran the rejected file that it wasn't given."""
    rejected = references.get(("float32", LEVELS[-1])) if "onnx" in prepared.rejected else None
    given = {
        case.case_id: rejected.case_id if rejected and case.case_id not in files and loads_onnx(case) else case.case_id
        for case in cases
    }
    return {case_id: theirs for case_id, theirs in given.items() if theirs in files}


def find_causes(
    outputs: Mapping[str, Outputs],
    checks: Mapping[str, Sequence[OutputCheck]],
    truth: Outputs,
    spec: ModelSpec,
    prepared: Prepared,
    suite: Suite,
    folder: Path,
    progress: Progress,
) -> dict[str, tuple[Finding, ...]]:
    """What explains outputs that disagree, by case id: from the arrays alone, then from running the model again."""
    tried = _try_hypotheses(outputs, spec, prepared, suite, folder, progress)
    found: dict[str, list[Finding]] = {}
    for case_id, arrays in outputs.items():
        wrong = {check.output for check in checks[case_id] if check.verdict == "disagrees"}
        by_output = diagnose({name: array for name, array in truth.items() if name in wrong}, arrays)
        found[case_id] = [*itertools.chain.from_iterable(by_output.values()), *tried.get(case_id, ())]
    once = {case_id: {one.text: one for one in findings}.values() for case_id, findings in found.items()}
    return {case_id: tuple(sorted(findings, key=rank)) for case_id, findings in once.items()}


def cautions_of(prepared: Prepared) -> tuple[Caution, ...]:
    """Those of the model and of its files, each once."""
    artifacts = [caution for artifact in prepared.artifacts.values() for caution in artifact.cautions]
    return tuple(dict.fromkeys([*prepared.cautions, *artifacts]))


def all_apart(cases: Sequence[Case], truth: Outputs, files: Mapping[str, ArrayFile], items: int) -> dict[Pair, float]:
    """How far any two runtimes are from one another in their furthest output, in units of its spread."""
    outputs = {case.case_id: first_pass(files[case.case_id], items) for case in cases if case.case_id in files}
    found: dict[Pair, float] = {}
    for one, other in itertools.combinations([case for case in cases if case.case_id in outputs], 2):
        if (one.batch_size, one.streams) != (other.batch_size, other.streams):
            continue
        distance = _furthest(truth, outputs[one.case_id], outputs[other.case_id])
        pair = (one.runtime.display, other.runtime.display)
        if distance is not None:
            found[pair] = max(distance, found.get(pair, 0.0))
    return found


def _furthest(truth: Outputs, one: Outputs, other: Outputs) -> float | None:
    distances = [apart(array, one.get(name), other.get(name)) for name, array in truth.items()]
    return max((distance for distance in distances if distance is not None), default=None)


def _try_hypotheses(
    outputs: Mapping[str, Outputs], spec: ModelSpec, prepared: Prepared, suite: Suite, folder: Path, progress: Progress
) -> dict[str, tuple[Finding, ...]]:
    """Nothing where the world stopped the trials: they only explain a verdict that stands. A bug of ours is raised."""
    artifact = with_rejected(prepared).artifacts.get("onnx")
    if artifact is None or not outputs:
        return {}
    folder = Path(tempfile.mkdtemp(prefix="hypotheses-", dir=folder))
    saved = {
        case_id: save_arrays(folder / f"outputs-{number}.npz", arrays)
        for number, (case_id, arrays) in enumerate(outputs.items())
        if _is_one_row_an_item(arrays)
    }
    if not saved:
        return {}
    try:
        return try_hypotheses(prepared, spec, suite.prepare, artifact, saved, folder, on_stage=progress.stage)
    except BenchError:
        return {}


def _is_one_row_an_item(outputs: Outputs) -> bool:
    """Whether outputs can be held against those of other inputs, item by item."""
    lengths = {array.shape[:1] for array in outputs.values()}
    return len(lengths) == 1 and () not in lengths
