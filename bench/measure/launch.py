"""Workers as the parent sees them: executed, stopped while idle, continued for a turn, always ended.

``Launcher`` and ``WorkerHandle`` are the seam: tests put workers there that invent their times.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import bench
from bench.measure import wire
from bench.measure.machine import oom_kills
from bench.records import Failed, Reply, Request, Status

STOP_LIMIT_S = 10.0
CLOSE_LIMIT_S = 10.0
_STDERR_TAIL = 600  # characters of a dead worker's stderr that go into its reason
_PASSED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES",
    "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER", "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
)  # fmt: skip
_SET = {
    "ORT_DISABLE_TELEMETRY": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "OPENBLAS_NUM_THREADS": "1",  # numpy's own pool, which no case uses
}


class WorkerDiedError(Exception):
    """The worker is gone or had to be ended; carries the row's status and reason."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason


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
        """A fresh worker, by the interpreter of the environment at ``prefix`` (None: our own)."""
        ...


class ProcessLauncher:
    """Starts real worker processes; must be used from the main thread (a parent-death signal is the thread's)."""

    def __init__(self, folder: Path) -> None:
        """``folder`` takes logs and arrays; it is the caller's to remove."""
        self.folder = folder
        self._count = 0
        self._private = folder / "python"
        self._private.mkdir(parents=True, exist_ok=True)
        link = self._private / "bench"
        if not link.is_symlink():
            link.symlink_to(Path(bench.__file__).resolve().parent, target_is_directory=True)

    def start(self, prefix: Path | None = None) -> ProcessWorker:
        """A fresh worker with logs of its own."""
        self._count += 1
        python = sys.executable if prefix is None else str(prefix / "bin" / "python")
        return ProcessWorker(python, self._private, self.folder / f"worker-{self._count}")


class ProcessWorker:
    """A worker process; see WorkerHandle."""

    def __init__(self, python: str, private: Path, log: Path) -> None:
        self._stderr = log.with_suffix(".stderr")
        self._oom_before = oom_kills()
        request_read, self._write_fd = os.pipe()
        self._read_fd, reply_write = os.pipe()
        script = private / "bench" / "measure" / "worker.py"
        fds = (request_read, reply_write)
        try:
            with log.with_suffix(".stdout").open("wb") as out, self._stderr.open("wb") as err:
                self._process = subprocess.Popen(
                    [python, "-I", str(script), str(private), str(os.getpid()), *map(str, fds)],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=worker_environment(os.environ),
                    pass_fds=fds,
                    start_new_session=True,
                )
        finally:
            os.close(request_read)
            os.close(reply_write)
        self.pid = self._process.pid

    def ask(self, request: Request, limit_s: float) -> Reply:
        """See WorkerHandle."""
        self._signal(signal.SIGCONT)
        try:
            wire.send(self._write_fd, request)
        except BrokenPipeError:
            raise self._death() from None
        if not select.select([self._read_fd], [], [], limit_s)[0]:
            self.close(kill=True)
            what = type(request).__name__.removesuffix("Request").lower()
            raise WorkerDiedError("timeout", f"no answer to '{what}' within {limit_s:g} s; raise --time-limit")
        payload = wire.receive(self._read_fd)
        if payload is None:
            raise self._death()
        self._stop()
        reply: Reply = wire.reply_decoder.decode(payload)
        if isinstance(reply, Failed):
            self.close(kill=True)
            raise WorkerDiedError(reply.status, _one_line(reply.reason))
        return reply

    def close(self, kill: bool = False) -> None:
        """See WorkerHandle."""
        if self._process.returncode is None:
            self._signal(signal.SIGCONT)
            with contextlib.suppress(OSError):
                os.close(self._write_fd)  # the worker reads the end of the pipe and returns
            if kill:
                self._signal(signal.SIGKILL)
            try:
                self._process.wait(CLOSE_LIMIT_S)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._process.wait()
            with contextlib.suppress(OSError):
                os.close(self._read_fd)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _stop(self) -> None:
        """Stop it and see that it is stopped: a pool that still spins would steal a core from the next one."""
        self._signal(signal.SIGSTOP)
        deadline = time.monotonic() + STOP_LIMIT_S
        while time.monotonic() < deadline:
            seen = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if seen is not None:
                return
            time.sleep(0.0001)
        self.close(kill=True)
        raise WorkerDiedError("failed", f"the worker could not be stopped within {STOP_LIMIT_S:g} s")

    def _death(self) -> WorkerDiedError:
        """Why the pipe ended: the signal or exit code, with the end of its stderr."""
        self.close()
        code = self._process.returncode
        said = _one_line(self._stderr.read_text(errors="replace")[-_STDERR_TAIL:])
        tail = f"; its last words: {said}" if said else ""
        if code == -signal.SIGKILL and oom_kills() > self._oom_before:
            return WorkerDiedError("oom", f"the kernel killed the worker for lack of memory{tail}")
        if code < 0:
            return WorkerDiedError("crashed", f"the worker died of {signal.Signals(-code).name}{tail}")
        return WorkerDiedError("crashed", f"the worker ended with exit code {code}{tail}")


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a worker may see: nothing that changes threads, optimisations or telemetry behind our back."""
    return {key: environment[key] for key in _PASSED if key in environment} | _SET


def make_folder() -> Path:
    """A private temporary folder for one run's logs and arrays."""
    return Path(tempfile.mkdtemp(prefix="onnx-crossbench-"))


def _one_line(text: str) -> str:
    return " ".join(text.split())
