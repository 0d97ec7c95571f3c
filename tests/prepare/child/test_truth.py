from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

from bench.prepare.arrays import load_arrays
from bench.records import Prepared

pytestmark = pytest.mark.slow

Prepare = Callable[..., Prepared]


@pytest.mark.parametrize(
    "name", ["functional", "nested", "by_name", "embedded", "normalised", "with_policy:policy=mixed_float16"]
)
def test_the_truth_is_float64_and_the_yardstick_is_tensorflows_error(prepare_kind: Prepare, name: str) -> None:
    prepared = prepare_kind(name)
    assert prepared.truth == "float64"
    assert {rows.dtype.name for rows in load_arrays(prepared.truth_file).values()} == {"float64"}
    assert all(error is not None and 0 < error < 0.01 for error in prepared.yardstick.values())


@pytest.mark.parametrize(
    ("name", "operations"),
    [("narrowing", "Cast, Sin"), ("resizing:how=bilinear", "ResizeBilinear, Minimum, Maximum")],
)
def test_one_float32_operation_makes_the_truth_float32_and_names_it(
    prepare_kind: Prepare, name: str, operations: str
) -> None:
    prepared = prepare_kind(name)
    assert prepared.truth == f"float32 ({operations})"
    assert {rows.dtype.name for rows in load_arrays(prepared.truth_file).values()} == {"float32"}


def test_without_a_float64_truth_the_yardstick_is_the_shift_by_one_unit_in_the_last_place(
    prepare_kind: Prepare,
) -> None:
    (error,) = prepare_kind("narrowing").yardstick.values()
    assert error is not None
    assert 1e-9 < error < 1e-5


def test_a_yardstick_is_never_0(prepare_kind: Prepare) -> None:
    assert prepare_kind("resizing:how=bilinear").yardstick == {"shrink": None}  # no weights to move
    assert prepare_kind("with_policy:policy=float64").yardstick == {"conv": None}  # TensorFlow makes no error


def test_a_model_without_a_configuration_has_a_float32_truth_and_says_why(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("subclassed", input_shapes={"x": (1, 5)})
    assert prepared.truth == "tensorflow float32"
    assert any(caution.code == "truth" and "float64" in caution.text for caution in prepared.cautions)
    assert prepared.yardstick["score"] is not None


def test_a_float64_truth_is_kept_where_float32_is_far_from_it(prepare_kind: Prepare) -> None:
    prepared = prepare_kind("ill_conditioned")
    assert prepared.truth == "float64"
    (error,) = prepared.yardstick.values()
    assert error is not None
    assert 8 * error > 0.1  # vacuous by itself
    texts = [caution.text for caution in prepared.cautions if caution.code == "truth"]
    assert len(texts) == 1
    assert "from the float32 one: ill-conditioned, or the twin is another function" in texts[0]
    assert not [caution for caution in prepare_kind("functional").cautions if caution.code == "truth"]


def trace(function: Callable[..., object], dtype: str) -> object:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    return tf.function(function, autograph=False).get_concrete_function(tf.TensorSpec((None, 3), dtype))


def test_float32_within_loops_and_inner_functions_is_found() -> None:
    import tensorflow as tf

    from bench.prepare.child.truth import float32_operations

    def narrow(x: object) -> object:
        return tf.cast(tf.sin(tf.cast(x, tf.float32)), tf.float64)

    def loop(x: object) -> object:
        return tf.while_loop(lambda i, _: i < 3, lambda i, a: (i + 1, narrow(a)), (0, x))[1]

    assert float32_operations(trace(loop, "float64")) == ["Cast", "Sin"]
    assert float32_operations(trace(lambda x: tf.function(narrow)(x), "float64")) == ["Cast", "Sin"]
    assert float32_operations(trace(lambda x: tf.sin(x) + 1.0, "float64")) == []


def test_the_cast_of_an_input_loses_nothing_and_a_cast_of_a_result_does() -> None:
    import tensorflow as tf

    from bench.prepare.child.truth import float32_operations

    def there_and_back(x: object) -> object:
        return tf.cast(tf.cast(tf.cast(x, tf.float64), tf.float32), tf.float64)

    assert float32_operations(trace(there_and_back, "float32")) == []
    assert float32_operations(trace(there_and_back, "float64")) == ["Cast"]
    assert float32_operations(trace(lambda x: tf.cast(tf.sin(x), tf.float32), "float64")) == ["Cast"]


def test_the_same_seed_moves_the_weights_the_same_way(prepare_kind: Prepare) -> None:
    from bench.prepare.child.reference import one_ulp_away

    values = np.random.default_rng(0).normal(size=100).astype(np.float32)
    values[0] = 0.0
    moved = one_ulp_away(values, np.random.default_rng(1))
    np.testing.assert_array_equal(moved, one_ulp_away(values, np.random.default_rng(1)))
    steps = (moved - values) / np.spacing(np.abs(values))
    assert moved[0] == 0.0
    assert set(np.abs(steps[1:]).round(1)) <= {0.5, 1.0}  # half where it crosses a power of two
    assert 20 < (steps > 0).sum() < 80


def test_what_a_long_sum_may_lose_is_in_the_yardstick(prepare_kind: Prepare) -> None:
    (error,) = prepare_kind("norm_of_a_picture").yardstick.values()
    assert error is not None
    assert 8 * error >= 128 * 128 * 3 * 2**-24
