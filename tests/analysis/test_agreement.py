from __future__ import annotations

import random
from collections.abc import Callable

import ml_dtypes
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.agreement import case_verdict, check_outputs, merge_checks, worst_check
from bench.analysis.distance import Array
from bench.records import OutputCheck, Tolerance, Verdict

ITEMS, CLASSES = 8, 10
LOGITS = np.random.default_rng(1).normal(scale=2.7, size=(ITEMS, CLASSES))
SEEDS = st.integers(0, 2**32 - 1)


def softmax(logits: Array) -> Array:
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exp / exp.sum(axis=1, keepdims=True))


TRUTH = softmax(LOGITS)


def check(
    truth: Array, output: Array, yardstick: float | None = 1e-5, **settings: Tolerance | int | None
) -> OutputCheck:
    [only] = check_outputs({"y": truth}, {"y": output}, {"y": yardstick}, **settings)  # type: ignore[arg-type]
    return only


def agreed(verdict: Verdict, relative_error: float | None = None, tolerance: float | None = 1e-3) -> OutputCheck:
    return OutputCheck(output="y", verdict=verdict, reason="r", relative_error=relative_error, tolerance=tolerance)


def changed(array: Array, where: tuple[int, ...], value: float) -> Array:
    copy = array.copy()
    copy[where] = value
    return copy


# --- what is right agrees, what is wrong does not --------------------------------------------------------------------


def test_the_truth_rounded_to_float32_agrees_with_all_its_numbers() -> None:
    seen = check(TRUTH, TRUTH.astype(np.float32))
    assert seen.verdict == "agrees"
    assert seen.relative_error is not None
    assert seen.relative_error < 1e-6
    assert (seen.tolerance, seen.yardstick) == (8e-5, 1e-5)
    assert (seen.top1_agreement, seen.top5_agreement) == (1.0, 1.0)
    assert seen.cosine == pytest.approx(1.0)
    assert seen.smallest_atol == seen.max_abs_error
    assert seen.reason.endswith("is within 8e-05")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("one kernel times 1.01", lambda _: softmax(LOGITS * np.where(np.arange(CLASSES) == 3, 1.01, 1.0))),
        ("weights through float16", lambda _: softmax(LOGITS * (1 + 0.02 * np.sin(np.arange(CLASSES))))),
        ("batch rows permuted", lambda t: np.roll(t, 1, axis=0)),
        ("a constant instead of a model", lambda t: np.full_like(t, 1 / CLASSES)),
        ("the mean answer", lambda t: np.broadcast_to(t.mean(axis=0), t.shape)),
        ("negated", lambda t: -t),
        ("zeros", lambda t: np.zeros_like(t)),
        ("one entry wrong", lambda t: changed(t, (7, 3), 0.5)),
    ],
)
def test_a_wrong_answer_disagrees(name: str, wrong: Callable[[Array], Array]) -> None:
    seen = check(TRUTH, wrong(TRUTH))
    assert seen.verdict == "disagrees"
    assert seen.relative_error is not None
    assert seen.relative_error > 8e-5
    assert "exceeds 8e-05, worst at (" in seen.reason


def test_the_tolerance_is_eight_yardsticks_and_at_least_the_least_one() -> None:
    spread = check(TRUTH, TRUTH).spread or 0.0
    off = changed(TRUTH, (0, 0), TRUTH[0, 0] + 0.01 * spread)
    assert check(TRUTH, off, 1e-5).verdict == "disagrees"
    assert check(TRUTH, off, 1.1e-3).verdict == "disagrees"
    assert check(TRUTH, off, 1.3e-3).verdict == "agrees"
    assert check(TRUTH, off, 1.3e-3).tolerance == pytest.approx(0.0104)
    assert check(TRUTH, off, 0.0).tolerance == 5e-5
    assert check(TRUTH, off, None).tolerance == 5e-5


def test_an_epsilon_doubled_on_a_shallow_network_disagrees_and_the_worst_right_runtime_agrees() -> None:
    spread = check(TRUTH, TRUTH).spread or 0.0
    doubled, right = (changed(TRUTH, (0, 0), TRUTH[0, 0] + error * spread) for error in (6.7e-5, 1.1e-5))
    assert check(TRUTH, doubled, 3.5e-7).verdict == "disagrees"
    assert check(TRUTH, right, 3.5e-7).verdict == "agrees"


