"""How many wrong ONNX files does the agreement check call out, and how many correct ones?

``python benchmarks/agreement_power.py [--models NAME ...] [--quick]`` prints Markdown: every file of ``MUTANTS``, and
the correct file at every optimisation level and thread count, judged by our check and by those of ``judges.py``, each
as its users have it; then the zoo's with untrained weights, where nothing can be told. Exits 1 when our check did not
call out a scored mutant, or called out a correct file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: it must not hide an installed bench

from bench.analysis.agreement import case_verdict, check_outputs, worst_check
from bench.analysis.distance import distinct_items
from bench.analysis.shares import LEVEL
from bench.prepare.arrays import load_arrays
from bench.prepare.prepare import prepare_model
from bench.records import Artifact, Prepared, PrepareSettings, Tolerance
from bench.specs import parse_model
from benchmarks import judges
from benchmarks import power_table as table
from benchmarks.power_table import Outcome

if TYPE_CHECKING:
    from onnx import ModelProto

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]
Judge = Callable[[Arrays, Sequence[Arrays]], list[tuple[bool, ...]]]

FULL = ("article_cnn", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large")
QUICK = (
    "article_cnn:resolution=64,width=0.5",
    "mobilenet_v1:alpha=0.25,resolution=96",
    "mobilenet_v2:alpha=0.35,resolution=96",
    "mobilenet_v3_small:resolution=96",
    "mobilenet_v3_large:alpha=0.75,resolution=96",
)
OTHERS = tuple(
    f"{Path(__file__).with_name('other_nets.py')}:{name}"
    for name in (
        "mlp", "recurrent", "both_ways", "attention", "two_heads", "one_dimension", "three_dimensions", "down_and_up"
    )
)  # fmt: skip
LEVELS = {"off": "DISABLE_ALL", "basic": "ENABLE_BASIC", "extended": "ENABLE_EXTENDED", "all": "ENABLE_ALL"}
THREADS = (1, 2)


# --- one model, in a process of its own -------------------------------------------------------------------------------


def judge_model(prepared: Prepared, judge: Judge = judges.passes) -> list[Outcome]:
    """The correct file at every level and thread count, then every mutant at the highest that loads and runs."""
    os.environ.update(ORT_DISABLE_TELEMETRY="1", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    artifact = prepared.artifacts.get("onnx")
    if artifact is None:
        raise SystemExit(f"{prepared.model}: no ONNX file: {prepared.failures['onnx'].reason}")
    pool = load_arrays(prepared.pool)
    files = list(_run_files(artifact, pool))
    correct = [outputs for _, is_correct, outputs in files if is_correct][-1]  # run as the mutants are
    passed = judge(tensorflow_outputs(prepared, pool), [outputs for _, _, outputs in files])
    return [_judge(prepared, *file, correct=correct, passes=passes) for file, passes in zip(files, passed, strict=True)]


def _run_files(artifact: Artifact, pool: Arrays) -> Iterator[tuple[str, bool, Arrays]]:
    """Kind, whether the file is correct, and what it answered; correct files come first."""
    import onnx

    from bench.prepare.child.mutants.table import MUTANTS

    model = onnx.load(artifact.path)
    for level in LEVELS:
        for threads in THREADS:
            yield f"{level}, {threads} threads", True, run_file(model, artifact.names, pool, level, threads)
    for kind, make in MUTANTS.items():
        mutant = make(model)
        if mutant is None:
            continue
        try:
            yield kind, False, run_file(mutant, artifact.names, pool, "all", max(THREADS))
        except Exception as error:  # no file that anybody could use: there is nothing to call out
            print(f"  {kind}: does not load or run: {type(error).__name__}", file=sys.stderr)


def run_file(model: ModelProto, names: Mapping[str, str], pool: Arrays, level: str, threads: int) -> Arrays:
    """Every output that the file declares, under the model's names where it has one; the whole pool in one batch."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, f"ORT_{LEVELS[level]}")
    options.log_severity_level = 4  # it warns of weights that a mutant no longer uses, and of what does not run
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    feed = {tensor.name: pool[names.get(tensor.name, tensor.name)] for tensor in session.get_inputs()}
    answers = session.run(outputs, feed) if outputs else []
    return {names.get(name, name): answer for name, answer in zip(outputs, answers, strict=True)}


