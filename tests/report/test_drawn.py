"""Few marks of many samples: every extreme is among them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.report.drawn import LIMIT, envelope, outline, shared_limits

VALUES = st.lists(st.integers(1, 10**9), min_size=1, max_size=400)
LIMITS = st.integers(1, 120)


@given(VALUES, LIMITS)
def test_the_least_and_the_greatest_of_all_are_among_the_marks(values: list[int], limit: int) -> None:
    drawn = envelope(np.array(values), limit)
    assert int(drawn.least.min()) == min(values)
    assert int(drawn.greatest.max()) == max(values)
    kept = np.array(values)[outline(np.array(values), limit)]
    assert (int(kept.min()), int(kept.max())) == (min(values), max(values))


@given(VALUES, LIMITS)
def test_stretches_hold_every_sample_once_and_their_median_is_one_of_them(values: list[int], limit: int) -> None:
    drawn = envelope(np.array(values), limit)
    assert [int(start) for start in drawn.start] == [0, *(int(end) for end in drawn.end[:-1])]
    assert int(drawn.end[-1]) == len(values)
    for start, end, middle in zip(drawn.start, drawn.end, drawn.middle, strict=True):
        assert int(middle) == sorted(values[start:end])[(end - start - 1) // 2]


@given(VALUES, LIMITS)
def test_few_are_drawn_as_they_are_and_many_within_the_limit(values: list[int], limit: int) -> None:
    drawn = envelope(np.array(values), limit)
    if len(values) <= limit:
        assert drawn.middle.tolist() == drawn.least.tolist() == drawn.greatest.tolist() == values
    assert len(drawn) <= max(1, limit)
    assert len(outline(np.array(values), limit)) <= max(2, limit)


@given(VALUES, LIMITS)
def test_the_same_samples_give_the_same_marks_and_are_left_as_they_were(values: list[int], limit: int) -> None:
    given_values = np.array(values)
    first, second = envelope(given_values, limit), envelope(given_values, limit)
    assert first.middle.tolist() == second.middle.tolist()
    assert given_values.tolist() == values


def test_nothing_is_drawn_of_nothing() -> None:
    assert len(outline(np.array([], dtype=np.int64), 10)) == 0
    assert len(envelope(np.array([], dtype=np.int64), 10)) == 0


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=8))
def test_series_share_the_marks_of_a_picture_and_a_short_one_keeps_all_of_its_own(counts: list[int]) -> None:
    limits = shared_limits(counts)
    assert all(limit <= count for limit, count in zip(limits, counts, strict=True))
    assert sum(limits) <= max(LIMIT, 0) + 120 * len(counts)
    assert all(limit == count for limit, count in zip(limits, counts, strict=True) if count <= 120)