def test_a_tolerance_beyond_a_tenth_of_the_spread_is_vacuous_even_for_equal_arrays() -> None:
    assert check(TRUTH, TRUTH, 0.0125).verdict == "agrees"
    assert check(TRUTH, TRUTH, 0.0126).verdict == "vacuous"
    assert check(TRUTH, TRUTH, float("inf")).verdict == "vacuous"
    assert check(TRUTH, TRUTH, float("nan")).verdict == "vacuous"
    assert check(TRUTH, TRUTH, float("nan")).tolerance is None


# --- C01: a check that cannot fail never passes ----------------------------------------------------------------------

UNTRAINED = softmax(np.random.default_rng(2).normal(scale=1e-19, size=(ITEMS, 1000)))  # exactly 1/1000 everywhere
NOISY = np.float32(1e-3) * (1 + np.random.default_rng(3).integers(-1, 2, size=(ITEMS, 1000)) * 2.0**-23)
EFFICIENT = 1e-3 + np.random.default_rng(4).normal(scale=1e-10, size=(ITEMS, 1000))
XCEPTION = 1e-3 + np.random.default_rng(4).normal(scale=4e-9, size=(ITEMS, 1000))


@pytest.mark.parametrize("yardstick", [None, 0.0, 1e-5, 1e-2])
@pytest.mark.parametrize("truth", [UNTRAINED, NOISY.astype(np.float64), EFFICIENT, XCEPTION, NOISY.astype(np.float32)])
def test_outputs_of_an_untrained_network_are_vacuous_whatever_the_yardstick(
    truth: Array, yardstick: float | None
) -> None:
    for output in (truth, truth[::-1], np.full_like(truth, 1e-3), truth + 1e-10, truth * 0):
        seen = check(truth, output.astype(np.float32), yardstick)
        assert seen.verdict == "vacuous"


def test_tiny_logits_can_be_told_apart_and_are_judged() -> None:
    truth = LOGITS * 1e-19
    assert check(truth, truth.astype(np.float32)).verdict == "agrees"
    assert check(truth, np.roll(truth, 1, axis=0).astype(np.float32)).verdict == "disagrees"


def test_a_spread_twice_what_rounding_needs_is_judged_and_half_of_it_is_not() -> None:
    noise = np.random.default_rng(5).normal(size=(ITEMS, 50))
    noise /= noise.std(axis=0)
    assert check(1 + 1e-5 * noise, (1 + 1e-5 * noise).astype(np.float32), None).verdict == "agrees"
    assert check(1 + 1e-5 * noise, np.ones_like(noise, np.float32), None).verdict == "disagrees"
    assert check(1 + 2.5e-6 * noise, (1 + 2.5e-6 * noise).astype(np.float32), None).verdict == "vacuous"


# --- too few inputs --------------------------------------------------------------------------------------------------


def test_fewer_than_eight_inputs_never_agree_but_a_difference_is_a_difference() -> None:
    few = check(TRUTH[:7], TRUTH[:7])
    assert few.verdict == "vacuous"
    assert "7 distinct inputs" in few.reason
    assert "at least 8" in few.reason
    assert check(TRUTH[:7], TRUTH[1:8]).verdict == "disagrees"
    assert check(TRUTH[:1], TRUTH[:1] * 2).verdict == "vacuous"


def test_repeated_inputs_count_once() -> None:
    assert check(TRUTH, TRUTH, distinct_inputs=8).verdict == "agrees"
    assert check(TRUTH, TRUTH, distinct_inputs=2).verdict == "vacuous"


# --- C21: NaN, Inf, empty, broadcasting ------------------------------------------------------------------------------

HOLED = changed(TRUTH, (2, 3), np.nan)


