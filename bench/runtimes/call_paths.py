"""How a runtime was called, as ``SessionInfo.call_path`` says it, and which of these may be ranked together. Pure.

The same model in the same process is several times slower by ``model.predict(x)`` than by a concrete function, so a
Keras call beside a runtime's own call tells of Keras's overhead and not of the runtimes.
"""

from __future__ import annotations

FUNCTION = "concrete function"
SIGNATURE = "SavedModel signature"
COMPILED = "compiled function"
EAGER = "eager call"
PREDICT = "predict"

_KERAS_CALLS = frozenset({EAGER, PREDICT})


def is_keras_call(call_path: str | None) -> bool:
    """Whether every call goes through Keras's Python code, layer by layer or through its data adapters."""
    return call_path in _KERAS_CALLS
