"""One model through every exporter at several operator sets: the child that does it, started. Runs in the parent.

What the files compute and how fast they are is measured later, on real runtimes; here they are only made and loaded.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from bench.prepare.tasks import run_task
from bench.records import Artifact, ModelSpec, Prepared, PrepareSettings, Record

Exporter = Literal["tf2onnx from_function", "tf2onnx SavedModel", "Keras export"]
OURS: Exporter = "tf2onnx from_function"  # what bench itself exports with
EXPORTERS: tuple[Exporter, ...] = (OURS, "tf2onnx SavedModel", "Keras export")
DEFAULT_OPSETS = (13, 15, 18)


class ExportersRequest(Record, frozen=True):
    """A model that was prepared, and what to make of it; every path is absolute."""

    spec: ModelSpec
    settings: PrepareSettings
    prepared: Prepared
    opsets: tuple[int, ...]
    folder: str  # takes the files


class ExportedFile(Record, frozen=True):
    """What one exporter made at one operator set, or why that is of no use."""

    exporter: Exporter
    opset: int  # as asked for; ``artifact.opset`` is what the file says
    artifact: Artifact | None = None  # None where nothing was written; its names are mapped to the model's
    nodes: int = 0  # those of inner graphs included
    operators: tuple[str, ...] = ()  # distinct types, sorted
    paired: str = ""  # how its inputs and outputs were paired with the model's: "by name", "by shape", ...
    reason: str = ""  # why it can't be run: not converted, refused by the checker or ONNX Runtime, names not told apart


class ExportersAnswer(Record, frozen=True):
    """One file for each exporter and operator set, in that order."""

    files: tuple[ExportedFile, ...]


def exporters_for(spec: ModelSpec) -> tuple[Exporter, ...]:
    """The exporters that can be asked: Keras's own needs a Keras model."""
    return EXPORTERS[:-1] if spec.kind == "saved_model" else EXPORTERS


def export_with_each(
    spec: ModelSpec,
    settings: PrepareSettings,
    prepared: Prepared,
    opsets: Sequence[int],
    folder: Path,
    on_stage: Callable[[str], None] = lambda _: None,
) -> tuple[ExportedFile, ...]:
    """A file of every exporter at every operator set, below ``folder``; one that fails has its reason.

    Raises BenchError where the model itself can't be had again.
    """
    request = ExportersRequest(
        spec=spec, settings=settings, prepared=prepared, opsets=tuple(opsets), folder=str(folder)
    )
    doing = f"exporting {spec.display}"
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as exchange:
        return run_task("exporters", request, ExportersAnswer, Path(exchange), doing=doing, on_stage=on_stage).files