@pytest.mark.parametrize(
    ("truth", "output", "verdict"),
    [
        (TRUTH, HOLED, "disagrees"),
        (HOLED, TRUTH, "disagrees"),
        (HOLED, HOLED, "vacuous"),
        (HOLED, changed(TRUTH, (2, 4), np.nan), "disagrees"),
        (TRUTH, changed(TRUTH, (0, 0), np.inf), "disagrees"),
        (changed(TRUTH, (0, 0), np.inf), changed(TRUTH, (0, 0), -np.inf), "disagrees"),
        (changed(TRUTH, (0, 0), np.inf), changed(TRUTH, (0, 0), np.inf), "vacuous"),
        (np.full_like(TRUTH, np.nan), np.full_like(TRUTH, np.nan), "vacuous"),
        (np.empty((8, 0)), np.empty((8, 0)), "vacuous"),
        (np.empty((0, 10)), np.empty((0, 10)), "vacuous"),
        (TRUTH, np.empty((0, 10)), "disagrees"),
        (TRUTH, TRUTH[0], "disagrees"),
        (TRUTH[:, :1], TRUTH[:, :1].T, "disagrees"),
        (TRUTH, TRUTH[:, :1], "disagrees"),
        (np.full((8, 1000), 1e-3), np.full(1000, 1e-3), "disagrees"),
        (np.float64(1.0) * np.ones(()), np.ones(()), "vacuous"),
    ],
)
def test_comparisons_that_numpy_would_pass_or_raise_on(truth: Array, output: Array, verdict: Verdict) -> None:
    seen = check(truth, output)
    assert seen.verdict == verdict
    assert seen.reason


def test_nonfinite_entries_are_counted_on_each_side() -> None:
    seen = check(HOLED, np.full_like(TRUTH, np.inf))
    assert (seen.nonfinite, seen.nonfinite_truth, seen.relative_error) == (80, 1, None)


@pytest.mark.parametrize("truth", [TRUTH, np.full_like(TRUTH, 0.1)])
def test_names_shapes_and_kinds_disagree_even_where_the_rest_is_vacuous(truth: Array) -> None:
    truths = {"a": truth, "b": truth}
    verdicts = {c.output: c.verdict for c in check_outputs(truths, {"a": truth, "c": truth}, {})}
    assert verdicts["b"] == verdicts["c"] == "disagrees"
    assert check(truth, truth[:, :9]).verdict == "disagrees"
    assert check(truth, truth.astype(np.int64)).verdict == "disagrees"
    assert check(truth, changed(truth, (0, 0), np.nan)).verdict == "disagrees"


def test_an_output_of_another_width_than_the_models_own_disagrees_though_its_numbers_are_near() -> None:
    narrow = {"y": TRUTH.astype(np.float16)}
    (wrong,) = check_outputs({"y": TRUTH}, narrow, {}, dtypes={"y": "float32"})
    assert (wrong.verdict, wrong.reason) == ("disagrees", "dtype float16, the model gives float32")
    (right,) = check_outputs({"y": TRUTH}, {"y": TRUTH.astype(np.float32)}, {}, dtypes={"y": "float32"})
    assert right.verdict == "agrees"
    (half,) = check_outputs({"y": TRUTH}, narrow, {"y": 1e-3}, dtypes={"y": "float16"})
    assert half.verdict == "agrees"


# --- C06: outputs by name --------------------------------------------------------------------------------------------

THREE = {"zeta": TRUTH, "alpha": TRUTH[::-1].copy(), "mid": LOGITS[:, :4]}


def test_outputs_are_paired_by_name_in_whatever_order_they_come() -> None:
    checks = check_outputs(THREE, dict(sorted(THREE.items())), {})
    assert [c.output for c in checks] == ["zeta", "alpha", "mid"]
    assert {c.verdict for c in checks} == {"agrees"}


def test_swapped_outputs_disagree_and_the_reason_says_swapped() -> None:
    swapped = THREE | {"zeta": THREE["alpha"], "alpha": THREE["zeta"]}
    zeta, alpha, mid = check_outputs(THREE, swapped, {})
    assert (zeta.verdict, alpha.verdict, mid.verdict) == ("disagrees", "disagrees", "agrees")
    assert "output 'alpha' holds what 'zeta' should" in zeta.reason


# --- C24: denormals --------------------------------------------------------------------------------------------------


def test_denormal_outputs_agree_when_reproduced_and_never_disagree_when_flushed() -> None:
    truth = LOGITS * 1e-39
    assert check(truth, truth.astype(np.float32), None).verdict == "agrees"
    assert check(truth, np.zeros_like(truth, np.float32), None).verdict == "vacuous"


