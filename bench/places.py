"""Where bench keeps what it made: one folder for the user, shared by every stage that keeps something."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import UsageError

_OF_ONE_RUN = re.compile(
    r"(?<![\w./~-])[~/][^\s'\"()=,;:]*/(?:onnx-crossbench-\d+-|\.unfinished-)[a-z0-9_]{8}(?![a-z0-9_])"
)


def cache_folder() -> Path:
    """Where everything is kept: ``BENCH_CACHE``, else ``onnx-crossbench`` in the user's cache folder."""
    if chosen := os.environ.get("BENCH_CACHE"):
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "onnx-crossbench"


@contextmanager
def usable_cache() -> Iterator[None]:
    """A cache that can't be read or written is the user's to mend: its OSError becomes a UsageError."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise UsageError(f"cache folder {cache_folder()}: {why}; set BENCH_CACHE to a folder you can write") from error


def size_below(folder: Path) -> int:
    """Bytes of every file below ``folder``, links left out."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def without_run_folders(text: str) -> str:
    """``text`` with ``TMP`` for each folder of ours that a run removes: the same words whichever run says them."""
    return _OF_ONE_RUN.sub("TMP", text)
