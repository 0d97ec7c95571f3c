from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import UsageError
from bench.prepare.inputs import make_pool
from bench.records import Tensor

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.slow

Array = np.ndarray[Any, np.dtype[Any]]

SMALL: dict[str, dict[str, Any]] = {
    "article_cnn": {"resolution": 64, "width": 0.25},
    "mobilenet_v1": {"resolution": 64, "alpha": 0.25},
    "mobilenet_v2": {"resolution": 64, "alpha": 0.35},
    "mobilenet_v3_small": {"resolution": 64, "alpha": 0.5},
    "mobilenet_v3_large": {"resolution": 64, "alpha": 0.35},
}
DIGESTS = {  # sha256 over the bytes of the float32 weights; change only together with RECIPE_VERSION
    "article_cnn": "5b804091a47f97410ad4eedef05337403a05776cb68cc1e7b2e044571f31a56b",
    "mobilenet_v1": "69eb7292123cca5ded91a775d1d86a2ec7598f25194bd3e9bf1291593001eddf",
}
PRINT_DIGESTS = """
import hashlib, importlib, json, sys
import numpy as np, tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
tf.config.threading.set_inter_op_parallelism_threads(int(sys.argv[1]))
from bench.prepare.child.weights import apply_weights
digests = {}
for name, sizes in json.loads(sys.argv[2]).items():
    module = importlib.import_module("models." + name)
    model = apply_weights(module.build(**sizes), "calibrated", 0, module.INPUT_RANGE)
    digests[name] = hashlib.sha256(b"".join(np.ascontiguousarray(w).tobytes() for w in model.get_weights())).hexdigest()
print(json.dumps(digests))
"""


def apply(model: Any, mode: str, bounds: tuple[float, float] = (0.0, 1.0), seed: int = 0) -> Any:
    from bench.prepare.child.weights import apply_weights

    return apply_weights(model, mode, seed, bounds)


@cache
def zoo(name: str, mode: str) -> tuple[Any, Array]:
    """A small zoo model with weights, not to be changed, and its outputs for 32 images in its range."""
    module = importlib.import_module(f"models.{name}")
    model = apply(module.build(**SMALL[name]), mode, module.INPUT_RANGE)
    return model, run(model, images(model, module.INPUT_RANGE))


def run(model: Any, pool: Array) -> Array:
    return np.asarray(model(pool, training=False))


def images(model: Any, bounds: tuple[float, float], items: int = 32) -> Array:
    tensor = Tensor(name="image", shape=tuple(model.inputs[0].shape), dtype="float32")
    return make_pool([tensor], {"": bounds}, 0, items)["image"]


def spread(outputs: Array) -> float:
    """Rms over elements of the standard deviation over inputs."""
    return float(np.sqrt(np.mean(np.var(outputs.astype(np.float64), axis=0))))


