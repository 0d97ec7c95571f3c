"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import units


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (7_480_000, "7.48 ms"),
        (0, "0 ns"),
        (0.4, "0.4 ns"),
        (999, "999 ns"),
        (999.6, "1 us"),
        (999_949, "1 ms"),
        (12_345, "12.3 us"),
        (1_000_000, "1 ms"),
        (61_500_000_000, "61.5 s"),
        (3_600_000_000_000, "3600 s"),
        (None, "-"),
        (math.nan, "-"),
    ],
)
def test_a_duration_has_three_significant_digits_in_the_largest_fitting_unit(ns: float | None, text: str) -> None:
    assert units.duration(ns) == text


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (63_963_136, "61 MiB"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (2**20 - 1, "1 MiB"),
        (-(5 << 20), "-5 MiB"),
    ],
)
def test_a_size_is_in_binary_units(n_bytes: int, text: str) -> None:
    assert units.size(n_bytes) == text


@pytest.mark.parametrize(
    ("number", "text"), [(568_740_352, "569 M"), (133.42, "133"), (0.734, "0.73"), (1340.0, "1.34 k"), (None, "-")]
)
def test_a_count_has_three_significant_digits(number: float | None, text: str) -> None:
    assert units.count(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(6.04e-6, "6.0e-6"), (0.1234, "0.12"), (0.0, "0"), (2.5, "2.5"), (123.4, "123"), (1e-3, "1.0e-3")],
)
def test_an_error_has_two_significant_digits(value: float, text: str) -> None:
    assert units.error(value) == text


def test_an_unknown_or_endless_error_says_so() -> None:
    assert (units.error(None), units.error(math.nan), units.error(math.inf)) == ("-", "-", "inf")


def test_a_level_is_printed_with_the_digits_it_needs() -> None:
    assert [units.percent(level) for level in (0.9375, 0.75, 0.9921875, None)] == ["93.75 %", "75 %", "99.22 %", "-"]


@pytest.mark.parametrize(
    ("ratio", "text"), [(2.3, "2.3x faster"), (0.5, "2x slower"), (1.004, "same"), (0.0, "-"), (None, "-")]
)
def test_speed_is_reference_over_case(ratio: float | None, text: str) -> None:
    assert units.speed(ratio) == text


@pytest.mark.parametrize(
    ("ratio", "low", "high", "text"),
    [
        (0.476, 0.435, 0.5, "2.1x faster (2.0 to 2.3)"),
        (2.1, 2.0, 2.3, "2.1x slower (2.0 to 2.3)"),
        (0.98, 0.952, 1.031, "1.02x faster (0.97 to 1.05)"),
        (1.001, 0.98, 1.03, "same (0.98 to 1.03)"),
        (0.01, 0.009, 0.011, "100x faster (91 to 111)"),
        (0.999, 0.9985, 0.9995, "1.001x faster (1.001 to 1.002)"),  # told from 1, so it is not called the same
        (1.05, 1.002, 1.1, "1.050x slower (1.002 to 1.100)"),
        (0.5, None, None, "2.0x faster"),
        (1.0, None, None, "same"),
        (None, 0.5, 0.6, "-"),
        (math.nan, 0.5, 0.6, "-"),
    ],
)
def test_a_comparison_gives_both_ends_in_the_direction_of_its_word(
    ratio: float | None, low: float | None, high: float | None, text: str
) -> None:
    assert units.comparison(ratio, low, high) == text


@given(st.floats(0.01, 100), st.floats(0.5, 1), st.floats(1, 2))
def test_slower_and_faster_are_each_others_mirror(ratio: float, below: float, above: float) -> None:
    there = units.comparison(ratio, ratio * below, ratio * above)
    back = units.comparison(1 / ratio, 1 / (ratio * above), 1 / (ratio * below))
    if "same" not in there and ratio != 1:
        assert there.replace("faster", "slower") == back.replace("faster", "slower") or _nearly(there, back)


def _nearly(one: str, other: str) -> bool:
    """The last digit may round the other way after two divisions."""
    numbers = [
        [float(word.strip("()x")) for word in text.split() if word.strip("()x")[0].isdigit()] for text in (one, other)
    ]
    return all(math.isclose(a, b, rel_tol=0.05) for a, b in zip(*numbers, strict=True))


@given(st.floats(0, 1e15))
def test_a_duration_never_shows_a_thousand_of_a_smaller_unit(ns: float) -> None:
    number, unit = units.duration(ns).split()
    assert unit == "s" or float(number) < 1000
