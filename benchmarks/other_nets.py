"""Small networks of kinds that the zoo has not: recurrent, attention, several outputs, 1-d and 3-d, down and up.

Weights are Keras's own; biases are random, so that dropping one is a fault.
"""

from __future__ import annotations

import keras
from keras import layers

RANDOM = "random_normal"


def mlp() -> keras.Model:
    """Two dense layers, one number."""
    row = keras.Input((10,), name="row")
    x = layers.Dense(16, activation="relu", bias_initializer=RANDOM)(row)
    return keras.Model(row, layers.Dense(1, bias_initializer=RANDOM)(x))


def recurrent() -> keras.Model:
    """An LSTM that gives every step to a GRU."""
    steps = keras.Input((12, 6), name="steps")
    x = layers.LSTM(8, return_sequences=True, bias_initializer=RANDOM)(steps)
    x = layers.GRU(7, bias_initializer=RANDOM)(x)
    return keras.Model(steps, layers.Dense(5, bias_initializer=RANDOM)(x))


def both_ways() -> keras.Model:
    """An LSTM in both directions."""
    steps = keras.Input((12, 6), name="steps")
    x = layers.Bidirectional(layers.LSTM(8, bias_initializer=RANDOM))(steps)
    return keras.Model(steps, layers.Dense(5, bias_initializer=RANDOM)(x))


def attention() -> keras.Model:
    """One block of a transformer over words, with a causal mask."""
    words = keras.Input((10,), dtype="int32", name="words")
    x = layers.Embedding(50, 16, embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0))(words)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 4)(x, x, use_causal_mask=True))
    y = layers.Dense(32, activation="relu", bias_initializer=RANDOM)(x)
    x = layers.LayerNormalization()(x + layers.Dense(16)(y))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(words, layers.Dense(5, bias_initializer=RANDOM)(x))


def two_heads() -> keras.Model:
    """Two images in, two outputs of one shape out."""
    left, right = keras.Input((16, 16, 3), name="left"), keras.Input((16, 16, 3), name="right")
    x = layers.Conv2D(8, 3, padding="same", activation="relu", bias_initializer=RANDOM)(left)
    y = layers.UpSampling2D(2)(right)
    y = layers.Conv2D(8, 3, strides=2, padding="same", activation="tanh", bias_initializer=RANDOM)(y)
    x = layers.MaxPooling2D()(layers.Concatenate()([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(3, 1, "same")(x))
    boxes = layers.Dense(4, bias_initializer=RANDOM)(x)
    score = layers.Dense(4, activation="sigmoid", bias_initializer=RANDOM)(x)
    return keras.Model([left, right], {"boxes": boxes, "score": score})


def one_dimension() -> keras.Model:
    """Causal, dilated and strided convolutions of a wave."""
    wave = keras.Input((64, 4), name="wave")
    x = layers.Conv1D(8, 5, padding="causal", dilation_rate=2, bias_initializer=RANDOM, activation="elu")(wave)
    x = layers.Conv1D(8, 3, strides=2, padding="same", bias_initializer=RANDOM)(x)
    x = layers.MaxPooling1D()(layers.LeakyReLU()(x))
    return keras.Model(wave, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x)))


def three_dimensions() -> keras.Model:
    """Convolutions of a volume."""
    volume = keras.Input((8, 8, 8, 2), name="volume")
    x = layers.Conv3D(6, 3, padding="same", bias_initializer=RANDOM, activation="relu")(volume)
    x = layers.MaxPooling3D()(x)
    x = layers.Conv3D(6, 3, strides=2, padding="same", bias_initializer=RANDOM, activation="relu")(x)
    return keras.Model(volume, layers.Dense(3)(layers.GlobalAveragePooling3D()(x)))


def down_and_up() -> keras.Model:
    """A picture for a picture: strided down, transposed and interpolated up."""
    image = keras.Input((16, 16, 3), name="image")
    a = layers.Conv2D(6, 3, padding="same", activation="relu", bias_initializer=RANDOM)(image)
    b = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", bias_initializer=RANDOM)(a)
    c = layers.Conv2DTranspose(6, 3, strides=2, padding="same", bias_initializer=RANDOM)(b)
    d = layers.UpSampling2D(2, interpolation="bilinear")(b)
    return keras.Model(image, layers.Conv2D(2, 1)(layers.Concatenate()([a, c, d])))
