"""See every layer call of a model, nested ones included, without changing the model. Runs in a child process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

LayerCall = Callable[..., Any]  # (layer, *args, **kwargs) -> outputs
Watcher = Callable[[LayerCall, Any, tuple[Any, ...], dict[str, Any]], Any]


@contextmanager
def watched_calls(watcher: Watcher) -> Iterator[None]:
    """Meanwhile every layer call goes through ``watcher(call, layer, args, kwargs)``, which returns its outputs.

    For one thread: the class itself is patched, and mended on leaving.
    """
    original: LayerCall = keras.layers.Layer.__call__

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return watcher(original, layer, args, kwargs)

    keras.layers.Layer.__call__ = call
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = original
