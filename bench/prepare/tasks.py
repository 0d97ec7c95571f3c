"""Work on a prepared model that needs ONNX, ONNX Runtime or Keras: one child process for each task.

A task is a module of ``prepare/child`` that ends in ``serve(Request, work)``. Runs in the parent, which imports none of
them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.prepare.launch import TIME_LIMIT_S, ask_child
from bench.prepare.messages import TaskAnswer, TaskRequest
from bench.records import Record

A = TypeVar("A", bound=Record)


def run_task(
    task: str,
    request: Record,
    answer: type[A],
    folder: Path,
    *,
    doing: str,
    on_stage: Callable[[str], None] = lambda _: None,
    time_limit_s: float = TIME_LIMIT_S,
) -> A:
    """The answer of ``bench.prepare.child.TASK``; what it wrote is in ``folder``, which must be there.

    ``doing`` begins the line of an error ("dissecting net.keras"). Raises what ``launch.run_child`` raises. Paths of
    ``request`` and answer are absolute.
    """
    asked = TaskRequest(parent=os.getpid(), doing=doing, value=msgspec.Raw(msgspec.json.encode(request)))
    command = (sys.executable, "-P", "-m", f"bench.prepare.child.{task}")
    got = ask_child(folder, asked, TaskAnswer, on_stage, command=command, doing=doing, time_limit_s=time_limit_s)
    return msgspec.json.decode(got.value, type=answer)
