"""Weights for zoo and ``keras:`` models: calibrated, random, imagenet, or a user's file. Runs in a child process."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from bench.errors import UsageError, first_line
from bench.prepare.child.calibrate import RECIPE_VERSION, calibrated_weights
from bench.prepare.child.count import multiply_adds
from bench.prepare.inputs import make_pool
from bench.prepare.layout import Range
from bench.records import Tensor

__all__ = ["RECIPE_VERSION", "apply_weights"]

Array = np.ndarray[Any, np.dtype[Any]]
Application = Callable[..., keras.Model]

_MODES = ("calibrated", "random", "imagenet")
_SUFFIXES = (".keras", ".weights.h5", ".h5")
_FREE_SIDE = 224  # pixels, where a model leaves its height and width free
_POOL_WORK = 5e9  # multiply-adds spent on calibration: large networks see fewer items
_POOL_ITEMS = (4, 16)


def apply_weights(
    model: keras.Model, mode: str, seed: int = 0, pool_range: Range | Mapping[str, Range] = (0.0, 1.0)
) -> keras.Model:
    """The same model object, its weights set.

    ``mode``: "calibrated" (outputs vary with the input; the same values on every machine), "random" (Keras's own
    initialisers, seeded), "imagenet" (downloads), or a file ``.keras``, ``.weights.h5``, ``.h5``. ``pool_range`` is the
    range of the inputs, or by input name. Raises UsageError for a mode or file that does not fit.
    """
    if mode == "calibrated":
        ranges = dict(pool_range) if isinstance(pool_range, Mapping) else {"": pool_range}
        if len(ranges) == len(model.inputs) == 1:  # whatever name the caller knows the input by
            ranges = {"": next(iter(ranges.values()))}
        model.set_weights(calibrated_weights(model, _pool(model, seed, ranges), seed))
    elif mode == "random":
        keras.utils.set_random_seed(seed)
        model.set_weights(type(model).from_config(model.get_config()).get_weights())
    elif mode == "imagenet":
        model.set_weights(_imagenet(model))
    else:
        _load_file(model, mode)
    return model


def _pool(model: keras.Model, seed: int, ranges: Mapping[str, Range]) -> Any:
    """Inputs as the model's call takes them."""
    items = int(np.clip(_POOL_WORK // (multiply_adds(model) or _POOL_WORK), *_POOL_ITEMS))
    tensors = [
        Tensor(name=tensor.name, shape=tuple(_fixed(tensor.shape)), dtype=keras.backend.standardize_dtype(tensor.dtype))
        for tensor in model.inputs
    ]
    pool = make_pool(tensors, ranges, seed, items)
    return pool[tensors[0].name] if len(tensors) == 1 else [pool[tensor.name] for tensor in tensors]


def _fixed(shape: tuple[int | None, ...]) -> list[int | None]:
    return [None, *(_FREE_SIDE if axis is None else axis for axis in shape[1:])]


def _load_file(model: keras.Model, file: str) -> None:
    path = Path(file)
    if not file.endswith(_SUFFIXES):
        raise UsageError(f"weights={file}: expected {', '.join(_MODES)} or a file {', '.join(_SUFFIXES)}")
    if not path.is_file():
        raise UsageError(f"weights={file}: no such file")
    try:
        model.load_weights(path)
    except Exception as error:  # h5py, zipfile and Keras each raise their own kinds
        raise UsageError(f"weights={file}: they do not fit {model.name}: {first_line(error)}") from error


def _imagenet(model: keras.Model) -> list[Array]:
    """Weights of the application that the model is an instance of, downloaded by Keras."""
    name, build = _application(model.name)
    shape = tuple(model.inputs[0].shape[1:])
    if model.output_shape[-1] != 1000:
        raise UsageError(f"weights=imagenet: {model.name} has {model.output_shape[-1]} classes, ImageNet has 1000")
    for width in _widths(model.name):
        try:
            source = build(input_shape=shape, weights="imagenet", **width)
        except ValueError as error:  # a width or shape that has no published weights
            raise UsageError(f"weights=imagenet: {name} has none for this size: {first_line(error)}") from error
        except Exception as error:  # Keras wraps every failure of the download in a bare Exception
            raise UsageError(
                f"weights=imagenet: download failed for {name} ({first_line(error)}); "
                "use weights=calibrated, weights=random or weights=FILE.weights.h5"
            ) from error
        weights: list[Array] = source.get_weights()
        if [value.shape for value in weights] == [value.shape for value in model.get_weights()]:
            return weights
    raise UsageError(f"weights=imagenet: the published weights of {name} do not fit {model.name}: give its own sizes")


def _application(model_name: str) -> tuple[str, Application]:
    """The function of keras.applications whose name begins the model's name, the longest first."""
    plain = _plain(model_name)
    functions = {name: value for name, value in vars(keras.applications).items() if name[0].isupper()}
    for name in sorted(functions, key=len, reverse=True):
        if plain.startswith(_plain(name)):
            return name, functions[name]
    raise UsageError(f"weights=imagenet: {model_name} is none of {', '.join(sorted(functions))}")


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _widths(model_name: str) -> list[dict[str, float]]:
    """Width multipliers to try: the one in the model's name; V3 of keras.applications keeps it to itself."""
    written = re.search(r"_(\d+\.\d+)_\d+$", model_name)
    if written:
        return [{"alpha": float(written[1])}]
    return [{"alpha": 1.0}, {"alpha": 0.75}] if model_name.startswith("MobileNetV3") else [{}]
