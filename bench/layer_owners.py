"""Layers of the profiled models with what they cost, and whose work each kernel is: asked of prepare, each once.

Part of ``profiling``. A model whose layers can't be counted is profiled all the same, by its operators alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from bench.analysis.profiled import Origins
from bench.errors import BenchError
from bench.prepare.layer_costs import cost_layers
from bench.progress import Progress
from bench.records import Artifact, Failure, LayerCost, Prepared, Record, Suite


class OwnedLayers(Record, frozen=True):
    """A model's layers and the places among them of each kernel, by its origins; or why there are none."""

    layers: tuple[LayerCost, ...] = ()
    owners: Mapping[Origins, tuple[int, ...]] = msgspec.field(default_factory=dict)
    reason: str = ""


class LayerOwners:
    """Remembers every answer: a child process with Keras in it takes seconds."""

    def __init__(
        self, suite: Suite, prepared: Mapping[str, Prepared | Failure], folder: Path, progress: Progress
    ) -> None:
        """``folder`` takes what the child is asked and answers; it is the caller's to remove."""
        self._suite = suite
        self._prepared = prepared
        self._folder = folder
        self._progress = progress
        self._known: dict[tuple[str, str], OwnedLayers] = {}

    def of(self, model: str, artifact: Artifact, origins: Iterable[Origins]) -> OwnedLayers:
        """The layers of ``model``, and whose the kernels with these origins are in a session of ``artifact``."""
        prepared = self._prepared[model]
        assert isinstance(prepared, Prepared)
        file = artifact if artifact.kind == "onnx" else prepared.artifacts.get("onnx")
        key = model, file.digest if file else ""
        known = self._known.get(key, OwnedLayers())
        wanted = dict.fromkeys((*known.owners, *origins))
        if not known.reason and (not known.layers or wanted.keys() - known.owners.keys()):
            self._known[key] = self._asked(prepared, file, list(wanted), len(self._known))
        return self._known[key]

    def _asked(self, prepared: Prepared, file: Artifact | None, origins: list[Origins], number: int) -> OwnedLayers:
        spec = next(one for one in self._suite.models if one.display == prepared.model)
        folder = self._folder / str(number)
        try:
            answer = cost_layers(
                prepared, spec, self._suite.prepare, file, origins, folder, on_stage=self._progress.stage
            )
        except BenchError as error:
            self._progress.note(f"the layers of {prepared.model} are not known: {error}")
            return OwnedLayers(reason=str(error))
        return OwnedLayers(layers=answer.layers, owners=dict(zip(origins, answer.owners, strict=True)))