def test_flushed_entries_among_normal_ones_agree() -> None:
    truth = np.concatenate([LOGITS, LOGITS * 1e-39], axis=1)
    assert check(truth, np.where(np.abs(truth) < 1e-38, 0, truth)).verdict == "agrees"
    small = LOGITS * 1e-36
    assert check(small, small + 0.9e-38).verdict == "agrees"
    assert check(small, small + 1.1e-37).verdict == "disagrees"


# --- other types -----------------------------------------------------------------------------------------------------

LABELS = np.arange(8) % 5 + 996
BOUNDED = np.random.default_rng(6).uniform(-1, 1, size=(ITEMS, CLASSES))


@pytest.mark.parametrize(
    ("truth", "output", "verdict"),
    [
        (LABELS, LABELS.astype(np.int32), "agrees"),
        (LABELS, LABELS + 1, "disagrees"),
        (LABELS, changed(LABELS, (3,), 0), "disagrees"),
        (LABELS * 0, LABELS * 0, "vacuous"),
        (LABELS[:5], LABELS[:5], "vacuous"),
        (LABELS > 998, LABELS > 998, "agrees"),
        (LABELS > 998, LABELS > 997, "disagrees"),
        (LABELS > 0, LABELS > 0, "vacuous"),
        (LABELS.astype(str), LABELS.astype(bytes), "agrees"),
        (LABELS.astype(str), LABELS[::-1].astype(str), "disagrees"),
        (LABELS.astype(str), LABELS, "disagrees"),
        (TRUTH.astype(np.float16), TRUTH.astype(np.float16), "agrees"),
        (BOUNDED.astype(ml_dtypes.bfloat16), BOUNDED.astype(ml_dtypes.bfloat16), "agrees"),
        (BOUNDED.astype(ml_dtypes.bfloat16), BOUNDED[::-1].astype(ml_dtypes.bfloat16), "disagrees"),
        (LOGITS.astype(np.complex64), (LOGITS + 1j).astype(np.complex64), "disagrees"),
        (np.array(["2026-01-01"] * 8, "datetime64[D]"), np.array(["2026-01-01"] * 8, "datetime64[D]"), "disagrees"),
    ],
)
def test_each_kind_of_values_has_a_verdict(truth: Array, output: Array, verdict: Verdict) -> None:
    assert check(truth, output).verdict == verdict


def test_labels_that_differ_are_counted_and_the_first_is_shown() -> None:
    seen = check(LABELS, changed(LABELS, (3,), 0))
    assert seen.reason == "1 of 8 entries differ, the first at (3,): 0 where 999 was expected"
    assert (seen.relative_error, seen.tolerance, seen.spread, seen.max_abs_error) == (0.125, 0.0, 1.0, 999.0)


# --- the user's own tolerance ----------------------------------------------------------------------------------------


def test_a_users_tolerance_replaces_ours_elementwise() -> None:
    off = TRUTH * 1.004
    assert check(TRUTH, off).verdict == "disagrees"
    assert check(TRUTH, off, tolerance=Tolerance(rtol={"": 0.005})).verdict == "agrees"
    assert check(TRUTH, off, tolerance=Tolerance(rtol={"": 0.003})).verdict == "disagrees"
    assert check(TRUTH, off, tolerance=Tolerance(rtol={"": 0.003}, atol={"y": 0.001})).verdict == "agrees"
    assert check(TRUTH, off, tolerance=Tolerance(rtol={"other": 0.005})).verdict == "disagrees"
    strict = check(TRUTH, TRUTH.astype(np.float32), tolerance=Tolerance(atol={"y": 1e-12}, rtol={"": 1.0}))
    assert (strict.verdict, strict.tolerance) == ("vacuous", None)


def test_an_output_named_has_its_own_tolerance_before_that_of_all() -> None:
    allowed = Tolerance(atol={"": 1e-9, "a": 0.02})
    off = {"a": TRUTH + 0.01, "b": TRUTH + 0.01}
    a, b = check_outputs({"a": TRUTH, "b": TRUTH}, off, {}, allowed)
    assert (a.verdict, b.verdict) == ("agrees", "disagrees")


