"""Several callers of one session at once, each in a thread of its own. Runs in the worker; knows no runtime."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from bench.measure.loop import Clock, time_calls


def time_streams(
    calls: Sequence[Callable[[Any], Any]],
    feeds: Sequence[Any],
    first: int,
    durations: Sequence[list[int]],
    clock: Clock,
) -> int:
    """Fill each caller's ``durations`` (nanoseconds) while all of them call; the wall time from start to last end.

    Callers begin together, each with a feed of its own: caller k with the one at ``first + k``. The first exception of
    any of them is raised once all have ended.
    """
    gate = threading.Barrier(len(calls) + 1)
    errors: list[BaseException] = []

    def run(k: int) -> None:
        gate.wait()
        try:
            time_calls(calls[k], feeds, first + k, durations[k], clock)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(k,), daemon=True) for k in range(len(calls))]
    for thread in threads:
        thread.start()
    gate.wait()
    start = clock()
    for thread in threads:
        thread.join()
    wall_ns = clock() - start
    if errors:
        raise errors[0]
    return wall_ns
