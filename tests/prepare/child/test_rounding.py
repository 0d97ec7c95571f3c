from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("keras")
pytestmark = pytest.mark.slow

FINITE = st.floats(-1e30, 1e30, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-30)


def rounded(value: float, bits: int = 10) -> float:
    from bench.prepare.child.calibrate import rounded as rounded_array

    return float(rounded_array(np.asarray(value), bits))


def test_halves_go_to_even() -> None:
    step = 2.0**-10
    assert rounded(1 + 0.5 * step) == 1.0
    assert rounded(1 + 1.5 * step) == 1 + 2 * step
    assert rounded(1 + 0.51 * step) == 1 + step
    assert rounded(-(1 + 1.5 * step)) == -(1 + 2 * step)


def test_rounding_up_reaches_the_next_power_of_two() -> None:
    assert rounded(2 - 2.0**-12) == 2.0


@given(FINITE)
def test_a_rounded_value_is_near_stays_put_and_fits_ten_bits_of_float32(value: float) -> None:
    once = rounded(value)
    assert abs(once - value) <= abs(value) * 2.0**-11
    assert rounded(once) == once
    assert np.float32(once) == once
    assert not np.float32(once).view(np.uint32) & 0x1FFF
