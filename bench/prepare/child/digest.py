"""One digest of a Keras model: what it is made of and its weights. Runs in the child."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def model_digest(model: keras.Model, recipe: int | None = None) -> str:
    """The sha256 over configuration and weights; a model without a configuration counts by its class's name.

    ``recipe`` is the version of the recipe that made the weights, where they are of our making.
    """
    digest = hashlib.sha256(_configuration(model).encode())
    digest.update(json.dumps(recipe).encode())
    digest.update(arrays_in_order_digest(model.get_weights()).encode())
    return digest.hexdigest()


def arrays_in_order_digest(arrays: Iterable[Array]) -> str:
    """The sha256 over dtype, shape and bytes of each array."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(json.dumps([array.dtype.name, list(array.shape)]).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _configuration(model: keras.Model) -> str:
    try:
        return json.dumps(model.get_config(), sort_keys=True, default=_plain)
    except NotImplementedError:
        return f"{type(model).__module__}.{type(model).__qualname__}"


def _plain(value: Any) -> Any:
    """What JSON does not have, without anything that changes between processes (addresses)."""
    try:
        return keras.saving.serialize_keras_object(value)
    except (TypeError, ValueError, NotImplementedError):
        return type(value).__qualname__
