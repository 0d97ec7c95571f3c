from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.runtimes.openvino_operators import mean_of_block, most_cut_off

_TIMES = st.lists(st.integers(0, 100_000), min_size=1, max_size=50)


def test_the_mean_of_a_block_is_what_the_average_says_after_it_less_what_it_said_before() -> None:
    assert mean_of_block(before_us=100, warm=5, after_us=60, block=5) == 20_000
    assert mean_of_block(before_us=10, warm=5, after_us=4, block=5) == 0


@given(_TIMES, _TIMES)
def test_rounding_to_whole_microseconds_costs_a_known_part(warm: list[int], block: list[int]) -> None:
    every = warm + block
    told = mean_of_block(sum(warm) // len(warm), len(warm), sum(every) // len(every), len(block))
    true, share = 1000 * sum(block) / len(block), len(warm) / len(block)
    assert true - 1000 * (1 + share) - 1 <= told <= true + 1000 * share + 1


_NS = st.lists(st.integers(0, 9_999), min_size=1, max_size=50)


@given(_NS, _NS)
def test_no_kernel_took_longer_than_told_by_more_than_is_said_to_be_cut_off(warm: list[int], block: list[int]) -> None:
    """Each call's time is cut to whole microseconds, then each average."""
    before, after = (sum(time // 1000 for time in times) // len(times) for times in (warm, warm + block))
    told = mean_of_block(before, len(warm), after, len(block))
    assert abs(sum(block) / len(block) - told) <= most_cut_off(len(warm), len(block)) + 1
