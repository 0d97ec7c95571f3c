"""Thirty Keras models to plant faults in: chains, residual, branching, several inputs, nested, recurrent, attention.

Each is drawn from its seed: kinds of layers and their order, to about a given number of layers. Every layer has a name
that is nowhere else in its model. Imports Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import keras
import numpy as np
from keras import layers

from benchmarks.bisect_nets import NETS

WIDTH = 8  # channels


class Draw:
    """Random choices, and layers whose names count up until there are ``depth``."""

    def __init__(self, seed: int, depth: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.depth = depth
        self.made = 0

    def of(self, *choices: Any) -> Any:
        """One of the choices."""
        return choices[int(self.rng.integers(len(choices)))]

    def layer(self, kind: type[keras.Layer], *values: Any, **settings: Any) -> Any:
        """A layer called by its kind and how many there were before: ``conv2d_7``."""
        self.made += 1
        return kind(*values, name=f"{kind.__name__.lower()}_{self.made}", **settings)

    def room(self, for_layers: int) -> bool:
        """Whether so many more are to come."""
        return self.made + for_layers <= self.depth


Build = Callable[[Draw], keras.Model]


def chain(
    block: Callable[[Draw, Any], Any], shape: tuple[int, ...], build_head: Callable[[Draw, Any], Any], spare: int = 3
) -> Build:
    """Block after block while there is room for ``spare`` layers, then the head."""

    def build(draw: Draw) -> keras.Model:
        x = inputs = keras.Input(shape, name="x")
        while draw.room(spare):
            x = block(draw, x)
        return keras.Model(inputs, build_head(draw, x))

    return build


def dense_block(draw: Draw, x: Any) -> Any:
    """One layer on vectors, or on the last axis of anything."""
    kind = int(draw.rng.integers(4))
    if kind == 0:
        return draw.layer(layers.LayerNormalization)(x)
    if kind == 1:
        return draw.layer(draw.of(layers.LeakyReLU, layers.ELU, layers.PReLU))(x)
    return draw.layer(layers.Dense, 24, activation=draw.of("relu", "tanh", "silu", None))(x)


def conv_block(rank: int) -> Callable[[Draw, Any], Any]:
    """One to three layers in 1 to 3 dimensions."""
    conv, most, average, padding, depthwise, separable = (
        cast("Any", getattr(layers, f"{name}{rank}D", None))  # not every kind is there in 3-d
        for name in ("Conv", "MaxPooling", "AveragePooling", "ZeroPadding", "DepthwiseConv", "SeparableConv")
    )
    one_around = 1 if rank == 1 else ((1, 1),) * rank

    def block(draw: Draw, x: Any) -> Any:
        kind = int(draw.rng.integers(6))
        if kind == 0 and rank < 3:  # TensorFlow pools in 3-d in no float64, in which weights are calibrated
            return draw.layer(draw.of(most, average), 2, strides=1, padding="same")(x)
        if kind == 1:
            return draw.layer(layers.Activation, draw.of("relu", "elu", "tanh"))(x)
        if kind == 2:
            return draw.layer(conv, WIDTH, 3)(draw.layer(padding, one_around)(x))
        if kind == 3 and depthwise is not None:
            return draw.layer(draw.of(depthwise, partial_kind(separable, WIDTH)), 3, padding="same")(x)
        x = draw.layer(conv, WIDTH, draw.of(1, 3), padding="same", use_bias=kind == 4)(x)
        return draw.layer(layers.ReLU)(draw.layer(layers.BatchNormalization)(x)) if kind == 5 else x

    return block


def partial_kind(kind: Any, *first: Any) -> Any:
    """The kind with its first arguments given; it keeps its name."""
    made = partial(kind, *first)
    made.__name__ = kind.__name__  # type: ignore[attr-defined]
    return made


def residual_block(draw: Draw, x: Any) -> Any:
    """Convolutions and batch norms around which the input goes."""
    y = x if x.shape[-1] == WIDTH else draw.layer(layers.Conv2D, WIDTH, 1)(x)
    z = draw.layer(layers.BatchNormalization)(draw.layer(layers.Conv2D, WIDTH, 3, padding="same", use_bias=False)(y))
    z = draw.layer(layers.ReLU)(z)
    z = draw.layer(layers.Conv2D, WIDTH, draw.of(1, 3), padding="same")(z)
    return draw.layer(layers.Activation, draw.of("relu", "tanh"))(draw.layer(layers.Add)([y, z]))


def branching_block(draw: Draw, x: Any) -> Any:
    """Three ways from one tensor, joined."""
    one = draw.layer(layers.Conv2D, 4, 1, activation="relu")(x)
    three = draw.layer(layers.Conv2D, 4, 3, padding="same", activation=draw.of("relu", "elu"))(x)
    pooled = draw.layer(draw.of(layers.MaxPooling2D, layers.AveragePooling2D), 3, strides=1, padding="same")(x)
    pooled = draw.layer(layers.Conv2D, 4, 1)(pooled)
    return draw.layer(layers.BatchNormalization)(draw.layer(layers.Concatenate)([one, three, pooled]))


def attention_block(draw: Draw, x: Any) -> Any:
    """A transformer's block, 7 layers."""
    y = draw.layer(layers.LayerNormalization)(x)
    x = draw.layer(layers.Add)([x, draw.layer(layers.MultiHeadAttention, 2, 8)(y, y)])
    y = draw.layer(layers.LayerNormalization)(x)
    y = draw.layer(layers.Dense, 16)(draw.layer(layers.Dense, 32, activation=draw.of("relu", "silu"))(y))
    return draw.layer(layers.Add)([x, y])


