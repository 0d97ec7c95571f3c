"""What wrong files of a model answer: its correct file with one fault each, run over the model's own inputs.

The parent's side of the task ``power``; the records are what both sides speak. Judges nothing.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from bench.prepare.tasks import run_task
from bench.records import ArrayFile, Artifact, Prepared, Record

AT_ONCE_BYTES = 2**30  # of outputs on disk: a child ends beyond it, and another goes on

Origin = Literal["correct", "wrong"]


class PowerRequest(Record, frozen=True):
    """Run the file and its mutants, from the ``start``-th on, until so many bytes of outputs are there."""

    artifact: Artifact
    pool: ArrayFile
    start: int = 0
    most_bytes: int = AT_ONCE_BYTES


class FileRun(Record, frozen=True):
    """One file over the whole pool, on ONNX Runtime's CPU provider."""

    kind: str  # of the fault; of the correct file how far it was optimised
    origin: Origin
    outputs: ArrayFile | None = None  # by the model's names; None where it gave none at all, or did not run
    problem: str = ""  # why it did not load or run


class PowerAnswer(Record, frozen=True):
    """The files that were run, and where to go on."""

    runs: tuple[FileRun, ...]
    following: int | None = None  # None where all are done


def run_mutants(
    prepared: Prepared, artifact: Artifact, *, on_stage: Callable[[str], None] = lambda _: None
) -> Iterator[FileRun]:
    """The correct file, unoptimised and as deployed, then one wrong file a kind of fault that has a place in it.

    Its outputs are on disk until the next run is asked for. Raises UnsupportedError for a file of more than 2 GiB.
    """
    start: int | None = 0
    while start is not None:
        with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
            request = PowerRequest(artifact=artifact, pool=prepared.pool, start=start)
            doing = f"planting faults in {prepared.model}"
            answer = run_task("power", request, PowerAnswer, Path(folder), doing=doing, on_stage=on_stage)
            yield from answer.runs
            start = answer.following
