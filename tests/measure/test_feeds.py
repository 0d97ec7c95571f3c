from __future__ import annotations

import threading
from typing import Any

import numpy as np
from msgspec.structs import replace

from bench.measure.feeds import gather_at_once
from bench.measure.streams import Callers
from bench.records import ArrayFile
from fakes import open_request

FEEDS = [{"x": np.full((1, 4), item, np.float32)} for item in range(2)]
REQUEST = replace(open_request(), pool=ArrayFile(path="", digest="", items=len(FEEDS)))


class Twins:
    """A session of two callers, which meet in the middle of every call."""

    def __init__(self, *, shared: bool) -> None:
        self._meet = threading.Barrier(2, timeout=10)
        buffer = np.zeros((1, 4), np.float32)
        self._buffers = [buffer, buffer if shared else buffer.copy()]

    def call(self, number: int, feed: Any) -> list[Any]:
        np.copyto(self._buffers[number], feed["x"])
        self._meet.wait()
        answer = [self._buffers[number].copy()]
        self._meet.wait()
        return answer


def _gathered(session: Twins) -> Any:
    callers = Callers([lambda feed, n=n: session.call(n, feed) for n in range(2)])  # type: ignore[misc]
    try:
        return gather_at_once(callers, lambda outputs: outputs, FEEDS, REQUEST)["y"][:, 0].tolist()
    finally:
        callers.close()


def test_outputs_of_several_callers_are_those_of_calls_at_the_same_time() -> None:
    assert _gathered(Twins(shared=False)) == [0, 1, 0, 1]


def test_a_buffer_that_callers_share_shows_in_their_outputs() -> None:
    assert _gathered(Twins(shared=True)) != [0, 1, 0, 1]
