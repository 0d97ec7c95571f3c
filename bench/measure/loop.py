"""The timed region: one free function, the clock passed in. Runs in the worker; knows no runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Clock = Callable[[], int]


def time_calls(
    call: Callable[[Any], Any], feeds: Sequence[Any], first: int, durations: list[int], clock: Clock
) -> None:
    """Fill ``durations`` (nanoseconds) with the time of one call each, feeds taken in turn from ``first`` on.

    The caller preallocates ``durations`` and has the garbage collector off. Releasing a call's outputs is part of its
    time, for every runtime alike.
    """
    n_feeds = len(feeds)
    for i in range(len(durations)):
        feed = feeds[(first + i) % n_feeds]
        start = clock()
        call(feed)
        durations[i] = clock() - start


def slowed(call: Callable[[Any], Any], share: float, clock: Clock) -> Callable[[Any], Any]:
    """``call`` with ``share`` of its own duration waited after it, busily; ``call`` itself for a share of 0.

    The planted slowdown of the gate's self-test: the same for any runtime.
    """
    if not share:
        return call

    def slow(feed: Any) -> Any:
        start = clock()
        outputs = call(feed)
        now = clock()
        end = now + (now - start) * share
        while clock() < end:
            pass
        return outputs

    return slow
