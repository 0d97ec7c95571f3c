from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis import distance as far
from bench.analysis.distance import Array

RNG = np.random.default_rng(0)


def varied(items: int = 8, *shape: int) -> Array:
    return np.random.default_rng(items).normal(size=(items, *(shape or (5,))))


def bits_of_bfloat16(values: Array) -> Array:
    noted = np.dtype(np.uint16, metadata={"dtype": "bfloat16"})
    return values.astype(ml_dtypes.bfloat16).view(np.uint16).astype(noted)


def test_the_spread_is_the_rms_over_elements_of_the_deviation_over_inputs() -> None:
    truth = np.array([[0.0, 10.0, 5.0], [2.0, 10.0, 11.0]])  # deviations 1, 0, 3
    assert far.spread(truth) == pytest.approx(np.sqrt(10 / 3))


@pytest.mark.parametrize("value", [0.1, 1e-30, 1e30, 0.0, -7.3])
def test_equal_rows_have_a_spread_of_exactly_0_whatever_their_magnitude(value: float) -> None:
    assert far.spread(np.full((10, 3), value)) == 0.0


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_squares_neither_overflow_nor_underflow(scale: float) -> None:
    truth = np.array([[-1.0], [1.0]]) * scale
    assert far.spread(truth) == pytest.approx(scale)
    assert far.relative_error(truth, truth * 1.5) == pytest.approx(0.5)


def test_a_scalar_or_a_single_item_has_no_spread() -> None:
    assert far.spread(np.float64(3.0) * np.ones(())) == 0.0
    assert far.spread(np.ones((1, 4))) == 0.0
    assert far.spread(np.empty((0, 4))) == 0.0


def test_every_number_about_two_arrays_is_exact_on_a_small_example() -> None:
    truth = np.array([[0.0, 4.0], [2.0, 8.0]])  # deviations 1 and 2: spread sqrt(2.5)
    output = np.array([[0.0, 5.0], [2.5, 8.0]], dtype=np.float32)
    measured = far.distance(truth, output)
    assert measured.spread == pytest.approx(np.sqrt(2.5))
    assert measured.max_abs_error == 1.0
    assert measured.worst_index == (0, 1)
    assert measured.relative_error == pytest.approx(1 / np.sqrt(2.5))
    assert measured.max_rel_error == pytest.approx(0.25)
    assert measured.smallest_rtol == pytest.approx(0.25)
    assert measured.cosine == pytest.approx((20 + 5 + 64) / np.sqrt(84 * (25 + 6.25 + 64)))


def test_no_rtol_would_do_where_the_truth_is_0_and_the_output_is_not() -> None:
    measured = far.distance(np.array([[0.0], [1.0]]), np.array([[0.5], [1.0]]))
    assert (measured.max_rel_error, measured.smallest_rtol) == (0.0, None)
    only_zeros = far.distance(np.zeros((2, 1)), np.ones((2, 1)))
    assert (only_zeros.max_rel_error, only_zeros.smallest_rtol, only_zeros.relative_error) == (None, None, None)
    assert only_zeros.cosine is None


def test_a_denormal_difference_needs_no_rtol() -> None:
    assert far.distance(np.array([[0.0], [1.0]]), np.array([[1e-39], [1.0]])).smallest_rtol == 0.0


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.ones(1, np.float16), "float"),
        (np.ones(1, np.float64), "float"),
        (np.ones(1, ml_dtypes.bfloat16), "float"),
        (np.ones(1, ml_dtypes.float8_e4m3fn), "float"),
        (bits_of_bfloat16(np.ones(1)), "float"),
        (np.ones(1, np.complex64), "complex"),
        (np.ones(1, np.int8), "integer"),
        (np.ones(1, np.uint16), "integer"),
        (np.ones(1, np.bool_), "boolean"),
        (np.array(["a"]), "string"),
        (np.array([b"a"]), "string"),
        (np.array(["a"], dtype=object), "string"),
        (np.array(["2026-01-01"], dtype="datetime64[D]"), "other"),
    ],
)
def test_the_kind_of_values_is_told_whatever_their_width(values: Array, kind: str) -> None:
    assert far.dtype_class(values) == kind


