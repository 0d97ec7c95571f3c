from __future__ import annotations

from bench.measure.loop import slowed, time_calls
from fakes import FakeClock


def test_each_duration_is_the_time_of_its_own_call() -> None:
    clock = FakeClock()
    durations = [0, 0, 0]
    time_calls(clock.advance, [5, 7], 0, durations, clock)
    assert durations == [5, 7, 5]


def test_feeds_are_taken_in_turn_from_the_first_asked_for() -> None:
    seen: list[str] = []
    time_calls(seen.append, ["a", "b", "c"], 2, [0] * 4, FakeClock())
    assert seen == ["c", "a", "b", "c"]


def test_a_slowed_call_takes_its_share_more_and_gives_what_it_gave() -> None:
    clock = FakeClock()

    def call(feed: int) -> str:
        clock.advance(feed)
        return f"outputs of {feed}"

    def ticking() -> int:
        clock.advance(1)
        return clock()

    start = clock()
    assert slowed(call, 0.5, ticking)(1000) == "outputs of 1000"
    assert 1500 <= clock() - start <= 1505


def test_a_call_that_is_not_slowed_is_the_call_itself() -> None:
    call = FakeClock().advance
    assert slowed(call, 0.0, FakeClock()) is call
