"""One run at a time on a machine: two at once spoil each other's numbers."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.errors import UsageError

LOCK = Path("/tmp/onnx-crossbench.lock")


@contextlib.contextmanager
def machine_lock(on_wait: Callable[[str], None], path: Path | None = None) -> Iterator[None]:
    """Hold the machine's lock; while another run has it, say so once and wait.

    The kernel frees the lock when its holder ends, however it ends. UsageError where the lock can't be opened.
    """
    path = path or LOCK
    try:
        fd = _open(path)
    except OSError as error:
        raise UsageError(
            f"locking this machine: {path} can't be opened: {error.strerror}; make it readable for you, or remove it"
        ) from error
    try:
        _take(fd, path, on_wait)
        yield
    finally:
        os.close(fd)


def _open(path: Path) -> int:
    """The lock's file, made for every user of the machine; flock needs no right to write."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        fd = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with contextlib.suppress(OSError):  # the umask may have taken the others' right to read
            os.fchmod(fd, 0o644)
        return fd


def _take(fd: int, path: Path, on_wait: Callable[[str], None]) -> None:
    import fcntl  # not on every system; there nothing is measured

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait(f"another run holds this machine ({path.name}); waiting for it to end")
        fcntl.flock(fd, fcntl.LOCK_EX)  # queued: who only looks from time to time may never find a gap
