"""The budget of a precision: every verdict, and the change that flips it."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from analysis_fakes import prepared
from bench.analysis.agreement import case_verdict, check_outputs, worst_check
from bench.analysis.budget import GREATEST, LIMITS, Budget, artifact_of, budget_of
from bench.analysis.distance import Array
from bench.records import OutputCheck, Precision, RuntimeSpec
from fakes import artifact, case

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(64, 10))
NOISE = RNG.normal(size=TRUTH.shape)


def judged(output: Array, precision: Precision = "int8", own: float | None = 0.2, truth: Array = TRUTH) -> OutputCheck:
    budget = Budget(precision=precision, conversion={"y": own})
    (check,) = check_outputs({"y": truth}, {"y": output}, {"y": 1e-6}, budget=budget)
    return check


def off(error: float) -> Array:
    """The truth with noise of this precision error."""
    unit = NOISE / np.sqrt(np.mean(NOISE**2)) * np.sqrt(np.mean(TRUTH.std(axis=0) ** 2))
    noisy: Array = (TRUTH + error * unit).astype(np.float32)
    return noisy


def test_noise_like_the_files_own_agrees_and_twice_as_much_does_not() -> None:
    assert judged(off(0.2)).verdict == "agrees"
    check = judged(off(0.4))
    assert check.verdict == "disagrees"
    assert check.reason.startswith(
        "precision error 0.4 (rms) exceeds 0.3, what int8 is allowed where the file itself is 0.2 off"
    )
    assert check.tolerance == pytest.approx(0.3)
    assert check.conversion_error == 0.2


def test_a_file_beyond_its_budget_disagrees_however_well_it_runs() -> None:
    assert judged(off(0.01), own=0.79).verdict == "vacuous"
    check = judged(off(0.01), own=0.81)
    assert check.verdict == "disagrees"
    assert check.reason.startswith("the int8 file itself is 0.81 of the spread off (rms), the budget of int8 is 0.8")


@pytest.mark.parametrize(
    ("own", "error", "verdict"),
    [
        (0.24, 0.24, "agrees"),
        (0.26, 0.2, "vacuous"),
        (0.2, 0.26, "vacuous"),
        (0.5, 0.5, "vacuous"),
        (0.5, 0.8, "disagrees"),
    ],
)
def test_a_file_that_loses_much_is_neither_right_nor_wrong(own: float, error: float, verdict: str) -> None:
    check = judged(off(error), own=own)
    assert check.verdict == verdict
    assert ("right cannot be told from wrong" in check.reason) == (verdict == "vacuous")
    assert f"{check.top1_agreement:.0%} of items have the same class on top" in check.reason


def test_float16_has_the_narrower_budget() -> None:
    assert judged(off(0.05), "float16", own=0.09).verdict == "agrees"
    assert judged(off(0.05), "float16", own=0.11).verdict == "disagrees"
    assert judged(off(0.05), "float16", own=0.01).verdict == "disagrees"
    assert judged(off(0.05), "float16", own=0.02).verdict == "agrees"


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_a_perfect_file_leaves_room_for_kernels_that_compute_in_the_precision(precision: Precision) -> None:
    floor = LIMITS[precision].floor
    check = judged(off(0.9 * floor), precision, own=0.0)
    assert check.verdict == "agrees"
    assert f"the least that {precision} is allowed" in check.reason
    assert judged(off(1.1 * floor), precision, own=0.0).verdict == "disagrees"


def test_a_constant_answer_never_agrees_whatever_the_file_lost() -> None:
    constant = np.broadcast_to(TRUTH.mean(axis=0), TRUTH.shape).astype(np.float32)
    for own in (0.05, 0.4, 0.8):
        assert judged(constant, own=own).verdict == "disagrees"
    assert judged(constant, own=0.8).tolerance == GREATEST


def test_a_runtime_that_switched_itself_has_the_budget_as_its_tolerance() -> None:
    switched = Budget(precision="float16", conversion=None)
    for error, verdict in ((0.09, "agrees"), (0.11, "disagrees")):
        (check,) = check_outputs({"y": TRUTH}, {"y": off(error)}, {"y": 1e-6}, budget=switched)
        assert check.verdict == verdict
        assert "0.1, the budget of float16" in check.reason


def test_float32_keeps_its_own_rule() -> None:
    (check,) = check_outputs({"y": TRUTH}, {"y": off(0.01)}, {"y": 1e-6})
    assert check.verdict == "disagrees"
    assert check.precision_error is None


def test_an_output_that_hardly_varies_is_vacuous() -> None:
    truth = 1 + 1e-9 * TRUTH
    assert judged(truth.astype(np.float32), truth=truth).verdict == "vacuous"


def test_few_inputs_never_agree_and_a_difference_stays_one() -> None:
    few = {"y": TRUTH[:4]}
    budget = Budget(precision="int8", conversion={"y": 0.2})
    assert [c.verdict for c in check_outputs(few, {"y": off(0.1)[:4]}, {}, budget=budget)] == ["vacuous"]
    assert [c.verdict for c in check_outputs(few, {"y": off(2.0)[:4]}, {}, budget=budget)] == ["disagrees"]


def test_nan_disagrees_before_any_number() -> None:
    output = off(0.1)
    output[3, 2] = np.nan
    assert judged(output).verdict == "disagrees"


def test_classes_are_judged_by_the_share_that_differs() -> None:
    truth = np.arange(64) % 10
    wrong = np.where(np.arange(64) < 8, 99, truth)
    assert judged(wrong, own=0.125, truth=truth).verdict == "agrees"
    assert judged(wrong, own=0.0, truth=truth).verdict == "disagrees"


def test_the_top_class_is_counted_without_a_margin() -> None:
    check = judged(off(0.2))
    assert check.top1_agreement is not None
    assert check.top1_agreement < 1


def test_the_output_that_used_most_of_its_tolerance_decides() -> None:
    budget = Budget(precision="int8", conversion={"a": 0.1, "b": 0.2})
    checks = check_outputs({"a": TRUTH, "b": TRUTH}, {"a": off(0.14), "b": off(0.2)}, {}, budget=budget)
    worst = worst_check(checks)
    assert case_verdict(checks) == "agrees"
    assert worst is not None
    assert worst.output == "a"


def test_the_budget_is_that_of_the_file_that_the_case_loads() -> None:
    int8 = artifact(precision="int8", conversion_error={"y": 0.3})
    model = replace(prepared(), artifacts={"onnx": artifact(), "onnx int8": int8})
    spec = RuntimeSpec(text="cpu", name="onnxruntime-cpu", display="cpu", options={"precision": "int8"})
    asked = replace(case(), precision="int8", runtime=spec)
    assert artifact_of(asked, model) is int8
    assert budget_of(asked, int8) == Budget(precision="int8", conversion={"y": 0.3})
    assert budget_of(case(), artifact()) is None


def test_a_float32_file_that_a_runtime_computes_in_float16_has_no_conversion() -> None:
    asked = replace(case("openvino"), precision="float16")
    assert budget_of(asked, artifact()) == Budget(precision="float16", conversion=None)


def test_a_file_that_came_quantised_has_the_budget_of_int8_and_its_integers_none() -> None:
    quantised = budget_of(case(), artifact(has_integer_products=True))
    assert quantised == Budget(precision="int8", conversion=None)
    sums = np.arange(64)
    outputs = {"y": off(0.2), "sums": np.where(sums == 5, 6, sums)}
    floats, integers = check_outputs({"y": TRUTH, "sums": sums}, outputs, {}, budget=quantised)
    assert (floats.verdict, integers.verdict) == ("agrees", "disagrees")
    for error, verdict in ((0.3, "vacuous"), (0.9, "disagrees")):
        assert check_outputs({"y": TRUTH}, {"y": off(error)}, {}, budget=quantised)[0].verdict == verdict
