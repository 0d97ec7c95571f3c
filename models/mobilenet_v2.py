"""MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), as keras.applications has it."""

from __future__ import annotations

import keras

INPUT_RANGE = (-1.0, 1.0)


def build(alpha: float = 1.0, resolution: int = 224, classes: int = 1000, softmax: bool = True) -> keras.Model:
    """Network with width multiplier ``alpha``; ``softmax=False`` gives logits.

    Raises ValueError where a size leaves nothing to compute.
    """
    if not alpha > 0:
        raise ValueError(f"mobilenet_v2: alpha must be above 0, not {alpha}")
    if resolution < 32:
        raise ValueError(f"mobilenet_v2: resolution must be at least 32, not {resolution}")
    if classes < 1:
        raise ValueError(f"mobilenet_v2: classes must be at least 1, not {classes}")
    network = keras.applications.MobileNetV2(
        input_tensor=keras.Input((resolution, resolution, 3), name="image"),
        alpha=alpha,
        weights=None,
        classes=classes,
        classifier_activation="softmax" if softmax else None,
    )
    (image,) = network.inputs  # given an input tensor, the application asks for a list of one
    return keras.Model(image, network.outputs[0], name=f"mobilenet_v2_{alpha:0.2f}_{resolution}")
