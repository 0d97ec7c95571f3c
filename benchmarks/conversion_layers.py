"""One small model for each layer of Keras that computes on numbers without time or meaning.

The first half of the table of conversions. Built in the child of prepare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import layers

Build = Callable[[], keras.Model]
IMAGE, SERIES, VOLUME, ROW = (12, 10, 4), (16, 4), (6, 6, 6, 2), (12,)

# Those of keras.activations but for gelu and threshold, which take arguments, and other names of the same.
ACTIVATIONS = [name for name in dir(keras.activations) if name[0] != "_"]
for _name in ("deserialize", "get", "serialize", "gelu", "threshold", "hard_swish", "swish"):
    ACTIVATIONS.remove(_name)


def on(shape: tuple[int, ...], *stack: Any, dtype: str | None = None) -> keras.Model:
    """A functional model of layers one after another."""
    x = keras.Input(shape, dtype=dtype, name="x")
    y = x
    for layer in stack:
        y = layer(y)
    return keras.Model(x, y)


def signed(shape: tuple[int, ...], *stack: Any) -> keras.Model:
    """The same on numbers of both signs: the default range of inputs is 0 to 1."""
    return on(shape, layers.Rescaling(6.0, offset=-3.0), *stack)


def _activation(name: str) -> keras.Model:
    return signed(ROW, layers.Activation(getattr(keras.activations, name), name="act"))


def _gelu(approximate: bool) -> keras.Model:
    return signed(ROW, layers.Activation(lambda x: keras.activations.gelu(x, approximate=approximate), name="act"))


def _of(shape: tuple[int, ...], layer: str, *arguments: Any, **options: Any) -> Build:
    """The model of one layer by its class's name; the layer is made when the model is built."""
    return lambda: signed(shape, getattr(layers, layer)(*arguments, **options))


def _pooling() -> dict[str, Build]:
    found: dict[str, Build] = {}
    for rank, shape in ((1, SERIES), (2, IMAGE), (3, VOLUME)):
        for kind in ("Average", "Max"):
            found[f"{kind}Pooling{rank}D"] = _of(shape, f"{kind}Pooling{rank}D", 2)
            found[f"{kind}Pooling{rank}D same, strided"] = _of(
                shape, f"{kind}Pooling{rank}D", 3, strides=2, padding="same"
            )
            found[f"Global{kind}Pooling{rank}D"] = _of(shape, f"Global{kind}Pooling{rank}D")
            found[f"Adaptive{kind}Pooling{rank}D"] = _of(shape, f"Adaptive{kind}Pooling{rank}D", 2)
    return found


def _upsampled(how: str) -> Build:
    return _of((5, 6, 3), "UpSampling2D", (2, 3), interpolation=how)


CONVOLUTION: dict[str, Build] = {
    "Dense": _of(ROW, "Dense", 7, activation="relu"),
    "Dense on 3-d": _of(SERIES, "Dense", 7),
    "EinsumDense": _of(SERIES, "EinsumDense", "abc,cd->abd", output_shape=(None, 5), bias_axes="d"),
    "Conv1D": _of(SERIES, "Conv1D", 5, 3),
    "Conv1D strided, same": _of(SERIES, "Conv1D", 5, 3, strides=2, padding="same"),
    "Conv1D causal, dilated": _of(SERIES, "Conv1D", 5, 3, padding="causal", dilation_rate=2),
    "Conv2D": _of(IMAGE, "Conv2D", 5, 3),
    "Conv2D strided, same": _of(IMAGE, "Conv2D", 5, 3, strides=2, padding="same"),
    "Conv2D dilated, same": _of(IMAGE, "Conv2D", 5, 3, dilation_rate=2, padding="same"),
    "Conv2D grouped": _of(IMAGE, "Conv2D", 6, 3, groups=2),
    "Conv3D": _of(VOLUME, "Conv3D", 4, 3),
    "Conv3D strided, same": _of(VOLUME, "Conv3D", 4, 3, strides=2, padding="same"),
    "Conv3D dilated": _of(VOLUME, "Conv3D", 4, 2, dilation_rate=2),
    "DepthwiseConv1D": _of(SERIES, "DepthwiseConv1D", 3, depth_multiplier=2),
    "DepthwiseConv2D": _of(IMAGE, "DepthwiseConv2D", 3, depth_multiplier=2, padding="same"),
    "DepthwiseConv2D strided": _of(IMAGE, "DepthwiseConv2D", 3, strides=2, padding="same"),
    "DepthwiseConv2D dilated": _of(IMAGE, "DepthwiseConv2D", 3, dilation_rate=2),
    "SeparableConv1D": _of(SERIES, "SeparableConv1D", 5, 3),
    "SeparableConv2D": _of(IMAGE, "SeparableConv2D", 5, 3, padding="same"),
    "Conv1DTranspose": _of(SERIES, "Conv1DTranspose", 5, 3, strides=2),
    "Conv2DTranspose": _of(IMAGE, "Conv2DTranspose", 5, 3, strides=2),
    "Conv2DTranspose same": _of(IMAGE, "Conv2DTranspose", 5, 3, strides=2, padding="same"),
    "Conv2DTranspose output_padding": _of(IMAGE, "Conv2DTranspose", 5, 3, strides=2, output_padding=1),
    "Conv2DTranspose dilated": _of(IMAGE, "Conv2DTranspose", 5, 3, dilation_rate=2),
    "Conv3DTranspose": _of(VOLUME, "Conv3DTranspose", 3, 2, strides=2),
}

