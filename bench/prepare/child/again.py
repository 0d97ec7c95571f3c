"""The Keras model that a preparation was made of, loaded once more in a later child: for other forms of the same model.

Weights of our making are made again by the same recipe, which gives the same bits on every machine; the digest proves
that model and weights are those that the truth was computed with.
"""

from __future__ import annotations

import keras

from bench.prepare.child.digest import model_digest
from bench.prepare.child.named import NamedModel
from bench.prepare.child.pipeline import load_source, reset_keras
from bench.prepare.child.ranges import input_ranges
from bench.prepare.child.shapes import fix_shapes
from bench.prepare.child.weights import RECIPE_VERSION, apply_weights
from bench.records import Failure, ModelSpec, Prepared, PrepareSettings

_NO_KERAS = {"onnx": "an .onnx file", "saved_model": "a SavedModel"}


def load_again(
    spec: ModelSpec, settings: PrepareSettings, prepared: Prepared
) -> tuple[NamedModel, keras.Model] | Failure:
    """The model by its names and as Keras has it; a Failure where there is none or where it is another one now."""
    if spec.kind in _NO_KERAS:
        return Failure(status="unsupported", reason=f"{_NO_KERAS[spec.kind]} holds no Keras model; use one of Keras")
    reset_keras()
    named, loaded = load_source(spec, settings)
    assert loaded is not None
    recipe = None
    if loaded.weights:
        inputs = fix_shapes(named.inputs, settings.input_shapes)
        ranges, _ = input_ranges(inputs, settings.input_ranges, loaded.input_range, loaded.model)
        apply_weights(loaded.model, loaded.weights, settings.seed, ranges)
        recipe = RECIPE_VERSION if loaded.weights == "calibrated" else None
    if model_digest(loaded.model, recipe) != prepared.model_digest:
        return Failure(
            status="failed",
            reason=f"{prepared.model} is not the model that was prepared: it was built with other weights or layers "
            "this time; does it draw them without a seed?",
        )
    return named, loaded.model
