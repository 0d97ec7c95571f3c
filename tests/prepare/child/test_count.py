from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.slow


def macs(*layers: Any, shape: tuple[int | None, ...]) -> int | None:
    return macs_of(keras.Sequential([keras.Input(shape), *layers]))


def macs_of(model: Any) -> int | None:
    from bench.prepare.child.count import multiply_adds

    return multiply_adds(model)


L = keras.layers
BY_HAND = [
    (lambda: L.Dense(5), (7,), 7 * 5),
    (lambda: L.Dense(5), (3, 7), 3 * 7 * 5),
    (lambda: L.Conv1D(4, 3), (10, 2), 8 * 4 * 3 * 2),
    (lambda: L.Conv2D(4, 3, strides=2, padding="same"), (9, 9, 2), 25 * 4 * 9 * 2),
    (lambda: L.Conv2D(4, 3, groups=2), (9, 9, 6), 49 * 4 * 9 * 3),
    (lambda: L.Conv2D(4, 3, dilation_rate=2), (9, 9, 2), 25 * 4 * 9 * 2),
    (lambda: L.Conv3D(2, 2), (3, 3, 3, 5), 8 * 2 * 8 * 5),
    (lambda: L.DepthwiseConv1D(3), (10, 4), 8 * 4 * 3),
    (lambda: L.DepthwiseConv2D(3, depth_multiplier=2), (5, 5, 4), 9 * 8 * 9),
    (lambda: L.SeparableConv1D(6, 3), (10, 4), 8 * 4 * 3 + 8 * 4 * 6),
    (lambda: L.SeparableConv2D(6, 3, depth_multiplier=2), (5, 5, 4), 9 * 8 * 9 + 9 * 8 * 6),
    (lambda: L.Conv1DTranspose(6, 3, strides=2), (10, 4), 10 * 4 * 3 * 6),
    (lambda: L.Conv2DTranspose(6, 2, strides=2), (5, 5, 4), 25 * 4 * 4 * 6),
    (lambda: L.Conv3DTranspose(2, 2), (3, 3, 3, 5), 27 * 5 * 8 * 2),
    (lambda: L.EinsumDense("abc,cd->abd", output_shape=(None, 6)), (3, 7), 3 * 7 * 6),
    (lambda: L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 6)), (3, 7), 3 * 7 * 12),
    (lambda: L.BatchNormalization(), (5, 5, 4), 0),
    (lambda: L.MaxPooling2D(2), (4, 4, 4), 0),
    (lambda: L.Embedding(10, 4), (3,), 0),
]


@pytest.mark.parametrize(("layer", "shape", "expected"), BY_HAND)
def test_a_layer_costs_what_a_count_by_hand_says(layer: Any, shape: tuple[int, ...], expected: int) -> None:
    assert macs(layer(), shape=shape) == expected


def test_a_layer_called_twice_counts_twice() -> None:
    x = keras.Input((6,))
    shared = L.Dense(6)
    assert macs_of(keras.Model(x, shared(shared(x)))) == 72


def test_nested_models_and_dict_inputs_are_counted() -> None:
    inner = keras.Sequential([keras.Input((None, None, 2)), L.Conv2D(3, 3), L.GlobalAveragePooling2D()])
    inputs = {"a": keras.Input((6, 6, 2), name="a"), "b": keras.Input((4,), name="b")}
    outputs = {"x": inner(inputs["a"]), "y": L.Dense(2)(inputs["b"])}
    assert macs_of(keras.Model(inputs, outputs)) == 16 * 3 * 18 + 8


class Squared(keras.layers.Layer):  # type: ignore[misc, name-defined]
    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], shape[-1]))

    def call(self, x: Any) -> Any:
        return keras.ops.matmul(x, self.kernel)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Squared, (4,)),
        (lambda: L.Conv2D(3, 3), (None, None, 2)),
    ],
)
def test_what_is_not_known_is_none_and_never_a_guess(layer: Any, shape: tuple[int | None, ...]) -> None:
    assert macs(layer(), L.Flatten() if None not in shape else L.GlobalMaxPooling2D(), shape=shape) is None


class Doubled(keras.layers.Layer):  # type: ignore[misc, name-defined]
    def call(self, x: Any) -> Any:
        return keras.ops.matmul(x, keras.ops.transpose(x)) if self.name == "product" else x + x


def test_a_layer_without_weights_that_sums_products_is_not_counted_and_one_that_adds_is() -> None:
    assert macs(Doubled(name="product"), shape=(4,)) is None
    assert macs(L.Dense(3), Doubled(name="sum"), shape=(4,)) == 12


def test_a_product_of_keras_ops_in_a_functional_model_is_not_counted() -> None:
    x = keras.Input((4, 4))
    assert macs_of(keras.Model(x, keras.ops.matmul(L.Dense(4)(x), x))) is None
    assert macs_of(keras.Model(x, keras.ops.add(L.Dense(4)(x), x))) == 64


def test_layers_over_parts_of_an_item_laid_into_the_batch_count_for_each_part() -> None:
    x = keras.Input((6, 4))
    parts = keras.ops.reshape(x, (-1, 2, 4))
    assert macs_of(keras.Model(x, keras.ops.reshape(L.Dense(5)(parts), (-1, 6, 5)))) == 6 * 4 * 5


def test_counting_changes_no_weight_even_where_a_call_would() -> None:
    x = keras.Input((4,))
    model = keras.Model(x, L.BatchNormalization()(L.Dense(3)(x), training=True))
    before = model.get_weights()
    assert macs_of(model) == 12
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_trainable_parameters_leave_out_moving_statistics_and_frozen_layers() -> None:
    from bench.prepare.child.count import trainable_parameters

    frozen = L.Dense(2)
    model = keras.Sequential([keras.Input((3,)), L.Dense(4), L.BatchNormalization(), frozen])
    assert trainable_parameters(model) == 3 * 4 + 4 + 8 + 4 * 2 + 2
    frozen.trainable = False
    assert trainable_parameters(model) == 3 * 4 + 4 + 8


def test_convnext_is_counted_with_its_layer_scales_free() -> None:
    model = keras.applications.ConvNeXtTiny(weights=None, input_shape=(32, 32, 3), classes=10)
    stem, head = 8 * 8 * 96 * 48, 768 * 10
    blocks = sum(
        n * side**2 * (c * 49 + 8 * c * c) for n, side, c in ((3, 8, 96), (3, 4, 192), (9, 2, 384), (3, 1, 768))
    )
    downsamples = sum(side**2 * 2 * c * 4 * c for side, c in ((4, 96), (2, 192), (1, 384)))
    assert macs_of(model) == stem + blocks + downsamples + head
