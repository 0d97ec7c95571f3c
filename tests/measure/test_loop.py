from __future__ import annotations

from bench.measure.loop import time_calls
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
