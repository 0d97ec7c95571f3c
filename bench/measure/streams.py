"""Several callers of one session at once, each in a thread of its own. Runs in the worker; knows no runtime.

Throughput of several callers is whole calls over wall time, and both its ends are where it goes wrong. Callers have
unlike luck: with as many calls for each, the early ones would end first and the last calls run alone, fast, in a wall
time that has idle callers in it. A common store of calls ends them together, but its last calls still run beside fewer
and fewer others. So every caller keeps calling until the last of them has made its timed calls: each timed call ran
beside all the others. All calls that ended in that time count for throughput, the ones on top as ``extra_calls``, and
a call that is not whole at its end counts for nothing: that errs to the low side by less than one call a caller, whose
share is small because turns of several callers are longer (``plan.STREAM_CALLS``).

Threads live as long as the session: a runtime keeps things for each thread that calls it, and a fresh thread's first
call is not what a server's callers see.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from bench.measure.loop import Clock, time_calls
from bench.records import Record

if TYPE_CHECKING:
    from concurrent.futures import Future

Call = Callable[[Any], Any]
T = TypeVar("T")


class Block(Record, frozen=True):
    """What one block of calls of all callers brought."""

    latencies_ns: list[list[int]]  # by caller
    wall_ns: int  # from the common start until the last caller had made its calls
    cpu_ns: int  # of the process, over the wall time
    extra_calls: int = 0  # on top of those timed, in the same wall time


def time_alone(call: Call, feeds: Sequence[Any], first: int, count: int, clock: Clock, cpu_clock: Clock) -> Block:
    """``count`` timed calls of the only caller, in the thread that asks."""
    durations = [0] * count
    cpu_start, start = cpu_clock(), clock()
    time_calls(call, feeds, first, durations, clock)
    wall_ns = clock() - start
    return Block(latencies_ns=[durations], wall_ns=wall_ns, cpu_ns=cpu_clock() - cpu_start)


class Callers:
    """One thread a caller, waiting between blocks."""

    def __init__(self, calls: Sequence[Call]) -> None:
        from concurrent.futures import ThreadPoolExecutor  # loads logging, which a worker of one caller goes without

        self._calls = calls
        self._threads = [ThreadPoolExecutor(1, f"caller-{k}") for k in range(len(calls))]

    def time(self, feeds: Sequence[Any], firsts: Sequence[int], count: int, clock: Clock, cpu_clock: Clock) -> Block:
        """``count`` timed calls by each caller, feeds taken in turn from its own of ``firsts`` on.

        The first exception of any caller is raised once all have ended.
        """
        ends = _Ends(len(self._calls), clock, cpu_clock)
        running = [
            thread.submit(_call_on, ends, call, feeds, first, count, clock)
            for thread, call, first in zip(self._threads, self._calls, firsts, strict=True)
        ]
        timed = _results(running)
        end = max(one.end for one in timed)
        return Block(
            latencies_ns=[one.durations for one in timed],
            wall_ns=end - ends.start,
            cpu_ns=ends.cpu_end - ends.cpu_start,
            extra_calls=sum(moment <= end for one in timed for moment in one.extra_ends),
        )

    def at_once(self, work: Callable[[int, Call], T]) -> list[T]:
        """What ``work`` gives for each caller's number and call, all at the same time, each in its caller's thread."""
        calls = enumerate(self._calls)
        return _results([thread.submit(work, *one) for thread, one in zip(self._threads, calls, strict=True)])

    def close(self) -> None:
        """End the threads; twice is fine."""
        for thread in self._threads:
            thread.shutdown()


def _results(running: Sequence[Future[T]]) -> list[T]:
    """What they came to, once all have ended; the first exception of any is raised then."""
    errors = [error for one in running if (error := one.exception()) is not None]  # waits for each
    if errors:
        raise errors[0]
    return [one.result() for one in running]


class _Ends:
    """The common start and the common end of one block of calls."""

    def __init__(self, callers: int, clock: Clock, cpu_clock: Clock) -> None:
        self.start = self.cpu_start = self.cpu_end = 0
        self.all_done = threading.Event()
        self._clock, self._cpu_clock = clock, cpu_clock
        self._lock = threading.Lock()
        self._calling = callers
        self.begin = threading.Barrier(callers, self._begin).wait

    def _begin(self) -> None:
        self.cpu_start, self.start = self._cpu_clock(), self._clock()

    def end(self) -> None:
        """One caller has made its calls; the last one ends the block."""
        with self._lock:
            self._calling -= 1
            if not self._calling:
                self.cpu_end = self._cpu_clock()
                self.all_done.set()


class _Timed(Record, frozen=True):
    durations: list[int]
    end: int  # when the last of them ended
    extra_ends: list[int]  # when each call on top ended


def _call_on(ends: _Ends, call: Call, feeds: Sequence[Any], first: int, count: int, clock: Clock) -> _Timed:
    """The timed calls of one caller, then more until all have made theirs."""
    durations = [0] * count
    ends.begin()
    try:
        time_calls(call, feeds, first, durations, clock)
        end = clock()
    finally:
        ends.end()
    extra_ends: list[int] = []
    while not ends.all_done.is_set():
        call(feeds[(first + count + len(extra_ends)) % len(feeds)])
        extra_ends.append(clock())
    return _Timed(durations=durations, end=end, extra_ends=extra_ends)
