"""Names for the inputs and outputs of a Keras model of any structure, the same in every process and on every backend.

Prepare names truth and artifacts by them, and so does a worker that loads the model's ``.keras`` file: everything is
paired by name. Imports Keras where it is called, because its backend must be chosen before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def input_structure(model: Any) -> Any:
    """The model's symbolic inputs as it takes them, or None where it does not know them."""
    import keras

    try:
        return model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    except (AttributeError, ValueError, TypeError):
        return None


def output_structure(model: Any) -> Any:
    """The model's symbolic outputs as it gives them, or None where it does not know them."""
    import keras

    try:
        return model.outputs[0] if isinstance(model, keras.Sequential) else model.output
    except (AttributeError, ValueError, TypeError):
        return None


def input_names(structure: Any) -> list[str]:
    """Names of the leaves of ``input_structure``, in the order of ``keras.tree.flatten``."""
    import keras

    return unique_names([_leaf_name(path, leaf.name) for path, leaf in keras.tree.flatten_with_path(structure)])


def name_leaves(structure: Any, layer_names: Sequence[str] | None, taken: Sequence[str]) -> list[tuple[str, str, Any]]:
    """(name, path, leaf) of each leaf of a model's result.

    A dict's keys are names, nested ones joined by ``/``; a list's leaves are called by the layers that made them, else
    by their place. Names are unique and none is among ``taken``.
    """
    import keras

    leaves = [(path, leaf) for path, leaf in keras.tree.flatten_with_path(structure) if leaf is not None]
    fits = layer_names is not None and len(layer_names) == len(leaves)
    stems = [layer_names[place] if fits and layer_names else None for place in range(len(leaves))]
    names = unique_names([_leaf_name(path, stem) for (path, _), stem in zip(leaves, stems, strict=True)], taken)
    texts = ["".join(f"[{key!r}]" for key in path) for path, _ in leaves]
    return [(name, text, leaf) for name, text, (_, leaf) in zip(names, texts, leaves, strict=True)]


def output_layers(model: Any) -> list[str] | None:
    """The layer that made each of the model's outputs, where it is known."""
    import keras

    try:
        outputs = model.outputs if isinstance(model, keras.Sequential) else keras.tree.flatten(model.output)
        return [tensor._keras_history.operation.name for tensor in outputs]
    except (AttributeError, ValueError, TypeError):
        return None


def unique_names(names: Sequence[str], taken: Iterable[str] = ()) -> list[str]:
    """The same names, later ones of a kind numbered, none of them among ``taken``."""
    used = set(taken)
    unique = []
    for name in names:
        candidates = (f"{name}_{number}" for number in range(1, len(names) + len(used) + 1))
        chosen = name if name not in used else next(c for c in candidates if c not in used and c not in names)
        used.add(chosen)
        unique.append(chosen)
    return unique


def _leaf_name(path: tuple[Any, ...], stem: str | None) -> str:
    if any(isinstance(key, str) for key in path):
        return "/".join(str(key) for key in path)
    return stem or "_".join(["output", *(str(key) for key in path)])
