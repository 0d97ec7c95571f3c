from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.errors import UnsupportedError
from bench.prepare.child.reference import Array, Arrays, describe_outputs, run_pool, shared_inputs, shift
from bench.records import Tensor

Run = Callable[[Arrays], dict[str, Array]]
X = Tensor(name="x", shape=(None, 2), dtype="float64")
POOL = {"x": np.arange(22, dtype=np.float64).reshape(11, 2)}


class Model:
    """Doubles its input, and keeps what it was fed."""

    def __init__(self, function: Callable[[Array], Array] = lambda x: 2 * x) -> None:
        self.fed: list[tuple[int, ...]] = []
        self.function = function

    def __call__(self, feed: Arrays) -> dict[str, Array]:
        self.fed.append(feed["x"].shape)
        return {"y": self.function(feed["x"])}


def test_a_free_batch_runs_the_pool_in_chunks() -> None:
    model = Model()
    np.testing.assert_array_equal(run_pool(model, [X], POOL)["y"], 2 * POOL["x"])
    assert model.fed == [(8, 2), (8, 2)]


def test_a_fixed_batch_runs_in_that_batch_and_wraps_around() -> None:
    model = Model()
    fixed = Tensor(name="x", shape=(3, 2), dtype="float64")
    outputs = run_pool(model, [fixed], POOL)
    np.testing.assert_array_equal(outputs["y"], 2 * POOL["x"])
    assert set(model.fed) == {(3, 2)}
    assert describe_outputs(model, [fixed], POOL, outputs)[0].shape == (3, 2)


def test_an_input_without_a_batch_runs_alone() -> None:
    model = Model(lambda x: x.sum(axis=0, keepdims=True))
    whole = Tensor(name="x", shape=(2,), dtype="float64", batched=False)
    outputs = run_pool(model, [whole], POOL)
    assert set(model.fed) == {(2,)}
    np.testing.assert_array_equal(outputs["y"], POOL["x"].sum(axis=1))


def test_an_output_without_the_batch_in_front_comes_from_items_run_alone() -> None:
    model = Model(np.ravel)
    outputs = run_pool(model, [X], POOL)
    np.testing.assert_array_equal(outputs["y"], POOL["x"])
    (tensor,) = describe_outputs(model, [X], POOL, outputs)
    assert (tensor.batched, tensor.shape) == (False, (2,))


def test_an_output_whose_shape_depends_on_the_values_is_unsupported() -> None:
    with pytest.raises(UnsupportedError, match="another shape"):
        run_pool(Model(lambda x: x[x > 5]), [X], POOL)


def test_inputs_without_a_batch_beside_batched_ones_are_the_same_for_all_items() -> None:
    scale = Tensor(name="s", shape=(), dtype="float64", batched=False)
    pool = {**POOL, "s": np.arange(11.0)}
    assert set(shared_inputs([X, scale], pool)["s"]) == {0.0}
    assert shared_inputs([scale], {"s": pool["s"]})["s"][3] == 3.0


def test_a_shift_is_relative_to_the_spread() -> None:
    truth = np.array([[0.0], [2.0]])  # standard deviation 1
    assert shift(truth, truth + np.array([[0.0], [0.01]])) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("truth", "output"),
    [
        (np.ones((2, 1)), np.ones((2, 1))),
        (np.ones((2, 1)), np.full((2, 1), np.nan)),
        (np.ones((2, 1)), np.ones((1, 2))),
        (np.array([[1], [2]]), np.array([[1], [2]])),
    ],
)
def test_a_shift_is_never_0(truth: Array, output: Array) -> None:
    assert shift(truth, output) is None


def test_integers_shift_by_the_share_that_differs() -> None:
    assert shift(np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]])) == 0.25


def test_an_input_of_rank_0_is_fed_as_an_array() -> None:
    fed: list[object] = []

    def run(feed: Arrays) -> dict[str, Array]:
        fed.append(feed["s"])
        return {"y": np.asarray(feed["s"] * 2)}

    scale = Tensor(name="s", shape=(), dtype="float64", batched=False)
    assert run_pool(run, [scale], {"s": np.arange(3.0)})["y"].tolist() == [0, 2, 4]
    assert all(isinstance(value, np.ndarray) for value in fed)
