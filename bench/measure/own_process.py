"""What a worker knows of its own process, and how it ends. Runs in the worker."""

from __future__ import annotations

import threading
from pathlib import Path

from bench import errors
from bench.records import Failed, Status

_OUT_OF_MEMORY = ("out of memory", "bad_alloc", "failed to allocate memory", "oom when allocating")


def thread_count() -> int:
    """Threads of this process, those that Python knows nothing of included."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def involuntary_switches() -> int:
    """How often the kernel took the CPU from this process."""
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def failure_of(error: BaseException) -> Failed:
    """What the parent is told of an exception."""
    status: Status = "failed"
    if isinstance(error, errors.UnavailableError):
        status = "unavailable"
    elif isinstance(error, errors.UnsupportedError):
        status = "unsupported"
    elif isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY):
        status = "oom"
    reason = str(error) if isinstance(error, errors.BenchError) else f"{type(error).__name__}: {error}"
    return Failed(status=status, reason=reason)
