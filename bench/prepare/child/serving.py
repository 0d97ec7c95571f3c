"""How a child of prepare lives: it reads one request in a folder, writes one answer beside it, ends with its parent.

Standard library, records and msgspec only: what a task needs it imports itself.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.children import die_with
from bench.errors import BenchError, OptionError, UnavailableError, UnsupportedError, UsageError
from bench.prepare.messages import (
    ANSWER_FILE,
    REQUEST_FILE,
    STAGES_FILE,
    ChildError,
    ErrorKind,
    TaskAnswer,
    TaskRequest,
)
from bench.records import Record

Q = TypeVar("Q", bound=Record)
OnStage = Callable[[str], None]

_KINDS: tuple[tuple[type[BenchError], ErrorKind], ...] = (
    (OptionError, "option"),
    (UsageError, "usage"),
    (UnsupportedError, "unsupported"),
    (UnavailableError, "unavailable"),
)


class Stages:
    """What the child is at, for whoever watches, and how long each stage took."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._current: tuple[str, int] | None = None
        self.durations_ns: dict[str, int] = {}

    def begin(self, stage: str) -> None:
        """End the stage before it and say what comes now."""
        self.end()
        self._current = stage, time.perf_counter_ns()
        with self._file.open("a") as file:
            file.write(f"{stage}\n")

    def end(self) -> None:
        """Note the time of the stage in hand."""
        if self._current:
            stage, start = self._current
            self.durations_ns[stage] = self.durations_ns.get(stage, 0) + time.perf_counter_ns() - start
        self._current = None


def error_of(error: Exception, doing: str) -> ChildError:
    """What an exception is to the parent; one that nobody foresaw is a bug of ours, with its traceback."""
    if isinstance(error, BenchError):
        kind: ErrorKind = next((kind for cls, kind in _KINDS if isinstance(error, cls)), "failed")
        return ChildError(kind=kind, text=str(error))
    if isinstance(error, MemoryError):
        return ChildError(kind="failed", text=f"{doing}: out of memory")
    text = "".join(traceback.format_exception(error))
    return ChildError(kind="bug", text=f"{doing}: an unexpected error, please report it:\n{text}")


def write_answer(folder: Path, answer: Record) -> None:
    """The answer, there whole or not at all."""
    unfinished = folder / f"{ANSWER_FILE}.unfinished"
    unfinished.write_bytes(msgspec.json.encode(answer))
    os.replace(unfinished, folder / ANSWER_FILE)


def serve(request_type: type[Q], work: Callable[[Q, Path, OnStage], Record]) -> None:
    """The whole life of a task's child: ``work`` gets the request, its folder, and who to tell what it is at."""
    folder = Path(sys.argv[1])
    asked = msgspec.json.decode((folder / REQUEST_FILE).read_bytes(), type=TaskRequest)
    die_with(asked.parent)
    try:
        value = work(msgspec.json.decode(asked.value, type=request_type), folder, Stages(folder / STAGES_FILE).begin)
        answer = TaskAnswer(value=msgspec.Raw(msgspec.json.encode(value)))
    except Exception as error:
        answer = TaskAnswer(error=error_of(error, asked.doing))
    write_answer(folder, answer)
    leave()


def leave() -> None:
    """End at once: TensorFlow's tear-down takes a second and can only fail."""
    sys.stdout.flush()
    os._exit(0)
