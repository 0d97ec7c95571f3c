"""A model's twin in float64: same graph, same weights, every dtype policy rewritten. Runs in a child process.

Direct ``keras.ops`` and layers that drop their dtype may still compute in float32: trace the twin before believing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from bench.errors import UnsupportedError

_FLOATS = {"float16", "bfloat16", "float32", "mixed_float16", "mixed_bfloat16"}


def float64_twin(model: keras.Model) -> keras.Model:
    """A new model with float64 inputs, policies and weights; ``model`` is not touched.

    Functional and Sequential models, nested ones and mixed precision included. Raises UnsupportedError for a model
    that cannot be made again from its configuration.
    """
    try:
        config = _in_float64(model.get_config())
        with _float64_by_default():
            twin = type(model).from_config(config, custom_objects=_classes_of(model))
            if not twin.built:
                twin.build_from_config(model.get_build_config())
        twin.set_weights([np.asarray(value, _twin_dtype(value)) for value in model.get_weights()])
    except Exception as error:  # whatever a user's class raises when it is made again
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UnsupportedError(
            f"{model.name}: no float64 twin can be made from its configuration ({reason[0]}); "
            "build it from layers (functional or Sequential) or give its classes a get_config"
        ) from error
    return twin


def _in_float64(config: Any, key: str | None = None) -> Any:
    """A configuration with every float type and policy turned to float64; integers and booleans stay."""
    if isinstance(config, dict):
        if config.get("class_name") in {"DTypePolicy", "FloatDTypePolicy"}:
            return {**config, "config": {"name": "float64"}}
        if config.get("class_name") == "DTypePolicyMap":
            return "float64"
        return {name: _in_float64(value, name) for name, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_in_float64(value, key) for value in config)
    return "float64" if key == "dtype" and config in _FLOATS else config


def _twin_dtype(value: np.ndarray[Any, Any]) -> np.dtype[Any]:
    return value.dtype if value.dtype.kind in "iub" else np.dtype(np.float64)


def _classes_of(model: keras.Model) -> dict[str, Any]:
    """Classes and activation functions of a model by name: those of a user's file are registered nowhere."""
    found: dict[str, Any] = {}
    for layer in model._flatten_layers():
        found[type(layer).__name__] = type(layer)
        activation = getattr(layer, "activation", None)
        if callable(activation) and hasattr(activation, "__name__"):
            found[activation.__name__] = activation
    return {name: value for name, value in found.items() if not _is_of_keras(value)}


def _is_of_keras(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).partition(".")[0] == "keras"


@contextmanager
def _float64_by_default() -> Iterator[None]:
    """Layers made meanwhile without a policy of their own are float64; code of the model's own may be revived.

    That code (Lambda) is already part of the loaded model, which was allowed or refused when it was loaded.
    """
    from keras.src.saving.serialization_lib import SafeModeScope  # no public way to restore the mode

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        with SafeModeScope(False):
            yield
    finally:
        keras.config.set_dtype_policy(policy)
