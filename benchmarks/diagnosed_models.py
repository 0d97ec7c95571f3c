"""Small models for ``diagnoses.py``, each with outputs or layers on which some faults can be seen."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers


def classifier() -> keras.Model:
    """Probabilities of 12 classes of a picture."""
    x = keras.Input((16, 16, 3), name="image")
    h = layers.Conv2D(8, 3, activation="relu", bias_initializer="random_normal")(x)
    h = layers.Conv2D(16, 3, strides=2, activation="relu", bias_initializer="random_normal")(h)
    logits = layers.Rescaling(6.0)(layers.Dense(12)(layers.Flatten()(h)))
    return keras.Model(x, layers.Softmax(name="class")(logits))


def pictures() -> keras.Model:
    """A picture of three channels from a picture of three."""
    x = keras.Input((20, 16, 3), name="image")
    h = layers.Conv2D(8, 3, padding="same", activation="relu", bias_initializer="random_normal")(x)
    last = layers.Conv2D(3, 3, padding="same", bias_initializer="random_normal", name="picture")
    return keras.Model(x, last(h))


def two_by_two() -> keras.Model:
    """Two inputs of one shape, three outputs of one shape."""
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    h = layers.Dense(24, activation="relu")(layers.Concatenate()([left, layers.Rescaling(3.0)(right)]))
    return keras.Model(
        {"left": left, "right": right},
        {name: layers.Dense(10, bias_initializer="random_normal")(h) for name in ("alpha", "beta", "gamma")},
    )


def text() -> keras.Model:
    """Words by their numbers."""
    x = keras.Input((9,), dtype="int32", name="words")
    h = layers.LSTM(8)(layers.Embedding(30, 6)(x))
    return keras.Model(x, layers.Dense(10)(h))


def normalised() -> keras.Model:
    """Batch norms whose stored statistics are not the batch's."""
    x = keras.Input((10, 10, 3), name="image")
    constant = keras.initializers.Constant
    norm = layers.BatchNormalization(moving_mean_initializer=constant(0.3), moving_variance_initializer=constant(0.2))
    h = layers.Activation("relu")(norm(layers.Conv2D(8, 3)(x)))
    return keras.Model(x, layers.Dense(10)(layers.GlobalAveragePooling2D()(h)))


class Noise(layers.Layer):  # type: ignore[misc]
    """Adds random numbers, whatever the mode."""

    def call(self, x: Any) -> Any:
        """Another answer each time."""
        return x + tf.random.normal(tf.shape(x))


def noisy() -> keras.Model:
    """A model that gives two answers to one question."""
    return keras.Sequential([keras.Input((6,), name="x"), layers.Dense(10), Noise(name="noise")])
