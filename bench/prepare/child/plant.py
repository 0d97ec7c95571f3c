"""Plants a fault in an ONNX file, for the gate's self-test: work that changes nothing, or a kernel that is wrong.

A task of ``prepare/tasks.py``, see ``prepare/planting.py``. Runs in the child.
"""

from __future__ import annotations

import math
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

from bench.errors import UnsupportedError
from bench.prepare.child.serving import OnStage, serve
from bench.prepare.planting import PlantAnswer, PlantRequest
from bench.records import Record

_TINY = 1e-9  # of an activation's mean: below float32's step beside any output that is not tiny itself
_WRONG = 1.01
_STEP = 16  # output channels of large nodes are cut to multiples: a part of a SIMD block costs as much as a whole
_CRUMBS = 8  # nodes that bring less than this part of what is wanted are none to run again


class Work(Record, frozen=True):
    """A node whose weights can be run once more on its input."""

    index: int  # among the graph's nodes
    weight: str
    multiply_adds: int  # of one item, all output channels
    length: int  # products that are summed for one output element
    axis: int  # of the weight: its output channels
    channels: int


def plant_nodes(model: Any, share: float) -> tuple[int, float]:
    """Add nodes that cost ``share`` of the model's multiply-adds; its function stays. Returns nodes added, real share.

    Convolutions (and matrix products where there is none) run once more on their own input, with the weights mirrored
    so that no optimiser sees the same node twice; the mean of what they bring, times 1e-9, is added to the first float
    output. UnsupportedError where there is nothing to run again.
    """
    works = _works(model)
    total = sum(work.multiply_adds for work in works)
    if not total:
        raise UnsupportedError(
            "planting nodes: the file has no float32 convolution or matrix product with constant weights"
        )
    output = next((o for o in model.graph.output if o.type.tensor_type.elem_type == TensorProto.FLOAT), None)
    if output is None:
        raise UnsupportedError("planting nodes: the file has no float32 output to fold them into")
    before, done, scalars = len(model.graph.node), 0, []
    for place, (work, channels) in enumerate(_chosen(works, share * total)):
        scalars.append(_run_again(model, work, channels, f"planted_{place}"))
        done += work.multiply_adds * channels // work.channels
    _fold(model, scalars, output.name)
    return len(model.graph.node) - before, done / total


def plant_wrong_kernel(model: Any, which: int, of: int) -> str:
    """Multiply one kernel by 1.01 in place, the ``which``-th of ``of`` places spread over the net; returns its name."""
    works = _works(model)
    if not works:
        raise UnsupportedError("planting a wrong kernel: the file has no float32 kernel")
    work = works[min(len(works) - 1, len(works) * (2 * which + 1) // (2 * of))]
    tensor = _initializers(model)[work.weight]
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(_WRONG), tensor.name))
    return work.weight


def _works(model: Any) -> list[Work]:
    """Every node that can be run again, in the file's order."""
    shapes = _shapes(shape_inference.infer_shapes(model))
    constants = _initializers(model)
    found = []
    for index, node in enumerate(model.graph.node):
        tensor = constants.get(node.input[1]) if len(node.input) > 1 else None
        if tensor is None or tensor.data_type != TensorProto.FLOAT or node.op_type not in ("Conv", "MatMul", "Gemm"):
            continue
        shape = shapes.get(node.output[0])
        work = _work(index, node, tuple(tensor.dims), shape) if shape else None
        if work is not None:
            found.append(work)
    return found


def _work(index: int, node: Any, weight: tuple[int, ...], shape: tuple[int, ...]) -> Work | None:
    axis, places = 0, math.prod(shape[2:])
    if node.op_type == "Conv":
        if any(a.name == "group" and a.i != 1 for a in node.attribute):
            return None
    elif len(weight) == 2:
        axis = 0 if node.op_type == "Gemm" and any(a.name == "transB" and a.i for a in node.attribute) else 1
        places = math.prod(shape[1:-1])
    else:
        return None
    length = math.prod(weight) // weight[axis]
    return Work(
        index=index,
        weight=node.input[1],
        multiply_adds=places * math.prod(weight),
        length=length,
        axis=axis,
        channels=weight[axis],
    )


