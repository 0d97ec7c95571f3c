"""TensorFlow's own interpreter on a LiteRT file: what is in the file, and what it computes exactly. In the child.

Its kernels are the reference ones, no delegate: integers exactly, floats one after the other.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bench.errors import UnsupportedError
from bench.prepare.child.reference import Arrays, Run
from bench.records import Tensor
from bench.runtimes.litert_tensors import details_by_name

Details = Mapping[str, Any]


def open_exactly(content: bytes) -> Run:
    """A function from one batch of named arrays to named arrays; UnsupportedError where the file does not load."""
    interpreter = _open(content)
    inputs, outputs = _indices(interpreter)

    def run(feed: Arrays) -> dict[str, Any]:
        for name, index in inputs.items():
            interpreter.resize_tensor_input(index, list(feed[name].shape), strict=True)
        interpreter.allocate_tensors()
        for name, index in inputs.items():
            interpreter.set_tensor(index, feed[name])
        interpreter.invoke()
        return {name: interpreter.get_tensor(index) for name, index in outputs.items()}

    return run


def read_tensors(content: bytes) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Inputs and outputs as the file has them, by its signature's names; an axis that may be resized is free."""
    inputs, outputs = details_by_name(_open(content))
    return tuple(map(_tensor, inputs, inputs.values())), tuple(map(_tensor, outputs, outputs.values()))


def _tensor(name: str, details: Details) -> Tensor:
    sizes = details["shape_signature"] if len(details["shape_signature"]) else details["shape"]
    shape = tuple(None if size < 0 else int(size) for size in sizes)
    return Tensor(name=name, shape=shape, dtype=np.dtype(details["dtype"]).name, batched=bool(shape))


def _indices(interpreter: Any) -> tuple[dict[str, int], dict[str, int]]:
    """Where each input and output is. The interpreter refuses to work while somebody holds its arrays."""
    inputs, outputs = details_by_name(interpreter)
    return {n: d["index"] for n, d in inputs.items()}, {n: d["index"] for n, d in outputs.items()}


def _open(content: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this interpreter is deprecated in favour of LiteRT's, which is not installed
        try:
            return tf.lite.Interpreter(
                model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
            )
        except (RuntimeError, ValueError) as error:
            raise UnsupportedError(f"it does not load in TensorFlow Lite: {' '.join(str(error).split())}") from error
