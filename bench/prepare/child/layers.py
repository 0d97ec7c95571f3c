"""What every layer (or node) of a model has to do, and whose work a runtime's kernels are.

A task of ``prepare/tasks.py``, see ``prepare/layer_costs.py``. Nothing is run. In the child.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from bench.prepare.child import onnx_file, pipeline
from bench.prepare.child.count import layer_costs
from bench.prepare.child.kernel_owners import layers_of_kernels
from bench.prepare.child.node_costs import NodeCosts
from bench.prepare.child.serving import OnStage, serve
from bench.prepare.child.shapes import fix_shapes
from bench.prepare.layer_costs import Layers, LayersRequest


def answer(request: LayersRequest, _folder: Path, on_stage: OnStage) -> Layers:
    """The calls of a Keras model's layers; of a model that has none, the nodes of its file."""
    if request.spec.kind in ("onnx", "saved_model"):
        on_stage("count")
        return _of_file(request)
    pipeline.reset_keras()
    on_stage("load")
    named, _ = pipeline.load_source(request.spec, request.settings)
    on_stage("count")
    costs = layer_costs(replace(named, inputs=fix_shapes(named.inputs, request.settings.input_shapes)))
    on_stage("owners of kernels")
    path = Path(request.artifact.path) if request.artifact else None
    return Layers(layers=tuple(costs), owners=layers_of_kernels(named, costs, request.origins, path))


def _of_file(request: LayersRequest) -> Layers:
    """Nothing of a SavedModel that has no file."""
    artifact = request.artifact
    if artifact is None:
        return Layers(layers=(), owners=((),) * len(request.origins))
    shapes = {tensor.name: tensor for tensor in request.prepared.inputs}
    inputs = [shapes.get(artifact.names.get(tensor.name, tensor.name), tensor) for tensor in artifact.inputs]
    named = [msgspec.structs.replace(fed, name=own.name) for fed, own in zip(inputs, artifact.inputs, strict=True)]
    costs = NodeCosts(onnx_file.read_graph(Path(artifact.path)), named)
    return Layers(layers=tuple(costs.each()), owners=tuple(costs.owners(names) for names in request.origins))


if __name__ == "__main__":
    serve(LayersRequest, answer)
