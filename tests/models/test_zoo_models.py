from __future__ import annotations

import csv
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.slow

NAMES = ("article_cnn", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large")
ROWS = Path(__file__).with_name("mobilenet_v1.csv").read_text().splitlines()
SIZES = list(csv.DictReader(row for row in ROWS if not row.startswith("#")))


def zoo(name: str) -> ModuleType:
    return importlib.import_module(f"models.{name}")


def test_the_articles_network_has_its_published_number_of_parameters() -> None:
    model = zoo("article_cnn").build()
    assert model.count_params() == 12_933_416
    assert model.input_shape == (None, 224, 224, 3)
    assert model.output_shape == (None, 1000)


def test_the_sizes_of_the_articles_network_are_arguments() -> None:
    model = zoo("article_cnn").build(resolution=64, width=0.25, pool=4, classes=7)
    filters = [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert filters == [8, 16, 32, 64]
    assert model.get_layer("flatten").output.shape == (None, 64)
    assert model.output_shape == (None, 7)


@pytest.mark.parametrize("size", SIZES, ids=lambda row: f"{row['alpha']}-{row['resolution']}")
def test_mobilenet_v1_costs_what_the_published_table_says(size: dict[str, str]) -> None:
    from bench.prepare.child.count import multiply_adds, trainable_parameters

    model = zoo("mobilenet_v1").build(alpha=float(size["alpha"]), resolution=int(size["resolution"]))
    assert multiply_adds(model) == int(size["multiply_adds"])
    assert trainable_parameters(model) == int(size["trainable_params"])


def filled(model: Any) -> Any:
    """Weights of every kind at random, variances positive, so that no layer is an identity."""
    rng = np.random.default_rng(0)
    model.set_weights([np.abs(rng.normal(0.5, 0.5, value.shape)) * 0.3 for value in model.get_weights()])
    return model


@pytest.mark.parametrize(("alpha", "resolution"), [(0.25, 32), (0.5, 64)])
def test_mobilenet_v1_equals_keras_applications_bit_for_bit(alpha: float, resolution: int) -> None:
    ours = filled(zoo("mobilenet_v1").build(alpha=alpha, resolution=resolution, softmax=False))
    theirs = keras.applications.MobileNet(
        weights=None, alpha=alpha, input_shape=(resolution, resolution, 3), classifier_activation=None
    )
    theirs.set_weights(ours.get_weights())
    images = np.random.default_rng(1).random((3, resolution, resolution, 3), np.float32)
    outputs = ours.predict_on_batch(images)
    assert np.ptp(outputs) > 0
    np.testing.assert_array_equal(outputs, theirs.predict_on_batch(images))
    assert [layer.name for layer in ours.layers if layer.weights] == [
        layer.name for layer in theirs.layers if layer.weights
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_zoo_model_ends_in_softmax_or_logits_and_says_its_range(name: str) -> None:
    module = zoo(name)
    low, high = module.INPUT_RANGE
    assert low < high
    images = np.random.default_rng(0).uniform(low, high, (2, 32, 32, 3)).astype(np.float32)
    sums = {
        softmax: module.build(resolution=32, classes=5, softmax=softmax, **small(name))(images).numpy().sum(1)
        for softmax in (True, False)
    }
    np.testing.assert_allclose(sums[True], 1.0, rtol=1e-5)
    assert np.abs(sums[False] - 1.0).min() > 1e-3


def small(name: str) -> dict[str, float]:
    return {"width": 0.125} if name == "article_cnn" else {"alpha": 0.35}


@pytest.mark.parametrize("name", NAMES)
def test_every_zoo_model_calls_its_input_image_and_its_output_predictions(name: str) -> None:
    model = zoo(name).build(resolution=32, classes=5, **small(name))
    assert [tensor.name for tensor in model.inputs] == ["image"]
    assert model.output_names == ["predictions"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [{"resolution": 8}, {"classes": 0}, "width"])
def test_a_size_that_leaves_nothing_is_one_clear_line(name: str, wrong: dict[str, float] | str) -> None:
    if isinstance(wrong, str):
        wrong = {"width" if name == "article_cnn" else "alpha": -1.0}
    with pytest.raises(ValueError, match=f"^{name}: .*{next(iter(wrong))}.*not ") as caught:
        zoo(name).build(**wrong)
    assert "\n" not in str(caught.value)
