"""Small ONNX networks that have, together, a place for every kind of mutant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Array = np.ndarray[Any, np.dtype[Any]]

SIDE, CHANNELS, CLASSES, ITEMS = 16, 4, 5, 8
IMAGE_POOL = {"image": np.random.default_rng(7).normal(2, 2, (ITEMS, SIDE, SIDE, 3)).astype(np.float32)}


def image_network() -> ModelProto:
    """Each place once, as tf2onnx writes them: channels last outside, bounds of Clip shared, batch norm as Mul, Add."""
    rng = np.random.default_rng(3)
    weights = {
        "conv": rng.normal(0, 0.5, (CHANNELS, 3, 3, 3)),
        "conv_bias": rng.normal(0, 1, CHANNELS),
        "pads": np.array([0, 0, 0, 0, 0, 0, 1, 1]),
        "depthwise": rng.normal(0, 0.5, (CHANNELS, 1, 3, 3)),
        "gamma": rng.normal(1, 0.2, (1, CHANNELS, 1, 1)),
        "beta": rng.normal(0, 1, (1, CHANNELS, 1, 1)),
        "depthwise_2": rng.normal(0, 0.5, (CHANNELS, 1, 3, 3)),
        "three": np.full((1, 1, 1, 1), 3.0),
        "sixth": np.array(1 / 6),
        "square": rng.normal(0, 0.5, (CHANNELS, CHANNELS, 1, 1)),
        "square_bias": rng.normal(0, 1, CHANNELS),
        "axes": np.array([2, 3]),
        "flat": np.array([-1, CHANNELS * 4]),
        "dense": rng.normal(0, 0.3, (CHANNELS * 4, CLASSES)),
        "dense_bias": rng.normal(0, 1, CLASSES),
        "zero": np.array(0.0),
        "six": np.array(6.0),
    }
    same: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [1, 1]}
    nodes = [
        helper.make_node("Transpose", ["image"], ["x0"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "Conv", ["x0", "conv", "conv_bias"], ["x1"], kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]
        ),
        helper.make_node("Clip", ["x1", "zero", "six"], ["x2"]),
        helper.make_node("Pad", ["x2", "pads"], ["x3"]),
        helper.make_node("Conv", ["x3", "depthwise"], ["x4"], kernel_shape=[3, 3], strides=[2, 2], group=CHANNELS),
        helper.make_node("Mul", ["x4", "gamma"], ["x5"]),
        helper.make_node("Add", ["x5", "beta"], ["x6"]),
        helper.make_node("Conv", ["x6", "depthwise_2"], ["x7"], group=CHANNELS, **same),
        helper.make_node("Add", ["x7", "three"], ["x8"]),
        helper.make_node("Clip", ["x8", "zero", "six"], ["x9"]),
        helper.make_node("Mul", ["x9", "sixth"], ["x10"]),
        helper.make_node("Mul", ["x7", "x10"], ["x11"]),
        helper.make_node("Conv", ["x11", "square", "square_bias"], ["x12"], kernel_shape=[1, 1]),
        helper.make_node("Add", ["x12", "x11"], ["x13"]),
        helper.make_node("ReduceMean", ["x13", "axes"], ["x14"], keepdims=1),
        helper.make_node("Add", ["x13", "x14"], ["x15"]),
        helper.make_node("MaxPool", ["x15"], ["x16"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Transpose", ["x16"], ["x17"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["x17", "flat"], ["x18"]),
        helper.make_node("MatMul", ["x18", "dense"], ["x19"]),
        helper.make_node("Add", ["x19", "dense_bias"], ["x20"]),
        helper.make_node("Softmax", ["x20"], ["probabilities"], axis=-1),
    ]
    shape = [("image", TensorProto.FLOAT, ("batch", SIDE, SIDE, 3))]
    return _model(nodes, shape, [("probabilities", TensorProto.FLOAT, ("batch", CLASSES))], weights)


def words_network() -> ModelProto:
    """An embedding, attention under a mask, a normalisation and a GRU, as torch writes them."""
    rng = np.random.default_rng(4)
    width, units, steps = 8, 5, 6
    weights = {
        "table": rng.normal(0, 1, (9, width)),
        "query": rng.normal(0, 0.5, (width, width)),
        "key": rng.normal(0, 0.5, (width, width)),
        "scale": np.array(0.35),
        "mask": np.triu(np.full((steps, steps), -1e9), 1),
        "gamma": rng.normal(1, 0.2, width),
        "beta": rng.normal(0, 1, width),
        "W": rng.normal(0, 0.5, (1, 3 * units, width)),
        "R": rng.normal(0, 0.5, (1, 3 * units, units)),
        "B": rng.normal(0, 0.5, (1, 6 * units)),
        "first": np.array([0]),
        "dense": rng.normal(0, 0.5, (units, 4)),
        "dense_bias": rng.normal(0, 1, 4),
    }
    nodes = [
        helper.make_node("Gather", ["table", "words"], ["x"]),
        helper.make_node("MatMul", ["x", "query"], ["q"]),
        helper.make_node("MatMul", ["x", "key"], ["k"]),
        helper.make_node("Transpose", ["k"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "turned"], ["products"]),
        helper.make_node("Mul", ["products", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mask"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["shares"], axis=-1),
        helper.make_node("MatMul", ["shares", "x"], ["mixed"]),
        helper.make_node("LayerNormalization", ["mixed", "gamma", "beta"], ["normal"], axis=-1, epsilon=1e-3),
        helper.make_node("Transpose", ["normal"], ["in_time"], perm=[1, 0, 2]),
        helper.make_node("GRU", ["in_time", "W", "R", "B"], ["", "state"], hidden_size=units),
        helper.make_node("Squeeze", ["state", "first"], ["last"]),
        helper.make_node("MatMul", ["last", "dense"], ["product"]),
        helper.make_node("Add", ["product", "dense_bias"], ["scores"]),
    ]
    given = [("words", TensorProto.INT64, ("batch", steps))]
    return _model(nodes, given, [("scores", TensorProto.FLOAT, ("batch", 4))], weights)


def pictures_network() -> ModelProto:
    """Two pictures in, two of one shape out: convolved, pooled with padding, joined, resized."""
    rng = np.random.default_rng(5)
    weights = {"conv": rng.normal(0, 0.5, (2, 2, 3, 3)), "scales": np.array([1.0, 1.0, 1.5, 1.5])}
    same: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["left", "conv"], ["a"], **same),
        helper.make_node("AveragePool", ["right"], ["b"], **same),
        helper.make_node("Concat", ["a", "b"], ["joined"], axis=1),
        helper.make_node("LeakyRelu", ["joined"], ["bent"], alpha=0.1),
        helper.make_node("Resize", ["bent", "", "scales"], ["large"], mode="linear"),
        helper.make_node("Tanh", ["large"], ["small"]),
    ]
    given = [(name, TensorProto.FLOAT, ("batch", 2, 8, 8)) for name in ("left", "right")]
    return _model(
        nodes, given, [(name, TensorProto.FLOAT, ("batch", 4, 12, 12)) for name in ("large", "small")], weights
    )


def quantised_network() -> ModelProto:
    """Steps of features times a kernel in int8."""
    rng = np.random.default_rng(6)
    weights = {"kernel": rng.integers(-99, 99, (6, 5)).astype(np.int8), "scale": np.array(0.02)}
    nodes = [
        helper.make_node("DequantizeLinear", ["kernel", "scale"], ["wide"]),
        helper.make_node("MatMul", ["steps", "wide"], ["y"]),
    ]
    given = [("steps", TensorProto.FLOAT, ("batch", 4, 6))]
    return _model(nodes, given, [("y", TensorProto.FLOAT, ("batch", 4, 5))], weights)


def pool_of(model: ModelProto) -> dict[str, Array]:
    """Eight inputs of a network, whole numbers below nine where it reads words."""
    rng, pool = np.random.default_rng(7), {}
    for value in model.graph.input:
        shape = (ITEMS, *(axis.dim_value for axis in value.type.tensor_type.shape.dim[1:]))
        words = value.type.tensor_type.elem_type == TensorProto.INT64
        pool[value.name] = rng.integers(0, 9, shape) if words else rng.normal(2, 2, shape).astype(np.float32)
    return pool


Described = tuple[str, int, tuple[str | int, ...]]


def _model(
    nodes: Sequence[NodeProto], inputs: Sequence[Described], outputs: Sequence[Described], weights: Mapping[str, Array]
) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(*described) for described in inputs],
        [helper.make_tensor_value_info(*described) for described in outputs],
        [
            numpy_helper.from_array(value if value.dtype.kind == "i" else value.astype(np.float32), name)
            for name, value in weights.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