def test_bfloat16_is_read_as_numbers_from_ml_dtypes_and_from_its_bits() -> None:
    values = np.array([[1.5, -2.0], [0.0, 3.0]])
    for stored in (values.astype(ml_dtypes.bfloat16), bits_of_bfloat16(values)):
        assert np.array_equal(far.as_float64(stored), values)
        assert far.relative_error(values, stored) == 0.0


def test_the_imaginary_part_counts() -> None:
    truth = np.array([[1 + 1j], [3 + 3j]], dtype=np.complex64)
    assert far.distance(truth, truth + 2j).max_abs_error == 2.0


def test_unsigned_integers_do_not_wrap_around() -> None:
    assert far.distance(np.array([[0], [9]], np.uint8), np.array([[3], [9]], np.uint8)).max_abs_error == 3.0


def test_one_rounding_counts_in_float32_and_a_runtime_earns_nothing_by_fewer_bits() -> None:
    truth = np.array([[4.0], [2.0]])
    in_float32 = far.rounding(truth, truth.astype(np.float32))
    assert in_float32 == 4.0 * 2.0**-24
    assert far.rounding(truth, truth.astype(np.float16)) == in_float32
    assert far.rounding(truth, truth) == 4.0 * 2.0**-53
    assert far.rounding(truth.astype(np.float16), truth.astype(np.float32)) == 4.0 * 2.0**-11
    assert far.rounding(truth.astype(ml_dtypes.bfloat16), truth.astype(np.float32)) == 4.0 * 2.0**-8


@pytest.mark.parametrize(
    ("truth", "output", "problem"),
    [
        (np.ones((8, 1)), np.ones((1, 8)), "shape (1, 8) where (8, 1) was expected"),
        (np.ones((8, 10)), np.ones(10), "shape (10,) where (8, 10) was expected"),
        (np.ones((8, 10)), np.ones((8, 1)), "shape (8, 1) where (8, 10) was expected"),
        (np.ones((8, 0)), np.ones((8, 1)), "shape (8, 1) where (8, 0) was expected"),
        (np.ones(8), np.ones(8, np.int64), "integer values (int64) where float values (float64) were expected"),
        (
            np.ones(8, np.int64),
            np.ones(8, np.bool_),
            "boolean values (bool) where integer values (int64) were expected",
        ),
        (np.ones(8, np.int64), np.ones(8, np.int32), None),
        (np.ones(8), np.ones(8, np.float16), None),
    ],
)
def test_arrays_that_would_broadcast_or_convert_are_still_different(
    truth: Array, output: Array, problem: str | None
) -> None:
    assert far.structural_problem(truth, output) == problem


def test_what_can_not_be_measured_is_refused() -> None:
    for truth, output in [(np.ones(2), np.ones(3)), (np.empty((8, 0)), np.empty((8, 0)))]:
        with pytest.raises(ValueError, match="cannot measure a distance"):
            far.distance(truth, output)


def test_top_agreement_counts_items_whose_best_class_is_a_best_of_the_truth() -> None:
    truth = np.array([[0.1, 0.2, 0.7], [0.5, 0.4, 0.1], [0.2, 0.3, 0.5], [0.9, 0.05, 0.05]])
    output = truth.copy()
    output[1] = [0.4, 0.5, 0.1]
    assert far.top_agreement(truth, truth, 1, 0.0) == 1.0
    assert far.top_agreement(truth, output, 1, 0.0) == 0.75
    assert far.top_agreement(truth, output, 1, 0.11) == 1.0  # 0.4 and 0.5 are a tie within 0.11
    assert far.top_agreement(truth, output, 2, 0.0) == 1.0


def test_top_agreement_is_not_told_where_there_are_no_classes() -> None:
    assert far.top_agreement(np.ones((8, 4, 3)), np.ones((8, 4, 3)), 1, 0.0) is None
    assert far.top_agreement(np.ones((8, 1)), np.ones((8, 1)), 1, 0.0) is None
    assert far.top_agreement(np.ones((8, 5)), np.ones((8, 5)), 5, 0.0) is None
    assert far.top_agreement(np.ones((8, 3), np.int64), np.ones((8, 3), np.int64), 1, 0.0) is None