ACTIVATION: dict[str, Build] = {
    **{f"Activation {name}": partial(_activation, name) for name in ACTIVATIONS},
    "Activation threshold": lambda: signed(
        ROW, layers.Activation(lambda x: keras.activations.threshold(x, 0.5, -1.0), name="act")
    ),
    "Activation gelu, exact": partial(_gelu, False),
    "Activation gelu, approximate": partial(_gelu, True),
    "ReLU capped": _of(ROW, "ReLU", max_value=2.0, negative_slope=0.1, threshold=0.2),
    "LeakyReLU": _of(ROW, "LeakyReLU"),
    "PReLU": _of(ROW, "PReLU"),
    "PReLU shared axes": _of(IMAGE, "PReLU", shared_axes=[1, 2]),
    "ELU": _of(ROW, "ELU"),
    "Softmax two axes": _of(SERIES, "Softmax", axis=(1, 2)),
}

NORMALISATION: dict[str, Build] = {
    "BatchNormalization": _of(IMAGE, "BatchNormalization"),
    "BatchNormalization axis 1": _of(IMAGE, "BatchNormalization", axis=1),
    "LayerNormalization": _of(SERIES, "LayerNormalization"),
    "LayerNormalization two axes": _of(SERIES, "LayerNormalization", axis=[1, 2]),
    "RMSNormalization": _of(SERIES, "RMSNormalization"),
    "GroupNormalization": _of(IMAGE, "GroupNormalization", groups=2),
    "UnitNormalization": _of(SERIES, "UnitNormalization"),
    "SpectralNormalization": lambda: signed(ROW, layers.SpectralNormalization(layers.Dense(5))),
    "Dropout": _of(ROW, "Dropout", 0.5),
    "SpatialDropout2D": _of(IMAGE, "SpatialDropout2D", 0.5),
    "GaussianNoise": _of(ROW, "GaussianNoise", 0.5),
    "AlphaDropout": _of(ROW, "AlphaDropout", 0.5),
    "ActivityRegularization": _of(ROW, "ActivityRegularization", 0.1),
}

POOLING: dict[str, Build] = _pooling()

RESHAPING: dict[str, Build] = {
    "Reshape": _of(SERIES, "Reshape", (8, 8)),
    "Reshape with -1": _of(SERIES, "Reshape", (-1, 2)),
    "Permute": _of(IMAGE, "Permute", (3, 1, 2)),
    "RepeatVector": _of(ROW, "RepeatVector", 3),
    "Flatten": _of(IMAGE, "Flatten"),
    "ZeroPadding1D": _of(SERIES, "ZeroPadding1D", 2),
    "ZeroPadding2D": _of(IMAGE, "ZeroPadding2D", ((1, 2), (0, 3))),
    "ZeroPadding3D": _of(VOLUME, "ZeroPadding3D", 1),
    "Cropping1D": _of(SERIES, "Cropping1D", 2),
    "Cropping2D": _of(IMAGE, "Cropping2D", ((1, 2), (0, 3))),
    "Cropping3D": _of(VOLUME, "Cropping3D", 1),
    "UpSampling1D": _of(SERIES, "UpSampling1D", 2),
    "UpSampling2D nearest": _upsampled("nearest"),
    "UpSampling2D bilinear": _upsampled("bilinear"),
    "UpSampling2D bicubic": _upsampled("bicubic"),
    "UpSampling2D lanczos3": _upsampled("lanczos3"),
    "UpSampling2D lanczos5": _upsampled("lanczos5"),
    "UpSampling3D": _of(VOLUME, "UpSampling3D", 2),
    "Identity": _of(ROW, "Identity"),
}
