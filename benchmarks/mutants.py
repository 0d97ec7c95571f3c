"""Wrong ONNX files, one fault each: the literal table ``MUTANTS``, by what a person would call the fault.

Every kind is a function of a correct model that gives a new one, or None where the model has no such place or the fault
would change nothing there; the given model is not touched. One place is changed, in the middle of the network where
there are several and the kind does not say which. Nothing here runs a model or judges one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from benchmarks import faults
from benchmarks import graph_places as places
from benchmarks import graph_surgery as graph
from benchmarks.graph_places import Find
from benchmarks.graph_surgery import Array

Mutant = Callable[[ModelProto], ModelProto | None]

_BACKWARDS = (np.array([-1]), np.array([np.iinfo(np.int64).min]))  # start and end of a slice of step -1


def _model(change: Callable[[ModelProto], bool | None]) -> Mutant:
    """A kind from a change in place; one that answers False found nothing to change."""

    def mutant(model: ModelProto) -> ModelProto | None:
        copy = ModelProto()
        copy.CopyFrom(model)
        if change(copy) is False:
            return None
        del copy.graph.value_info[:]  # shapes of inner tensors, which may hold no longer
        return copy

    return mutant


def _node(find: Find, change: Callable[[ModelProto, NodeProto], bool | None]) -> Mutant:
    def edit(model: ModelProto) -> bool | None:
        node = find(model)
        return False if node is None else change(model, node)

    return _model(edit)


def _weight(find: Find, change: Callable[[Array], Array], place: int = 1) -> Mutant:
    def edit(model: ModelProto, node: NodeProto) -> bool:
        value = graph.constant(model, node, place)
        if value is None:
            return False
        changed = np.asarray(change(value), value.dtype)
        if np.array_equal(changed, value):
            return False
        graph.set_constant(model, node, place, changed)
        return True

    return _node(find, edit)


def _all_weights(change: Callable[[Array], Array]) -> Mutant:
    def edit(model: ModelProto) -> None:
        for tensor in graph.float_weights(model):
            tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), tensor.name))

    return _model(edit)


def _output(op_type: str, *constants: Array, **attributes: Any) -> Mutant:
    return _model(lambda model: graph.before_output(model, op_type, *constants, **attributes))


def _input(op_type: str, *constants: Array, **attributes: Any) -> Mutant:
    return _model(lambda model: graph.after_input(model, op_type, *constants, **attributes))


def _scalar(value: float) -> Array:
    return np.array(value, np.float32)


MUTANTS: dict[str, Mutant] = {
    # weights
    "one kernel times 1.01": _weight(places.middle_kernel, faults.times(1.01)),
    "last kernel times 1.01": _weight(places.last_kernel, faults.times(1.01)),
    "first convolution zeroed": _weight(places.first_convolution, np.zeros_like),
    "channels reversed": _weight(places.first_convolution, faults.channels_reversed),
    "kernel flipped": _weight(places.first_convolution, faults.flipped),
    "kernel's height and width swapped": _weight(places.first_convolution, faults.height_for_width),
    "depthwise kernel flipped": _weight(places.depthwise, faults.flipped),
    "square kernel transposed": _weight(places.square_kernel, faults.outputs_for_inputs),
    "two filters swapped": _weight(places.middle_kernel, faults.two_filters_swapped),
    "one filter zeroed": _weight(places.middle_kernel, faults.one_filter_zeroed),
    "one weight's sign flipped": _weight(places.middle_kernel, faults.largest_negated),
    "one weight NaN": _weight(places.first_convolution, faults.with_nan),
    "one kernel through int8": _weight(places.middle_kernel, faults.through_int8),
    "weights through float16": _all_weights(faults.through(np.float16)),
    "weights through bfloat16": _all_weights(faults.through(ml_dtypes.bfloat16)),
    "classes shifted by one": _node(places.last_kernel, faults.classes_shifted),
    "last bias dropped": _node(places.last_kernel, faults.bias_dropped),
    "convolution's bias dropped": _weight(places.biased_convolution, np.zeros_like, place=2),
    "batch norm's scale times 1.01": _weight(places.normalisation("Mul"), faults.times(1.01)),
    "batch norm's shift dropped": _weight(places.normalisation("Add"), np.zeros_like),
    # structure
    "wrong padding side, first convolution": _node(places.first_convolution, faults.sides_exchanged),
    "wrong padding side, Pad node": _weight(places.uneven_pad, faults.halves_exchanged),
    "padded with the edge": _node(places.middle_of("Pad"), faults.with_attribute("mode", "edge")),
    "dilation 2": _node(places.wide_convolution, faults.dilated),
    "ReLU6 without its cap": _node(places.cap, faults.uncapped),
    "every ReLU6 without its cap": _model(faults.all_uncapped),
    "activation dropped": _node(places.activation, faults.skipped),
    "ReLU for HardSwish": _node(places.hard_swish, faults.relu_instead),
    "residual dropped": _node(places.residual, faults.skipped),
    "convolution skipped": _node(places.keeping_convolution, faults.skipped),
    "maximum for average pooling": _node(places.middle_of("ReduceMean"), faults.turned_into("ReduceMax")),
    "average for maximum pooling": _node(places.middle_of("MaxPool"), faults.turned_into("AveragePool")),
    "flattened channels first": _node(places.flattening, faults.skipped),
    "softmax dropped": _node(places.middle_of("Softmax"), faults.skipped),
    "softmax over the batch": _node(places.middle_of("Softmax"), faults.with_attribute("axis", 0)),
    "softmax twice": _output("Softmax", axis=-1),
    # inputs
    "input times 255": _input("Mul", _scalar(255)),
    "input from another range": _input("Mul", _scalar(0.5)),
    "input's height and width swapped": _input("Transpose", perm=[0, 2, 1, 3]),
    "input mirrored": _input("Slice", *_BACKWARDS, np.array([2]), np.array([-1])),
    # outputs
    "batch rows permuted": _output("Slice", *_BACKWARDS, np.array([0]), np.array([-1])),
    "output constant": _model(faults.output_constant),
    "output in float16": _model(faults.output_cast(TensorProto.FLOAT16)),
    "output in integers": _model(faults.output_cast(TensorProto.INT64)),
    "output with one more axis": _model(faults.output_with_one_more_axis),
    "output renamed": _model(faults.output_renamed),
    "output missing": _model(faults.output_missing),
    "one output too many": _model(faults.output_twice),
}
