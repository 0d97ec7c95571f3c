"""Keras models with one hazard each, and their harmless twins. Built through ``hazard_kinds.py:NAME``."""

from __future__ import annotations

import keras
from keras import layers


def dense(tiny: float = 0.0) -> keras.Model:
    """A share ``tiny`` of the weights of one layer is 1e-40: numbers that are there and too small to be normal."""
    x = keras.Input((16,), name="x")
    layer = layers.Dense(32, activation="relu", name="hidden")
    model = keras.Model(x, layers.Dense(3, name="out")(layer(x)))
    kernel, bias = layer.get_weights()
    kernel.reshape(-1)[: int(tiny * kernel.size)] = 1e-40
    layer.set_weights([kernel, bias])
    return model


def pointwise(side: int = 96, width: int = 2) -> keras.Model:
    """Hardly anything but the change of layout of its input."""
    x = keras.Input((side, side, 3), name="image")
    h = layers.Conv2D(width, 1, strides=2, name="narrow")(x)
    return keras.Model(x, layers.Dense(2, name="out")(layers.GlobalAveragePooling2D()(h)))


def convolved(after: bool = True) -> keras.Model:
    """Batch normalisation after an activation, where it can't be folded, or before it."""
    x = h = keras.Input((64, 64, 3), name="image")
    for place in range(3):
        h = layers.Conv2D(4, 1, name=f"conv_{place}")(h)
        norm = layers.BatchNormalization(name=f"norm_{place}", beta_initializer="random_normal")
        norm_first = not after
        h = layers.ReLU()(norm(h)) if norm_first else norm(layers.Activation("tanh", name=f"act_{place}")(h))
    return keras.Model(x, layers.Dense(2, name="out")(layers.GlobalAveragePooling2D()(h)))


def own_permutes() -> keras.Model:
    """The transposes are the model's own."""
    x = keras.Input((64, 64, 8), name="x")
    h = layers.Permute((3, 1, 2), name="first")(x)
    h = layers.Permute((2, 3, 1), name="second")(layers.Activation("sigmoid")(h))
    return keras.Model(x, layers.Dense(2, name="out")(h))


def unconvertible(tiny: float = 0.0) -> keras.Model:
    """An operation that no exporter has, after a layer as in ``dense``."""
    model = dense(tiny)
    exact = layers.Activation(lambda x: keras.activations.gelu(x, approximate=False))
    return keras.Model(model.inputs, exact(model.outputs[0]))


def saturated(scale: float = 1.0) -> keras.Model:
    x = keras.Input((16,), name="x")
    signed = keras.initializers.RandomNormal(stddev=scale, seed=1)
    return keras.Model(x, layers.Dense(4, activation="sigmoid", kernel_initializer=signed, name="out")(x))


def rooted(shift: float = 0.0) -> keras.Model:
    """A square root of numbers around ``shift``."""
    x = keras.Input((16,), name="x")
    h = layers.Lambda(lambda x: keras.ops.sqrt(x - 0.5 + shift), name="root")(x)
    return keras.Model(x, layers.Dense(3, name="out")(h))
