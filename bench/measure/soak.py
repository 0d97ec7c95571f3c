"""Calling on for minutes and watching the memory. Runs in the worker; knows no runtime."""

from __future__ import annotations

from collections.abc import Callable

from bench.measure.loop import Clock
from bench.records import Memory, SoakSample

SAMPLES = 240  # about as many over a soak: enough for a slope, too few to cost anything


def soak(step: Callable[[int], int], seconds: float, read: Callable[[], Memory], clock: Clock) -> list[SoakSample]:
    """Memory between calls, at even times over ``seconds``, before the first call and after the last one.

    ``step`` makes the next calls, given how many there were, and tells how many it made.
    """
    start = clock()
    end_ns = seconds * 1e9
    samples = [_sample(read(), 0, 0)]
    calls = 0
    while (elapsed := clock() - start) < end_ns:
        if elapsed >= len(samples) * end_ns / SAMPLES and calls > samples[-1].calls:
            samples.append(_sample(read(), elapsed, calls))
        calls += step(calls)
    if calls > samples[-1].calls:
        samples.append(_sample(read(), elapsed, calls))
    return samples


def _sample(memory: Memory, elapsed_ns: int, calls: int) -> SoakSample:
    return SoakSample(
        elapsed_ns=elapsed_ns, calls=calls, rss_bytes=memory.rss_bytes, private_bytes=memory.private_bytes
    )
