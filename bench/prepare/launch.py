"""The one child process of prepare: started, watched, and never left behind. Runs in the parent.

The child is a fresh interpreter with an environment of our making; its output goes to files in its folder, so that it
can't block on a pipe. Call from a thread that outlives the child: it dies with the thread that started it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.errors import BenchError, OptionError, UnavailableError, UnsupportedError, UsageError
from bench.prepare.messages import (
    ANSWER_FILE,
    REQUEST_FILE,
    STAGES_FILE,
    ChildAnswer,
    ChildError,
    ChildRequest,
    TaskAnswer,
)
from bench.records import Record

A = TypeVar("A", ChildAnswer, TaskAnswer)

TIME_LIMIT_S = 1800.0
_POLL_S = 0.05
CHILD = (sys.executable, "-P", "-m", "bench.prepare.child.main")
_CHANGES_NUMBERS = ("TF_", "ORT_", "XLA_", "OMP_", "KMP_", "MKL_", "KERAS_", "CUDA_", "ONEDNN_", "DNNL_")
_MALLOC = {  # tf2onnx copies all weights some fifty times: keep pages instead of asking the kernel (5 s, not 30)
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
    "MALLOC_TOP_PAD_": str(2**28),
}
_TAIL_LINES = 8
_START_UP = re.compile(r"oneDNN|cuda|cuDNN|cuFFT|cuBLAS|TensorRT|cpu_feature_guard|All log messages before absl", re.I)


class PrepareBug(Exception):  # noqa: N818 - no state of the world, so no BenchError: it ends as any bug of ours
    """The child met an exception that nobody foresaw; its traceback is the message."""


def run_child(
    folder: Path,
    request: ChildRequest,
    on_stage: Callable[[str], None],
    *,
    command: tuple[str, ...] = CHILD,
    time_limit_s: float = TIME_LIMIT_S,
) -> ChildAnswer:
    """The child's answer; what it made is in ``folder``.

    Raises the BenchError that the child reports, PrepareBug where that is a bug, and BenchError where it died or took
    too long. However this ends, by
    Ctrl-C too, the child has ended.
    """
    return ask_child(folder, request, ChildAnswer, on_stage, command=command, time_limit_s=time_limit_s)


def ask_child(
    folder: Path,
    request: Record,
    answer: type[A],
    on_stage: Callable[[str], None],
    *,
    command: tuple[str, ...],
    doing: str = "preparing the model",
    time_limit_s: float = TIME_LIMIT_S,
) -> A:
    """``run_child`` for any request and answer whose ``error`` is a ChildError or None; ``doing`` begins its lines."""
    (folder / REQUEST_FILE).write_bytes(msgspec.json.encode(request))
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        child = subprocess.Popen(
            [*command, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=child_environment(os.environ),
            start_new_session=True,
        )
    try:
        in_time = _watch(child, folder / STAGES_FILE, on_stage, time_limit_s)
    finally:
        _end(child)
    ending = _ending(child.returncode) if in_time else f"took more than {time_limit_s:g} s"
    return _read_answer(folder, answer, ending, doing)


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would change numbers or devices, and with what keeps libraries quiet."""
    kept = {
        key: value
        for key, value in environment.items()
        if not key.startswith(_CHANGES_NUMBERS) or key == "KERAS_HOME"  # only where downloads are kept
    }
    return kept | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
        **_MALLOC,
        "ORT_DISABLE_TELEMETRY": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _watch(child: subprocess.Popen[bytes], stages: Path, on_stage: Callable[[str], None], time_limit_s: float) -> bool:
    """Whether the child ended by itself; its stages are told as they come."""
    deadline = time.monotonic() + time_limit_s
    told = 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_POLL_S)
        lines = _lines(stages)
        for line in lines[told:]:
            on_stage(line)
        told = len(lines)
        if child.returncode is not None:
            return True
        if time.monotonic() > deadline:
            return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill what still runs, its own children included, and wait for it."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _ending(returncode: int) -> str:
    """How a process ended, in words; nothing where it ended well."""
    if returncode == -signal.SIGKILL:
        return "was killed by SIGKILL (is there enough memory?)"
    if returncode < 0:
        return f"died by {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}" if returncode else ""


def _read_answer(folder: Path, kind: type[A], ending: str, doing: str) -> A:
    if not ending and (folder / ANSWER_FILE).exists():
        answer = msgspec.json.decode((folder / ANSWER_FILE).read_bytes(), type=kind)
        if answer.error:
            raise _as_exception(answer.error)
        return answer
    stages = _lines(folder / STAGES_FILE)
    output = [line for line in _lines(folder / "stderr") if not _START_UP.search(line)][-_TAIL_LINES:]
    raise BenchError(
        f"{doing}: the child process {ending or 'gave no answer'}, at {stages[-1] if stages else 'start'}"
        + ("; the end of its output:\n" + "\n".join(output) if output else "")
    )


def _as_exception(error: ChildError) -> Exception:
    if error.kind == "bug":
        return PrepareBug(error.text)
    kinds = {
        "option": OptionError,
        "usage": UsageError,
        "unsupported": UnsupportedError,
        "unavailable": UnavailableError,
    }
    return kinds.get(error.kind, BenchError)(error.text)


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []
