"""The longest sum of a model decides what its yardstick is at least; short sums decide nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from bench.analysis.distance import YARDSTICKS
from bench.prepare.child.long_sums import least_yardstick, longest_in_onnx, longest_in_tensorflow, raised


def one_node(op_type: str, *more: str, opset: int = 18, **attributes: Any) -> onnx.ModelProto:
    """A node over x of [1, 3, 100, 200]."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 100, 200])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    weights = {"axes": np.array([2]), "w": np.ones(200, np.float32), "c": np.ones(3, np.float32)}
    node = helper.make_node(op_type, ["x", *more], ["y"], **attributes)
    initializers = [numpy_helper.from_array(weights[name], name) for name in dict.fromkeys(more)]
    graph = helper.make_graph([node], "one", [x], [y], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


@pytest.mark.parametrize(
    ("model", "longest"),
    [
        (one_node("Relu"), 1),
        (one_node("GlobalAveragePool"), 20_000),
        (one_node("InstanceNormalization", "c", "c"), 20_000),
        (one_node("LayerNormalization", "w"), 200),
        (one_node("ReduceMean", "axes"), 100),
        (one_node("ReduceMean", axes=[1, 3], opset=13), 600),
        (one_node("ReduceSum"), 60_000),
    ],
)
def test_a_file_tells_how_many_numbers_it_adds_up(model: onnx.ModelProto, longest: int) -> None:
    assert longest_in_onnx(model) == longest


def test_a_traced_function_tells_how_many_numbers_it_adds_up() -> None:
    spec = [tf.TensorSpec((None, 30, 40, 3))]
    mean = tf.function(lambda x: tf.reduce_mean(x, axis=[1, 2]), input_signature=spec)
    plain = tf.function(tf.nn.relu, input_signature=spec)
    assert longest_in_tensorflow(mean.get_concrete_function()) == 1200
    assert longest_in_tensorflow(plain.get_concrete_function()) == 1


def test_a_long_sum_raises_yardsticks_of_floats_and_a_short_one_leaves_the_measured() -> None:
    measured = {"y": 1e-6, "label": None}
    assert raised(measured, 50_000, ["y"]) == {"y": least_yardstick(50_000), "label": None}
    assert raised(measured, 49, ["y"]) == measured
    assert raised({"y": None}, 1, ["y"]) == {"y": None}
    assert YARDSTICKS * least_yardstick(50_000) == pytest.approx(50_000 * 2**-24)
