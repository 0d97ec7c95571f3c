"""Takes a model apart: every layer's (or node's) truth in files, and the tensors of an ONNX file that hold them.

A task of ``prepare/tasks.py``, see ``prepare/dissection.py``. Runs in the child.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from bench.errors import UsageError
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.child import pipeline
from bench.prepare.child.layer_steps import bytes_per_item, layer_steps, layer_truths
from bench.prepare.child.reference import Array, Arrays
from bench.prepare.child.serving import OnStage, serve
from bench.prepare.dissection import Dissection, DissectRequest, Step
from bench.records import ArrayFile, Tensor

ITEMS = 8  # of the pool, where they fit: as many as agreement needs
_LEAST_ITEMS = 2  # a spread over items needs two


def answer(request: DissectRequest, folder: Path, on_stage: OnStage) -> Dissection:
    """The steps of a Keras model, or of a model that only its file knows."""
    if request.spec.kind in ("onnx", "saved_model"):
        from bench.prepare.child.node_steps import dissect_nodes

        return dissect_nodes(request, folder, on_stage)
    return dissect_layers(request, folder, on_stage)


def dissect_layers(request: DissectRequest, folder: Path, on_stage: OnStage) -> Dissection:
    """The steps of a model of layers."""
    pipeline.reset_keras()
    named, _, inputs, _, _ = pipeline.load_weighted(request.spec, request.settings, on_stage)
    pool = load_arrays(request.prepared.pool)
    on_stage("truth of each layer")
    need = bytes_per_item(named, inputs, pool)
    pool, is_wide = chosen_items(inputs, pool, need, request.budget_bytes)
    layers = layer_truths(named, inputs, pool, request.settings.seed)
    on_stage("tensors of the file")
    steps = layer_steps(layers, request.artifact, pool, folder)
    on_stage("store")
    files = save_truths(layers.truths, folder, is_wide=is_wide)
    return Dissection(
        model=request.prepared.model,
        steps=with_truths(steps, files),
        pool=save_arrays(folder / "pool.npz", pool),
        truth=layers.kind,
        outputs=layers.outputs,
    )


def chosen_items(
    inputs: Sequence[Tensor], pool: Arrays, bytes_per_item: int, budget_bytes: int
) -> tuple[dict[str, Array], bool]:
    """The first items of the pool, and whether their truths are kept in float64.

    Half as precise where they would take too much, then fewer; whole batches where the batch is fixed. Raises
    UsageError for a pool of one item.
    """
    batch = next((tensor.shape[0] for tensor in inputs if tensor.batched and tensor.shape[0]), 1)
    there = len(next(iter(pool.values())))
    if there < _LEAST_ITEMS:
        raise UsageError("taking a model apart: its pool has one item, and the spread of a layer needs two or more")
    is_wide = ITEMS * bytes_per_item <= budget_bytes
    fit = budget_bytes // max(1, bytes_per_item if is_wide else bytes_per_item // 2)
    items = min(there, ITEMS, max(_LEAST_ITEMS, fit))
    items = -(-items // batch) * batch
    return {name: np.take(rows, range(items), axis=0, mode="wrap") for name, rows in pool.items()}, is_wide


def save_truths(truths: Sequence[Array], folder: Path, *, is_wide: bool) -> list[ArrayFile]:
    """One file for each different array."""
    known: dict[str, ArrayFile] = {}
    files = []
    for place, truth in enumerate(truths):
        stored = truth.astype(np.float32) if truth.dtype == np.float64 and not is_wide else truth
        file = save_arrays(folder / f"step_{place:04d}.npz", {"value": np.ascontiguousarray(stored)})
        if file.digest in known:
            Path(file.path).unlink()
        files.append(known.setdefault(file.digest, file))
    return files


def with_truths(steps: Sequence[Step], files: Sequence[ArrayFile]) -> tuple[Step, ...]:
    """The steps with their files of truth."""
    return tuple(msgspec.structs.replace(step, truth=file) for step, file in zip(steps, files, strict=True))


def outputs_by_tensor(steps: Sequence[Step], names: Mapping[str, str]) -> dict[str, int]:
    """Output of the model -> the last step that has its tensor; ``names`` is from tensors to outputs."""
    return {names[step.tensor]: place for place, step in enumerate(steps) if step.tensor in names}


if __name__ == "__main__":
    serve(DissectRequest, answer)
