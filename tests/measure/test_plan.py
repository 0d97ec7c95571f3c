from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measure import plan
from bench.records import MeasureSettings, Tensor
from fakes import artifact, case


@given(items=st.integers(1, 40), batch=st.integers(1, 70))
def test_feeds_show_every_item_and_fill_every_batch(items: int, batch: int) -> None:
    feeds = [plan.batch_indices(items, batch, k) for k in range(plan.batch_count(items, batch))]
    assert {i for feed in feeds for i in feed} == set(range(items))
    assert all(len(feed) == batch for feed in feeds)
    assert len({tuple(feed) for feed in feeds}) == len(feeds)


def test_a_single_item_makes_a_single_feed() -> None:
    assert plan.batch_count(1, 4) == 1
    assert plan.batch_indices(1, 4, 0) == [0, 0, 0, 0]


def test_an_unbatched_model_gets_one_feed_an_item() -> None:
    assert plan.batch_count(8, 1, batched=False) == 8


def test_warm_up_goes_on_while_the_minimum_still_falls() -> None:
    assert not plan.is_steady([100, 90, 80, 70, 60])
    assert not plan.is_steady([100, 90, 80, 70, 60, 50])
    assert plan.is_steady([50, 60, 60, 60, 60, 60])
    assert plan.is_steady([50, 60, 49.5, 60, 60, 60])  # type: ignore[list-item]
    assert not plan.is_steady([50, 60, 48, 60, 60, 60])


def test_ten_rounds_of_three_calls_are_the_rule() -> None:
    rounds = plan.plan_rounds(MeasureSettings(), 10_000_000, 20_000_000, startup_ns=0)
    assert (rounds.rounds, rounds.calls, rounds.bounded) == (10, 3, False)


def test_rounds_are_added_while_they_cost_less_than_starting_did() -> None:
    cheap = plan.plan_rounds(MeasureSettings(), 10_000_000, 20_000_000, startup_ns=10**12)
    assert cheap.rounds == plan.EXTRA_ROUNDS
    some = plan.plan_rounds(MeasureSettings(), 10_000_000, 20_000_000, startup_ns=15 * 4 * 30_000_000 + 1)
    assert some.rounds == 15


def test_calls_and_seconds_that_were_asked_for_add_rounds() -> None:
    calls = plan.plan_rounds(MeasureSettings(repetitions=5, min_calls=301), 10_000_000, 10_000_000, 0)
    assert calls.rounds * calls.calls * 5 >= 301
    assert (calls.rounds - 1) * calls.calls * 5 < 301
    seconds = plan.plan_rounds(MeasureSettings(repetitions=5, min_seconds=6.0), 10_000_000, 20_000_000, 0)
    assert seconds.rounds == 40


def test_many_short_calls_lengthen_the_turns_before_rounds_become_too_many() -> None:
    rounds = plan.plan_rounds(MeasureSettings(repetitions=5, min_seconds=20.0), 150_000, 1_000_000, 0)
    assert rounds.calls * rounds.rounds * 5 * 150_000 >= 20e9
    assert rounds.calls * 1_000_000 <= plan.LONG_TURN_NS
    assert rounds.rounds <= 20e9 / 5 / 150_000 / (plan.LONG_TURN_NS / 1_000_000 / 2) + 1
    slow = plan.plan_rounds(MeasureSettings(repetitions=5, min_calls=5000), 80_000_000, 80_000_000, 0)
    assert (slow.rounds, slow.calls) == (334, 3)


def test_more_than_the_bound_is_said_not_done() -> None:
    bounded = plan.plan_rounds(MeasureSettings(min_calls=10**9), 10_000_000, 10_000_000, 0)
    assert (bounded.rounds, bounded.bounded) == (plan.MAX_ROUNDS, True)


def test_short_calls_share_a_turn_of_a_millisecond_and_long_ones_are_alone() -> None:
    assert plan.plan_rounds(MeasureSettings(), 10_000, 20_000, 0).calls == 100
    assert plan.plan_rounds(MeasureSettings(), 10, 10, 0).calls == plan.MAX_TURN_CALLS
    assert plan.plan_rounds(MeasureSettings(), 10_000, 500_000_000, 0).calls == 4
    assert plan.plan_rounds(MeasureSettings(), 3_000_000_000, 3_000_000_000, 0).calls == 1


def test_an_order_depends_on_its_seed_alone_and_every_order_occurs() -> None:
    names = ["a", "b", "c"]
    assert plan.shuffled(names, 1, 2) == plan.shuffled(names, 1, 2)
    assert len({tuple(plan.shuffled(names, 0, i)) for i in range(200)}) == 6
    assert names == ["a", "b", "c"]


def test_dimensions_are_fixed_to_the_batch_and_the_pool() -> None:
    tensors = (
        Tensor(name="x", shape=(None, None, 3), dtype="float32"),
        Tensor(name="s", shape=(), dtype="float32", batched=False),
    )
    fixed = plan.fixed_inputs(tensors, 4, {"x": (8, 5, 3), "s": (8,)})
    assert [tensor.shape for tensor in fixed] == [(4, 5, 3), ()]


@pytest.mark.parametrize(("first", "expected"), [(None, None), (2, 2)])
def test_a_fixed_batch_is_read_off_the_inputs(first: int | None, expected: int | None) -> None:
    assert plan.fixed_batch(artifact(inputs=(Tensor(name="x", shape=(first, 3), dtype="float32"),))) == expected


def test_groups_are_split_where_the_memory_ends() -> None:
    cases = [case(label=str(i)) for i in range(4)]
    needs = {c.case_id: 25 for c in cases}
    parts = plan.split_by_memory(cases, needs, available=100)
    assert [len(part) for part in parts] == [2, 2]
    assert plan.split_by_memory(cases, needs, available=1000) == [cases]
    assert [len(part) for part in plan.split_by_memory(cases, needs, available=10)] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("call_ns", "one", "several"),
    [(20_000, 50, 200), (500_000, 3, 20), (10_000_000, 3, 10), (400_000_000, 3, 5), (3_000_000_000, 1, 1)],
)
def test_turns_of_several_callers_are_longer_for_what_is_not_whole_at_their_end(
    call_ns: int, one: int, several: int
) -> None:
    planned = [plan.plan_rounds(MeasureSettings(), call_ns, call_ns, 0, streams).calls for streams in (1, 2)]
    assert planned == [one, several]


def test_calls_asked_for_are_shared_by_the_callers_and_seconds_are_each_ones_own() -> None:
    def each(streams: int, settings: MeasureSettings) -> int:
        made = plan.plan_rounds(settings, 10_000_000, 10_000_000, 0, streams)
        return made.rounds * made.calls * settings.repetitions

    assert [each(n, MeasureSettings(min_calls=8000)) for n in (2, 4)] == [4000, 2000]
    assert [each(n, MeasureSettings(min_seconds=50)) for n in (2, 4)] == [5000, 5000]
