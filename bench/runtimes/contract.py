"""What a runtime is: one module with ``open_session``. The parent never imports such a module; workers do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from bench.errors import UnsupportedError
from bench.records import Artifact, Probe, SessionInfo, SessionSettings

Array = np.ndarray[Any, np.dtype[Any]]
Feed = Mapping[str, Array]  # input name as in the artifact -> C-contiguous host array


class Session(Protocol):
    """A model, ready to run."""

    info: SessionInfo

    def call(self, feed: Any) -> Any:
        """One inference of one batch: what ``place`` made of a feed in, outputs in the order of ``settings.outputs``.

        Blocks until the outputs are ready: in host memory at the boundary ``host``, computed on the device and
        waited for at ``device``. Never times itself, never checks, never logs.
        May be any callable attribute (a bound C function costs less than a method around it).
        """
        ...

    def place(self, feed: Feed) -> Any:
        """What ``call`` takes for this feed; at the boundary ``device`` a copy of it on the device. Never timed."""
        ...

    def fetch(self, outputs: Any) -> Sequence[Array]:
        """Host arrays of what one call returned, before the next call. Never timed."""
        ...

    def another(self) -> Callable[[Any], Any]:
        """What one more caller calls at the same time, in another thread; UnsupportedError where nobody may."""
        ...

    def close(self) -> None:
        """Release what the session holds; calling it twice is fine."""
        ...


class HostSession:
    """What sessions share whose calls take and give host arrays: place and fetch change nothing."""

    info: SessionInfo
    call: Callable[[Feed], Sequence[Array]]

    def place(self, feed: Feed) -> Feed:
        """The feed itself."""
        return feed

    def fetch(self, outputs: Sequence[Array]) -> Sequence[Array]:
        """The outputs themselves."""
        return outputs

    def another(self) -> Callable[[Feed], Sequence[Array]]:
        """The same call where the runtime lets several threads in; UnsupportedError where it does not."""
        if not self.info.concurrent:
            raise UnsupportedError("this runtime's session takes one caller; use --streams 1")
        return self.call


def closed(_: Feed) -> Sequence[Array]:
    """What a session's ``call`` is once the session is closed: RuntimeError."""
    raise RuntimeError("this session is closed")


class RuntimeModule(Protocol):
    """The functions of a runtime's module; ``name`` is a key of the table, options were checked against it.

    ONNX Runtime's has one more, ``profile``; those whose operators have counters have ``operators``: see ``loading``.
    """

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