def test_nonfinite_entries_are_counted_and_compared_by_place_and_sign() -> None:
    t = np.array([np.nan, np.inf, 1.0])
    assert (far.nonfinite_count(t), far.nonfinite_count(np.ones(3, np.int64))) == (2, 0)
    assert far.same_nonfinite(t, np.array([np.nan, np.inf, 2.0], np.float32))
    assert not far.same_nonfinite(t, np.array([np.nan, -np.inf, 1.0]))
    assert not far.same_nonfinite(t, np.array([np.inf, np.nan, 1.0]))
    assert far.nonfinite_count(np.array([np.nan, 1.0], ml_dtypes.bfloat16)) == 1


def test_strings_are_equal_by_content_whether_bytes_or_text() -> None:
    texts, raw = np.array([["ä", "b"]]), np.array([["ä".encode(), b"c"]], dtype=object)
    assert far.differing(texts, raw).tolist() == [[False, True]]


def test_64_bit_integers_are_compared_exactly() -> None:
    assert far.differing(np.array([2**63 - 1]), np.array([2**63 - 2])).tolist() == [True]
    assert far.differing(np.array([2**63], np.uint64), np.array([-(2**63)], np.int64)).tolist() == [True]


def test_the_varying_share_is_the_elements_that_the_input_changes() -> None:
    assert far.varying_share(np.array([[1, 2, 3, 4], [1, 2, 3, 5]])) == 0.25
    assert far.varying_share(np.array(["a", "a"])) == 0.0
    assert far.varying_share(np.empty((0,), np.int64)) == 0.0


def test_items_are_distinct_over_all_arrays_together() -> None:
    pool = {"a": np.array([1.0, 1.0, 1.0, 2.0]), "b": np.array([[0], [0], [1], [0]])}
    assert far.distinct_items(pool) == 3
    assert far.distinct_items({"a": np.array(["x", "x", "y"])}) == 2
    assert far.distinct_items({}) == 0


@given(st.integers(-900, 900), st.integers(2, 12))
def test_scaling_both_sides_by_a_power_of_two_changes_no_relative_number(exponent: int, items: int) -> None:
    truth = varied(items)
    output = truth + RNG.normal(size=truth.shape) * 1e-3
    plain = far.distance(truth, output)
    scaled = far.distance(np.ldexp(truth, exponent), np.ldexp(output, exponent))
    assert scaled.relative_error == plain.relative_error
    assert scaled.cosine == plain.cosine
    assert scaled.worst_index == plain.worst_index
    assert scaled.spread == np.ldexp(plain.spread, exponent)


@given(st.permutations(range(9)))
def test_permuting_the_items_of_both_sides_changes_nothing(order: list[int]) -> None:
    truth = varied(9)
    output = truth + np.linspace(0, 1e-3, truth.size).reshape(truth.shape)
    plain, permuted = far.distance(truth, output), far.distance(truth[order], output[order])
    assert permuted.max_abs_error == plain.max_abs_error
    assert permuted.relative_error == pytest.approx(plain.relative_error, rel=1e-12)
    assert order[permuted.worst_index[0]] == plain.worst_index[0]


def test_the_worst_entry_comes_with_both_of_its_values() -> None:
    truth = np.array([[1.0, 2.0], [3.0, 4.0]])
    measured = far.distance(truth, np.array([[1.0, 2.0], [3.5, 4.0]], np.float32))
    assert (measured.worst_index, measured.worst_value, measured.worst_truth) == ((1, 0), 3.5, 3.0)


@pytest.mark.parametrize(("kind", "tiny"), [(np.float32, 1e-40), (np.float16, 1e-6), (np.float64, 1e-310)])
def test_denormals_are_those_of_the_outputs_own_type(kind: type, tiny: float) -> None:
    output: Array = np.array([0.0, tiny, 1.0, -tiny], kind)
    assert far.denormal_count(output, like=output) == 2
    assert far.denormal_count(output.astype(np.float64), like=output) == 2
    assert far.denormal_count(np.array([0.0, 1.0, 1e-3], kind), like=output) == 0
    assert far.denormal_count(np.array([1, 2]), like=output) == 0
