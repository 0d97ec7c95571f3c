"""What every layer of a model has to do, and whose work a runtime's kernels are: the parent's side of the task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.prepare.tasks import run_task
from bench.records import Artifact, LayerCost, ModelSpec, Prepared, PrepareSettings, Record


class LayersRequest(Record, frozen=True):
    """Count every layer, and find the layer of each kernel by the names that the runtime gave it."""

    prepared: Prepared
    spec: ModelSpec
    settings: PrepareSettings
    artifact: Artifact | None  # the ONNX file; None where there is none
    origins: tuple[tuple[str, ...], ...]  # of each kernel, of all runtimes one after the other: ``Operator.origins``


class Layers(Record, frozen=True):
    """Layers in order of computation, and the kernels' places among them."""

    layers: tuple[LayerCost, ...]
    owners: tuple[tuple[int, ...], ...]  # of each kernel: places of the layers whose work it does, () where unknown


def cost_layers(
    prepared: Prepared,
    spec: ModelSpec,
    settings: PrepareSettings,
    artifact: Artifact | None,
    origins: Sequence[tuple[str, ...]],
    folder: Path,
    *,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Layers:
    """The layers of a model and the owners of kernels; of a bare file its nodes. Raises what ``run_task`` raises.

    ``on_stage`` is told what the child is at, with the model.
    """
    request = LayersRequest(prepared=prepared, spec=spec, settings=settings, artifact=artifact, origins=tuple(origins))
    folder.mkdir(parents=True, exist_ok=True)
    return run_task(
        "layers",
        request,
        Layers,
        folder,
        doing=f"counting the layers of {prepared.model}",
        on_stage=lambda stage: on_stage(f"layers of {prepared.model}: {stage}"),
    )
