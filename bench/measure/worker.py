"""One process running one case. Started by path, never imported; answers one request at a time.

Its arguments: a folder that holds only ``bench``, the parent's pid, the pipe to read from and the one to write to.
It imports numpy, msgspec, psutil and its own runtime: light enough for any environment.
"""

from __future__ import annotations

import sys

sys.path.insert(0, sys.argv[1])  # the private folder: bench and nothing else of the parent's

import gc
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench import errors
from bench.children import die_with
from bench.measure import loop, plan, soak, streams, wire
from bench.measure.feeds import gather_at_once, gather_outputs, make_feeds
from bench.measure.kernels import profile_kernels
from bench.measure.memory import read_memory, reset_peak
from bench.measure.own_process import failure_of, involuntary_switches, thread_count
from bench.measure.roofs import measure_roofs
from bench.prepare.arrays import save_arrays
from bench.records import (
    FirstDone,
    FirstRequest,
    Opened,
    OpenRequest,
    OutputsDone,
    ProfileRequest,
    Reply,
    Request,
    RoofsRequest,
    SoakDone,
    SoakRequest,
    Turn,
    TurnRequest,
    WarmRequest,
)
from bench.runtimes.loading import import_runtime, module_of, open_session


class Work:
    """The session in hand and the feeds that its calls take in turn."""

    def __init__(self) -> None:
        self.session: Any = None
        self.request: OpenRequest | None = None
        self.call: Callable[[Any], Any]  # of the first caller, once there is a session
        self.callers: streams.Callers | None = None  # where there are several
        self.feeds: list[Any] = []  # as the session takes them
        self.next_feed = 0
        self.peak_asked = False
        self.peak_is_reset = False

    @property
    def n_callers(self) -> int:
        """How many callers the session has."""
        return self.request.streams if self.request else 1

    def answer(self, request: Request) -> Reply:
        """One reply for one request."""
        if isinstance(request, OpenRequest):
            return self.open(request)
        if isinstance(request, FirstRequest):
            return self.first()
        if isinstance(request, WarmRequest):
            return self.warm(request.calls)
        if isinstance(request, TurnRequest):
            return self.turn(request)
        if isinstance(request, ProfileRequest):
            return profile_kernels(request)
        if isinstance(request, SoakRequest):
            return self.soak(request.seconds)
        if isinstance(request, RoofsRequest):
            return measure_roofs(request)
        return self.outputs(Path(request.path))

    def open(self, request: OpenRequest) -> Opened:
        """Import, load, and lay out the feeds; each with its own time and memory."""
        self.request = request
        if request.cpus:  # before the runtime starts its threads, which inherit it
            os.sched_setaffinity(0, request.cpus)
        module_of(request.runtime)  # our own part of it, whose cost is not the runtime's
        memory_start = read_memory()
        start = time.perf_counter_ns()
        import_runtime(request.runtime, request.settings.options)
        import_ns = time.perf_counter_ns() - start
        memory_import = read_memory()
        start = time.perf_counter_ns()
        self.session = open_session(request.runtime, request.artifact, request.settings)
        load_ns = time.perf_counter_ns() - start
        memory_load = read_memory()
        _check_origin(request, self.session.info.runtime_file, self.session.info.runtime_version)
        calls = [self.session.call, *(self.session.another() for _ in range(request.streams - 1))]
        calls = [loop.slowed(call, request.busy, time.perf_counter_ns) for call in calls]
        self.call, self.callers = calls[0], streams.Callers(calls) if len(calls) > 1 else None
        self.feeds = [self.session.place(feed) for feed in make_feeds(request)]
        return Opened(
            import_ns=import_ns,
            load_ns=load_ns,
            info=self.session.info,
            memory_start=memory_start,
            memory_import=memory_import,
            memory_load=memory_load,
            thread_count=thread_count(),
        )

    def first(self) -> FirstDone:
        """The first caller's first call; from here on nothing is collected while calls are timed."""
        durations = [0]
        loop.time_calls(self.call, self.feeds, self._advance(1), durations, time.perf_counter_ns)
        gc.collect()
        gc.freeze()
        gc.disable()
        return FirstDone(first_call_ns=durations[0], memory=read_memory())

    def warm(self, calls: int | None) -> Turn:
        """Warm-up: a fixed count, or until steady within the bounds of the plan."""
        durations: list[int] = []
        steady = False
        index = self.next_feed
        while len(durations) < (plan.WARMUP_MAX_CALLS if calls is None else calls):
            durations.append(self._slowest_of_one(self._advance(1)))  # the slowest caller must be steady
            steady = plan.is_steady(durations)
            if calls is None and (steady or sum(durations) > plan.WARMUP_MAX_NS):
                break
        return Turn(
            round=0,
            kind="warmup",
            input_index=index,
            switch_ns=None,
            latencies_ns=durations,
            cpu_ns=0,
            wall_ns=0,
            involuntary_switches=0,
            thread_count=thread_count(),
            steady=steady if calls is None else None,
            streams=self.n_callers,
        )

    def turn(self, request: TurnRequest) -> Turn:
        """One switch call, kept but not used, then the timed calls."""
        if not self.peak_asked:
            self.peak_asked, self.peak_is_reset = True, reset_peak()
        index = self._advance(1 + self.n_callers * request.calls)
        switch_ns = self._slowest_of_one(index)
        switches = involuntary_switches()
        block = self._block([index + 1 + k * request.calls for k in range(self.n_callers)], request.calls)
        return Turn(
            round=request.round,
            kind=request.kind,
            input_index=index,
            switch_ns=switch_ns,
            latencies_ns=[latency for one in block.latencies_ns for latency in one],
            cpu_ns=block.cpu_ns,
            wall_ns=block.wall_ns,
            involuntary_switches=involuntary_switches() - switches,
            thread_count=thread_count(),
            streams=self.n_callers,
            extra_calls=block.extra_calls,
        )

    def soak(self, seconds: float) -> SoakDone:
        """Every caller calls on and on; here Python's garbage is collected, as where a model is served."""
        gc.unfreeze()
        gc.enable()

        def step(index: int) -> int:
            return self.n_callers + self._block([index + k for k in range(self.n_callers)], 1).extra_calls

        return SoakDone(samples=soak.soak(step, seconds, read_memory, time.perf_counter_ns))

    def outputs(self, path: Path) -> OutputsDone:
        """Every feed once, in a file; after several callers were timed, by each of them at once: as they were timed."""
        assert self.request is not None
        memory = read_memory()
        if self.peak_asked and not self.peak_is_reset:  # the peak would be that of the whole life
            memory = msgspec.structs.replace(memory, peak_rss_bytes=None)
        call, fetch = self.call, self.session.fetch
        if self.callers is not None and self.peak_asked:
            outputs = gather_at_once(self.callers, fetch, self.feeds, self.request)
        else:
            outputs = gather_outputs(lambda feed: fetch(call(feed)), self.feeds, self.request)
        return OutputsDone(file=save_arrays(path, outputs), memory=memory)

    def close(self) -> None:
        """End the callers, then the session."""
        if self.callers is not None:
            self.callers.close()
        if self.session is not None:
            self.session.close()

    def _block(self, firsts: Sequence[int], count: int) -> streams.Block:
        """``count`` timed calls by each caller, its feeds in turn from its own of ``firsts`` on."""
        if self.callers is not None:
            return self.callers.time(self.feeds, firsts, count, time.perf_counter_ns, time.process_time_ns)
        return streams.time_alone(self.call, self.feeds, firsts[0], count, time.perf_counter_ns, time.process_time_ns)

    def _slowest_of_one(self, index: int) -> int:
        """One call by each caller, all of the same feed: how long the slowest took."""
        return max(latency for one in self._block([index] * self.n_callers, 1).latencies_ns for latency in one)

    def _advance(self, calls: int) -> int:
        index = self.next_feed
        self.next_feed = (index + calls) % len(self.feeds)
        return index


def _check_origin(request: OpenRequest, runtime_file: str, version: str) -> None:
    """The runtime must be the one of this environment, in the version that was asked for."""
    if not Path(runtime_file).resolve().is_relative_to(Path(request.prefix).resolve()):
        raise errors.BenchError(
            f"opening {request.runtime}: it was loaded from outside its environment; "
            "remove the other copy from the interpreter's path"
        )
    if request.expected_version is not None and version != request.expected_version:
        raise errors.BenchError(
            f"opening {request.runtime}: version {request.expected_version} asked for, {version} found"
        )


def main(parent: int, read_fd: int, write_fd: int) -> None:
    """Answer requests until the parent closes the pipe."""
    die_with(parent)
    work = Work()
    while (payload := wire.receive(read_fd)) is not None:
        request = wire.request_decoder.decode(payload)
        reply: Reply
        try:
            reply = work.answer(request)
        except Exception as error:
            reply = failure_of(error)
        wire.send(write_fd, reply)
    work.close()


if __name__ == "__main__":
    main(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