def several_inputs(draw: Draw) -> keras.Model:
    """Three inputs that meet, two outputs."""
    inputs = [keras.Input((12,), name=name) for name in ("left", "middle", "right")]
    ways = [draw.layer(layers.Dense, 24)(tensor) for tensor in inputs]
    while draw.room(5):
        ways = [dense_block(draw, way) for way in ways]
        if draw.of(True, False):
            ways[0] = draw.layer(draw.of(layers.Add, layers.Multiply, layers.Average))([ways[0], ways[1]])
            ways = [*ways[1:], ways[0]]
    joined = draw.layer(layers.Concatenate)(ways)
    return keras.Model(
        inputs, {"score": draw.layer(layers.Dense, 6)(joined), "side": draw.layer(layers.Dense, 3)(ways[0])}
    )


def nested(draw: Draw) -> keras.Model:
    """Models within a model, one of them within another."""
    x = inputs = keras.Input((12, 12, 3), name="x")
    x = draw.layer(layers.Conv2D, WIDTH, 3)(x)
    number = 0
    while draw.room(9):
        number += 1
        inner = y = keras.Input(x.shape[1:])
        for _ in range(draw.of(1, 2)):
            y = residual_block(draw, y)
        model = keras.Model(inner, y, name=f"part_{number}")
        if draw.of(True, False, False):
            outer = keras.Input(x.shape[1:])
            model = keras.Model(outer, draw.layer(layers.ReLU)(model(outer)), name=f"outer_{number}")
        x = model(x)
    return keras.Model(inputs, pooled_head(draw, x))


def recurrent(draw: Draw) -> keras.Model:
    """LSTM and GRU layers, one way and both."""
    x = inputs = keras.Input((10, 6), name="x")
    while draw.room(3):
        cell = draw.of(layers.LSTM, layers.GRU)
        if draw.of(True, False, False):
            x = draw.layer(layers.Bidirectional, cell(6, return_sequences=True))(x)
        else:
            x = draw.layer(cell, 12, return_sequences=True)(x)
        x = draw.layer(draw.of(layers.LayerNormalization, partial_kind(layers.Dense, 12)))(x)
    return keras.Model(inputs, draw.layer(layers.Dense, 5)(draw.layer(draw.of(layers.LSTM, layers.GRU), 8)(x)))


def u_net(draw: Draw) -> keras.Model:
    """Down and up again, joined across."""
    x = inputs = keras.Input((32, 32, 3), name="x")
    block = conv_block(2)
    kept: list[Any] = []
    x = draw.layer(layers.Conv2D, WIDTH, 3, padding="same")(x)
    while draw.room(draw.depth // 2) and len(kept) < 3:
        x = block(draw, block(draw, x))
        kept.append(x)
        x = draw.layer(layers.MaxPooling2D, 2)(x)
    while kept or draw.room(6):
        if kept:
            x = draw.layer(layers.UpSampling2D, 2)(x)
            x = draw.layer(layers.Conv2D, WIDTH, 1)(draw.layer(layers.Concatenate)([x, kept.pop()]))
        x = block(draw, x)
    return keras.Model(inputs, draw.layer(layers.Conv2D, 2, 1)(x))


def pooled_head(draw: Draw, x: Any) -> Any:
    """Mean over places, then ten numbers."""
    mean = {3: layers.GlobalAveragePooling1D, 4: layers.GlobalAveragePooling2D, 5: layers.GlobalAveragePooling3D}
    return draw.layer(layers.Dense, 10)(draw.layer(mean[len(x.shape)])(x))


def dense_head(draw: Draw, x: Any) -> Any:
    """Ten numbers."""
    return draw.layer(layers.Dense, 10)(x)


_dense = chain(dense_block, (24,), dense_head, spare=2)
_conv1, _conv2, _conv3 = (
    chain(conv_block(r), (*(side,) * r, 3), pooled_head) for r, side in ((1, 32), (2, 16), (3, 8))
)
_residual = chain(residual_block, (16, 16, 3), pooled_head)
_branching = chain(branching_block, (16, 16, 3), pooled_head)
_attention = chain(attention_block, (10, 16), pooled_head)

BUILD: dict[str, Build] = {
    "dense": _dense,
    "conv1d": _conv1,
    "conv2d": _conv2,
    "conv3d": _conv3,
    "residual": _residual,
    "branching": _branching,
    "attention": _attention,
    "several inputs": several_inputs,
    "nested": nested,
    "recurrent": recurrent,
    "u-net": u_net,
}


def build_net(name: str, seed: int) -> keras.Model:
    """The model with weights with which its outputs depend on its inputs."""
    from bench.prepare.child.pipeline import load_weighted
    from bench.prepare.child.weights import apply_weights
    from bench.records import PrepareSettings
    from bench.specs import parse_model

    net = NETS[name]
    if net.zoo is not None:
        named = load_weighted(parse_model(net.zoo), PrepareSettings(), lambda _: None).named
        assert named.keras_model is not None
        return named.keras_model
    keras.utils.set_random_seed(seed)
    return apply_weights(BUILD[net.kind](Draw(seed, net.layers)), "calibrated", seed)
