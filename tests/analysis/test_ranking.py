from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.ranking import bounds_of, is_only_a_range, is_told_faster, ranks
from bench.analysis.statistics import ratio_interval
from bench.report import verdict
from bench.rows import Row
from report_fakes import reference, row


def with_bounds(bounds: Sequence[tuple[float, float]]) -> list[Row]:
    return [row(f"r{i}", (low * high) ** 0.5, ratio_low=low, ratio_high=high) for i, (low, high) in enumerate(bounds)]


def test_the_reference_is_the_point_1() -> None:
    assert bounds_of(reference()) == (1.0, 1.0)
    assert bounds_of(row(ratio_low=None)) is None


def test_a_row_is_faster_only_where_its_interval_lies_wholly_below() -> None:
    low, touching, apart = with_bounds([(0.4, 0.5), (0.5, 0.6), (0.51, 0.6)])
    assert is_told_faster(low, apart)
    assert not is_told_faster(apart, low)
    assert not is_told_faster(low, touching)


def test_ranks_count_the_rows_that_are_told_to_be_faster() -> None:
    rows = [reference(), *with_bounds([(0.4, 0.5), (0.45, 0.6), (0.55, 0.7), (0.98, 1.1)])]
    assert list(ranks(rows).values()) == [4, 1, 1, 2, 4]


def test_a_rank_takes_two_rows_of_one_reference_with_bounds() -> None:
    assert ranks([reference()]) == {}
    assert ranks([reference(), row(ratio_low=None)]) == {}
    assert ranks([reference(), row(reference_runtime="openvino")]) == {}
    assert list(ranks([reference(), row("a"), row("b", ratio_low=None)])) == ["net | tensorflow", "net | a"]


def test_bounds_of_a_low_level_are_only_a_range() -> None:
    assert not is_only_a_range([reference(), row()])
    assert is_only_a_range([reference(), row(), row("a", interval_level=0.75)])
    assert is_only_a_range([reference(), row(ratio_low=None)])
    assert not is_only_a_range([])


intervals = st.lists(st.tuples(st.floats(0.1, 3), st.floats(0, 1)).map(lambda t: (t[0], t[0] + t[1])), max_size=7)


@given(intervals)
def test_equal_ranks_are_not_told_apart_and_a_row_alone_in_rank_1_is_called_the_fastest(
    bounds: list[tuple[float, float]],
) -> None:
    rows = [reference(), *with_bounds(bounds)]
    found = ranks(rows)
    for one in rows:
        for other in rows:
            if found and is_told_faster(one, other):
                assert found[one.case_id] < found[other.case_id]
    first = [one for one in rows if found.get(one.case_id) == 1]
    said = verdict.sentence(rows)
    assert ("is the fastest verified runtime: " in said) == (len(first) == 1 and first[0].runtime != "tensorflow")


def test_identical_code_is_seldom_told_apart() -> None:
    """Five versions of one program, five repetitions: a comparison errs at most at the level of its interval."""
    chance, wrong, runs = random.Random(3), 0, 400
    for _ in range(runs):
        shared = [chance.gauss(0, 0.05) for _ in range(5)]
        found = [ratio_interval([chance.gauss(0, 0.05) + noise for noise in shared]) for _ in range(4)]
        rows = [reference(), *with_bounds([(one.low or 0, one.high or 9) for one in found])]
        wrong += any(is_told_faster(one, other) for one in rows[1:] for other in rows[1:])
    assert wrong / runs < 0.0625
