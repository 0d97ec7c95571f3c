"""Do the budgets of float16 and int8 let right files pass and call out wrong ones?

``python benchmarks/precision_budget.py [--models NAME ...]`` prints Markdown. Each model is converted right, and with a
fault planted before the conversion: a kernel times 1.01 or 1.1, a bias dropped, the channels of its input turned round;
for int8 also right but with one scale a tensor. Each file is judged twice: as the file of a case (its own error, run
exactly, within the budget) and, its outputs under the right file's budget, as a runtime that computes something else.
Exits 1 where a right file was called out, or a fault that destroys the answer (bias, channels) passed as a file.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: it must not hide an installed bench

import onnx
from onnx import numpy_helper

from bench.analysis import distance as far
from bench.analysis.budget import LIMITS, Budget, check_by_budget
from bench.analysis.noise import precision_error
from bench.prepare.arrays import load_arrays
from bench.prepare.child import plant
from bench.prepare.child.onnx_run import open_as_deployed, open_unoptimised
from bench.prepare.child.onnx_variant import to_float16, to_int8
from bench.prepare.child.reference import run_pool
from bench.prepare.prepare import prepare_model
from bench.records import Artifact, Precision, Prepared, PrepareSettings, Record
from bench.specs import parse_model

Array = np.ndarray[Any, np.dtype[Any]]
MODELS = ("article_cnn", "mobilenet_v1:alpha=0.5,resolution=128", "keras:MobileNetV2", "keras:ResNet50")
DESTROYS = ("bias dropped", "channels turned")
PLACES = 3  # of kernels and biases, spread over the net


class Result(Record, frozen=True):
    """One file."""

    fault: str
    own: float  # its error, run exactly
    ran: float  # its error as it is deployed
    top1: float | None
    as_file: str  # verdict
    as_runtime: str


def judge(prepared: Prepared, precision: Precision, folder: Path) -> Iterator[Result]:
    """The right file, then every wrong one."""
    source = prepared.artifacts["onnx"]
    (name,) = (output.name for output in prepared.outputs)
    truth = load_arrays(prepared.truth_file)[name]
    pool = load_arrays(prepared.pool)
    right: float | None = None
    for fault, path in _files(source, folder):
        for per_channel in (True, False) if fault == "none" and precision == "int8" else (True,):
            wrong = msgspec.structs.replace(source, path=str(path))
            calibration = _turned(pool) if fault == "channels turned" else pool
            proto = (
                to_float16(wrong)
                if precision == "float16"
                else to_int8(wrong, calibration, folder, per_channel=per_channel)
            )
            converted = folder / "converted.onnx"
            onnx.save(proto, converted)
            exact, ran = (
                run_pool(open_(converted), source.inputs, calibration)[name]
                for open_ in (open_unoptimised, open_as_deployed)
            )
            own = precision_error(truth, exact)
            assert own is not None
            right = own if right is None else right
            yield Result(
                fault=fault if per_channel else "none, one scale a tensor",
                own=own,
                ran=precision_error(truth, ran) or 0.0,
                top1=far.top_agreement(truth, ran, 1, 0.0),
                as_file=_verdict(name, truth, ran, precision, own),
                as_runtime=_verdict(name, truth, ran, precision, right),
            )


def _verdict(name: str, truth: Array, output: Array, precision: Precision, own: float) -> str:
    budget = Budget(precision=precision, conversion={name: own})
    return check_by_budget(name, truth, output, budget, len(truth)).verdict


def _files(source: Artifact, folder: Path) -> Iterator[tuple[str, Path]]:
    yield "none", Path(source.path)
    yield "channels turned", Path(source.path)
    for factor in (1.01, 1.1):
        plant._WRONG = factor
        for place in range(PLACES):
            model = onnx.load(source.path)
            plant.plant_wrong_kernel(model, place, PLACES)
            yield f"kernel {place + 1}/{PLACES} x {factor}", _saved(model, folder)
    for place in range(PLACES):
        model = onnx.load(source.path)
        _drop_bias(model, place)
        yield "bias dropped", _saved(model, folder)


def _drop_bias(model: Any, place: int) -> None:
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    biases = [node.input[2] for node in model.graph.node if node.op_type in ("Conv", "Gemm") and len(node.input) > 2]
    added = [one for node in model.graph.node if node.op_type == "Add" for one in node.input if one in constants]
    found = [*biases, *added]
    tensor = constants[found[len(found) * place // PLACES]]
    tensor.CopyFrom(numpy_helper.from_array(np.zeros_like(numpy_helper.to_array(tensor)), tensor.name))


def _saved(model: Any, folder: Path) -> Path:
    path = folder / "planted.onnx"
    onnx.save(model, path)
    return path


def _turned(pool: dict[str, Array]) -> dict[str, Array]:
    return {name: np.ascontiguousarray(rows[..., ::-1]) for name, rows in pool.items()}


def main() -> int:
    """Print the table; 1 where a budget is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS)
    names = parser.parse_args().models
    logging.getLogger().setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    print(f"budgets: {', '.join(f'{name} {limits.budget:g}' for name, limits in LIMITS.items())}\n")
    print("| model | precision | fault | file's error | as deployed | top-1 | as a file | as a runtime |")
    print("|---|---|---|---|---|---|---|---|")
    bad = 0
    for text in names:
        prepared = prepare_model(parse_model(text), PrepareSettings())
        for precision in LIMITS:
            with tempfile.TemporaryDirectory() as folder:
                for one in judge(prepared, precision, Path(folder)):
                    bad += one.as_file != ("disagrees" if one.fault in DESTROYS else one.as_file)
                    bad += one.fault == "none" and "disagrees" in (one.as_file, one.as_runtime)
                    top1 = "-" if one.top1 is None else f"{one.top1:.0%}"
                    print(
                        f"| {text} | {precision} | {one.fault} | {one.own:.2g} | {one.ran:.2g} | {top1} "
                        f"| {one.as_file} | {one.as_runtime} |",
                        flush=True,
                    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
