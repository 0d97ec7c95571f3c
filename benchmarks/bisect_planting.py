"""A fault in one layer of a Keras model, which keeps its names and shapes: what an exporter or a person may get wrong.

The model is cloned with the one layer made otherwise, or a weight of it changed, so that which layer is wrong is known
for certain. Imports Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import layers

Make = Callable[[keras.Model, str], keras.Model]  # the model and the layer's name -> the faulty copy
Array = np.ndarray[Any, np.dtype[Any]]

_SHARE_OF_FLOAT8 = 0.25  # of kernels: or it would be the commonest fault
_OTHER_ACTIVATION = {
    "relu": "leaky_relu",
    "tanh": "softsign",
    "sigmoid": "hard_sigmoid",
    "silu": "relu",
    "elu": "selu",
    "hard_swish": "silu",
    "hard_silu": "silu",
}
_OTHER_KIND = {  # the same arguments, another function
    layers.Add: layers.Maximum,
    layers.Multiply: layers.Minimum,
    layers.Average: layers.Maximum,
}
_POOLS = {
    getattr(layers, f"{a}Pooling{rank}D"): getattr(layers, f"{b}Pooling{rank}D")
    for rank in (1, 2, 3)
    for a, b in (("Max", "Average"), ("Average", "Max"))
}

_OTHER_SETTINGS: tuple[tuple[Any, str, dict[str, Any]], ...] = (
    (layers.BatchNormalization | layers.LayerNormalization, "epsilon 0.05", {"epsilon": 0.05}),
    (layers.LeakyReLU, "slope 0.01", {"negative_slope": 0.01}),
    (layers.ELU, "alpha 0.8", {"alpha": 0.8}),
    (layers.UpSampling2D, "nearest is bilinear", {"interpolation": "bilinear"}),
)


def leaf_layers(model: keras.Model, way: str = "") -> Iterator[tuple[str, keras.Layer]]:
    """Each layer that computes something, by its way through nested models: ``part_1/conv2d_3``."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaf_layers(layer, f"{way}{layer.name}/")
        elif not isinstance(layer, layers.InputLayer):
            yield f"{way}{layer.name}", layer


def faults_of(layer: keras.Layer, rng: np.random.Generator) -> dict[str, Make]:
    """What can be planted in a layer, by what a table calls it."""
    return {**_of_weights(layer, rng), **_of_settings(layer), **_of_kind(layer)}


def _of_weights(layer: keras.Layer, rng: np.random.Generator) -> dict[str, Make]:
    found: dict[str, Make] = {}
    factor = round(1 + 0.01 * int(rng.integers(1, 6)), 2)
    for name in sorted({variable.path.rsplit("/", 1)[-1] for variable in layer.weights}):
        if "kernel" in name or name in ("gamma", "scale"):
            found[f"{name} x {factor}"] = _changed(name, lambda values: values * factor)
        if "kernel" in name and rng.random() < _SHARE_OF_FLOAT8:
            found[f"{name} in float8"] = _changed(name, _to_three_bits)
        if "bias" in name or name in ("beta", "moving_mean"):
            found[f"{name} dropped"] = _changed(name, np.zeros_like)
        if name == "moving_variance":
            found["variance x 1.1"] = _changed(name, lambda values: values * 1.1)
    return found


def _of_settings(layer: keras.Layer) -> dict[str, Make]:
    config = layer.get_config()
    found: dict[str, Make] = {}
    if config.get("activation") in _OTHER_ACTIVATION:
        other = _OTHER_ACTIVATION[config["activation"]]
        found[f"{config['activation']} is {other}"] = _otherwise(activation=other)
    if isinstance(layer, layers.ReLU):
        capped = config["max_value"] is not None
        found["cap dropped" if capped else "cap 2"] = _otherwise(max_value=None if capped else 2.0)
    if isinstance(layer, layers.ZeroPadding2D):
        (top, bottom), sides = config["padding"]
        found["padding shifted"] = _otherwise(padding=((top + 1, bottom - 1), sides))
    if _is_same_padded(layer, config):
        found["dilation 2"] = _otherwise(dilation_rate=2)
    for kind, name, settings in _OTHER_SETTINGS:
        if isinstance(layer, kind):
            found[name] = _otherwise(**settings)
    return found


def _is_same_padded(layer: keras.Layer, config: dict[str, Any]) -> bool:
    """Whether it is a plain convolution of three places that keeps the shape however far apart they are."""
    if type(layer) not in (layers.Conv1D, layers.Conv2D, layers.Conv3D) or config["padding"] != "same":
        return False
    return set(config["kernel_size"]) == {3} and set(config["strides"]) == {1}


def _of_kind(layer: keras.Layer) -> dict[str, Make]:
    found: dict[str, Make] = {}
    other = (_OTHER_KIND | _POOLS).get(type(layer))
    if other is not None:
        found[f"{type(layer).__name__} is {other.__name__}"] = _otherwise(other)
    if isinstance(layer, layers.Concatenate):
        found["order reversed"] = _otherwise(_Reversed)
    return found


@keras.saving.register_keras_serializable("bisect")
class _Reversed(layers.Concatenate):  # type: ignore[misc]
    """Joins in the other order."""

    def call(self, inputs: Any) -> Any:
        return super().call(list(inputs)[::-1])


def copy_of(model: keras.Model, wanted: str = "", make: Callable[[Any], Any] | None = None) -> keras.Model:
    """A copy with the same weights, the layer called ``wanted`` made by ``make`` from the old one."""

    def clone(layer: keras.Layer) -> keras.Layer:
        same = type(layer).from_config(layer.get_config())
        return make(layer) if make is not None and layer.name == wanted else same

    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    copy.set_weights(model.get_weights())
    return copy


def _otherwise(kind: type[keras.Layer] | None = None, **settings: Any) -> Make:
    """The layer with other settings, or of another kind."""

    def plant(model: keras.Model, name: str) -> keras.Model:
        return copy_of(model, name, lambda layer: (kind or type(layer)).from_config({**layer.get_config(), **settings}))

    return plant


def _changed(weight: str, change: Callable[[Array], Array]) -> Make:
    """The layer with another value of its first weight of that name."""

    def plant(model: keras.Model, name: str) -> keras.Model:
        copy = copy_of(model)
        layer = next(layer for way, layer in leaf_layers(copy) if way.rsplit("/", 1)[-1] == name)
        variable = next(v for v in layer.weights if v.path.rsplit("/", 1)[-1] == weight)
        variable.assign(change(np.asarray(variable)))
        return copy

    return plant


def _to_three_bits(values: Array) -> Array:
    """Rounded as float8 (e4m3) would: three bits after the first."""
    mantissa, exponent = np.frexp(values)
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, 4)), exponent - 4), values.dtype)
