"""What can be wrong where a model is entered or left: its inputs and outputs.

Each fault changes the model in place and answers False where it cannot be there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from bench.prepare.child.mutants import surgery as graph

_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
_BACKWARDS = (np.array([-1]), np.array([np.iinfo(np.int64).min]))  # start and end of a slice of step -1


def output_renamed(model: ModelProto) -> None:
    """The first output under another name."""
    output = model.graph.output[0]
    graph.rename(model, output.name, f"{output.name}_1")
    output.name = f"{output.name}_1"


def output_missing(model: ModelProto) -> bool:
    """The first output of several is not there."""
    if len(model.graph.output) < 2:
        return False
    del model.graph.output[0]
    return True


def output_twice(model: ModelProto) -> None:
    """The first output again, under another name."""
    first = model.graph.output[0]
    again = model.graph.output.add()
    again.CopyFrom(first)
    again.name = f"{first.name}_again"
    model.graph.node.add(op_type="Identity", input=[first.name], output=[again.name])


def output_cast(element_type: int) -> Callable[[ModelProto], bool]:
    """The first output, of floats, in another element type."""

    def change(model: ModelProto) -> bool:
        if not _is_float(model.graph.output[0]) or _element(model.graph.output[0]) == element_type:
            return False
        graph.before_output(model, "Cast", to=element_type)
        graph.declare_output(model, element_type)
        return True

    return change


def output_with_one_more_axis(model: ModelProto) -> bool:
    """The first output with an axis of size 1 after the batch."""
    rank = _rank(model.graph.output[0])
    if not rank:
        return False
    graph.before_output(model, "Unsqueeze", np.array([1]))
    graph.declare_output(model, rank=rank + 1)
    return True


def output_constant(model: ModelProto) -> bool:
    """One number everywhere, that of a uniform distribution over 1000 classes."""
    return output_through("Mul", 0.0)(model) and output_through("Add", 1e-3)(model)


def output_through(op_type: str, number: float | None = None, **attributes: Any) -> Callable[[ModelProto], bool]:
    """The first output, of floats and with an axis of its own, through a node, with a number of its type."""

    def change(model: ModelProto) -> bool:
        output = model.graph.output[0]
        if not _is_float(output) or (_rank(output) or 0) < 2:
            return False
        numbers = [] if number is None else [np.array(number, _dtype(output))]
        graph.before_output(model, op_type, *numbers, **attributes)
        return True

    return change


def rows_permuted(model: ModelProto) -> bool:
    """The items of the first output in reversed order."""
    if not _rank(model.graph.output[0]):
        return False
    graph.before_output(model, "Slice", *_BACKWARDS, np.array([0]), np.array([-1]))
    return True


def outputs_swapped(model: ModelProto) -> bool:
    """Two outputs of one type, of one rank where there are such, under one another's names."""
    outputs = list(model.graph.output)
    pairs = [(a, b) for i, a in enumerate(outputs) for b in outputs[i + 1 :] if _element(a) == _element(b)]
    if not pairs:
        return False
    first, second = min(pairs, key=lambda pair: _rank(pair[0]) != _rank(pair[1]))
    names = first.name, second.name
    for name in names:
        graph.rename(model, name, f"{name}_kept")
    for name, other in (names, names[::-1]):
        model.graph.node.add(op_type="Identity", input=[f"{other}_kept"], output=[name])
    first.name, second.name = names[::-1]
    return True


def inputs_swapped(model: ModelProto) -> bool:
    """Two inputs of one type and shape under one another's names."""
    given = graph.model_inputs(model)
    pairs = [(a, b) for i, a in enumerate(given) for b in given[i + 1 :] if _form(a) == _form(b)]
    if not pairs:
        return False
    (first, second), between = pairs[0], "swapped__between"
    names = first.name, second.name
    graph.reread(model, {names[0]: between})
    graph.reread(model, {names[1]: names[0], between: names[1]})
    return True


def input_through(op_type: str, number: float) -> Callable[[ModelProto], bool]:
    """The first input, of floats, through a node with a number of its type."""

    def change(model: ModelProto) -> bool:
        given = graph.model_inputs(model)
        if not given or not _is_float(given[0]):
            return False
        graph.after_input(model, op_type, np.array(number, _dtype(given[0])))
        return True

    return change


def input_reversed(model: ModelProto) -> bool:
    """The first input, of floats or numbers of words, the other way round: mirrored, or from its last step on."""
    return _backwards(model, lambda rank: rank - 2 if rank > 2 else 1)


def features_reversed(model: ModelProto) -> bool:
    """The last axis of the first input the other way round, but of images: reversed channels are a kind of weight."""
    return _backwards(model, lambda rank: rank - 1 if rank in (3, 5) else 0)


def height_for_width(model: ModelProto) -> bool:
    """The first input, of square images, with its second and third axis exchanged."""
    given = graph.model_inputs(model)
    shape = graph.shape_of(model, given[0].name) if given else None
    if shape is None or len(shape) != 4 or shape[1] != shape[2]:
        return False
    graph.after_input(model, "Transpose", perm=[0, 2, 1, 3])
    return True


def _backwards(model: ModelProto, axis_of: Callable[[int], int]) -> bool:
    given = graph.model_inputs(model)
    rank = _rank(given[0]) if given else None
    axis = axis_of(rank) if rank and rank > 1 else 0
    if not axis:
        return False
    graph.after_input(model, "Slice", *_BACKWARDS, np.array([axis]), np.array([-1]))
    return True


def _element(value: ValueInfoProto) -> int:
    return int(value.type.tensor_type.elem_type)


def _is_float(value: ValueInfoProto) -> bool:
    return _element(value) in _FLOATS


def _dtype(value: ValueInfoProto) -> Any:
    return helper.tensor_dtype_to_np_dtype(_element(value))


def _rank(value: ValueInfoProto) -> int | None:
    """None where the file does not say."""
    tensor = value.type.tensor_type
    return len(tensor.shape.dim) if tensor.HasField("shape") else None


def _form(value: ValueInfoProto) -> tuple[int, tuple[int, ...]]:
    return _element(value), tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
