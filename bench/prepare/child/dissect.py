"""Takes a model apart: every layer's (or node's) truth in files, and the tensors of an ONNX file that hold them.

A task of ``prepare/tasks.py``, see ``prepare/dissection.py``. Runs in the child.
"""

from __future__ import annotations

from pathlib import Path

from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.child import pipeline
from bench.prepare.child.items import chosen_items, file_feed, save_truths, with_truths
from bench.prepare.child.layer_steps import TracedCalls, layer_steps
from bench.prepare.child.node_steps import dissect_nodes
from bench.prepare.child.serving import OnStage, serve
from bench.prepare.dissection import Dissection, DissectRequest


def answer(request: DissectRequest, folder: Path, on_stage: OnStage) -> Dissection:
    """The steps of a Keras model; of a model that has no layers, those of its file."""
    if request.spec.kind in ("onnx", "saved_model"):
        return dissect_nodes(request, folder, on_stage)
    return dissect_layers(request, folder, on_stage)


def dissect_layers(request: DissectRequest, folder: Path, on_stage: OnStage) -> Dissection:
    """The steps of a model of layers."""
    pipeline.reset_keras()
    source = pipeline.load_weighted(request.spec, request.settings, on_stage)
    pool = load_arrays(request.prepared.pool)
    on_stage("truth of each layer")
    traced = TracedCalls(source.named, source.inputs)
    pool, is_wide = chosen_items(source.inputs, pool, traced.bytes_per_item(pool), request.budget_bytes)
    layers = traced.truths(pool, request.settings.seed)
    on_stage("tensors of the file")
    artifact = request.artifact
    steps = layer_steps(layers, Path(artifact.path), artifact.inputs, file_feed(artifact, pool), folder)
    on_stage("store")
    files = save_truths(layers.truths, folder, is_wide=is_wide)
    return Dissection(
        model=request.prepared.model,
        steps=with_truths(steps, files),
        pool=save_arrays(folder / "pool.npz", pool),
        truth=layers.kind,
        outputs=layers.outputs,
    )


if __name__ == "__main__":
    serve(DissectRequest, answer)
