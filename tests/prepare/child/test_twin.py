from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.errors import UnsupportedError

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.slow
L = keras.layers


def twin_of(model: Any) -> Any:
    from bench.prepare.child.twin import float64_twin

    return float64_twin(model)


def nested() -> Any:
    inner = keras.Sequential([keras.Input((6,)), L.Dense(5, activation="gelu"), L.LayerNormalization()])
    numbers, tokens = keras.Input((6,), name="numbers"), keras.Input((3,), dtype="int32", name="tokens")
    embedded = L.LSTM(5)(L.MultiHeadAttention(2, 2)(*[L.Embedding(9, 4)(tokens)] * 2))
    return keras.Model([numbers, tokens], [L.Dropout(0.5)(inner(numbers) + embedded), L.Dense(2)(inner(numbers))])


def feed() -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(4, 6)).astype(np.float32), rng.integers(0, 9, (4, 3)).astype(np.int32)]


@pytest.mark.parametrize(("policy", "near"), [("float32", 1e-5), ("mixed_float16", 2e-2)])
def test_a_twin_computes_the_same_in_float64(policy: str, near: float) -> None:
    keras.config.set_dtype_policy(policy)
    try:
        model = nested()
    finally:
        keras.config.set_dtype_policy("float32")
    twin = twin_of(model)
    assert {str(variable.dtype) for variable in twin.weights} == {"float64"}
    for output, expected in zip(twin(feed(), training=False), model(feed(), training=False), strict=True):
        assert output.dtype == "float64"
        assert 0 < np.abs(output.numpy() - expected.numpy()).max() < near


def test_integer_inputs_stay_integers_and_floats_become_float64() -> None:
    assert [tensor.dtype for tensor in twin_of(nested()).inputs] == ["float64", "int32"]


def test_making_a_twin_leaves_the_model_and_keras_as_they_were() -> None:
    model = nested()
    before = model.get_weights()
    twin = twin_of(model)
    twin.set_weights([value + 1 for value in twin.get_weights()])
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert keras.config.dtype_policy().name == "float32"
    with pytest.raises(ValueError, match="unsafe"):
        L.Lambda.from_config(L.Lambda(lambda x: x).get_config())


def test_a_sequential_model_with_code_of_its_own_has_a_twin() -> None:
    model = keras.Sequential([keras.Input((3,)), L.Dense(2), L.Lambda(lambda x: x * 2)])
    x = np.ones((1, 3), np.float32)
    np.testing.assert_allclose(twin_of(model)(x).numpy(), model(x).numpy(), rtol=1e-6)


class Halved(keras.layers.Layer):  # type: ignore[misc, name-defined]
    def call(self, x: Any) -> Any:
        return x / 2


def test_a_class_that_is_registered_nowhere_is_found_in_the_model() -> None:
    model = keras.Sequential([keras.Input((3,)), Halved()])
    assert twin_of(model)(np.ones((1, 3))).dtype == "float64"


class Configured(keras.Model):  # type: ignore[misc, name-defined]
    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units
        self.dense = L.Dense(units)

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


class Unconfigured(Configured):
    def get_config(self) -> dict[str, Any]:
        return {}


def test_a_subclass_with_a_configuration_has_a_twin_and_one_without_has_none() -> None:
    x = np.random.default_rng(0).random((2, 4), np.float32)
    good, bad = Configured(3), Unconfigured(3)
    good(x), bad(x)
    output = twin_of(good)(x)
    assert output.dtype == "float64"
    np.testing.assert_allclose(output.numpy(), good(x).numpy(), rtol=1e-5)
    with pytest.raises(UnsupportedError, match="no float64 twin can be made") as caught:
        twin_of(bad)
    assert "\n" not in str(caught.value)
