"""Wrong ONNX files, one fault each: the literal table ``MUTANTS``, by what a person would call the fault.

Every kind is a function of a correct model that gives a new one, or None where the model has no such place or the fault
would change nothing there; the given model is not touched. One place is changed, in the middle of the network where
there are several and the kind does not say which. Nothing here runs a model or judges one.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
from onnx import TensorProto

from bench.prepare.child.mutants import edges, faults, layers, nodes, parts, places, windows
from bench.prepare.child.mutants.kinds import (
    Mutant,
    in_every_kernel,
    in_every_weight,
    in_model,
    in_node,
    in_recurrence,
    in_weight,
)

MUTANTS: dict[str, Mutant] = {
    # weights
    "one kernel times 1.01": in_weight(places.middle_kernel, faults.times(1.01)),
    "first kernel times 1.01": in_weight(places.first_kernel, faults.times(1.01)),
    "last kernel times 1.01": in_weight(places.last_kernel, faults.times(1.01)),
    "first convolution zeroed": in_weight(places.first_convolution, np.zeros_like),
    "channels reversed": in_weight(places.first_convolution, faults.channels_reversed),
    "kernel flipped": in_weight(places.first_convolution, faults.flipped),
    "kernel's height and width swapped": in_weight(places.first_convolution, faults.height_for_width),
    "depthwise kernel flipped": in_weight(places.depthwise, faults.flipped),
    "square kernel transposed": in_weight(places.square_kernel, faults.outputs_for_inputs),
    "two filters swapped": in_weight(places.middle_kernel, faults.two_filters_swapped),
    "one filter zeroed": in_weight(places.middle_kernel, faults.one_filter_zeroed),
    "one weight's sign flipped": in_weight(places.middle_kernel, faults.largest_negated),
    "one weight NaN": in_weight(places.first_convolution, faults.with_nan),
    "one kernel through int8": in_weight(places.middle_kernel, faults.through_int8),
    "weights through float16": in_every_weight(faults.through(np.float16)),
    "weights through bfloat16": in_every_weight(faults.through(ml_dtypes.bfloat16)),
    "every kernel through int8": in_every_kernel(faults.through_int8),
    "every kernel through TF32": in_every_kernel(faults.through_tf32),
    "two kernels exchanged": in_model(nodes.kernels_exchanged),
    "classes shifted by one": in_node(places.last_kernel, nodes.classes_shifted),
    "last bias dropped": in_node(places.last_kernel, nodes.bias_dropped),
    "one bias dropped": in_node(parts.biased_kernel, nodes.bias_dropped),
    "convolution's bias dropped": in_weight(places.biased_convolution, np.zeros_like, place=2),
    "batch norm's scale times 1.01": in_weight(places.normalisation("Mul"), faults.times(1.01)),
    "batch norm's shift dropped": in_weight(places.normalisation("Add"), np.zeros_like),
    "normalisation's scale times 1.01": in_weight(places.middle_of(*parts.NORMALISATIONS), faults.times(1.01)),
    "normalisation's shift dropped": in_weight(places.middle_of(*parts.NORMALISATIONS), np.zeros_like, place=2),
    "larger epsilon": in_node(parts.epsilon, nodes.larger_epsilon),
    "embedding's rows shifted by one": in_weight(parts.embedding, faults.rolled(0, 1), place=0),
    "a number doubled": in_node(parts.scalar, nodes.scalar_doubled),
    "quantisation's scale times 1.01": in_weight(places.middle_of("DequantizeLinear"), faults.times(1.01)),
    # recurrence
    "recurrent kernel times 1.01": in_recurrence("recurrent", lambda *_: faults.times(1.01)),
    "gates in another order": in_recurrence("kernel", lambda axis, units: faults.rolled(axis, units)),
    "recurrent bias dropped": in_recurrence("bias", lambda *_: np.zeros_like),
    "sequence read backwards": in_node(places.middle_of(*layers.RECURRENT), nodes.read_backwards),
    "GRU resets elsewhere": in_node(places.middle_of("GRU"), nodes.reset_otherwise),
    # attention
    "attention's scale dropped": in_node(layers.attention_scale, nodes.computed_alone),
    "attention's heads mixed": in_weight(layers.attention_projection, faults.columns_rolled_by_half),
    "attention's mask dropped": in_node(layers.attention_mask, nodes.computed_alone),
    "attention over the queries": in_node(layers.attention, nodes.with_attribute("axis", -2)),
    # structure
    "padding moved by one": in_node(parts.padded("Conv", "ConvTranspose"), windows.padding_moved),
    "pooling's padding moved by one": in_node(parts.padded("MaxPool", "AveragePool"), windows.padding_moved),
    "padding counted in the mean": in_node(parts.padded("AveragePool"), windows.padding_counted),
    "stride 1": in_node(parts.last_strided, windows.strides(1)),
    "stride 2": in_node(parts.last_unstrided, windows.strides(2)),
    "two axes exchanged": in_node(parts.turned_square, nodes.axes_exchanged),
    "joined in another order": in_node(parts.joined, nodes.inputs_reversed),
    "resized by the other mode": in_node(places.last_of("Resize", "Upsample"), windows.resized_otherwise),
    "resized with aligned corners": in_node(places.last_of("Resize"), windows.corners_aligned),
    "wrong padding side, first convolution": in_node(places.first_convolution, windows.sides_exchanged),
    "wrong padding side, Pad node": in_weight(places.uneven_pad, faults.halves_exchanged),
    "padded with the edge": in_node(places.middle_of("Pad"), nodes.with_attribute("mode", "edge")),
    "dilation 2": in_node(places.wide_convolution, windows.dilated),
    "ReLU6 without its cap": in_node(places.cap, nodes.uncapped),
    "every ReLU6 without its cap": in_model(nodes.all_uncapped),
    "activation dropped": in_node(places.activation, nodes.skipped),
    "another activation": in_node(places.middle_of(*nodes.OTHERS), nodes.other_activation),
    "activation's slope doubled": in_node(places.middle_of(*nodes.ALPHAS), nodes.alpha_doubled),
    "ReLU for HardSwish": in_node(places.hard_swish, nodes.relu_instead),
    "residual dropped": in_node(places.residual, nodes.skipped),
    "convolution skipped": in_node(places.keeping_convolution, nodes.skipped),
    "maximum for average pooling": in_node(parts.mean_pooling, windows.other_pooling),
    "average for maximum pooling": in_node(
        places.middle_of("MaxPool", "GlobalMaxPool", "ReduceMax"), windows.other_pooling
    ),
    "sum for mean": in_node(parts.mean_pooling, nodes.sum_for_mean),
    "flattened channels first": in_node(places.flattening, nodes.skipped),
    "softmax dropped": in_node(places.middle_of("Softmax"), nodes.skipped),
    "softmax over the batch": in_node(places.middle_of("Softmax"), nodes.with_attribute("axis", 0)),
    "softmax twice": in_model(edges.output_through("Softmax", axis=-1)),
    # inputs
    "input times 255": in_model(edges.input_through("Mul", 255.0)),
    "input from another range": in_model(edges.input_through("Mul", 0.5)),
    "input's height and width swapped": in_model(edges.height_for_width),
    "input mirrored": in_model(edges.input_reversed),
    "input's features reversed": in_model(edges.features_reversed),
    "inputs swapped": in_model(edges.inputs_swapped),
    # outputs
    "outputs swapped": in_model(edges.outputs_swapped),
    "batch rows permuted": in_model(edges.rows_permuted),
    "output constant": in_model(edges.output_constant),
    "output in float16": in_model(edges.output_cast(TensorProto.FLOAT16)),
    "output in integers": in_model(edges.output_cast(TensorProto.INT64)),
    "output with one more axis": in_model(edges.output_with_one_more_axis),
    "output renamed": in_model(edges.output_renamed),
    "output missing": in_model(edges.output_missing),
    "one output too many": in_model(edges.output_twice),
}
