"""Small networks of every shape that a bisection has to find its way in; loaded as ``nets_to_bisect.py:NAME``."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def _block(x: Any, filters: int, name: str) -> Any:
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _head(x: Any) -> Any:
    return layers.Dense(5, name="logits")(layers.GlobalAveragePooling2D(name="pool")(x))


def chain() -> keras.Model:
    """One layer after another, a normalisation folded into a convolution among them."""
    inputs = x = keras.Input((12, 12, 3), name="image")
    for place in range(4):
        x = _block(x, 8, f"block{place}")
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(8, 1, name="last_conv")(x))
    return keras.Model(inputs, _head(x))


def residual() -> keras.Model:
    """What goes around a block is added to it."""
    inputs = keras.Input((12, 12, 3), name="image")
    x = _block(inputs, 8, "stem")
    for place in range(3):
        x = layers.Add(name=f"add{place}")([x, _block(x, 8, f"block{place}")])
    return keras.Model(inputs, _head(x))


def nested() -> keras.Model:
    """A model as a layer, used twice."""
    inner_in = keras.Input((12, 12, 8), name="inner_in")
    inner = keras.Model(inner_in, _block(_block(inner_in, 8, "first"), 8, "second"), name="encoder")
    inputs = keras.Input((12, 12, 3), name="image")
    x = inner(_block(inputs, 8, "stem"))
    return keras.Model(inputs, _head(_block(x, 8, "top")))


def two_inputs() -> keras.Model:
    """Two inputs and two outputs."""
    image, extra = keras.Input((12, 12, 3), name="image"), keras.Input((6,), name="extra")
    left = layers.GlobalAveragePooling2D(name="pool")(_block(_block(image, 8, "a"), 8, "b"))
    right = layers.Dense(8, activation="relu", name="embed")(extra)
    both = layers.Concatenate(name="both")([left, right])
    outputs = {"score": layers.Dense(2, name="score")(both), "mask": layers.Dense(3, name="mask")(right)}
    return keras.Model([image, extra], outputs)


def two_heads() -> keras.Model:
    """Two outputs of one shape."""
    x = inputs = keras.Input((6,), name="x")
    x = layers.Dense(8, activation="relu", name="hidden")(x)
    return keras.Model(inputs, {"left": layers.Dense(3, name="left")(x), "right": layers.Dense(3, name="right")(x)})


class _Noise(layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x + keras.random.normal((1, 4))


def noisy() -> keras.Model:
    """Another output in every call."""
    inputs = keras.Input((4,), name="x")
    return keras.Model(inputs, _Noise(name="noise")(layers.Dense(4, name="dense")(inputs)))
