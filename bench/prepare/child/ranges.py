"""The range of values that a model's inputs take: asked for, declared, or told by its first layer. In the child."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from bench.prepare.child.shapes import Range, check_names
from bench.records import Caution, Tensor
from bench.runtimes.keras_names import input_structure

_PIXELS = (0.0, 255.0)
_PIXEL_SCALES = (1 / 255, 1 / 127.5)
_DEFAULT = (0.0, 1.0)
_DEVIATIONS = 2.0  # a Normalization's range: mean give or take so many standard deviations
_DEPTH = 4  # nested models that are looked into


def input_ranges(
    tensors: Sequence[Tensor],
    asked: Mapping[str, Range],
    declared: Range | None,
    model: keras.Model | None,
    *,
    used: bool = True,
) -> tuple[dict[str, Range], tuple[Caution, ...]]:
    """Range by input name, and a caution where it is only assumed and ``used``: loaded numbers have their own.

    First of: ``asked`` by name, ``asked`` for all (``""``), what the source declares, what the first layer tells,
    [0, 1]. Inputs of booleans have none. Raises UsageError for a name that is no input.
    """
    check_names("--input-range", asked, [tensor.name for tensor in tensors])
    told = _told_by_layers(tensors, model) if model else {}
    ranges: dict[str, Range] = {}
    assumed = []
    for tensor in tensors:
        known = asked.get(tensor.name) or asked.get("") or declared or told.get(tensor.name)
        if known is None and tensor.dtype != "bool":
            assumed.append(tensor.name)
        ranges[tensor.name] = known or _DEFAULT
    return ranges, tuple(_caution(name) for name in assumed if used)


def _caution(name: str) -> Caution:
    return Caution(
        code="input range", text=f"the range of input {name!r} is not known, [0,1] was assumed; --input-range sets it"
    )


def _told_by_layers(tensors: Sequence[Tensor], model: keras.Model) -> dict[str, Range]:
    structure = input_structure(model)
    leaves = keras.tree.flatten(structure) if structure is not None else []
    if len(leaves) != len(tensors):
        return {}
    told = {tensor.name: _told(leaf, _DEPTH) for tensor, leaf in zip(tensors, leaves, strict=True)}
    return {name: known for name, known in told.items() if known}


def _told(leaf: Any, depth: int) -> Range | None:
    return next((known for layer in _consumers(leaf) if (known := _range_before(layer, depth))), None)


def _consumers(leaf: Any) -> Iterator[Any]:
    for node in leaf._keras_history.operation._outbound_nodes:
        if any(argument is leaf for argument in node.arguments.keras_tensors):
            yield node.operation


def _range_before(layer: Any, depth: int) -> Range | None:
    if isinstance(layer, keras.layers.Rescaling):
        scales = np.ravel(layer.scale)
        is_pixels = all(np.isclose(scale, _PIXEL_SCALES).any() for scale in scales)
        return _PIXELS if is_pixels else None
    if isinstance(layer, keras.layers.Normalization):
        return _normalised_range(layer)
    if isinstance(layer, keras.layers.Embedding):
        return (0.0, max(layer.input_dim - 1, 0.5))  # no whole number but 0 for a table of one row
    if isinstance(layer, keras.Model) and depth and len(layer.inputs) == 1:
        return _told(layer.inputs[0], depth - 1)
    return None


def _normalised_range(layer: Any) -> Range | None:
    mean, deviation = np.asarray(layer.mean, np.float64), np.sqrt(np.asarray(layer.variance, np.float64))
    low, high = float((mean - _DEVIATIONS * deviation).min()), float((mean + _DEVIATIONS * deviation).max())
    return (low, high) if np.isfinite([low, high]).all() and low < high else None
