"""The child of prepare: one request in a folder, one answer beside it. ``python -m bench.prepare.child.main FOLDER``.

The only process that imports TensorFlow, tf2onnx and ONNX together, once for everything. It ends with its parent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import msgspec

from bench.errors import BenchError, UnavailableError, UnsupportedError, UsageError
from bench.prepare.messages import (
    ANSWER_FILE,
    REQUEST_FILE,
    STAGES_FILE,
    ChildAnswer,
    ChildError,
    ChildRequest,
    ErrorKind,
)

_PR_SET_PDEATHSIG = 1
_KINDS: tuple[tuple[type[BenchError], ErrorKind], ...] = (
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


def die_with(parent: int) -> None:
    """End when the parent does, and at once if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def answer(request: ChildRequest, folder: Path) -> ChildAnswer:
    """The answer to a request; an exception becomes an error in it, one of ours with its traceback."""
    stages = Stages(folder / STAGES_FILE)
    try:
        stages.begin("import")
        if request.variant:
            from bench.prepare.child import variant

            return variant.make(request.variant, request.specs[0], request.settings, folder, stages.begin)
        from bench.prepare.child import pipeline

        if request.describe:
            return ChildAnswer(facts=tuple(pipeline.describe(spec, request.settings) for spec in request.specs))
        return pipeline.prepare(request.specs[0], request.settings, folder, stages)
    except BenchError as error:
        kind: ErrorKind = next((kind for cls, kind in _KINDS if isinstance(error, cls)), "failed")
        return ChildAnswer(error=ChildError(kind=kind, text=str(error)))
    except MemoryError:
        return ChildAnswer(error=ChildError(kind="failed", text="preparing the model: out of memory"))
    except Exception:
        text = f"preparing the model: an unexpected error, please report it:\n{traceback.format_exc()}"
        return ChildAnswer(error=ChildError(kind="bug", text=text))


def main(folder: Path) -> None:
    """Read the request, write the answer."""
    request = msgspec.json.decode((folder / REQUEST_FILE).read_bytes(), type=ChildRequest)
    die_with(request.parent)
    reply = msgspec.json.encode(answer(request, folder))
    unfinished = folder / f"{ANSWER_FILE}.unfinished"
    unfinished.write_bytes(reply)
    os.replace(unfinished, folder / ANSWER_FILE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)  # TensorFlow's tear-down takes a second and can only fail
