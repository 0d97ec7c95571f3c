"""Files that are whole or not there: written beside their place, synced, renamed over it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from bench.errors import BenchError

_MARK = ".unfinished"


def write_bytes(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``; a reader sees the old or the new. Raises BenchError (disk full, ...)."""
    write_with(path, lambda unfinished: _write(unfinished, content))


def write_with(path: Path, write: Callable[[Path], None]) -> None:
    """Replace ``path`` by what ``write`` puts into the file that it is given."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{_MARK}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(unfinished)
        _sync(unfinished)
        os.replace(unfinished, path)
        _sync(path.parent)
    except OSError as error:
        raise BenchError(
            f"writing {path}: {error.strerror or error}. What was saved before is still there; "
            "make room or choose another folder with --out, then go on with --resume"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed writer left behind in ``folder``."""
    for path in folder.glob(f".*{_MARK}"):
        path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
