"""What a runtime is: one module with ``open_session``. The parent never imports such a module; workers do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from bench.records import Artifact, Probe, SessionInfo, SessionSettings

Array = np.ndarray[Any, np.dtype[Any]]
Feed = Mapping[str, Array]  # input name as in the artifact -> C-contiguous host array


class Session(Protocol):
    """A model, ready to run. Not shared between threads."""

    info: SessionInfo

    def call(self, feed: Feed) -> Sequence[Array]:
        """One inference of one batch: host arrays in, host arrays out, in the order of ``settings.outputs``.

        Blocks until the outputs are in host memory. Never times itself, never checks, never logs.
        May be any callable attribute (a bound C function costs less than a method around it).
        """
        ...

    def close(self) -> None:
        """Release what the session holds; calling it twice is fine."""
        ...


class RuntimeModule(Protocol):
    """The three functions of a runtime's module; ``name`` is a key of the table, options were checked against it."""

    def import_runtime(self, name: str, options: Mapping[str, str]) -> None:
        """Import the runtime, telling it before what can only be told before; UnavailableError where it is not there.

        Raises UsageError where it was imported before with other options.
        """
        ...

    def open_session(self, name: str, artifact: Artifact, settings: SessionSettings) -> Session:
        """Open strictly what was asked for.

        Raises UnavailableError where the provider or its device is not there, UnsupportedError where the model does
        not fit this runtime, UsageError for an unknown option or value. Never falls back.
        """
        ...

    def probe(self, name: str) -> Probe:
        """Whether it could be used here; in a child process, may import the runtime and open a tiny model."""
        ...
