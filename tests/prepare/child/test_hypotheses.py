"""One wrong file of a small real model for each hypothesis that needs a re-run, and wrong outputs that fit none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest

sys.path.append(str(Path(__file__).resolve().parents[3]))  # last: it must not hide an installed bench

from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.child import hypotheses
from bench.prepare.child.rounded_graph import ROUNDINGS, rounded
from bench.prepare.child.saturating_graph import saturating
from bench.prepare.hypotheses import HypothesesRequest, try_hypotheses
from bench.records import Finding, Prepared, PrepareSettings
from bench.specs import parse_model
from benchmarks.diagnoses import run_file
from benchmarks.wrong_files import FAULTS, Fault, quantised, swapped, wrong_file

MODELS = Path(__file__).resolve().parents[3] / "benchmarks" / "diagnosed_models.py"
Told = Callable[..., tuple[Finding, ...]]
RERUN = [fault for fault in FAULTS if fault.side == "input" and fault.model != "pictures"]
IDS = [f"{fault.model}: {fault.code} {place}" for place, fault in enumerate(RERUN)]


@pytest.fixture
def prepared(prepare_here: Callable[..., Prepared]) -> Callable[[str], Prepared]:
    return lambda model: prepare_here(f"{MODELS}:{model}")


@pytest.fixture
def told(prepared: Callable[[str], Prepared], tmp_path: Path) -> Told:
    """A function: a model's name and outputs -> what is told of them; all of it in this process."""

    def tell(model: str | Prepared, outputs: dict[str, Any], spec: str = "", file: str = "") -> tuple[Finding, ...]:
        made = prepared(model) if isinstance(model, str) else model
        request = HypothesesRequest(
            prepared=made,
            spec=parse_model(spec or f"{MODELS}:{model}"),
            settings=PrepareSettings(),
            artifact=msgspec.structs.replace(made.artifacts["onnx"], path=file or made.artifacts["onnx"].path),
            outputs={"case": save_arrays(tmp_path / "outputs.npz", outputs)},
        )
        return hypotheses.answer(request, tmp_path, lambda _: None).findings["case"]

    return tell


def run_wrong(made: Prepared, change: Callable[[Any], Any]) -> dict[str, Any]:
    """What a changed file gives on the model's pool."""
    artifact = made.artifacts["onnx"]
    return run_file(change(onnx.load(artifact.path)), artifact, load_arrays(made.pool))


@pytest.mark.parametrize("fault", RERUN, ids=IDS)
def test_a_wrong_input_is_told_first(fault: Fault, prepared: Callable[[str], Prepared], told: Told) -> None:
    outputs = run_wrong(prepared(fault.model), lambda file: wrong_file(file, fault.name, fault.side, fault.body))
    findings = told(fault.model, outputs)
    assert findings[0].code == fault.code
    assert (findings[0].error or 0.0) < 1e-3
    assert "the error falls from" in findings[0].text


UNDONE = [fault for fault in RERUN if fault.code in ("input channels reversed", "input mirrored", "input shifted")]


@pytest.mark.parametrize("fault", UNDONE, ids=lambda fault: f"{fault.model}: {fault.code}")
def test_a_file_that_is_wrong_itself_is_told_by_what_undoes_it(
    fault: Fault, prepared: Callable[[str], Prepared], told: Told, tmp_path: Path
) -> None:
    made, wrong = prepared(fault.model), tmp_path / "wrong.onnx"
    file = wrong_file(onnx.load(made.artifacts["onnx"].path), fault.name, fault.side, fault.body)
    onnx.save(file, wrong)
    findings = told(fault.model, run_wrong(made, lambda _: file), file=str(wrong))
    assert findings[0].code == fault.code
    assert "the file gives the truth" in findings[0].text


def test_a_wrong_kernel_in_the_file_is_told_by_nothing(
    prepared: Callable[[str], Prepared], told: Told, tmp_path: Path
) -> None:
    made, wrong = prepared("classifier"), tmp_path / "wrong.onnx"
    file = onnx.load(made.artifacts["onnx"].path)
    kernel = next(t for t in file.graph.initializer if len(t.dims) == 4)
    values = onnx.numpy_helper.to_array(kernel).copy()
    values[0] *= 1.5
    kernel.CopyFrom(onnx.numpy_helper.from_array(values, kernel.name))
    onnx.save(file, wrong)
    assert told("classifier", run_wrong(made, lambda _: file), file=str(wrong)) == ()
    assert told("classifier", run_wrong(made, lambda _: file)) == ()


def test_swapped_inputs_are_told(prepared: Callable[[str], Prepared], told: Told) -> None:
    outputs = run_wrong(prepared("two_by_two"), lambda file: swapped(file, "input", "left", "right"))
    assert [finding.code for finding in told("two_by_two", outputs)] == ["inputs swapped"]


@pytest.mark.parametrize("rounding", ROUNDINGS, ids=lambda rounding: rounding.said)
def test_other_arithmetic_is_told_with_its_correlation(
    rounding: Any, prepared: Callable[[str], Prepared], told: Told
) -> None:
    outputs = run_wrong(prepared("classifier"), lambda file: rounded(file, rounding))
    [finding] = told("classifier", outputs)
    assert finding.code == rounding.code
    assert f"consistent with {rounding.said}" in finding.text
    assert "correlate by" in finding.text


