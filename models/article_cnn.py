"""The article's network: four strided convolutions, one max pooling and one wide dense layer, no batch norm."""

from __future__ import annotations

import keras
from keras import layers

INPUT_RANGE = (0.0, 1.0)
FILTERS = (32, 64, 128, 256)


def build(
    resolution: int = 224, width: float = 1.0, pool: int = 2, classes: int = 1000, softmax: bool = True
) -> keras.Model:
    """Network with 12,933,416 parameters at its defaults.

    ``width`` multiplies the filters 32, 64, 128, 256 of the 3x3 convolutions (stride 2, same padding, ReLU);
    ``pool`` is the window and stride of the max pooling. ``softmax=False`` gives logits.
    Raises ValueError where a size leaves nothing to compute.
    """
    filters = [int(width * full) for full in FILTERS]
    if not width > 0 or min(filters) < 1:
        raise ValueError(f"article_cnn: width must leave at least one filter of {FILTERS[0]}, not {width}")
    if classes < 1 or pool < 1:
        raise ValueError(f"article_cnn: classes and pool must be at least 1, not {classes} and {pool}")
    if resolution < 2 ** len(FILTERS) * pool:
        raise ValueError(f"article_cnn: resolution must be at least {2 ** len(FILTERS) * pool}, not {resolution}")
    image = keras.Input((resolution, resolution, 3), name="image")
    x = image
    for number, count in enumerate(filters, start=1):
        x = layers.Conv2D(count, 3, strides=2, padding="same", activation="relu", name=f"conv_{number}")(x)
    x = layers.MaxPooling2D(pool, name="max_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(classes, name="logits")(x)
    if softmax:
        x = layers.Activation("softmax", name="predictions")(x)
    return keras.Model(image, x, name="article_cnn")