def test_a_users_tolerance_within_which_a_constant_would_pass_is_vacuous() -> None:
    spread = check(TRUTH, TRUTH).spread or 0.0
    assert check(TRUTH, TRUTH, tolerance=Tolerance(atol={"": spread * 1.01})).verdict == "vacuous"
    assert check(TRUTH, TRUTH, tolerance=Tolerance(atol={"": spread * 0.99})).verdict == "agrees"
    assert check(UNTRAINED, UNTRAINED, tolerance=Tolerance(atol={"": 0.0})).verdict == "vacuous"


def test_a_tolerance_of_all_outputs_does_not_let_a_label_pass_for_its_neighbour() -> None:
    assert check(LABELS, LABELS + 1, tolerance=Tolerance(rtol={"": 1e-2})).verdict == "disagrees"
    assert check(LABELS, LABELS + 1, tolerance=Tolerance(atol={"y": 1.0})).verdict == "agrees"


# --- several checks --------------------------------------------------------------------------------------------------


def test_the_worst_check_decides_by_verdict_and_then_by_the_share_of_its_tolerance() -> None:
    near, far_off = agreed("agrees", 9e-4, 1e-3), agreed("agrees", 2e-3, 0.1)
    assert worst_check([far_off, near]) is near
    assert worst_check([near, agreed("unchecked"), far_off]) == agreed("unchecked")
    assert case_verdict([near, agreed("vacuous")]) == "vacuous"
    assert case_verdict([agreed("vacuous"), agreed("disagrees", 1.0), near]) == "disagrees"
    assert case_verdict([near, far_off]) == "agrees"


def test_nothing_checked_is_unchecked_never_a_pass() -> None:
    assert worst_check([]) is None
    assert case_verdict([]) == "unchecked"
    assert case_verdict(check_outputs({}, {}, {})) == "unchecked"
    assert case_verdict(check_outputs({}, {"y": TRUTH}, {})) == "disagrees"


def test_merging_keeps_the_worse_of_each_output_and_says_when() -> None:
    good, bad = agreed("agrees", 1e-6), agreed("disagrees", 1.0)
    [after] = merge_checks([good], [bad])
    assert (after.verdict, after.reason) == ("disagrees", "r (after the timed calls; agrees otherwise)")
    [before] = merge_checks([bad], [good])
    assert before.reason == "r (before the timed calls; agrees otherwise)"
    [same] = merge_checks([good], [agreed("agrees", 2e-6)])
    assert same == agreed("agrees", 2e-6)


def test_an_output_seen_on_one_side_of_the_timed_calls_only_is_kept() -> None:
    other = msgspec.structs.replace(agreed("disagrees"), output="z")
    assert merge_checks([agreed("agrees", 1e-6)], [other]) == [agreed("agrees", 1e-6), other]


# --- laws ------------------------------------------------------------------------------------------------------------


@st.composite
def outputs_with_errors(draw: st.DrawFn) -> tuple[Array, Array]:
    """A truth that varies and an output that is off by anything from nothing to everything."""
    rng = np.random.default_rng(draw(SEEDS))
    truth = rng.normal(size=(draw(st.integers(8, 12)), draw(st.integers(2, 6))))
    error = draw(st.sampled_from([0.0, 1e-6, 5e-4, 2e-3, 0.1, 2.0]))
    return truth, truth + error * rng.uniform(-1, 1, size=truth.shape)


@given(outputs_with_errors(), st.data())
def test_nan_anywhere_on_one_side_disagrees(pair: tuple[Array, Array], data: st.DataObject) -> None:
    truth, _ = pair
    where = tuple(data.draw(st.integers(0, n - 1)) for n in truth.shape)
    for value in (np.nan, np.inf, -np.inf):
        assert check(truth, changed(truth, where, value)).verdict == "disagrees"
        assert check(changed(truth, where, value), truth).verdict == "disagrees"


@given(outputs_with_errors(), st.integers(1, 3))
def test_another_shape_kind_or_set_of_names_disagrees(pair: tuple[Array, Array], n: int) -> None:
    truth, output = pair
    assert check(truth, output[n:]).verdict == "disagrees"
    assert check(truth, output[..., None]).verdict == "disagrees"
    assert check(truth, output.T[..., None].T).verdict == "disagrees"
    assert check(truth, (output > 0)).verdict == "disagrees"
    assert check(truth, output.astype(np.int64)).verdict == "disagrees"
    names = [f"y{i}" for i in range(n)]
    truths = dict.fromkeys([*names, "last"], truth)
    assert case_verdict(check_outputs(truths, dict.fromkeys(names, truth), {})) == "disagrees"
    assert case_verdict(check_outputs(dict.fromkeys(names, truth), truths, {})) == "disagrees"


