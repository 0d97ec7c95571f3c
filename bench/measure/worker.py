"""One process running one case. Started by path, never imported; answers one request at a time.

Its arguments: a folder that holds only ``bench``, the parent's pid, the pipe to read from and the one to write to.
It imports numpy, msgspec, psutil and its own runtime: light enough for any environment.
"""

from __future__ import annotations

import sys

sys.path.insert(0, sys.argv[1])  # the private folder: bench and nothing else of the parent's

import ctypes
import gc
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bench import errors
from bench.measure import loop, plan, soak, streams, wire
from bench.measure.feeds import gather_outputs, make_feeds
from bench.measure.memory import read_memory, reset_peak
from bench.prepare.arrays import save_arrays
from bench.records import (
    Failed,
    FirstDone,
    FirstRequest,
    Opened,
    OpenRequest,
    OutputsDone,
    Profiled,
    ProfileRequest,
    Reply,
    Request,
    SoakDone,
    SoakRequest,
    Status,
    Turn,
    TurnRequest,
    WarmRequest,
)
from bench.runtimes.loading import import_runtime, module_of, open_session, profile

_PR_SET_PDEATHSIG = 1
_OUT_OF_MEMORY = ("out of memory", "bad_alloc", "failed to allocate memory", "oom when allocating")


class Work:
    """The session in hand and the feeds that its calls take in turn."""

    def __init__(self) -> None:
        self.session: Any = None
        self.request: OpenRequest | None = None
        self.calls: list[Callable[[Any], Any]] = []  # one a concurrent caller
        self.feeds: list[Any] = []  # as the session takes them
        self.next_feed = 0
        self.peak_asked = False
        self.peak_is_reset = False

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
            return self.profile(request)
        if isinstance(request, SoakRequest):
            return SoakDone(
                samples=soak.soak(self.calls[0], self.feeds, request.seconds, read_memory, time.perf_counter_ns)
            )
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
        callers = [self.session.call, *(self.session.another() for _ in range(request.streams - 1))]
        self.calls = [loop.slowed(call, request.busy, time.perf_counter_ns) for call in callers]
        self.feeds = [self.session.place(feed) for feed in make_feeds(request)]
        return Opened(
            import_ns=import_ns,
            load_ns=load_ns,
            info=self.session.info,
            memory_start=memory_start,
            memory_import=memory_import,
            memory_load=memory_load,
            thread_count=_thread_count(),
        )

    def first(self) -> FirstDone:
        """The first call; from here on nothing is collected while calls are timed."""
        durations = [0]
        loop.time_calls(self.calls[0], self.feeds, self._advance(1), durations, time.perf_counter_ns)
        gc.collect()
        gc.freeze()
        gc.disable()
        return FirstDone(first_call_ns=durations[0], memory=read_memory())

    def profile(self, request: ProfileRequest) -> Profiled:
        """Where kernels ran, by a session that is profiled and never timed."""
        asked = request.open
        self.request = asked
        import_runtime(asked.runtime, asked.settings.options)
        parts = profile(asked.runtime, asked.artifact, asked.settings, make_feeds(asked), request.calls)
        return Profiled(parts=parts, calls=request.calls)

    def warm(self, calls: int | None) -> Turn:
        """Warm-up: a fixed count, or until steady within the bounds of the plan."""
        durations: list[int] = []
        steady = False
        index = self.next_feed
        while len(durations) < (plan.WARMUP_MAX_CALLS if calls is None else calls):
            one, _ = self._timed(self._advance(1), 1)
            durations.append(max(one))  # of the callers: the slowest one must be steady
            steady = plan.is_steady(durations)
            if calls is None and (steady or sum(durations) > plan.WARMUP_MAX_NS):
                break
        return self._turn(0, "warmup", None, durations, index=index, steady=steady if calls is None else None)

    def turn(self, request: TurnRequest) -> Turn:
        """One switch call, kept but not used, then the timed calls."""
        if not self.peak_asked:
            self.peak_asked, self.peak_is_reset = True, reset_peak()
        index = self._advance(1 + request.calls)
        switch, _ = self._timed(index, 1)
        switches, cpu = _involuntary_switches(), time.process_time_ns()
        durations, wall_ns = self._timed(index + 1, request.calls)
        return self._turn(
            request.round,
            request.kind,
            max(switch),
            durations,
            index=index,
            wall_ns=wall_ns,
            cpu_ns=time.process_time_ns() - cpu,
            involuntary_switches=_involuntary_switches() - switches,
        )

    def outputs(self, path: Path) -> OutputsDone:
        """Every feed once, in a file; see ``feeds.gather_outputs``."""
        assert self.request is not None
        memory = read_memory()
        if self.peak_asked and not self.peak_is_reset:  # the peak would be that of the whole life
            memory = msgspec.structs.replace(memory, peak_rss_bytes=None)
        call, fetch = self.calls[0], self.session.fetch
        outputs = gather_outputs(lambda feed: fetch(call(feed)), self.feeds, self.request)
        return OutputsDone(file=save_arrays(path, outputs), memory=memory)

    def _timed(self, first: int, calls: int) -> tuple[list[int], int]:
        """The time of ``calls`` calls by each caller, and how long all of them took together."""
        durations = [[0] * calls for _ in self.calls]
        if len(durations) > 1:
            wall_ns = streams.time_streams(self.calls, self.feeds, first, durations, time.perf_counter_ns)
            return [latency for one in durations for latency in one], wall_ns
        start = time.perf_counter_ns()
        loop.time_calls(self.calls[0], self.feeds, first, durations[0], time.perf_counter_ns)
        return durations[0], time.perf_counter_ns() - start

    def _advance(self, calls: int) -> int:
        index = self.next_feed
        self.next_feed = (index + calls) % len(self.feeds)
        return index

    def _turn(
        self,
        number: int,
        kind: Any,
        switch_ns: int | None,
        latencies_ns: list[int],
        *,
        index: int = 0,
        cpu_ns: int = 0,
        wall_ns: int = 0,
        involuntary_switches: int = 0,
        steady: bool | None = None,
    ) -> Turn:
        return Turn(
            round=number,
            kind=kind,
            input_index=index,
            switch_ns=switch_ns,
            latencies_ns=latencies_ns,
            cpu_ns=cpu_ns,
            wall_ns=wall_ns,
            involuntary_switches=involuntary_switches,
            thread_count=_thread_count(),
            steady=steady,
        )


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


def _thread_count() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def _involuntary_switches() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _die_with(parent: int) -> None:
    """End when the parent does, also while stopped; and at once if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _failed(error: BaseException) -> Failed:
    status: Status = "failed"
    if isinstance(error, errors.UnavailableError):
        status = "unavailable"
    elif isinstance(error, errors.UnsupportedError):
        status = "unsupported"
    elif isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY):
        status = "oom"
    reason = str(error) if isinstance(error, errors.BenchError) else f"{type(error).__name__}: {error}"
    return Failed(status=status, reason=reason)


def main(parent: int, read_fd: int, write_fd: int) -> None:
    """Answer requests until the parent closes the pipe."""
    _die_with(parent)
    work = Work()
    while (payload := wire.receive(read_fd)) is not None:
        request = wire.request_decoder.decode(payload)
        reply: Reply
        try:
            reply = work.answer(request)
        except Exception as error:
            reply = _failed(error)
        wire.send(write_fd, reply)
    if work.session is not None:
        work.session.close()


if __name__ == "__main__":
    main(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
