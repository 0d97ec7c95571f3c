"""Starts the child that plants a fault in an ONNX file. Runs in the parent, which never imports onnx."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal

import msgspec

from bench.prepare.digests import artifact_digest
from bench.prepare.tasks import run_task
from bench.records import Artifact, Record

TIME_LIMIT_S = 300.0

PlantKind = Literal["nodes", "wrong"]


class PlantRequest(Record, frozen=True):
    """What is planted in ``source``; the other file goes to ``target``."""

    kind: PlantKind
    source: str
    target: str
    share: float = 0.0  # nodes: of the file's multiply-adds
    which: int = 0  # wrong: which kernel ...
    of: int = 1  # ... of so many, spread over the net


class PlantAnswer(Record, frozen=True):
    """What was planted, for a person."""

    text: str = ""
    nodes: int = 0
    share: float = 0.0  # of the multiply-adds, as it came out


class Plantable(Record, frozen=True):
    """A planted artifact and what was done to it."""

    artifact: Artifact
    text: str


def plant_nodes(source: Artifact, share: float, folder: Path) -> Plantable:
    """The artifact in ``folder`` with nodes that cost ``share`` of its multiply-adds and change nothing.

    Raises UnsupportedError for a file without anything to run again.
    """
    return _planted(source, folder, kind="nodes", share=share)


def plant_wrong_kernel(source: Artifact, which: int, of: int, folder: Path) -> Plantable:
    """The artifact in ``folder`` with one kernel times 1.01; UnsupportedError for a file without a kernel."""
    return _planted(source, folder, kind="wrong", which=which, of=of)


def _planted(
    source: Artifact, folder: Path, *, kind: PlantKind, share: float = 0.0, which: int = 0, of: int = 1
) -> Plantable:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / Path(source.path).name
    request = PlantRequest(kind=kind, source=source.path, target=str(target), share=share, which=which, of=of)
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as exchange:
        answer = run_task(
            "plant", request, PlantAnswer, Path(exchange), doing="planting a fault", time_limit_s=TIME_LIMIT_S
        )
    artifact = msgspec.structs.replace(
        source, path=str(target), digest=artifact_digest(target), size_bytes=target.stat().st_size
    )
    return Plantable(artifact=artifact, text=answer.text)
