"""One worker process: asked, stopped while idle, and ended on every way out."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from bench.measure import wire
from bench.measure.machine import oom_kills
from bench.places import without_run_folders
from bench.records import Failed, Reply, Request, Status

STOP_LIMIT_S = 10.0
CLOSE_LIMIT_S = 10.0
KILL_LIMIT_S = 10.0
_LOOK_S = 0.5  # how often a silent worker is looked at: a child of its own may hold its pipe open after its death
_STDERR_TAIL = 600  # characters of a dead worker's stderr that go into its reason


class WorkerDiedError(Exception):
    """The worker is gone or had to be ended; carries the row's status and reason."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason


class ProcessWorker:
    """A worker process; see ``launch.WorkerHandle``."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        """Start ``command`` with the ends of its two pipes appended. Raises WorkerDiedError where that can't be."""
        self._stderr = log.with_suffix(".stderr")
        self._oom_before = oom_kills()
        self._is_closed = False
        request_read, self._write_fd = os.pipe()
        self._read_fd, reply_write = os.pipe()
        fds = (request_read, reply_write)
        try:
            with log.with_suffix(".stdout").open("wb") as out, self._stderr.open("wb") as err:
                self._process = subprocess.Popen(
                    [*command, *map(str, fds)],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=environment,
                    pass_fds=fds,
                    start_new_session=True,
                )
        except OSError as error:
            self._close_pipes()
            status: Status = "oom" if isinstance(error, MemoryError) else "failed"
            raise WorkerDiedError(status, f"starting the worker: {error.strerror or error}") from error
        finally:
            os.close(request_read)
            os.close(reply_write)
        self.pid = self._process.pid

    def ask(self, request: Request, limit_s: float) -> Reply:
        """See ``launch.WorkerHandle``."""
        self._signal(signal.SIGCONT)
        try:
            wire.send(self._write_fd, request)
        except BrokenPipeError:
            raise self._death() from None
        if not self._has_answered(limit_s):
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
        """See ``launch.WorkerHandle``. Its own children end with it."""
        if self._is_closed:
            return
        self._is_closed = True
        self._signal(signal.SIGCONT)
        with contextlib.suppress(OSError):
            os.close(self._write_fd)  # the worker reads the end of the pipe and returns
        if not kill:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(CLOSE_LIMIT_S)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # it may hang in a driver; nobody can end it then
            self._process.wait(KILL_LIMIT_S)
        with contextlib.suppress(OSError):
            os.close(self._read_fd)

    def _has_answered(self, limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._read_fd], [], [], min(left, _LOOK_S))[0]:
                return True
            if self._has_ended():
                raise self._death()
        return False

    def _signal(self, number: int) -> None:
        """Unlike Popen's, it does not reap: a dead worker keeps its number until ``close``."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _stop(self) -> None:
        """Stop it and see that it is stopped: a pool that still spins would steal a core from the next one."""
        if not hasattr(os, "waitid"):  # not Linux: outputs can be verified there, nothing is timed
            return
        self._signal(signal.SIGSTOP)
        deadline = time.monotonic() + STOP_LIMIT_S
        while time.monotonic() < deadline:
            if os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return
            time.sleep(0.0001)
        self.close(kill=True)
        raise WorkerDiedError("failed", f"the worker could not be stopped within {STOP_LIMIT_S:g} s")

    def _has_ended(self) -> bool:
        if not hasattr(os, "waitid"):
            return self._process.poll() is not None
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _death(self) -> WorkerDiedError:
        """Why the pipe ended: the signal or exit code, with the end of its stderr."""
        self.close()
        code = self._process.returncode or 0
        said = _one_line(self._stderr.read_text(errors="replace")[-8 * _STDERR_TAIL :])[-_STDERR_TAIL:].strip()
        tail = f"; its last words: {said}" if said else ""
        if code == -signal.SIGKILL and oom_kills() > self._oom_before:
            return WorkerDiedError("oom", f"the kernel killed the worker for lack of memory{tail}")
        if code < 0:
            return WorkerDiedError("crashed", f"the worker died of {signal.Signals(-code).name}{tail}")
        return WorkerDiedError("crashed", f"the worker ended with exit code {code}{tail}")

    def _close_pipes(self) -> None:
        os.close(self._write_fd)
        os.close(self._read_fd)


def _one_line(text: str) -> str:
    return " ".join(without_run_folders(text).split())
