"""Why outputs differ: the model is run again with other inputs or other arithmetic, until it gives what a runtime gave.

A task of ``prepare/tasks.py``, see ``prepare/hypotheses.py``. Runs in the child, on the CPU and unoptimised. Every run
is compared with every suspect, so their number does not count; runs are at most ``MOST_RUNS`` within ``MOST_S``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import onnx

from bench.analysis.hypotheses.trial import ranked
from bench.prepare.arrays import load_arrays
from bench.prepare.child import reference
from bench.prepare.child.onnx_run import open_as_deployed, open_unoptimised
from bench.prepare.child.other_inputs import other_feeds
from bench.prepare.child.reference import Arrays, Run
from bench.prepare.child.rounded_graph import ROUNDINGS, Rounding, folded, has_products, rounded
from bench.prepare.child.saturating_graph import saturating
from bench.prepare.child.serving import OnStage, serve
from bench.prepare.child.suspects import Suspect, by_rounding, by_undoing
from bench.prepare.child.training_mode import training_outputs
from bench.prepare.hypotheses import Hypotheses, HypothesesRequest
from bench.records import Artifact, Finding, Prepared

MOST_RUNS = 40  # of the whole pool
MOST_S = 120.0  # no run begins later
NONDETERMINISTIC = "the file gave two answers to the same input: random operations or state, so no runtime can agree"


class Again(NamedTuple):
    """A hypothesis ready to be run."""

    code: str
    said: str
    run: Callable[[], Arrays]
    rounds: bool = False  # judged by the direction of its error, not by what is left of it
    of_file: bool = True  # the ONNX file is run, not the model that it was made of


def answer(request: HypothesesRequest, folder: Path, on_stage: OnStage) -> Hypotheses:
    """Run, compare, tell."""
    prepared, artifact = request.prepared, request.artifact
    pool = load_arrays(prepared.pool)
    on_stage("running the file as it is")
    model = onnx.load(artifact.path)
    began = time.monotonic()
    as_it_is = _run(prepared, _opened(model, artifact), pool)
    took_s = time.monotonic() - began
    truth = load_arrays(prepared.truth_file)
    suspects = {case: Suspect(truth, load_arrays(file), as_it_is) for case, file in request.outputs.items()}
    if _is_random(prepared, as_it_is, _run(prepared, _opened(model, artifact), pool)):
        random = Finding(code="non-deterministic model", text=NONDETERMINISTIC)
        return Hypotheses(findings=dict.fromkeys(suspects, (random,)))
    found: dict[str, list[Finding]] = {case: [] for case in suspects}
    deadline = began + MOST_S - took_s
    for again in _bounded(_of_file(request, model, pool, folder), deadline):
        on_stage(f"trying {again.code}: {again.said}")
        _compare(again, suspects, found)
    unexplained = {case: suspect for case, suspect in suspects.items() if not found[case]}
    for again in _bounded(_of_training(request, pool), deadline) if unexplained else ():
        on_stage(f"trying {again.said}")
        _compare(again, unexplained, found)
    return Hypotheses(findings={case: ranked(_with_one_rounding(findings)) for case, findings in found.items()})


def _with_one_rounding(findings: list[Finding]) -> Iterator[Finding]:
    """All but the roundings that come less near than the nearest: they are variants of one another."""
    codes = {rounding.code for rounding in ROUNDINGS}
    nearest = min((finding.error or 0.0 for finding in findings if finding.code in codes), default=0.0)
    yield from (finding for finding in findings if finding.code not in codes or (finding.error or 0.0) <= nearest)


def _bounded(hypotheses: Iterator[Again], deadline: float) -> Iterator[Again]:
    for count, again in enumerate(hypotheses):
        if count >= MOST_RUNS or time.monotonic() > deadline:
            return
        yield again


def _compare(again: Again, suspects: dict[str, Suspect], found: dict[str, list[Finding]]) -> None:
    """Run once, add to ``found`` whatever it explains; a run that fails explains nothing."""
    try:
        outputs = again.run()
    except Exception:  # a feed or a graph that the model does not take
        return
    judge = by_rounding if again.rounds else partial(by_undoing, of_file=again.of_file)
    for case, suspect in suspects.items():
        finding = judge(suspect, again.code, again.said, outputs)
        if finding is not None:
            found[case].append(finding)


def _of_file(request: HypothesesRequest, model: Any, pool: Arrays, folder: Path) -> Iterator[Again]:
    """Integer products, other inputs, other arithmetic: what needs the ONNX file alone."""
    prepared, artifact = request.prepared, request.artifact
    if artifact.has_integer_products:
        yield from _saturated(prepared, artifact, model, pool)
    for other in other_feeds(prepared.inputs, pool):
        yield Again(other.code, other.said, partial(_run, prepared, _opened(model, artifact), other.feed))
    for graph in (model, *_folded(artifact, model, folder)):
        for rounding in ROUNDINGS if has_products(graph) else ():
            run = partial(_run_rounded, request, graph, rounding, pool)
            yield Again(rounding.code, f"consistent with {rounding.said}", run, rounds=True)


def _saturated(prepared: Prepared, artifact: Artifact, model: Any, pool: Arrays) -> Iterator[Again]:
    code, said = "saturated integer products", "u8 x s8 products saturated in 16 bits, as without VNNI"
    yield Again(code, said, lambda: _run(prepared, _by_names(open_as_deployed(Path(artifact.path)), artifact), pool))
    emulated = saturating(model)
    if emulated is not None:
        yield Again(code, said, lambda: _run(prepared, _opened(emulated, artifact), pool))


def _folded(artifact: Artifact, model: Any, folder: Path) -> Iterator[Any]:
    """The file with its batch norms folded into the products before them, where it still has some."""
    if any(node.op_type == "BatchNormalization" for node in model.graph.node):
        yield folded(Path(artifact.path), folder / "folded.onnx")


def _of_training(request: HypothesesRequest, pool: Arrays) -> Iterator[Again]:
    """The Keras model in training mode, where there is one with layers that care."""
    if request.spec.kind in ("onnx", "saved_model"):
        return
    for said, outputs in training_outputs(request.spec, request.settings, request.prepared, pool):
        yield Again("training mode", said, partial(dict, outputs), of_file=False)


def _run_rounded(request: HypothesesRequest, graph: Any, rounding: Rounding, pool: Arrays) -> Arrays:
    return _run(request.prepared, _opened(rounded(graph, rounding), request.artifact), pool)


def _opened(model: Any, artifact: Artifact) -> Run:
    return _by_names(open_unoptimised(model.SerializeToString()), artifact)


def _by_names(run: Run, artifact: Artifact) -> Run:
    """The run of a file by the model's names."""

    def named(feed: Arrays) -> dict[str, Any]:
        theirs = {tensor.name: feed[artifact.names.get(tensor.name, tensor.name)] for tensor in artifact.inputs}
        return {artifact.names.get(name, name): array for name, array in run(theirs).items()}

    return named


def _run(prepared: Prepared, run: Run, feed: Arrays) -> dict[str, Any]:
    return reference.run_pool(run, prepared.inputs, feed)


def _is_random(prepared: Prepared, first: Arrays, second: Arrays) -> bool:
    if any(caution.code == "non-deterministic model" for caution in prepared.cautions):
        return True
    return any((moved or 0.0) > reference.NONDETERMINISTIC for moved in reference.shifts(first, second).values())


if __name__ == "__main__":
    serve(HypothesesRequest, answer)
