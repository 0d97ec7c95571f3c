"""Which of the profiled calls count."""

from __future__ import annotations

import pytest

from bench.analysis.profile_times import kernel_times, usual_calls, wall_times
from profile_fakes import case, kernel


@pytest.mark.parametrize(
    ("calls", "usual"), [(1, 1), (2, 2), (3, 1), (4, 2), (5, 3), (6, 4), (7, 3), (8, 4), (12, 6), (20, 10)]
)
def test_the_middle_half_is_as_near_to_half_as_its_calls_allow(calls: int, usual: int) -> None:
    [places] = usual_calls(case([], [1], calls_ns=(tuple(range(calls)),)))
    assert len(places) == usual
    assert min(places) == calls - 1 - max(places)  # as many are left out below as above


def test_of_three_calls_a_disturbed_one_moves_no_time() -> None:
    conv = kernel("conv", "Conv", [0], [1], time_ns=((70, 60, 900),))
    disturbed = case([conv], [1], calls_ns=((100, 90, 1000),))
    assert wall_times(disturbed) == [100]
    assert kernel_times(conv, usual_calls(disturbed)) == [70]
