"""A model's ``.keras`` file in a worker: loaded by Keras on whatever backend was chosen, fed and read by name.

Keras is imported by whoever calls this, after its backend was chosen. No class of a user's is needed or imported:
prepare refuses to write a file that holds one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from bench.errors import UnavailableError, UnsupportedError, UsageError, first_line
from bench.records import Artifact, SessionSettings
from bench.runtimes.contract import Feed
from bench.runtimes.keras_names import input_names, input_structure, name_leaves, output_layers, output_structure

_BACKEND = "KERAS_BACKEND"


class KerasFile:
    """A loaded model: what its call takes for a feed, and which leaves of its result were asked for, in their order."""

    def __init__(
        self, model: Any, argument: Callable[[Feed], Any], pick: Callable[[Any], list[Any]], example: Any
    ) -> None:
        self.model = model
        self.argument = argument
        self.pick = pick
        self.example = example  # symbolic tensors in the structure of an argument, of the case's shapes


def import_keras(backend: str, install: str) -> Any:
    """Keras on this backend; the first import settles it for the process."""
    loaded = sys.modules.get("keras")
    if loaded is None:
        os.environ[_BACKEND] = backend
    try:
        import keras
    except ImportError as error:
        raise UnavailableError(f"importing keras: {first_line(error)}; {install}") from error
    if keras.backend.backend() != backend:
        raise UsageError(f"Keras runs on {keras.backend.backend()} in this process; open {backend} in a fresh one")
    keras.config.set_floatx("float32")  # Keras's own defaults, whatever a configuration file says
    keras.config.set_image_data_format("channels_last")
    return keras


def load_keras_file(artifact: Artifact, settings: SessionSettings) -> KerasFile:
    """The model of the artifact, its inputs and outputs found by the names of ``settings``.

    Raises UnsupportedError where Keras can't load it, or where it has other names or types.
    """
    import keras

    try:
        model = keras.saving.load_model(artifact.path, compile=False, safe_mode=True)
    except Exception as error:  # zipfile, h5py, Keras and the backend each raise their own kinds
        raise UnsupportedError(f"loading the .keras file: {first_line(error)}") from error
    argument = _argument(model, settings)
    specs = {t.name: keras.KerasTensor(t.shape, t.dtype, name=t.name) for t in settings.inputs}
    example = argument(specs)  # tensors without values, in the same structure
    return KerasFile(model, argument, _picker(model, example, settings), example)


def _argument(model: Any, settings: SessionSettings) -> Callable[[Feed], Any]:
    """Feed -> what the model takes: a tensor, or tensors in its own structure."""
    import keras

    structure = input_structure(model)
    asked = [tensor.name for tensor in settings.inputs]
    if structure is None:  # a subclassed model: one tensor, or a dict of them
        return (lambda feed: feed[asked[0]]) if len(asked) == 1 else dict
    names, leaves = input_names(structure), keras.tree.flatten(structure)
    if set(names) != set(asked):
        raise UnsupportedError(f"the .keras file takes {', '.join(names)}, not {', '.join(asked)}")
    _require_dtypes(dict(zip(names, leaves, strict=True)), settings)
    if not keras.tree.is_nested(structure):
        return lambda feed: feed[names[0]]
    return lambda feed: keras.tree.pack_sequence_as(structure, [feed[name] for name in names])


def _require_dtypes(leaves: dict[str, Any], settings: SessionSettings) -> None:
    """Keras would cast in silence."""
    import keras

    for tensor in settings.inputs:
        takes = keras.backend.standardize_dtype(leaves[tensor.name].dtype)
        if takes != tensor.dtype:
            raise UnsupportedError(f"input {tensor.name!r} is {takes} in the model, not {tensor.dtype}")


def _picker(model: Any, example: Any, settings: SessionSettings) -> Callable[[Any], list[Any]]:
    """Result of a call -> its leaves in the order of ``settings.outputs``."""
    import keras

    symbolic = output_structure(model)
    if symbolic is None:
        symbolic = model.compute_output_spec(example, training=False)
    taken = [tensor.name for tensor in settings.inputs]
    names = [name for name, _, _ in name_leaves(symbolic, output_layers(model), taken)]
    places = _places(names, settings.outputs)
    if places == [0] and not keras.tree.is_nested(symbolic):
        return lambda result: [result]

    def pick(result: Any) -> list[Any]:
        leaves = [leaf for leaf in keras.tree.flatten(result) if leaf is not None]
        return [leaves[place] for place in places]

    return pick


def _places(names: Sequence[str], asked: Sequence[str]) -> list[int]:
    unknown = [name for name in asked if name not in names]
    if unknown:
        raise UnsupportedError(f"the .keras file has no output {', '.join(unknown)}; it gives {', '.join(names)}")
    return [names.index(name) for name in asked]
