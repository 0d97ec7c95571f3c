"""A user's own ONNX file: as the model itself, or as the file to judge against a Keras model. Runs in the child."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from bench.errors import BenchError, UnsupportedError, UsageError
from bench.prepare.child import long_sums, onnx_file, reference
from bench.prepare.child.onnx_graph import all_nodes, with_shapes
from bench.prepare.child.onnx_run import load_error, open_as_deployed, open_unoptimised
from bench.prepare.child.own_names import OwnFile, check_said, unfed
from bench.prepare.child.reference import Arrays
from bench.prepare.child.truth import Truth, nondeterministic_caution
from bench.records import Artifact, Caution, Failure, Tensor

UNOPTIMISED = "onnxruntime-cpu unoptimised"
_SHAPES = {"Resize": (1, 2), "Upsample": (1,)}  # operator -> inputs of floats that decide its result's shape


def user_artifact(
    source: Path, folder: Path, names: Mapping[str, str], inputs: Sequence[Tensor], pool: Arrays, truth: Arrays
) -> Artifact | Failure:
    """The user's file and its data, copied into ``folder``; a Failure where it does not load or can't be fed.

    ``names`` is from the file's names to the model's, whose ``inputs``, pool and truth are given; that its numbers are
    right is for others to say. Raises UsageError for names that neither has.
    """
    try:
        path = onnx_file.copy_model(source, folder)
        tensors = onnx_file.read_tensors(onnx_file.read_graph(path))
    except UsageError:
        raise
    except BenchError as error:
        return Failure(status="unsupported", reason=f"{source.name}: {error}")
    own = OwnFile(file=source.name, flag="--onnx-names", inputs=tensors[0], outputs=tensors[1], names=dict(names))
    check_said(own, (*pool, *truth))
    try:
        run = open_as_deployed(path)
    except Exception as error:
        return Failure(status="unsupported", reason=f"{source.name} does not load in ONNX Runtime: {load_error(error)}")
    return unfed(own, run, inputs, pool, truth) or onnx_file.read_artifact(path, *tensors, dict(names))


def onnx_truth(path: Path, name: str, inputs: Sequence[Tensor], pool: Arrays, seed: int) -> Truth:
    """What ONNX Runtime's CPU provider computes with optimisations off.

    The yardstick is the shift when every weight moves by one unit in the last place, None where there are no weights.
    """
    try:
        run = open_unoptimised(path)
    except Exception as error:
        raise UnsupportedError(f"{name} does not load in ONNX Runtime: {load_error(error)}") from error
    first = reference.run_pool(run, inputs, pool)
    repeat = reference.shifts(first, reference.run_pool(run, inputs, pool))
    if any((moved or 0) > reference.NONDETERMINISTIC for moved in repeat.values()):
        return Truth(first, UNOPTIMISED, repeat, first, (nondeterministic_caution(),))
    moved, cautions = _shift_by_one_ulp(path, inputs, pool, first, seed)
    floats = [name_ for name_, rows in first.items() if reference.is_float(rows.dtype)]
    moved = long_sums.raised(moved, long_sums.longest_in_onnx(fixed(onnx_file.read_graph(path), inputs)), floats)
    return Truth(first, UNOPTIMISED, moved, first, cautions)


def fixed(proto: Any, inputs: Sequence[Tensor]) -> Any:
    """A copy of the graph, its inputs' free axes as they are fed; the batch is one item."""
    return with_shapes(proto, {tensor.name: tuple(size or 1 for size in tensor.shape) for tensor in inputs})


def _shift_by_one_ulp(
    path: Path, inputs: Sequence[Tensor], pool: Arrays, first: Arrays, seed: int
) -> tuple[dict[str, float | None], tuple[Caution, ...]]:
    nothing: dict[str, float | None] = dict.fromkeys(first)
    try:
        proto = onnx.load(path)
        perturb_weights(proto, np.random.default_rng(seed))
        return reference.shifts(
            first, reference.run_pool(open_unoptimised(proto.SerializeToString()), inputs, pool)
        ), ()
    except Exception as error:  # over 2 GiB, or a number among the weights that decides a shape
        text = f"its weights could not be moved ({type(error).__name__}); the least tolerance holds"
        return nothing, (Caution(code="yardstick", text=text),)


def perturb_weights(proto: Any, rng: np.random.Generator) -> None:
    """Move every float weight by one unit in the last place, in place: initialisers and Constant nodes.

    Single numbers are none, and neither is what a shape is computed from: 0.99999994 times 32 is 31.
    """
    places = ((node, place) for node in all_nodes(proto) for place in _SHAPES.get(node.op_type, ()))
    kept = {node.input[place] for node, place in places if place < len(node.input)}
    constants = [node for node in proto.graph.node if node.op_type == "Constant"]
    weights = [(tensor.name, tensor) for tensor in proto.graph.initializer]
    weights += [(node.output[0], a.t) for node in constants for a in node.attribute if a.name == "value"]
    for name, tensor in weights:
        values = numpy_helper.to_array(tensor) if name not in kept else np.empty(0)
        if values.size > 1 and reference.is_float(values.dtype):
            tensor.CopyFrom(numpy_helper.from_array(reference.one_ulp_away(values, rng), tensor.name))
