"""Starting workers: by which interpreter, with which environment, in which folder.

``Launcher`` and ``WorkerHandle`` are the seam: tests put workers there that invent their times.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psutil

from bench.children import child_environment, private_path
from bench.measure.process import ProcessWorker
from bench.records import Reply, Request

_PREFIX = "onnx-crossbench-"


class WorkerHandle(Protocol):
    """One worker process."""

    pid: int

    def ask(self, request: Request, limit_s: float) -> Reply:
        """Continue the worker, send, wait for the reply, stop it again.

        Raises WorkerDiedError where it ended, failed or took longer than ``limit_s`` seconds; it is then gone.
        """
        ...

    def close(self, kill: bool = False) -> None:
        """End it, however it stands: continue it, close its pipe, kill it after a bound (at once with ``kill``).

        Twice is fine.
        """
        ...


class Launcher(Protocol):
    """Starts workers."""

    def start(self, prefix: Path | None) -> WorkerHandle:
        """A fresh worker, by the interpreter of the environment at ``prefix`` (None: our own).

        Raises WorkerDiedError where it can't be started.
        """
        ...


class ProcessLauncher:
    """Starts real worker processes; must be used from the main thread (a parent-death signal is the thread's)."""

    def __init__(self, folder: Path) -> None:
        """``folder`` takes logs and arrays; it is the caller's to remove."""
        self.folder = folder
        self._count = 0
        self._private = private_path(folder)

    def start(self, prefix: Path | None = None) -> ProcessWorker:
        """A fresh worker with logs of its own."""
        self._count += 1
        python = sys.executable if prefix is None else str(prefix / "bin" / "python")
        script = self._private / "bench" / "measure" / "worker.py"
        command = [python, "-I", str(script), str(self._private), str(os.getpid())]
        return ProcessWorker(command, child_environment(os.environ), self.folder / f"worker-{self._count}")


def make_folder() -> Path:
    """A private temporary folder for one run's logs and arrays; those of runs that were killed are removed."""
    _sweep(Path(tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """``make_folder`` for as long as the block runs: it is gone on every way out, or with the next run."""
    folder = make_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)  # another user's stays
