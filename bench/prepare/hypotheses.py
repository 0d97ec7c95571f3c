"""Why outputs differ: hypotheses that need the model to be run once more. The parent's side of the task ``hypotheses``.

``analysis/diagnosis.py`` tries those that arrays alone can answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.prepare.tasks import run_task
from bench.records import ArrayFile, Artifact, Finding, ModelSpec, Prepared, PrepareSettings, Record


class HypothesesRequest(Record, frozen=True):
    """Outputs that are not the model's, to be explained."""

    prepared: Prepared
    spec: ModelSpec
    settings: PrepareSettings
    artifact: Artifact  # the ONNX file that is run with other inputs or weights
    outputs: dict[str, ArrayFile]  # by case id: names of the model, one row an item of the pool


class Hypotheses(Record, frozen=True):
    """What explains them, by case id; nothing where nothing does."""

    findings: dict[str, tuple[Finding, ...]]


def try_hypotheses(
    prepared: Prepared,
    spec: ModelSpec,
    settings: PrepareSettings,
    artifact: Artifact,
    outputs: Mapping[str, ArrayFile],
    folder: Path,
    *,
    on_stage: Callable[[str], None] = lambda _: None,
) -> dict[str, tuple[Finding, ...]]:
    """What explains each case's outputs, the best explanation first."""
    request = HypothesesRequest(
        prepared=prepared, spec=spec, settings=settings, artifact=artifact, outputs=dict(outputs)
    )
    folder.mkdir(parents=True, exist_ok=True)
    doing = f"looking for why {prepared.model} differs"
    return run_task("hypotheses", request, Hypotheses, folder, doing=doing, on_stage=on_stage).findings
