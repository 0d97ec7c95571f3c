"""Writes the contract suite's models into the folder given: started as a script, because it imports TensorFlow.

``three``: inputs left, right [N,3]; outputs zeta = left @ W, alpha = left * right + 1, mid = relu(left - right), so
that neither order nor alphabet pairs them by luck. ``half``: one float16 input. Both as SavedModel, ONNX and Keras
file, ``three`` as a LiteRT file too. ``brain`` and ``words``: SavedModels of bfloat16 and of strings. ``planted``: of
its two convolutions ``heavy`` does 144 times the work of ``light``; in every format.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
import tf2onnx

WEIGHTS = np.arange(6, dtype=np.float32).reshape(3, 2) / 7


def main(folder: Path) -> None:
    weights = tf.Variable(WEIGHTS)

    def three(left: Any, right: Any) -> dict[str, Any]:
        return {"zeta": left @ weights, "alpha": left * right + 1.0, "mid": tf.nn.relu(left - right)}

    both = _specs(["left", "right"], tf.float32)
    _save(folder / "three", three, both, weights)
    _convert(folder / "three.onnx", three, both)
    _keras_three().save(folder / "three.keras")
    _convert_to_litert(folder / "three")
    half = _specs(["left"], tf.float16)
    _save(folder / "half", lambda left: {"double": left * 2.0}, half)
    _convert(folder / "half.onnx", lambda left: {"double": left * 2.0}, half)
    _keras_half().save(folder / "half.keras")
    _save(folder / "brain", lambda left: {"double": left * 2.0}, _specs(["left"], tf.bfloat16))
    _save_planted(folder)
    _save(folder / "words", lambda left: {"upper": tf.strings.upper(left)}, _specs(["left"], tf.string))


def _keras_three() -> Any:
    left, right = (keras.Input((3,), name=name) for name in ("left", "right"))
    dense = keras.layers.Dense(2, use_bias=False, name="dense")
    outputs = {"zeta": dense(left), "alpha": left * right + 1.0, "mid": keras.ops.relu(left - right)}
    model = keras.Model([left, right], outputs)
    dense.set_weights([WEIGHTS])
    return model


def _keras_half() -> Any:
    left = keras.Input((3,), name="left", dtype="float16")
    return keras.Model(left, {"double": keras.layers.Rescaling(2.0, dtype="float16")(left)})


def _save_planted(folder: Path) -> None:
    left = keras.Input((32, 32, 8), name="left")
    x = keras.layers.Conv2D(8, 1, activation="relu", name="light")(left)
    x = keras.layers.Conv2D(128, 3, padding="same", activation="relu", name="heavy")(x)
    model = keras.Model(left, {"double": keras.layers.GlobalAveragePooling2D(name="pool")(x)})
    model.save(folder / "planted.keras")

    def planted(left: Any) -> dict[str, Any]:
        outputs: dict[str, Any] = model(left, training=False)
        return outputs

    specs = [tf.TensorSpec([None, 32, 32, 8], tf.float32, name="left")]
    _save(folder / "planted", planted, specs, *model.variables)
    _convert(folder / "planted.onnx", planted, specs)
    _convert_to_litert(folder / "planted")


def _specs(names: Sequence[str], dtype: Any) -> list[Any]:
    return [tf.TensorSpec([None, 3], dtype, name=name) for name in names]


def _save(path: Path, function: Any, specs: list[Any], *variables: Any) -> None:
    module = tf.Module()
    module.owned = list(variables)
    tf.saved_model.save(module, str(path), signatures=tf.function(function, input_signature=specs))


def _convert(path: Path, function: Any, specs: list[Any]) -> None:
    traced = tf.function(function, input_signature=specs)
    tf2onnx.convert.from_function(traced, input_signature=specs, opset=18, output_path=str(path))


def _convert_to_litert(saved: Path) -> None:
    loaded = tf.saved_model.load(str(saved))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([loaded.signatures["serving_default"]], loaded)
    saved.with_suffix(".litert").write_bytes(converter.convert())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
