"""The models of the table of conversions by name, each with weights of its own from a fixed seed.

``conversion_models.py:build:case=NAME`` is a model spec. Built in the child of prepare.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: it must not hide an installed bench

from benchmarks import conversion_kinds as kinds
from benchmarks import conversion_layers as first
from benchmarks import conversion_more_layers as more
from benchmarks.conversion_layers import Build

GROUPS: dict[str, dict[str, Build]] = {
    "dense and convolution": first.CONVOLUTION,
    "activations": first.ACTIVATION,
    "normalisation and regularisation": first.NORMALISATION,
    "pooling": first.POOLING,
    "reshaping": first.RESHAPING,
    "recurrent": more.RECURRENT,
    "attention": more.ATTENTION,
    "merging": more.MERGING,
    "images and signals": more.IMAGES,
    "words and categories": more.WORDS,
    "operations": more.OPERATIONS,
    "kinds of models": kinds.KINDS,
}
SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "subclassed": {"x": (1, 4)},
    "subclassed, dict outputs": {"x": (1, 4)},
    "free height and width": {"image": (1, 12, 10, 3)},
}
RANGES = {name: {"": (0.0, 8.0)} for name in more.WORDS if name.startswith(("Category", "Hashing", "IntegerLookup"))}
RANGES["CategoryEncoding one-hot"] = {"": (0.0, 998.0)}
_KEPT = (keras.layers.Normalization, keras.layers.STFTSpectrogram, keras.layers.MelSpectrogram)  # their weights mean
_SEED = 11


def build(case: str) -> keras.Model:
    """The model, its weights neither zero nor one anywhere."""
    model = next(builds[case] for builds in GROUPS.values() if case in builds)()
    if not model.built:
        model.build((None, *SHAPES[case]["x"][1:]))
    rng = np.random.default_rng(_SEED)
    for layer in model._flatten_layers():
        if layer._layers or isinstance(layer, _KEPT):
            continue
        for variable in layer.weights:
            if "float" in str(variable.dtype):
                variable.assign(_values(variable, rng))
    return model


def _values(variable: Any, rng: np.random.Generator) -> Any:
    shape = tuple(variable.shape)
    if any(word in variable.name for word in ("variance", "gamma", "scale")):
        return rng.uniform(0.5, 1.5, shape)
    if any(word in variable.name for word in ("bias", "beta", "mean", "alpha")):
        return rng.normal(0.0, 0.3, shape)
    fan_in = max(1, int(np.prod(shape[:-1])))
    return rng.normal(0.0, np.sqrt(2.0 / fan_in), shape)
