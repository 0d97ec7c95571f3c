"""What every profiled session does alike: warm up, make the calls, and add up by operator what its counters told.

Runs in a worker. Wall times of profiled calls are kept beside the counters so that what no operator accounts for, the
cost of the profiler included, can be told; they are no latencies.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from bench.records import Operator

_LEAST_WARM, _MOST_WARM = 5, 50  # calls
_WARM_NS = 1_000_000_000  # beyond the least
_MICROSECOND = 1000
Call = Callable[[Any], Any]


class Ran(NamedTuple):
    """One kernel that ran in one profiled call."""

    call: int
    key: Hashable  # of the operator: two of one name may be two
    name: str
    operator: str
    provider: str
    time_ns: int  # its own
    output_bytes: int | None = None


def warm_up(call: Call, feeds: Sequence[Any]) -> None:
    """Calls until a second has passed: between 5 and 50 of them, so that a slow model ends and a fast one is steady."""
    end = time.perf_counter_ns() + _WARM_NS
    for i in range(_MOST_WARM):
        call(feeds[i % len(feeds)])
        if i + 1 >= _LEAST_WARM and time.perf_counter_ns() > end:
            return


def timed_calls(
    call: Call,
    feeds: Sequence[Any],
    calls: int,
    within: Callable[[int], AbstractContextManager[Any]] = lambda _: nullcontext(),
) -> tuple[int, ...]:
    """Wall time of each of ``calls`` calls, in ns; ``within`` marks a call for the profiler."""
    walls = []
    for i in range(calls):
        feed = feeds[i % len(feeds)]
        with within(i):
            start = time.perf_counter_ns()
            call(feed)
            walls.append(time.perf_counter_ns() - start)
    return tuple(walls)


def added_up(
    ran: Iterable[Ran],
    calls: int,
    origins: Mapping[Hashable, tuple[str, ...]] | None = None,
    between: Mapping[Hashable, tuple[tuple[str, ...], tuple[str, ...]]] | None = None,
) -> tuple[Operator, ...]:
    """One operator a key, in the order of ``ran``; one that ran several times in a call, as in a loop, is one.

    ``origins``, ``between``: by key. In a call in which it did not run its time is 0.
    """
    by_key: dict[Hashable, list[Ran]] = {}
    for one in ran:
        by_key.setdefault(one.key, []).append(one)
    names = unique(runs[0].name for runs in by_key.values())
    return tuple(
        Operator(
            name=name,
            operator=runs[0].operator,
            provider=runs[0].provider,
            origins=(origins or {}).get(key, ()),
            between=(between or {}).get(key, ((), ())),
            time_ns=tuple(sum(one.time_ns for one in runs if one.call == call) for call in range(calls)),
            output_bytes=_bytes_of_a_call(runs),
        )
        for (key, runs), name in zip(by_key.items(), names, strict=True)
    )


def cut_off(ran: Iterable[Ran]) -> int:
    """By how many ns the kernels of a call may have taken longer together, each time cut to whole microseconds."""
    return _MICROSECOND * max(Counter(one.call for one in ran).values(), default=0)


def unique(names: Iterable[str]) -> Iterator[str]:
    """The names, each once: the second of a name is ``name #2``."""
    given: set[str] = set()
    for name in names:
        free, n = name, 1
        while free in given:
            n += 1
            free = f"{name} #{n}"
        given.add(free)
        yield free


def _bytes_of_a_call(runs: Sequence[Ran]) -> int | None:
    """Of the last call in which it ran."""
    told = [one.output_bytes for one in runs if one.call == runs[-1].call]
    return None if None in told else sum(size for size in told if size is not None)
