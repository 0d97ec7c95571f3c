from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.runtimes.openvino_operators import mean_of_block

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
