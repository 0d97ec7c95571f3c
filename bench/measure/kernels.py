"""Where the kernels of a session ran, and how long each took. Runs in the worker.

The session is one of its own that is profiled: its latency is never told.
"""

from __future__ import annotations

import os

from bench.measure.feeds import make_feeds
from bench.records import Profiled, ProfileRequest
from bench.runtimes.loading import import_runtime, operators, profile


def profile_kernels(request: ProfileRequest) -> Profiled:
    """Parts of the graph with their kernels, or, ``with_operators``, each operator with its times."""
    asked = request.open
    if asked.cpus:  # before the runtime starts its threads, which inherit it
        os.sched_setaffinity(0, asked.cpus)
    import_runtime(asked.runtime, asked.settings.options)
    if request.with_operators:
        return operators(asked.runtime, asked.artifact, asked.settings, make_feeds(asked), request.calls)
    parts = profile(asked.runtime, asked.artifact, asked.settings, make_feeds(asked), request.calls)
    return Profiled(parts=parts, calls=request.calls)
