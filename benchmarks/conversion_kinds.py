"""Models of every kind that people build, small: how layers are put together, named, typed and called.

Built in the child of prepare.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from benchmarks.conversion_layers import Build

SHAPE = (8, 8, 3)


def _body(x: Any, dtype: str | None = None) -> Any:
    x = layers.Conv2D(6, 3, activation="relu", dtype=dtype)(x)
    x = layers.BatchNormalization(dtype=dtype)(x)
    return layers.GlobalAveragePooling2D(dtype=dtype)(x)


def _sequential() -> keras.Model:
    return keras.Sequential([keras.Input(SHAPE), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)])


def _functional() -> keras.Model:
    x = keras.Input(SHAPE, name="image")
    return keras.Model(x, layers.Dense(3)(_body(x)))


def _residual() -> keras.Model:
    x = keras.Input(SHAPE, name="image")
    h = layers.Conv2D(6, 3, padding="same")(x)
    for _ in range(3):
        h = layers.Add()([h, layers.Conv2D(6, 3, padding="same", activation="relu")(h)])
    return keras.Model(x, layers.GlobalAveragePooling2D()(h))


class Own(keras.Model):  # type: ignore[misc]
    """A subclassed model; ``as_dict`` gives its outputs names."""

    def __init__(self, as_dict: bool) -> None:
        super().__init__()
        self.first, self.second, self.as_dict = layers.Dense(5, activation="relu"), layers.Dense(3), as_dict

    def build(self, shape: Any) -> None:
        """Both layers."""
        self.first.build(shape)
        self.second.build((*shape[:-1], 5))

    def call(self, x: Any) -> Any:
        """One after the other."""
        h = self.first(x)
        return {"hidden": h, "score": self.second(h)} if self.as_dict else self.second(h)


class Split(layers.Layer):  # type: ignore[misc]
    """A layer with two outputs."""

    def call(self, x: Any) -> Any:
        """The first two, and the sum of the rest."""
        return x[..., :2], keras.ops.sum(x[..., 2:], axis=-1, keepdims=True)

    def compute_output_shape(self, shape: Any) -> Any:
        """Of both."""
        return (*shape[:-1], 2), (*shape[:-1], 1)


def _subclassed() -> keras.Model:
    return Own(as_dict=False)


def _subclassed_dict() -> keras.Model:
    return Own(as_dict=True)


def _dict_inputs_outputs() -> keras.Model:
    right, left = keras.Input((4,), name="right"), keras.Input((4,), name="left")
    h = layers.Concatenate()([right, layers.Rescaling(3.0)(left)])
    return keras.Model({"right": right, "left": left}, {"zeta": layers.Dense(3)(h), "alpha": layers.Dense(3)(h)})


def _several_inputs_outputs() -> keras.Model:
    a, b = keras.Input((4,), name="a"), keras.Input((5,), name="b")
    h = layers.Concatenate()([a, b])
    return keras.Model([a, b], [layers.Dense(3, name="p")(h), layers.Dense(3, name="q")(h)])


def _nested_outputs() -> keras.Model:
    x = keras.Input((4,), name="x")
    return keras.Model(x, {"a": [layers.Dense(2)(x), layers.Dense(2)(x)], "b": {"c": layers.Dense(1)(x)}})


def _nested() -> keras.Model:
    x = keras.Input(SHAPE, name="image")
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="relu")], name="head")
    return keras.Model(x, layers.Dense(2)(inner(_functional()(x))))


def _shared_layer() -> keras.Model:
    a, b, shared = keras.Input((4,), name="a"), keras.Input((4,), name="b"), layers.Dense(4, name="shared")
    return keras.Model([a, b], [shared(a), shared(shared(b))])


def _layer_of_two_outputs() -> keras.Model:
    x = keras.Input((6,), name="x")
    left, right = Split(name="split")(x)
    return keras.Model(x, [left, right])


def _input_is_output() -> keras.Model:
    x = keras.Input((4,), name="x")
    return keras.Model(x, [x, layers.Dense(3)(x)])


def _free_size() -> keras.Model:
    x = keras.Input((None, None, 3), name="image")
    return keras.Model(x, layers.Dense(3)(_body(x)))


def _fixed_batch() -> keras.Model:
    x = keras.Input(batch_shape=(4, 8, 8, 3), name="image")
    return keras.Model(x, layers.Dense(3)(_body(x)))


def _uint8_input() -> keras.Model:
    x = keras.Input(SHAPE, dtype="uint8", name="image")
    return keras.Model(x, layers.Dense(3)(_body(layers.Rescaling(1 / 255)(x))))


def _odd_names() -> keras.Model:
    x = keras.Input((4,), name="my input.1")
    return keras.Model({"my input.1": x}, {"class scores": layers.Dense(3, name="2nd.head")(x)})


def _name_with_a_space() -> keras.Model:
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Dense(3, name="class scores")(x))


def _unet() -> keras.Model:
    x = keras.Input((16, 16, 3), name="image")
    fine = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    coarse = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.MaxPooling2D()(fine))
    up = layers.Conv2DTranspose(4, 2, strides=2)(coarse)
    return keras.Model(x, layers.Conv2D(2, 1)(layers.Concatenate()([fine, up])))


def _transformer_block() -> keras.Model:
    ids = keras.Input((6,), dtype="int32", name="ids")
    h = layers.Embedding(9, 8)(ids)
    h = layers.LayerNormalization()(layers.Add()([h, layers.MultiHeadAttention(2, 4)(h, h)]))
    wide = layers.Dense(16, activation=lambda x: keras.activations.gelu(x, approximate=True))(h)
    return keras.Model(ids, layers.LayerNormalization()(layers.Add()([h, layers.Dense(8)(wide)])))


def _typed(policy: str) -> Build:
    def build() -> keras.Model:
        x = keras.Input(SHAPE, name="image")
        return keras.Model(x, layers.Dense(3, dtype=policy)(_body(x, policy)))

    return build


KINDS: dict[str, Build] = {
    "Sequential": _sequential,
    "functional": _functional,
    "residual": _residual,
    "subclassed": _subclassed,
    "subclassed, dict outputs": _subclassed_dict,
    "dict inputs and outputs": _dict_inputs_outputs,
    "several inputs and outputs": _several_inputs_outputs,
    "nested outputs": _nested_outputs,
    "nested models": _nested,
    "shared layer": _shared_layer,
    "layer of two outputs": _layer_of_two_outputs,
    "input is an output": _input_is_output,
    "free height and width": _free_size,
    "fixed batch": _fixed_batch,
    "uint8 input": _uint8_input,
    "odd names": _odd_names,
    "a layer's name with a space": _name_with_a_space,
    "U-Net": _unet,
    "transformer block": _transformer_block,
    **{
        f"policy {policy}": _typed(policy)
        for policy in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64")
    },
}