@pytest.mark.parametrize("threads", ["1", "2"])
def test_zoo_weights_have_one_digest_whatever_the_threads(threads: str) -> None:
    sizes = json.dumps({name: SMALL[name] for name in DIGESTS})
    done = subprocess.run(
        [sys.executable, "-c", PRINT_DIGESTS, threads, sizes],
        capture_output=True, text=True, timeout=240, check=True, cwd=Path(__file__).parents[3],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == DIGESTS


@pytest.mark.parametrize("name", SMALL)
def test_with_calibrated_weights_outputs_depend_on_the_input(name: str) -> None:
    outputs = zoo(name, "calibrated")[1]
    assert spread(outputs[:8]) > 2e-3
    assert len({int(top) for top in outputs[:8].argmax(1)}) > 1
    assert outputs.max() < 0.999


@pytest.mark.parametrize("name", SMALL)
def test_logits_have_the_stated_size_and_vary_as_much_on_unseen_images(name: str) -> None:
    logits = np.log(zoo(name, "calibrated")[1].astype(np.float64))
    logits -= logits.mean(axis=1, keepdims=True)  # softmax forgets a constant
    assert np.std(logits[:16]) == pytest.approx(2.7, rel=0.15)
    assert spread(logits[:16]) == pytest.approx(1.2, rel=0.25)
    assert 0.5 < spread(logits[16:]) / spread(logits[:16]) < 2.0


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"])
def test_with_random_weights_outputs_hardly_depend_on_the_input(name: str) -> None:
    assert spread(zoo(name, "random")[1]) < 1e-6


def test_calibrated_values_have_ten_mantissa_bits_and_no_idle_parameter() -> None:
    for variable in zoo("mobilenet_v1", "calibrated")[0].weights:
        values = np.asarray(variable)
        assert not np.any(values.view(np.uint32) & 0x1FFF), variable.path
        if "bias" in variable.name or "beta" in variable.name:
            assert np.count_nonzero(values) == values.size, variable.path
        if "variance" in variable.name:
            assert values.min() >= np.float32(1e-3) * (1 - 2**-11), variable.path


def test_moving_statistics_are_those_of_the_activations() -> None:
    from bench.prepare.child.calibrate import calibrated_weights, rounded

    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(5, 3, name="conv")(image)
    model = keras.Model(image, [x, keras.layers.BatchNormalization(name="norm")(x)])
    pool = np.random.default_rng(0).random((6, 8, 8, 3), np.float32)
    model.set_weights(calibrated_weights(model, pool, 0))
    arriving = model(pool)[0].numpy().astype(np.float64)
    norm = model.get_layer("norm")
    for seen, expected in (
        (norm.moving_mean, arriving.mean((0, 1, 2))),
        (norm.moving_variance, arriving.var((0, 1, 2))),
    ):
        np.testing.assert_allclose(np.asarray(seen), rounded(expected), rtol=2**-10)


def test_another_seed_gives_other_weights() -> None:
    first, second = (apply(dense(), "calibrated", seed=seed).get_weights()[0] for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_the_names_keras_counts_up_do_not_matter() -> None:
    first = apply(dense(), "calibrated").get_weights()
    keras.layers.Dense(1)
    second = apply(dense(), "calibrated").get_weights()
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def dense() -> Any:
    return keras.Sequential([keras.Input((12,)), keras.layers.Dense(9, activation="relu"), keras.layers.Dense(4)])


def layered() -> Any:
    """Every kind of layer the recipe knows, nested, shared and without bias."""
    layers = keras.layers
    image = keras.Input((16, 16, 3), name="image")
    shared = layers.Conv2D(6, 3, padding="same", activation=layers.ReLU(), use_bias=False)
    inner = keras.Sequential([keras.Input((16, 16, 6)), layers.SeparableConv2D(6, 3, padding="same"), layers.PReLU()])
    x = shared(layers.Conv2D(3, 1)(image))
    x = layers.Add()([inner(x), shared(layers.Conv2D(3, 1)(x))])
    x = layers.Conv2DTranspose(4, 2, strides=2)(layers.DepthwiseConv2D(3, strides=2)(x))
    x = layers.LayerNormalization()(layers.Reshape((-1, 4))(x))
    x = layers.MultiHeadAttention(1, 4)(x, x)
    x = layers.LSTM(5, return_sequences=True)(x)
    return keras.Model(image, layers.Dense(3, activation="softmax")(layers.TimeDistributed(layers.Dense(4))(x)))


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_nested_shared_and_mixed_precision_layers_are_calibrated(policy: str) -> None:
    keras.config.set_dtype_policy(policy)
    try:
        model = layered()
    finally:
        keras.config.set_dtype_policy("float32")
    apply(model, "calibrated")
    outputs = run(model, images(model, (0.0, 1.0)))
    assert np.all(np.isfinite(outputs))
    assert spread(outputs) > 1e-2


def test_a_last_layer_before_a_batch_norm_is_left_to_it() -> None:
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(16, 3)(image)
    model = apply(keras.Model(image, keras.layers.BatchNormalization(scale=False, center=False)(x)), "calibrated")
    assert np.std(run(model, images(model, (0.0, 1.0), items=16))) == pytest.approx(1.0, rel=0.02)


def test_the_only_range_is_that_of_the_only_input_by_whatever_name() -> None:
    from bench.prepare.child.weights import apply_weights

    wide = apply_weights(dense(), "calibrated", 0, (0.0, 255.0)).get_weights()
    named = apply_weights(dense(), "calibrated", 0, {"another": (0.0, 255.0)}).get_weights()
    for one, other in zip(wide, named, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(wide[0], apply(dense(), "calibrated").get_weights()[0])


def test_calibration_leaves_the_class_of_all_layers_as_it_was() -> None:
    before = keras.layers.Layer.__call__
    apply(dense(), "calibrated")
    assert keras.layers.Layer.__call__ is before


def test_random_weights_are_seeded() -> None:
    first, again, other = (apply(dense(), "random", seed=seed).get_weights()[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_a_file_gives_its_weights(tmp_path: Path, suffix: str) -> None:
    source, file = dense(), str(tmp_path / f"w{suffix}")
    source.save_weights(file) if suffix == ".weights.h5" else source.save(file)
    for one, other in zip(apply(dense(), file).get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_do_not_fit_are_one_clear_line(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((12,)), keras.layers.Dense(3)]).save_weights(tmp_path / "w.weights.h5")
    (tmp_path / "cut.keras").write_bytes(b"PK")
    for file in ("w.weights.h5", "cut.keras"):
        with pytest.raises(UsageError, match=f"{file}: they do not fit") as caught:
            apply(dense(), str(tmp_path / file))
        assert "\n" not in str(caught.value)


def test_an_unknown_mode_or_a_missing_file_names_the_right_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"weights=calibrate: expected calibrated, random, imagenet or a file \.keras"):
        apply(dense(), "calibrate")
    with pytest.raises(UsageError, match="no such file"):
        apply(dense(), str(tmp_path / "none.keras"))


def small_v1(classes: int = 1000) -> Any:
    return importlib.import_module("models.mobilenet_v1").build(alpha=0.25, resolution=32, classes=classes)


def test_imagenet_weights_of_mobilenet_v1_come_from_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    source = small_v1()
    source.set_weights([np.full(value.shape, 0.5, value.dtype) for value in source.get_weights()])
    asked: list[dict[str, Any]] = []

    def published(**options: Any) -> Any:
        asked.append(options)
        return source

    monkeypatch.setattr(keras.applications, "MobileNet", published)
    model = apply(small_v1(), "imagenet")
    assert asked == [{"input_shape": (32, 32, 3), "weights": "imagenet", "alpha": 0.25}]
    assert all(np.all(value == 0.5) for value in model.get_weights())


def test_without_a_network_imagenet_names_the_alternatives(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: Any) -> Any:
        raise Exception("URL fetch failure on https://example.com/x.h5: None -- Name or service not known")

    monkeypatch.setattr(keras.applications, "MobileNet", unreachable)
    with pytest.raises(UsageError, match=r"download failed for MobileNet .*use weights=calibrated, weights=random"):
        apply(small_v1(), "imagenet")


@pytest.mark.parametrize(
    ("model", "message"), [(lambda: small_v1(10), "has 10 classes"), (dense, "is none of .*MobileNetV2")]
)
def test_models_without_published_weights_say_so(model: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        apply(model(), "imagenet")
