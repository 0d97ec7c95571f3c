"""Small nets for taking apart, with weights that let every layer matter. Built through ``dissected_nets.py:NAME``."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import layers


def conv_norm(h: Any, *, activation: bool = True) -> Any:
    h = layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same", use_bias=False)(h))
    return layers.ReLU()(h) if activation else h


def residual(blocks: int = 2) -> keras.Model:
    x = keras.Input((10, 9, 3), name="image")
    h = conv_norm(x)
    for _ in range(blocks):
        h = layers.ReLU()(layers.Add()([h, conv_norm(conv_norm(h), activation=False)]))
    return randomised(keras.Model(x, layers.Dense(5)(layers.GlobalAveragePooling2D()(h))))


def deep(depth: int = 150) -> keras.Model:
    x = keras.Input((12,), name="x")
    h = x
    for number in range(depth):
        h = layers.Dense(12, activation="tanh", name=f"layer_{number}")(h)
    return randomised(keras.Model(x, h))


def recurrent() -> keras.Model:
    x = keras.Input((7, 5), name="x")
    h = layers.Bidirectional(layers.LSTM(6, return_sequences=True))(x)
    h = layers.GRU(5, return_sequences=True)(layers.LSTM(6, return_sequences=True)(h))
    return randomised(keras.Model(x, layers.Dense(3)(layers.SimpleRNN(4)(h))))


def transformer() -> keras.Model:
    x = keras.Input((6, 8), name="x")
    h = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x))
    inner = layers.Dense(8)(layers.Activation("silu")(layers.Dense(16)(h)))
    h = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.Add()([h, inner])))
    return randomised(keras.Model(x, layers.Dense(4, activation="softmax")(h)))


def shared() -> keras.Model:
    """A nested model called twice, on what another gives; a dict of outputs."""
    stem = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(3, 3, padding="same"), layers.DepthwiseConv2D(3), layers.ReLU(6.0)],
        name="stem",
    )
    inner = keras.Input((6, 6, 3))
    body = keras.Model(inner, layers.Flatten()(conv_norm(inner)), name="body")
    x = keras.Input((8, 8, 3), name="image")
    h = stem(x)
    other = layers.Rescaling(0.5)(h)
    return randomised(keras.Model(x, {"a": layers.Dense(2)(body(h)), "b": layers.Dense(3)(body(other))}))


def several_axes() -> keras.Model:
    x = keras.Input((16, 4), name="x")
    h = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(8, 3, padding="causal")(x)))
    h = layers.Conv2DTranspose(3, 2, strides=2)(layers.Reshape((8, 4, 4))(h))
    h = layers.MaxPooling3D((2, 1, 1))(layers.Conv3D(3, 2)(layers.Reshape((8, 4, 4, 3))(layers.Reshape((16, 8, 3))(h))))
    return randomised(keras.Model(x, layers.Dense(2)(layers.Flatten()(layers.PReLU()(h)))))


def randomised(model: keras.Model) -> keras.Model:
    """Weights that are nowhere 0 or 1."""
    rng = np.random.default_rng(3)
    weights = []
    for variable in model.weights:
        value, name = np.asarray(variable), variable.path.rsplit("/", 1)[-1]
        if name in ("bias", "beta", "moving_mean", "alpha"):
            value = rng.normal(0.0, 0.2, value.shape)
        elif name in ("gamma", "moving_variance"):
            value = rng.uniform(0.7, 1.3, value.shape)
        elif value.dtype.kind == "f":
            value = rng.normal(0.0, 1.4 / math.sqrt(math.prod(value.shape[:-1])), value.shape)
        weights.append(value.astype(np.asarray(variable).dtype))
    model.set_weights(weights)
    return model