def tensorflow_outputs(prepared: Prepared, pool: Arrays) -> Arrays:
    """What TensorFlow computes in float32, what other judges compare with; the truth's numbers without a SavedModel."""
    truth, saved = load_arrays(prepared.truth_file), prepared.artifacts.get("saved_model")
    if saved is None:
        return {name: array.astype(np.float32) for name, array in truth.items()}
    import tensorflow as tf

    signature = tf.saved_model.load(saved.path).signatures["serving_default"]
    feed = {tensor.name: tf.constant(pool[saved.names.get(tensor.name, tensor.name)]) for tensor in saved.inputs}
    answers = {saved.names.get(name, name): value.numpy() for name, value in signature(**feed).items()}
    return {name: answers[name] for name in truth}


def _judge(
    prepared: Prepared, kind: str, is_correct: bool, outputs: Arrays, *, correct: Arrays, passes: tuple[bool, ...]
) -> Outcome:
    truth = load_arrays(prepared.truth_file)
    distinct = distinct_items(load_arrays(prepared.pool))
    dtypes = {tensor.name: tensor.dtype for tensor in prepared.outputs}
    checks = check_outputs(truth, outputs, prepared.yardstick, Tolerance(), distinct_inputs=distinct, dtypes=dtypes)
    worst = worst_check(checks)
    return Outcome(
        model=prepared.model,
        kind=kind,
        is_correct=is_correct,
        verdict=case_verdict(checks),
        reason=worst.reason if worst else "",
        relative_error=max((c.relative_error for c in checks if c.relative_error is not None), default=None),
        tolerance=max((c.tolerance for c in checks if c.tolerance is not None), default=None),
        passes=passes,
        same_form=_form(outputs) == _form(correct),
        bitwise_equal=_form(outputs) == _form(correct) and all(np.array_equal(outputs[n], correct[n]) for n in correct),
    )


def _form(outputs: Arrays) -> dict[str, tuple[tuple[int, ...], str]]:
    return {name: (array.shape, array.dtype.name) for name, array in outputs.items()}


# --- all models -------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 where our check was wrong about a file, else 0."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--models", nargs="+", metavar="NAME", help="instead of those of the zoo and of other kinds")
    parser.add_argument("--quick", action="store_true", help="small sizes of the zoo's models")
    chosen = parser.parse_args(arguments)
    names = tuple(chosen.models or ((QUICK if chosen.quick else FULL) + OTHERS))
    started = time.monotonic()
    calibrated = _judge_all(names)
    zoo = [name for name in names if ".py" not in name]
    random = table.untrained(
        _judge_all([_untrained(name) for name in zoo]), [o for o in calibrated if ".py" not in o.model]
    )
    print(_report(calibrated, random))
    print(f"\n{time.monotonic() - started:.0f} s")
    wrong = [*table.mistakes(calibrated), *table.undetected(random)]
    for outcome in wrong:
        print(f"WRONG: {outcome.model}, {outcome.kind}: {outcome.verdict}: {outcome.reason}", file=sys.stderr)
    return 1 if wrong else 0


def _untrained(name: str) -> str:
    return f"{name}{',' if ':' in name else ':'}weights=random"


def _judge_all(names: Sequence[str]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        prepared = prepare_model(parse_model(name), PrepareSettings(seed=0), on_stage=lambda _: None)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            outcomes.extend(pool.submit(judge_model, prepared).result())
    return outcomes


def _report(calibrated: Sequence[Outcome], random: Sequence[Outcome]) -> str:
    sections = {
        f"Totals (exact {100 * LEVEL:g} % intervals)": table.render_scores(calibrated),
        "By model, wrong files called out and correct ones accused": table.render_models(calibrated),
        "Distance between wrong and correct": table.render_gaps(calibrated),
        "The same files of untrained networks": table.render_vacuous(random),
        "Equivalent mutants, not scored": table.render_equivalents(calibrated),
        "Every file": table.render_files(calibrated),
    }
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())


if __name__ == "__main__":
    sys.exit(main())
