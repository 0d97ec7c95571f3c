"""MobileNetV3-Large (Howard et al. 2019, arXiv:1905.02244), as keras.applications has it."""

from __future__ import annotations

import keras

INPUT_RANGE = (0.0, 255.0)  # its first layer rescales to [-1, 1]


def build(alpha: float = 1.0, resolution: int = 224, classes: int = 1000, softmax: bool = True) -> keras.Model:
    """Network with width multiplier ``alpha``; ``softmax=False`` gives logits.

    Raises ValueError where a size leaves nothing to compute.
    """
    if not alpha > 0:
        raise ValueError(f"mobilenet_v3_large: alpha must be above 0, not {alpha}")
    if resolution < 32:
        raise ValueError(f"mobilenet_v3_large: resolution must be at least 32, not {resolution}")
    if classes < 1:
        raise ValueError(f"mobilenet_v3_large: classes must be at least 1, not {classes}")
    network = keras.applications.MobileNetV3Large(
        input_tensor=keras.Input((resolution, resolution, 3), name="image"),
        alpha=alpha,
        weights=None,
        classes=classes,
        classifier_activation="softmax" if softmax else None,
    )
    (image,) = network.inputs  # given an input tensor, the application asks for a list of one
    return keras.Model(image, network.outputs[0], name=f"mobilenet_v3_large_{alpha:0.2f}_{resolution}")
