"""Parts of a traced function that TensorFlow compiles with XLA: tf2onnx takes each for one unknown operation.

Keras compiles grouped convolutions, which TensorFlow's own kernels can't run on a CPU; ONNX can. In the child.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

_MARK = "_XlaMustCompile"


def is_compiled(concrete: Any) -> bool:
    """Whether a traced function calls a part that is compiled."""
    return any(
        op.type.endswith("PartitionedCall") and _MARK in op.node_def.attr and op.get_attr(_MARK)
        for op in concrete.graph.get_operations()
    )


@contextmanager
def without_xla() -> Iterator[None]:
    """What is made a compiled function while the block runs stays plain Python, and so part of what is traced."""
    original = tf.function

    def function(
        func: Callable[..., Any] | None = None, *args: Any, jit_compile: bool | None = None, **kwargs: Any
    ) -> Any:
        if not jit_compile:
            return original(func, *args, jit_compile=jit_compile, **kwargs)
        return func if func is not None else lambda inner: inner

    tf.function = function
    try:
        yield
    finally:
        tf.function = original
