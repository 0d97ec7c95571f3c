from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.agreement import check_outputs
from bench.analysis.diagnosis import diagnose, explain, likely_cause
from bench.analysis.hypotheses.trial import ranked
from bench.records import Finding

Array = np.ndarray[Any, np.dtype[Any]]
RNG = np.random.default_rng(0)
A, B, C = RNG.normal(size=(8, 5)), RNG.normal(size=(8, 5)), RNG.normal(size=(8, 5))
LOGITS = RNG.normal(size=(8, 20)) * 2
IMAGES = RNG.normal(size=(8, 16, 12, 3)).cumsum(axis=1).cumsum(axis=2)  # smooth, as pictures are
FIRST = RNG.normal(size=(8, 3, 16, 12))
SIGNAL = RNG.normal(size=(8, 40, 6))
ORDER = [3, 0, 1, 2, 7, 6, 5, 4]


def softmax(x: Array, axis: int = -1) -> Array:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def quantised(x: Array, low: int, high: int) -> Array:
    return np.asarray(np.clip(np.rint(x / 0.01), low, high) * 0.01)


PROBABILITIES = softmax(LOGITS)
Fault = tuple[str, str, Array, Array]  # what is told, a part of its text, truth, output

FAULTS: list[Fault] = [
    ("items permuted", "shifted by 3", A, np.roll(A, -3, axis=0)),
    ("items permuted", "shifted by -1", LOGITS, np.roll(LOGITS, 1, axis=0)),
    ("items permuted", "another order (3, 0, 1, 2, 7, 6, 5, 4)", IMAGES, IMAGES[ORDER]),
    ("items repeated", "item 1 that of item 0", A, A[[0, 0, 2, 2, 4, 4, 6, 6]]),
    ("channels reversed", "with its channels reversed the error falls", IMAGES, IMAGES[..., ::-1]),
    ("channels reversed", "", FIRST, FIRST[:, ::-1]),
    ("channels reversed", "", LOGITS, LOGITS[:, ::-1]),
    ("mirrored", "axis 2", IMAGES, IMAGES[:, :, ::-1]),
    ("mirrored", "axis 1", SIGNAL, SIGNAL[:, ::-1]),
    ("axes transposed", "(0,3,1,2), NCHW for NHWC", IMAGES, IMAGES.transpose(0, 3, 1, 2)),
    ("axes transposed", "(0,2,3,1), NHWC for NCHW", FIRST, FIRST.transpose(0, 2, 3, 1)),
    ("axes transposed", "(0,2,1,3)", IMAGES[:, :12], IMAGES[:, :12].transpose(0, 2, 1, 3)),
    ("axes transposed", "(0,2,1)", SIGNAL, SIGNAL.transpose(0, 2, 1)),
    ("axes relabelled", "NCHW for NHWC", IMAGES, IMAGES.transpose(0, 3, 1, 2).reshape(IMAGES.shape)),
    ("axes relabelled", "NHWC for NCHW", FIRST, FIRST.transpose(0, 2, 3, 1).reshape(FIRST.shape)),
    ("axes relabelled", "(0,2,1)", SIGNAL, SIGNAL.transpose(0, 2, 1).reshape(SIGNAL.shape)),
    ("reshaped", "another shape", A, A[:, None, :]),
    ("classes shifted", "by +1", LOGITS, np.roll(LOGITS, 1, axis=-1)),
    ("classes shifted", "by -1", PROBABILITIES, np.roll(PROBABILITIES, -1, axis=-1)),
    ("classes shifted", "one class more in front", LOGITS, np.concatenate([A[:, :1], LOGITS], axis=1)),
    ("classes shifted", "the first class is missing", LOGITS, LOGITS[:, 1:]),
    ("one class more", "at the end", LOGITS, np.concatenate([LOGITS, A[:, :1]], axis=1)),
    ("shifted by a pixel", "+1 along axis 1", IMAGES, np.roll(IMAGES, 1, axis=1)),
    ("shifted by a pixel", "-1 along axis 2", IMAGES, np.roll(IMAGES, -1, axis=2)),
    ("shifted by a pixel", "-1 along axis 1 and +1 along axis 2", IMAGES, np.roll(IMAGES, (-1, 1), axis=(1, 2))),
    ("shifted by a pixel", "+1 along axis 3", FIRST.repeat(2, axis=1), np.roll(FIRST.repeat(2, axis=1), 1, axis=3)),
    ("shifted by a pixel", "+1 along axis 1", SIGNAL, np.roll(SIGNAL, 1, axis=1)),
    ("sign flipped", "sign flipped", A, -A),
    ("scale", "times 255", A, A / 255),
    ("scale", "times 0.9091", A, A * 1.1),
    ("shift", "with 0.5 added", A, A - 0.5),
    ("scale and shift", "times 2 with -1 added", A, (A + 1) / 2),
    ("bias", "a bias?", LOGITS, LOGITS + B[:1].repeat(4, axis=1)),
    ("softmax missing", "after a softmax", PROBABILITIES, LOGITS),
    ("softmax missing", "over axis 1", softmax(FIRST, axis=1), FIRST),
    ("softmax twice", "beside a softmax", PROBABILITIES, softmax(PROBABILITIES)),
    ("softmax added", "beside a softmax", LOGITS, PROBABILITIES),
    ("log-softmax", "after exp", PROBABILITIES, np.log(PROBABILITIES)),
    ("log-softmax", "beside a log-softmax", LOGITS, np.log(PROBABILITIES)),
    ("sigmoid missing", "after a sigmoid", sigmoid(A), A),
    ("sigmoid twice", "beside a sigmoid", sigmoid(A), sigmoid(sigmoid(A))),
    ("sigmoid added", "beside a sigmoid", A, sigmoid(A)),
    ("tanh missing", "after a tanh", np.tanh(A), A),
    ("relu missing", "after a relu", np.maximum(SIGNAL, 0), SIGNAL),
    ("relu added", "without what is negative", SIGNAL, np.maximum(SIGNAL, 0)),
    ("constant output", "the same for every input", A, np.full_like(A, 0.1)),
    ("constant output", "all zeros", A, np.zeros_like(A)),
    ("rounded to float16", "float16", LOGITS, LOGITS.astype(np.float16).astype(np.float32)),
    ("rounded to bfloat16", "bfloat16", LOGITS, LOGITS.astype(ml_dtypes.bfloat16).astype(np.float32)),
    ("saturated", "the largest value 1.27", SIGNAL, quantised(SIGNAL, -900, 127)),
    ("saturated", "the smallest value", SIGNAL, quantised(SIGNAL, -128, 900)),
    ("NaN or infinite", "2 entries of 1 of 8 items", A, np.where(np.arange(40).reshape(8, 5) // 2 == 13, np.nan, A)),
]  # fmt: skip
NAMES = [f"{place}: {fault[0]}" for place, fault in enumerate(FAULTS)]


@pytest.mark.parametrize(("code", "part", "truth", "output"), FAULTS, ids=NAMES)
def test_a_fault_is_told_first_and_no_other(code: str, part: str, truth: Array, output: Array) -> None:
    findings = explain("a", truth, {"a": output.astype(np.float32)})
    assert [finding.code for finding in findings] == [code]
    assert part in findings[0].text


def other_model(truth: Array) -> Array:
    return np.asarray(np.random.default_rng(5).permutation(truth.ravel()).reshape(truth.shape))


def noise(truth: Array) -> Array:
    return np.asarray(np.random.default_rng(6).normal(size=truth.shape))


def scaled_by_class(truth: Array) -> Array:
    return np.asarray(truth * np.random.default_rng(7).uniform(0.5, 2.0, size=truth.shape[-1]))


def a_little_off(truth: Array) -> Array:
    return np.asarray(truth + 5e-3 * truth.std() * np.random.default_rng(8).normal(size=truth.shape))


WRONG: list[Callable[[Array], Array]] = [other_model, noise, scaled_by_class, a_little_off]
TRUTHS = {"A": A, "logits": LOGITS, "probabilities": PROBABILITIES, "images": IMAGES, "first": FIRST, "signal": SIGNAL}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_nothing_is_told_of_an_output_that_is_wrong_in_no_known_way(
    truth: Array, wrong: Callable[[Array], Array]
) -> None:
    assert explain("a", truth, {"a": wrong(truth).astype(np.float32)}) == ()


@given(st.integers(0, 2**32 - 1), st.sampled_from([(2, 4), (8, 1), (8, 2), (8, 3), (16, 10), (8, 6, 5), (2, 6, 6, 3)]))
def test_nothing_is_told_of_noise(seed: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    assert explain("a", rng.normal(size=shape), {"a": rng.normal(size=shape), "b": rng.normal(size=shape)}) == ()


@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_nothing_is_told_of_a_right_output(truth: Array) -> None:
    assert explain("a", truth, {"a": truth.astype(np.float32)}) == ()


def test_outputs_in_a_circle_are_each_told_where_theirs_is() -> None:
    found = diagnose({"a": A, "b": B, "c": C}, {"a": B, "b": C, "c": A})
    assert {name: findings[0].code for name, findings in found.items()} == dict.fromkeys("abc", "outputs swapped")
    assert likely_cause("a", A, {"a": B, "b": C, "c": A}).startswith(
        "; output 'c' holds what 'a' should: the outputs appear to be permuted"
    )


def test_swapped_outputs_of_different_shapes_are_told() -> None:
    assert "output 'b' holds what 'a' should" in likely_cause("a", A, {"a": LOGITS, "b": A})


def test_rounded_numbers_that_are_wrong_for_another_reason_are_not_put_down_to_rounding() -> None:
    assert explain("a", LOGITS, {"a": noise(LOGITS).astype(np.float16).astype(np.float32)}) == ()


def test_a_truth_of_few_bits_says_nothing_about_rounding() -> None:
    whole = np.rint(LOGITS * 3)
    assert explain("a", whole, {"a": whole + (np.arange(20) == 3) * (np.arange(8) % 2)[:, None]}) == ()


def test_a_bound_that_the_truth_keeps_as_well_is_no_saturation() -> None:
    cut = np.clip(SIGNAL, -1, 1)
    assert explain("a", cut, {"a": np.clip(other_model(SIGNAL), -1, 1)}) == ()


def test_integers_and_text_are_left_alone() -> None:
    assert explain("a", np.arange(16).reshape(8, 2), {"a": np.arange(16)[::-1].reshape(8, 2)}) == ()
    assert explain("a", np.array([["x"], ["y"]]), {"a": np.array([["y"], ["x"]])}) == ()


def test_the_better_explanation_comes_first_and_a_far_worse_one_is_left_out() -> None:
    found = [Finding(code=c, text=c, error=e) for c, e in (("x", 9e-3), ("y", 2e-6), ("z", 3e-5))]
    assert [finding.code for finding in ranked(found)] == ["y", "z"]


def test_a_difference_of_shape_says_how_the_axes_lie() -> None:
    [check] = check_outputs({"a": IMAGES}, {"a": IMAGES.transpose(0, 3, 1, 2)}, {})
    assert "shape (8, 3, 16, 12) where (8, 16, 12, 3) was expected; its axes are in the order (0,3,1,2)" in check.reason


def test_the_reason_says_where_nan_begins() -> None:
    [check] = check_outputs({"a": A}, {"a": np.where(np.arange(8)[:, None] > 2, np.nan, A)}, {})
    assert "the first (NaN) at (3, 0)" in check.reason