@given(outputs_with_errors(), st.integers(-40, 40))
def test_scaling_both_sides_by_a_constant_changes_no_verdict(pair: tuple[Array, Array], exponent: int) -> None:
    truth, output = pair
    plain, scaled = check(truth, output), check(np.ldexp(truth, exponent), np.ldexp(output, exponent))
    assert (scaled.verdict, scaled.relative_error, scaled.tolerance) == (
        plain.verdict,
        plain.relative_error,
        plain.tolerance,
    )


@given(outputs_with_errors(), st.randoms(use_true_random=False))
def test_permuting_the_items_of_both_sides_changes_no_verdict(pair: tuple[Array, Array], chance: random.Random) -> None:
    truth, output = pair
    order = list(range(len(truth)))
    chance.shuffle(order)
    plain, permuted = check(truth, output), check(truth[order], output[order])
    assert permuted.verdict == plain.verdict
    assert permuted.relative_error == pytest.approx(plain.relative_error, rel=1e-9)


@given(outputs_with_errors())
def test_identical_outputs_agree_where_the_spread_is_fine(pair: tuple[Array, Array]) -> None:
    truth, _ = pair
    assert check(truth, truth).verdict == "agrees"
    assert check(truth, truth).relative_error == 0.0


@given(outputs_with_errors(), st.floats(0, 0.012), st.floats(0, 0.012))
def test_a_larger_yardstick_never_turns_agreement_into_disagreement(
    pair: tuple[Array, Array], a: float, b: float
) -> None:
    less, more = sorted((a, b))
    if check(*pair, yardstick=less).verdict == "agrees":
        assert check(*pair, yardstick=more).verdict == "agrees"


@given(outputs_with_errors(), st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_larger_tolerance_of_the_user_never_turns_agreement_into_disagreement(
    pair: tuple[Array, Array], a: float, b: float
) -> None:
    less, more = sorted((a, b))
    if check(*pair, tolerance=Tolerance(atol={"": less})).verdict != "disagrees":
        assert check(*pair, tolerance=Tolerance(atol={"": more})).verdict != "disagrees"


@given(outputs_with_errors(), st.floats(0, 10), st.floats(0, 10), st.sampled_from([0.0, 1e-3, 0.0125, 1.0]))
def test_an_answer_that_is_the_same_for_every_input_never_agrees(
    pair: tuple[Array, Array], rtol: float, atol: float, yardstick: float
) -> None:
    truth, output = pair
    for constant in (truth.mean(axis=0), output[0], np.median(truth, axis=0), np.zeros_like(truth[0])):
        answer = np.broadcast_to(constant, truth.shape)
        assert check(truth, answer, yardstick).verdict != "agrees"
        assert check(truth, answer, tolerance=Tolerance(rtol={"": rtol}, atol={"": atol})).verdict != "agrees"


def test_a_check_tells_the_worst_values_the_margin_of_ties_and_denormals_of_both_sides() -> None:
    truth = np.random.default_rng(0).normal(size=(8, 6))
    truth[0, 0] = 1e-42
    output = truth.astype(np.float32)
    output[3, 2] += 0.5
    (check,) = check_outputs({"y": truth}, {"y": output}, {"y": 1e-6})
    assert check.worst_index == (3, 2)
    assert check.worst_value == pytest.approx(truth[3, 2] + 0.5)
    assert check.worst_truth == pytest.approx(truth[3, 2])
    assert (check.denormals, check.denormals_truth) == (1, 1)
    assert check.spread is not None
    assert check.tolerance is not None
    assert check.tie_margin == pytest.approx(2 * check.tolerance * check.spread)
    (flushed,) = check_outputs({"y": truth}, {"y": np.where(abs(output) < 1e-38, 0, output)}, {"y": 1e-6})
    assert (flushed.denormals, flushed.denormals_truth) == (0, 1)
