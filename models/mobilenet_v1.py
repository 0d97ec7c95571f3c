"""MobileNet (Howard et al. 2017, arXiv:1704.04861, table 1) from plain layers.

Layers, their order and their names are those of ``keras.applications.MobileNet``: weights go from one to the other,
and outputs are then equal bit for bit.
"""

from __future__ import annotations

import keras
from keras import layers

INPUT_RANGE = (-1.0, 1.0)
FIRST_FILTERS = 32
BLOCKS = (  # filters, stride of the depthwise convolution
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *(((512, 1),) * 5),
    (1024, 2),
    (1024, 1),
)


def build(alpha: float = 1.0, resolution: int = 224, classes: int = 1000, softmax: bool = True) -> keras.Model:
    """The paper's network with width multiplier ``alpha``; ``softmax=False`` gives logits.

    Sizes in the paper: alpha 1, 0.75, 0.5, 0.25; resolution 224, 192, 160, 128. Raises ValueError where a size
    leaves nothing to compute.
    """
    if not alpha > 0 or int(FIRST_FILTERS * alpha) < 1:
        raise ValueError(f"mobilenet_v1: alpha must leave at least one filter of {FIRST_FILTERS}, not {alpha}")
    if resolution < 32:
        raise ValueError(f"mobilenet_v1: resolution must be at least 32, not {resolution}")
    if classes < 1:
        raise ValueError(f"mobilenet_v1: classes must be at least 1, not {classes}")
    image = keras.Input((resolution, resolution, 3), name="image")
    x = layers.Conv2D(int(FIRST_FILTERS * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(image)
    x = _normalised(x, "conv1")
    for number, (filters, stride) in enumerate(BLOCKS, start=1):
        x = _separable_block(x, int(filters * alpha), stride, number)
    x = layers.GlobalAveragePooling2D(keepdims=True, name="global_average_pooling2d")(x)
    x = layers.Dropout(1e-3, name="dropout")(x)
    x = layers.Conv2D(classes, 1, padding="same", name="conv_preds")(x)
    x = layers.Reshape((classes,), name="reshape_2")(x)
    x = layers.Activation("softmax" if softmax else "linear", name="predictions")(x)
    return keras.Model(image, x, name=f"mobilenet_{alpha:0.2f}_{resolution}")


def _separable_block(x: keras.KerasTensor, filters: int, stride: int, number: int) -> keras.KerasTensor:
    """Depthwise 3x3, then pointwise 1x1, each with batch norm and ReLU6."""
    if stride == 2:  # Keras pads below and right only, and then convolves without padding
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    padding = "same" if stride == 1 else "valid"
    x = layers.DepthwiseConv2D(3, strides=stride, padding=padding, use_bias=False, name=f"conv_dw_{number}")(x)
    x = _normalised(x, f"conv_dw_{number}")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return _normalised(x, f"conv_pw_{number}")


def _normalised(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)
