"""The power of the agreement check on models as they are: their files mutated, run, and judged as a run judges.

Joins prepare and analysis; decides nothing about numbers itself.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.analysis.agreement import check_outputs
from bench.analysis.checker import budgets_of, make_checker
from bench.analysis.detection import Detection, JudgedFile, judged_file
from bench.cases import cases_together
from bench.prepare.arrays import load_arrays
from bench.prepare.power import FileRun, run_mutants
from bench.preparing import prepare_models
from bench.progress import Progress
from bench.records import ArrayFile, Failure, OutputCheck, Prepared, Suite
from bench.stages import Stages

Judge = Callable[[FileRun], list[OutputCheck]]


def measure_models(suite: Suite, progress: Progress) -> dict[str, Detection | Failure]:
    """What came of every model's files, by ``ModelSpec.display``, or why it has no ONNX file.

    The suite's runtime is ONNX Runtime's CPU provider alone. UsageError is raised, any other error is that model's.
    """
    prepared = prepare_models(suite, progress, Stages())
    found: dict[str, Detection | Failure] = {}
    for name, one in prepared.items():
        found[name] = one if isinstance(one, Failure) else measure_power(one, suite, progress)
    return found


def measure_power(prepared: Prepared, suite: Suite, progress: Progress) -> Detection | Failure:
    """Every file of one model, judged."""
    artifact = prepared.artifacts.get("onnx")
    if artifact is None:
        return prepared.failures["onnx"]
    judge = _judge_of(prepared, suite)
    correct: list[JudgedFile] = []
    wrong: list[JudgedFile] = []
    deployed: ArrayFile | None = None
    for run in run_mutants(prepared, artifact, on_stage=progress.stage):
        if run.origin == "correct":
            if run.problem:
                return Failure(status="failed", reason=f"the ONNX file itself, {run.kind}, {run.problem}")
            deployed = run.outputs
        one = _judged(run, judge, suite, deployed)
        (correct if run.origin == "correct" else wrong).append(one)
    return Detection(correct=tuple(correct), wrong=tuple(wrong))


def _judge_of(prepared: Prepared, suite: Suite) -> Judge:
    """The check of a run of this very model on ONNX Runtime: same truth, yardstick, distinct inputs and types."""
    case = next(case for model, cases in cases_together(suite) for case in cases if case.model == prepared.model)
    check = make_checker(prepared, suite.tolerance, budgets_of([case], prepared))

    def judge(run: FileRun) -> list[OutputCheck]:
        if run.outputs is None:
            return check_outputs(load_arrays(prepared.truth_file), {}, prepared.yardstick)
        return check(case.case_id, run.outputs)

    return judge


def _judged(run: FileRun, judge: Judge, suite: Suite, deployed: ArrayFile | None) -> JudgedFile:
    is_correct = run.origin == "correct"
    if run.problem:
        return JudgedFile(kind=run.kind, is_correct=is_correct, verdict="unchecked", problem=run.problem)
    same = run.outputs is not None and deployed is not None and run.outputs.digest == deployed.digest
    return judged_file(run.kind, judge(run), suite.tolerance, is_correct=is_correct, is_same=same)
