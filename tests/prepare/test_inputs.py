from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.prepare.inputs import make_pool
from bench.records import Tensor


def tensor(shape: tuple[int | None, ...], dtype: str = "float32", name: str = "x", *, batched: bool = True) -> Tensor:
    return Tensor(name=name, shape=(None, *shape) if batched else shape, dtype=dtype, batched=batched)


IMAGE = tensor((48, 64, 3), name="image")


def pool_of(
    one: Tensor, bounds: tuple[float, float] | None = None, seed: int = 0, items: int = 8
) -> np.ndarray[Any, Any]:
    return make_pool([one], {one.name: bounds} if bounds else {}, seed, items)[one.name]


def test_an_item_depends_on_seed_and_number_only() -> None:
    np.testing.assert_array_equal(pool_of(IMAGE, items=5)[:3], pool_of(IMAGE, items=3))
    assert not np.array_equal(pool_of(IMAGE, seed=1, items=1), pool_of(IMAGE, seed=0, items=1))


@given(
    seed=st.integers(0, 2**32), items=st.integers(1, 4), side=st.integers(4, 40), channels=st.sampled_from([1, 3, 4])
)
@settings(max_examples=25, deadline=None)
def test_any_picture_fills_its_range_and_is_the_same_again(seed: int, items: int, side: int, channels: int) -> None:
    one = tensor((side, side + 1, channels))
    pool = pool_of(one, (-2.0, 6.0), seed, items)
    assert pool.shape == (items, side, side + 1, channels)
    assert pool.dtype == np.float32
    assert np.all(pool.min(axis=(1, 2, 3)) == -2.0)
    assert np.all(pool.max(axis=(1, 2, 3)) == 6.0)
    np.testing.assert_array_equal(pool, pool_of(one, (-2.0, 6.0), seed, items))


def test_pictures_are_structured_and_white_noise_is_not() -> None:
    def alike(values: np.ndarray[Any, Any]) -> float:
        return float(np.corrcoef(values[:, 1:].ravel(), values[:, :-1].ravel())[0, 1])

    assert min(alike(item[:, :, channel]) for item in pool_of(IMAGE) for channel in range(3)) > 0.7
    assert abs(alike(np.random.default_rng(0).random((48, 64)))) < 0.1


def test_pictures_differ_in_brightness_contrast_and_colour() -> None:
    pool = pool_of(IMAGE)
    assert np.std(pool.mean(axis=(1, 2, 3))) > 0.03
    assert np.std(pool.std(axis=(1, 2, 3))) > 0.01
    assert np.abs(pool.mean(axis=(1, 2)) - pool.mean(axis=(1, 2, 3))[:, None]).max() > 0.05
    assert len({item.tobytes() for item in pool}) == 8


def test_pictures_have_eight_bit_levels_so_that_every_machine_makes_the_same() -> None:
    levels = pool_of(IMAGE, (0.0, 255.0))
    np.testing.assert_array_equal(levels, np.rint(levels))


def test_channels_first_pictures_are_the_same_pictures() -> None:
    last = pool_of(tensor((48, 64, 3)))
    np.testing.assert_array_equal(pool_of(tensor((3, 48, 64))), np.moveaxis(last, -1, 1))


def test_eight_bit_pictures_use_all_levels_without_being_told() -> None:
    pool = pool_of(tensor((32, 32, 3), "uint8"))
    assert pool.dtype == np.uint8
    assert (pool.min(), pool.max()) == (0, 255)


def test_integers_fill_their_range_and_default_to_zero_and_one() -> None:
    tokens = tensor((500,), "int32", "tokens")
    assert set(np.unique(pool_of(tokens))) == {0, 1}
    known = pool_of(tokens, (0, 9))
    assert known.dtype == np.int32
    assert set(np.unique(known)) == set(range(10))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_stay_in_their_range_and_differ_in_mean_between_items(dtype: str) -> None:
    pool = pool_of(tensor((300,), dtype), (-3.0, 1.0))
    assert pool.dtype == dtype
    assert pool.min() >= -3.0
    assert pool.max() <= 1.0
    assert np.std(pool.astype(float).mean(axis=1)) > 0.2


def test_booleans_are_both() -> None:
    pool = pool_of(tensor((100,), "bool"))
    assert pool.dtype == np.bool_
    assert 0 < pool.mean() < 1


def test_an_input_without_a_batch_axis_keeps_its_whole_shape() -> None:
    assert pool_of(tensor((4, 5), batched=False), items=3).shape == (3, 4, 5)
    assert pool_of(tensor((), name="scale"), items=3).shape == (3,)


def test_two_inputs_of_one_shape_get_different_values() -> None:
    pool = make_pool([tensor((9,), name="a"), tensor((9,), name="b")], {}, 0, 2)
    assert not np.array_equal(pool["a"], pool["b"])


def test_the_range_of_every_other_input_has_the_empty_name() -> None:
    pool = make_pool([tensor((50,), name="a"), tensor((50,), name="b")], {"a": (0, 1), "": (10, 20)}, 0, 2)
    assert pool["a"].max() <= 1
    assert pool["b"].min() >= 10


@pytest.mark.parametrize(
    ("one", "bounds", "message"),
    [
        (tensor((None, None, 3), name="image"), None, r"'image' has free axes \[\?, \?, 3\].*--input-shapes image:"),
        (tensor((3,), "string"), None, "type string: only numbers"),
        (tensor((3,)), (1.0, 1.0), "low must be below high"),
        (tensor((3,)), (0.0, float("inf")), "both finite"),
        (tensor((3,), "uint8"), (-1.0, 5.0), "no values that uint8 has"),
        (tensor((3,), "int32"), (0.2, 0.8), "no values that int32 has"),
    ],
)
def test_what_cannot_be_made_is_one_clear_line(one: Tensor, bounds: tuple[float, float] | None, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        pool_of(one, bounds)
    assert "\n" not in str(caught.value)
