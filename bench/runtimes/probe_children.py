"""Probing children: started, bounded in time, and ended at once when nobody waits for them any longer."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from bench.children import child_environment, kill_group, private_path

TIME_LIMIT_S = 90.0  # of one child; importing TensorFlow from a cold disk takes a third of it

Finished = tuple[int | None, bytes, bytes]  # exit code, None after a time-out; standard output; standard error


class ProbeChildren:
    """Starts real children, from several threads; ``close`` ends those that run, and no other is started then."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-")
        self._private = private_path(Path(self._folder.name))
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False
        self._lock = threading.Lock()

    def start(self, prefix: str | None, names: Sequence[str]) -> Finished:
        """What became of a child that probes ``names`` by the interpreter at ``prefix`` (None: ours)."""
        python = sys.executable if prefix is None else str(Path(prefix, "bin", "python"))
        script = self._private / "bench" / "runtimes" / "probe_child.py"
        try:
            child = self._begin([python, "-I", str(script), str(self._private), *names])
        except OSError as error:
            return 127, b"", f"its interpreter can't be started: {error.strerror}".encode()
        try:
            out, err = child.communicate(timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            kill_group(child)
            out, err = child.communicate()
            return None, out, err
        finally:
            kill_group(child)
            with self._lock:
                self._running.discard(child)
        return child.returncode, out, err

    def close(self) -> None:
        """End whatever runs, and remove what the children were given."""
        with self._lock:
            self._is_closed = True
            running = list(self._running)
        for child in running:
            kill_group(child)
        self._folder.cleanup()

    def _begin(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._is_closed:
                raise ProcessLookupError(0, "probing has ended")
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env=child_environment(os.environ),
            )
            self._running.add(child)
            return child
