from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bench.errors import UnsupportedError
from bench.measure.own_process import failure_of
from bench.measure.streams import Block, Callers, time_alone
from bench.records import SessionInfo
from bench.runtimes.contract import HostSession
from fakes import FakeClock

CALL = 1000


class OwnTime(threading.local):
    """A clock with a time of its own in each thread: what a call takes is added where it is made, at no real time."""

    now = 0

    def __call__(self) -> int:
        return self.now


class Parallel:
    """A session that serves every caller at once."""

    def __init__(self, clock: OwnTime, takes: int = CALL) -> None:
        self.clock = clock
        self.takes = takes

    def call(self, feed: Any) -> None:
        self.clock.now += self.takes


class Serial:
    """A session with a lock around it: one caller is served, the others wait for their turn."""

    def __init__(self, clock: OwnTime) -> None:
        self.clock = clock
        self.lock = threading.Lock()
        self.free_at = 0

    def call(self, feed: Any) -> None:
        with self.lock:
            self.free_at = self.clock.now = max(self.clock.now, self.free_at) + CALL


def timed(calls: list[Callable[[Any], Any]], clock: Callable[[], int], count: int = 10) -> Block:
    callers = Callers(calls)
    try:
        return callers.time([0], [0] * len(calls), count, clock, clock)
    finally:
        callers.close()


def per_call(block: Block) -> float:
    whole = sum(len(one) for one in block.latencies_ns) + block.extra_calls
    return block.wall_ns / whole


@pytest.mark.parametrize("n", [2, 4])
def test_a_session_that_serves_all_at_once_gains_by_as_much(n: int) -> None:
    clock = OwnTime()
    block = timed([Parallel(clock).call] * n, clock)
    assert per_call(block) == CALL / n
    assert block.latencies_ns == [[CALL] * 10] * n


@pytest.mark.parametrize("n", [2, 4])
def test_a_session_behind_a_lock_gains_nothing_however_unfair_the_lock(n: int) -> None:
    clock = OwnTime()
    block = timed([Serial(clock).call] * n, clock)
    assert per_call(block) == CALL
    assert max(max(one) for one in block.latencies_ns) > CALL


def test_an_early_caller_keeps_the_late_one_company_and_its_calls_on_top_count() -> None:
    clock = OwnTime()
    enough = threading.Event()
    early, late = Parallel(clock, 1), Parallel(clock, 10)
    made = {"early": 0, "late": 0}

    def call_early(feed: Any) -> None:
        early.call(feed)
        made["early"] += 1
        if made["early"] == 35:
            enough.set()

    def call_late(feed: Any) -> None:
        made["late"] += 1
        if made["late"] == 3:
            enough.wait()
        late.call(feed)

    block = timed([call_early, call_late], clock, 3)
    assert block.latencies_ns == [[1] * 3, [10] * 3]
    assert block.wall_ns == 30
    assert block.extra_calls == 27  # the early one's calls 4 to 30; what it made after the end counts for nothing


def test_each_caller_has_its_own_feeds_in_turn() -> None:
    seen: list[list[str]] = [[], []]
    callers = Callers([seen[0].append, seen[1].append])
    callers.time(["a", "b", "c"], [0, 2], 3, FakeClock(), FakeClock())
    callers.close()
    assert [one[:3] for one in seen] == [["a", "b", "c"], ["c", "a", "b"]]


def test_a_callers_thread_is_the_same_in_every_block() -> None:
    threads: list[set[int]] = [set(), set()]
    callers = Callers([lambda _, own=own: own.add(threading.get_ident()) for own in threads])  # type: ignore[misc]
    for _ in range(3):
        callers.time([0], [0, 0], 2, FakeClock(), FakeClock())
    callers.close()
    assert [len(own) for own in threads] == [1, 1]
    assert threads[0] != threads[1]


def test_what_one_caller_raises_is_raised_once_all_have_ended() -> None:
    made: list[int] = []

    def fails(_feed: Any) -> None:
        raise ValueError("wrong")

    callers = Callers([fails, made.append])
    with pytest.raises(ValueError, match="wrong"):
        callers.time([0], [0, 0], 5, FakeClock(), FakeClock())
    assert len(made) >= 5
    with pytest.raises(ValueError, match="wrong"):  # and they can be asked again
        callers.time([0], [0, 0], 5, FakeClock(), FakeClock())
    callers.close()


def test_one_caller_is_timed_in_the_thread_that_asks() -> None:
    clock = FakeClock()
    threads: set[int] = set()

    def call(feed: int) -> None:
        threads.add(threading.get_ident())
        clock.advance(feed)

    block = time_alone(call, [5, 7], 1, 3, clock, clock)
    assert block == Block(latencies_ns=[[7, 5, 7]], wall_ns=19, cpu_ns=19)
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("concurrent", [True, False])
def test_a_session_that_takes_one_caller_says_so_in_words_of_the_flag(concurrent: bool) -> None:
    session = HostSession()
    session.info = SessionInfo(
        runtime_version="1", runtime_file="", provider="p", call_path="c", effective_options={}, concurrent=concurrent
    )
    session.call = lambda feed: [feed["x"]]
    if concurrent:
        assert session.another() is session.call
        return
    with pytest.raises(UnsupportedError, match="takes one caller; use --streams 1") as raised:
        session.another()
    assert failure_of(raised.value).status == "unsupported"
