"""What a Keras model gives in training mode, where batch norms use the batch's own statistics. Runs in the child."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from bench.prepare.child.again import load_again
from bench.prepare.child.named import from_keras
from bench.prepare.child.reference import Array, Arrays
from bench.records import Failure, ModelSpec, Prepared, PrepareSettings


def training_outputs(
    spec: ModelSpec, settings: PrepareSettings, prepared: Prepared, pool: Arrays
) -> Iterator[tuple[str, dict[str, Array]]]:
    """What is said, and the outputs, for the whole pool as one batch and for items alone.

    Nothing where the model can't be built again or has no layer that training mode changes.
    """
    loaded = load_again(spec, settings, prepared)
    if isinstance(loaded, Failure) or not any(_cares(layer) for layer in loaded[1]._flatten_layers()):
        return
    named = from_keras(loaded[1], settings.input_shapes, training=True)
    kept = loaded[1].get_weights()

    def run(feed: Arrays) -> dict[str, Any]:
        given = named.call({tensor.name: keras.ops.convert_to_tensor(feed[tensor.name]) for tensor in named.inputs})
        return {name: np.asarray(value) for name, value in given.items()}

    said = "layers in training mode (batch norms with the statistics of the batch"
    yield f"{said}: {len(next(iter(pool.values())))} items together)", run(pool)
    loaded[1].set_weights(kept)
    alone = [run({name: rows[item : item + 1] for name, rows in pool.items()}) for item in range(_items(pool))]
    yield f"{said}: each item alone)", {name: np.concatenate([one[name] for one in alone]) for name in alone[0]}


def _items(pool: Arrays) -> int:
    return len(next(iter(pool.values())))


def _cares(layer: Any) -> bool:
    """Whether a layer is another function in training mode, as far as its class says."""
    names = {cls.__name__ for cls in type(layer).__mro__}
    return bool(names & {"BatchNormalization", "SpectralNormalization"})
