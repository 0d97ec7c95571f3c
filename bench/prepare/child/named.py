"""What every TensorFlow source becomes: a function from named tensors to named tensors.

Keras models come with any structure of inputs and outputs; names are given to its leaves once, here, and everything
after pairs by name. Runs in the child.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench.errors import BenchError, UsageError
from bench.records import Tensor
from bench.runtimes.keras_names import input_names, input_structure, name_leaves, output_layers, unique_names

Call = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class NamedModel:
    """A model whose inputs and outputs have names; ``call`` is inference."""

    inputs: tuple[Tensor, ...]  # axes free as in the source
    call: Call  # name -> tensor; gives name -> tensor, in the model's own order
    variables: Sequence[Any]  # what it is made of; all may be read and assigned
    keras_model: keras.Model | None = None
    keep: Any = None  # what else must be saved with it: tables and the like
    output_paths: dict[str, str] = field(default_factory=dict)  # filled by the first trace
    # the same with each weight moved by one unit in the last place, where weights are constants and no variables
    moved: Callable[[np.random.Generator], Call] | None = None


def from_keras(model: keras.Model, shapes: Mapping[str, tuple[int, ...]], *, training: bool = False) -> NamedModel:
    """A Keras model by the names of its inputs and outputs; inference unless ``training``, which changes its weights.

    ``shapes`` are those of ``--input-shapes``: a model that does not know its own inputs needs them. Raises UsageError
    where it does and none are given.
    """
    if isinstance(model, keras.Sequential) and not model.built and len(shapes) == 1:
        model.build((None, *next(iter(shapes.values()))[1:]))
        model.inputs[0].name = next(iter(shapes))
    structure = input_structure(model)
    if structure is None:
        return _from_shapes(model, shapes, training)
    names = input_names(structure)
    inputs = tuple(_tensor(name, leaf) for name, leaf in zip(names, keras.tree.flatten(structure), strict=True))

    def call(feed: Mapping[str, Any]) -> Any:
        return model(keras.tree.pack_sequence_as(structure, [feed[name] for name in names]), training=training)

    return _named(model, inputs, call)


def _named(model: keras.Model, inputs: tuple[Tensor, ...], call: Callable[[Mapping[str, Any]], Any]) -> NamedModel:
    paths: dict[str, str] = {}
    layer_names = output_layers(model)

    def named_call(feed: Mapping[str, Any]) -> dict[str, Any]:
        results = name_leaves(call(feed), layer_names, [tensor.name for tensor in inputs])
        paths.update({name: path for name, path, _ in results})
        return {name: tf.identity(leaf) for name, _, leaf in results}

    return NamedModel(inputs, named_call, model.variables, model, output_paths=paths)


def safe_names(names: Sequence[str]) -> dict[str, str]:
    """Name that TensorFlow takes for an argument -> the name that it stands for."""
    stems = [re.sub(r"\W", "_", name, flags=re.ASCII) for name in names]
    return dict(zip(unique_names([s if s[:1].isalpha() else f"input_{s}" for s in stems]), names, strict=True))


def trace(named: NamedModel) -> Any:
    """A ``tf.function`` of the model with one signature, its arguments and results named, and nothing else free."""
    arguments = safe_names([tensor.name for tensor in named.inputs])
    specs = [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=argument)
        for argument, tensor in zip(arguments, named.inputs, strict=True)
    ]

    def infer(*tensors: Any) -> dict[str, Any]:
        with calling_the_model():
            return named.call(dict(zip(arguments.values(), tensors, strict=True)))

    return tf.function(infer, input_signature=specs, autograph=False)


@contextlib.contextmanager
def calling_the_model() -> Iterator[None]:
    """What the model's own code raises, as UsageError: it is the user's, not a bug of ours."""
    try:
        yield
    except BenchError:
        raise
    except Exception as error:
        why = re.sub(r"\x1b\[[0-9;]*m", "", " ".join(str(error).split("\n\nArguments received")[0].split()))
        raise UsageError(f"calling the model: {type(error).__name__}: {why}; {_advice(why)}") from error


def _advice(why: str) -> str:
    """What the caller can do; TensorFlow makes every layer's name the name of a scope."""
    if "valid scope name" in why or "valid root scope name" in why:
        return "give that layer or model another name, of letters, digits and _, with no _ in front"
    return "does it take these inputs?"


def _from_shapes(model: keras.Model, shapes: Mapping[str, tuple[int, ...]], training: bool) -> NamedModel:
    """A subclassed model: its inputs are what the user says, one tensor or a dict of them."""
    if not shapes:
        raise UsageError(
            f"the model {model.name!r} does not say what its inputs are; give each a name and a shape, batch first: "
            "--input-shapes x:[1,N,...]"
        )
    inputs = tuple(
        Tensor(name=name, shape=(None, *shape[1:]), dtype=keras.config.floatx()) for name, shape in shapes.items()
    )

    def call(feed: Mapping[str, Any]) -> Any:
        return model(next(iter(feed.values())) if len(inputs) == 1 else dict(feed), training=training)

    if not model.built:  # variables have to be there before the first trace
        with calling_the_model():
            call({tensor.name: tf.zeros((1, *tensor.shape[1:]), tensor.dtype) for tensor in inputs})
    return _named(model, inputs, call)


def _tensor(name: str, leaf: Any) -> Tensor:
    dtype = keras.backend.standardize_dtype(leaf.dtype)
    return Tensor(name=name, shape=tuple(leaf.shape), dtype=dtype, batched=len(leaf.shape) > 0)