def test_tf32_of_another_make_is_told(prepared: Callable[[str], Prepared], told: Told) -> None:
    """The same model computed by numpy from its weights: other code, another order of sums, rounded by its bits."""
    made = prepared("two_by_two")
    pool = load_arrays(made.pool)
    weights = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(made.artifacts["onnx"].path).graph.initializer}
    kernels = [w for w in weights.values() if w.ndim == 2]
    first = next(w for w in kernels if w.shape == (12, 24))
    x = np.concatenate([pool["left"], pool["right"] * np.float32(3)], axis=1)

    def tf32(a: Any) -> Any:
        whole = a.astype(np.float32).view(np.uint32)
        return ((whole + 0xFFF + ((whole >> 13) & 1)) & np.uint32(0xFFFFE000)).view(np.float32)

    def network(rounding: Callable[[Any], Any]) -> dict[str, Any]:
        h = np.maximum(rounding(x) @ rounding(first), 0)
        return {name: rounding(h) @ rounding(kernel) + biases[name] for name, kernel in last.items()}

    truth = load_arrays(made.truth_file)
    last, biases = _heads(truth, np.maximum(x @ first, 0), [w for w in kernels if w.shape == (24, 10)])
    assert told("two_by_two", network(lambda a: a)) == ()
    [finding] = told("two_by_two", network(tf32))
    assert finding.code == "TF32"


def _heads(truth: dict[str, Any], h: Any, kernels: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Which kernel belongs to which output, and its bias: that one which leaves the same for every item."""
    last = {name: min(kernels, key=lambda w: np.ptp(value - h @ w, axis=0).max()) for name, value in truth.items()}
    return last, {name: (truth[name] - h @ last[name]).mean(axis=0).astype(np.float32) for name in truth}


def test_the_statistics_of_the_batch_are_told(prepared: Callable[[str], Prepared], told: Told) -> None:
    from bench.prepare.child.pipeline import load_source, reset_keras

    made = prepared("normalised")
    reset_keras()
    _, loaded = load_source(parse_model(f"{MODELS}:normalised"), PrepareSettings())
    assert loaded is not None
    value = np.asarray(loaded.model(load_arrays(made.pool)["image"], training=True))
    [finding] = told("normalised", {made.outputs[0].name: value})
    assert finding.code == "training mode"


def test_a_model_that_draws_is_told_and_nothing_else(prepared: Callable[[str], Prepared], told: Told) -> None:
    outputs = load_arrays(prepared("noisy").truth_file)
    [finding] = told("noisy", outputs)
    assert finding.code == "non-deterministic model"


def test_saturated_products_are_told_on_any_cpu(
    prepare_here: Callable[..., Prepared], told: Told, tmp_path: Path
) -> None:
    path = tmp_path / "quantised.onnx"
    onnx.save(quantised(), path)
    made = prepare_here(str(path))
    assert told(made, run_wrong(made, saturating), str(path))[0].code == "saturated integer products"
    assert told(made, run_wrong(made, lambda file: file), str(path)) == ()


RNG = np.random.default_rng(0)
WRONG: dict[str, Callable[[Any], Any]] = {
    "right": lambda a: a,
    "noise": lambda a: RNG.normal(size=a.shape),
    "a little noise": lambda a: a + 3e-3 * a.std() * RNG.normal(size=a.shape),
    "each class scaled": lambda a: a * RNG.uniform(0.5, 2, size=a.shape[-1]),
    "NaN": lambda a: np.where(a > np.median(a), np.nan, a),
    "another shape": lambda a: a[..., None],
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("model", ["classifier", "two_by_two", "text", "normalised"])
def test_nothing_is_told_of_outputs_that_no_hypothesis_gives(
    model: str, wrong: Callable[[Any], Any], prepared: Callable[[str], Prepared], told: Told
) -> None:
    right = run_wrong(prepared(model), lambda file: file)
    assert told(model, {name: wrong(array).astype(np.float32) for name, array in right.items()}) == ()


def test_a_bound_on_time_leaves_the_rest_untried(
    prepared: Callable[[str], Prepared], told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = RERUN[0]
    outputs = run_wrong(prepared(fault.model), lambda file: wrong_file(file, fault.name, fault.side, fault.body))
    monkeypatch.setattr(hypotheses, "MOST_S", 0.0)
    assert told(fault.model, outputs) == ()


@pytest.mark.slow
def test_a_child_of_its_own_tells_the_same(prepared: Callable[[str], Prepared], tmp_path: Path) -> None:
    fault, made = RERUN[0], prepared(RERUN[0].model)
    outputs = run_wrong(made, lambda file: wrong_file(file, fault.name, fault.side, fault.body))
    file = save_arrays(tmp_path / "outputs.npz", outputs)
    spec, artifact = parse_model(f"{MODELS}:{fault.model}"), made.artifacts["onnx"]
    found = try_hypotheses(made, spec, PrepareSettings(), artifact, {"case": file}, tmp_path / "child")
    assert [finding.code for finding in found["case"]] == [fault.code]