def _chosen(works: list[Work], wanted: float) -> list[tuple[Work, int]]:
    """Which work is done again, with how many of its output channels: whole ones, then a part of one.

    Those come first that do most for an output element: they cost what their multiply-adds say, and little memory.
    Crumbs are left out, for a node has a cost of its own. More than all may be wanted: then it is gone through again.
    """
    large = [work for work in works if work.multiply_adds * _CRUMBS >= wanted] or works
    chosen: list[tuple[Work, int]] = []
    for work in cycle(sorted(large, key=lambda work: (-work.length, -work.multiply_adds))):
        if work.multiply_adds > wanted:
            step = min(_STEP, max(1, work.channels // _STEP))
            channels = min(work.channels, round(wanted / work.multiply_adds * work.channels / step) * step)
            return [*chosen, (work, channels)] if channels else chosen or [(work, step)]
        chosen.append((work, work.channels))
        wanted -= work.multiply_adds
    raise AssertionError("a cycle of nothing")


def _run_again(model: Any, work: Work, channels: int, name: str) -> str:
    """The name of a scalar: the mean of what the node brings with ``channels`` of its weights, mirrored."""
    node = model.graph.node[work.index]
    weights = np.flip(numpy_helper.to_array(_initializers(model)[work.weight]), axis=work.axis)
    part = np.ascontiguousarray(np.take(weights, range(channels), axis=work.axis))
    model.graph.initializer.append(numpy_helper.from_array(part, f"{name}_weight"))
    again = onnx.NodeProto()
    again.CopyFrom(node)
    again.name = name
    del again.input[2:]
    again.input[1] = f"{name}_weight"
    again.output[:] = [f"{name}_out"]
    nodes, last = [again], f"{name}_out"
    if node.op_type == "Conv":  # brings no change of layout with it, where a plain mean would
        nodes.append(helper.make_node("GlobalAveragePool", [last], [f"{name}_pooled"], name=f"{name}_pool"))
        last = f"{name}_pooled"
    nodes.append(helper.make_node("ReduceMean", [last], [f"{name}_mean"], name=f"{name}_reduce", keepdims=0))
    model.graph.node.extend(nodes)
    return f"{name}_mean"


def _fold(model: Any, scalars: list[str], output: str) -> None:
    """Add the scalars, made tiny, to an output that keeps its name."""
    for node in model.graph.node:
        node.output[:] = [f"{output}/unplanted" if name == output else name for name in node.output]
        node.input[:] = [f"{output}/unplanted" if name == output else name for name in node.input]
    model.graph.initializer.append(numpy_helper.from_array(np.float32(_TINY), "planted_tiny"))
    nodes = [
        helper.make_node("Sum", scalars, ["planted_sum"], name="planted_sum"),
        helper.make_node("Mul", ["planted_sum", "planted_tiny"], ["planted_scaled"], name="planted_scale"),
        helper.make_node("Add", [f"{output}/unplanted", "planted_scaled"], [output], name="planted_add"),
    ]
    model.graph.node.extend(nodes)


def _shapes(model: Any) -> dict[str, tuple[int, ...]]:
    """Of every tensor with a known one; a free dimension counts as one."""
    tensors = (*model.graph.value_info, *model.graph.output, *model.graph.input)
    return {t.name: tuple(d.dim_value or 1 for d in t.type.tensor_type.shape.dim) for t in tensors}


def _initializers(model: Any) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in model.graph.initializer}


def answer(request: PlantRequest, _folder: Path, _on_stage: OnStage) -> PlantAnswer:
    """Read the file, plant, write the other file."""
    model = onnx.load(request.source)
    if request.kind == "nodes":
        nodes, share = plant_nodes(model, request.share)
        said = PlantAnswer(text=f"{nodes} nodes, {share:.1%} of the multiply-adds", nodes=nodes, share=share)
    else:
        kernel = plant_wrong_kernel(model, request.which, request.of)
        said = PlantAnswer(text=f"kernel {kernel} times {_WRONG}")
    onnx.checker.check_model(model)
    onnx.save(model, request.target)
    return said


if __name__ == "__main__":
    serve(PlantRequest, answer)
