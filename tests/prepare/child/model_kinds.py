"""Models of every kind that people bring, tiny. Built through ``model_kinds.py:NAME``, as a user's own file is."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers


def sequential() -> keras.Model:
    return keras.Sequential([keras.Input((6,)), layers.Dense(5, activation="relu"), layers.Dense(3, name="out")])


def unbuilt() -> keras.Model:
    return keras.Sequential([layers.Dense(5, activation="relu"), layers.Dense(3, name="out")])


def functional(width: int = 3, softmax: bool = False, weights: str = "") -> keras.Model:
    x = keras.Input((8, 8, 3), name="image")
    h = layers.Flatten()(layers.Conv2D(4, 3, activation="relu", bias_initializer="random_normal")(x))
    return keras.Model(x, layers.Dense(width, activation="softmax" if softmax else None, name=weights or "out")(h))


def nan_bias() -> keras.Model:
    """One of its hidden biases is NaN, so that every output is."""
    x = keras.Input((6,), name="x")
    h = layers.Dense(4, activation="relu", bias_initializer=keras.initializers.Constant(float("nan")))(x)
    return keras.Model(x, layers.Dense(3, name="out")(h))


def nested() -> keras.Model:
    x = keras.Input((8, 8, 3), name="image")
    return keras.Model(x, layers.Dense(2, name="head")(functional()(x)))


def clone() -> keras.Model:
    return keras.models.clone_model(functional())


class Subclassed(keras.Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return {"score": self.dense(inputs)}


def subclassed() -> keras.Model:
    return Subclassed()


def by_name() -> keras.Model:
    """Two inputs and two outputs of one shape each: paired by position they are swapped."""
    right, left = keras.Input((4,), name="right"), keras.Input((4,), name="left")
    h = layers.Concatenate()([right, layers.Rescaling(3.0)(left)])
    return keras.Model(
        {"right": right, "left": left},
        {"zeta": layers.Dense(3)(h), "alpha": layers.Dense(3)(h), "mid": layers.Dense(2)(h)},
    )


def listed() -> keras.Model:
    a, b = keras.Input((4,), name="a"), keras.Input((5,), name="b")
    h = layers.Concatenate()([a, b])
    return keras.Model([a, b], [layers.Dense(3, name="p")(h), layers.Dense(3, name="q")(h)])


def layer_twice() -> keras.Model:
    x, shared = keras.Input((4,), name="x"), layers.Dense(4, name="shared")
    h = shared(x)
    return keras.Model(x, [h, shared(h)])


def output_named_as_input() -> keras.Model:
    x = keras.Input((4,), name="x")
    return keras.Model({"x": x}, {"x": layers.Dense(2)(x)})


def own_input() -> keras.Model:
    x = keras.Input((4,), name="x")
    return keras.Model(x, x)


def nested_outputs() -> keras.Model:
    x = keras.Input((4,), name="x")
    return keras.Model(x, {"a": [layers.Dense(2)(x), layers.Dense(2)(x)], "b": {"c": layers.Dense(1)(x)}})


def gelu(approximate: bool = False) -> keras.Model:
    def activation(x: Any) -> Any:
        return keras.activations.gelu(x, approximate=approximate)

    return keras.Sequential([keras.Input((4,)), layers.Dense(4, activation=activation, name="act")])


def resizing(how: str = "area") -> keras.Model:
    return keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Rescaling(2.0), layers.Resizing(3, 5, interpolation=how, name="shrink")]
    )


def resizing_between() -> keras.Model:
    """TensorFlow's own optimiser takes the layer's name off the node."""
    x = image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(8, 3, activation="relu")(x)
    x = layers.Resizing(5, 7, interpolation="area", name="shrink")(x)
    return keras.Model(image, layers.Dense(5)(layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(x))))


def resizing_within() -> keras.Model:
    x = keras.Input((8, 8, 3))
    return keras.Model(x, layers.GlobalAveragePooling2D()(resizing()(layers.Conv2D(3, 1)(x))))


def normalised() -> keras.Model:
    norm = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0])
    return keras.Sequential([keras.Input((8, 8, 3), name="image"), norm, layers.Conv2D(2, 3)])


def looked_up() -> keras.Model:
    lookup = layers.IntegerLookup(vocabulary=[1, 2, 5], name="ids")
    return keras.Sequential([keras.Input((3,), dtype="int64"), lookup, layers.Embedding(9, 2)])


def text() -> keras.Model:
    lookup = layers.StringLookup(vocabulary=["a", "b"])
    return keras.Sequential([keras.Input((3,), dtype="string", name="words"), lookup, layers.Embedding(9, 2)])


def embedded() -> keras.Model:
    return keras.Sequential([keras.Input((5,), dtype="int32", name="ids"), layers.Embedding(9, 4), layers.LSTM(3)])


def pixels() -> keras.Model:
    inner = keras.Sequential([keras.Input((8, 8, 3)), layers.Rescaling(1 / 127.5, offset=-1), layers.Conv2D(2, 3)])
    x = keras.Input((8, 8, 3), name="image")
    return keras.Model(x, inner(x))


class Broken(keras.Model):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x.nope


def broken() -> keras.Model:
    return Broken()


def ill_conditioned() -> keras.Model:
    """A large offset and back: float32 keeps hardly a digit of the input, float64 nearly all."""
    x = keras.Input((6,), name="x")
    far = layers.ReLU()(layers.Rescaling(1.0, offset=2e6)(x))
    return keras.Model(x, layers.Rescaling(1.0, offset=-2e6, name="back")(far))


def with_policy(policy: str = "float32") -> keras.Model:
    x = keras.Input((8, 8, 3), name="image")
    return keras.Model(x, layers.Conv2D(4, 3, dtype=policy, name="conv")(x))


def dropout_hard_wired() -> keras.Model:
    x = keras.Input((4,))
    return keras.Model(x, layers.Dropout(0.5)(layers.Dense(4)(x), training=True))


def batch_norm_hard_wired() -> keras.Model:
    x = keras.Input((4,))
    norm = layers.BatchNormalization(moving_mean_initializer=keras.initializers.Constant(-4.5))
    return keras.Model(x, norm(x, training=True))


class Noise(layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x + tf.random.normal(tf.shape(x))


def noise() -> keras.Model:
    return keras.Sequential([keras.Input((4,)), Noise(name="noise")])


class RandomDropout(layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return tf.nn.dropout(x, 0.5)


def random_dropout() -> keras.Model:
    return keras.Sequential([keras.Input((4,)), RandomDropout()])


class Narrowing(layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return tf.cast(tf.sin(tf.cast(x, tf.float32)), x.dtype)


def narrowing() -> keras.Model:
    return keras.Sequential([keras.Input((4,)), layers.Dense(4), Narrowing()])


class HalfRoundedDown(layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x // 2


def half_rounded_down() -> keras.Model:
    x = keras.Input((4,), dtype="int32", name="x")
    return keras.Model(x, HalfRoundedDown(dtype="int32", name="half")(x))


class Flat(layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return tf.reshape(x, [-1])


def flat() -> keras.Model:
    return keras.Sequential([keras.Input((4,)), layers.Dense(3), Flat(name="flat")])


def fixed_batch() -> keras.Model:
    x = keras.Input(batch_shape=(3, 4), name="x")
    return keras.Model(x, layers.Dense(3)(x))


def free_size() -> keras.Model:
    x = keras.Input((None, None, 3), name="image")
    return keras.Model(x, layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(x)))


def constant() -> keras.Model:
    return keras.Sequential([keras.Input((4,)), layers.Dense(2, kernel_initializer="zeros")])


def raises() -> keras.Model:
    raise ValueError("no such size")


def not_a_model() -> int:
    return 3


def one_row() -> keras.Model:
    return keras.Sequential([keras.Input((3,), dtype="int32"), layers.Embedding(1, 2), layers.Flatten()])


class LookUp(layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return tf.gather(tf.constant([[1.0, 2.0]]), x)


def look_up() -> keras.Model:
    x = keras.Input((3,), dtype="int32", name="x")
    return keras.Model(x, LookUp()(x))


def argmax() -> keras.Model:
    x = keras.Input((4,), name="x")
    return keras.Model(x, keras.ops.argmax(layers.Dense(3)(x), axis=-1))


class StatelessNoise(layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x + tf.random.stateless_normal(tf.shape(x), (1, 2))


def stateless_noise() -> keras.Model:
    return keras.Sequential([keras.Input((4,)), layers.Dense(4), StatelessNoise()])


def grouped() -> keras.Model:
    x = keras.Input((8, 8, 4), name="image")
    return keras.Model(x, layers.Conv2D(6, 3, groups=2, bias_initializer="random_normal")(x))


def stateful() -> keras.Model:
    x = keras.Input(batch_shape=(2, 5, 4), name="x")
    return keras.Model(x, layers.LSTM(3, stateful=True)(x))


def hashed() -> keras.Model:
    return keras.Sequential([keras.Input((3,), dtype="int32"), layers.Hashing(num_bins=4), layers.Embedding(9, 2)])


def binned() -> keras.Model:
    return keras.Sequential([keras.Input((3,)), layers.Discretization([0.2, 0.6]), layers.Embedding(9, 2)])


def stretched(padding: str = "valid") -> keras.Model:
    x = keras.Input((5, 5, 2), name="x")
    return keras.Model(x, layers.Conv2DTranspose(3, 3, strides=2, padding=padding, output_padding=1, name="up")(x))


def activated(name: str = "celu") -> keras.Model:
    return keras.Sequential([keras.Input((6,)), layers.Dense(4, activation=name, name="act")])


def spaced_name() -> keras.Model:
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Dense(3, name="class scores")(x))


def gelus(count: int = 6) -> keras.Model:
    dense = [layers.Dense(4, activation="gelu", name=f"wide_{place}") for place in range(count)]
    return keras.Sequential([keras.Input((4,)), *dense])


def norm_of_a_picture() -> keras.Model:
    """Means over 49152 numbers: right runtimes that add in plain order are 1e-3 off."""
    x = image = keras.Input((128, 128, 3), name="image")
    x = layers.LayerNormalization(axis=[1, 2, 3])(x)
    return keras.Model(image, layers.Dense(4)(layers.AveragePooling2D(32)(x)))
