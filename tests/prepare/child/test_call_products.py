"""Layers that work by others against what TensorFlow's own profiler says of the operations of their unrolled graph."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.slow
L = keras.layers
_SUMMING = ("MatMul", "BatchMatMulV2", "Conv2D")


def counted(model: Any) -> int | None:
    from bench.prepare.child.count import multiply_adds

    return multiply_adds(model)


def profiled(model: Any) -> int:
    """Of one item: half the float operations of all products; of einsums, which the profiler skips, by their labels."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2 as frozen

    specs = [tf.TensorSpec((1, *one.shape[1:]), one.dtype) for one in model.inputs]
    traced = tf.function(
        lambda *arrays: model(list(arrays) if len(arrays) > 1 else arrays[0], training=False)
    ).get_concrete_function(*specs)
    graph = frozen(traced).graph
    assert not [op for op in graph.get_operations() if "While" in op.type or "Call" in op.type]
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    told = tf.compat.v1.profiler.profile(graph, cmd="op", options=options)
    einsums = [_labelled(op) for op in graph.get_operations() if op.type == "Einsum"]
    return int(sum(one.float_ops for one in _all(told) if one.name in _SUMMING)) // 2 + sum(einsums)


def _all(told: Any) -> Iterator[Any]:
    for child in told.children:
        yield child
        yield from _all(child)


def _labelled(op: Any) -> int:
    terms = op.get_attr("equation").decode().partition("->")[0].split(",")
    pairs = [pair for term, one in zip(terms, op.inputs, strict=True) for pair in zip(term, one.shape, strict=True)]
    return int(prod(dict(pairs).values()))


def chain(*layers: Any, shape: tuple[int | None, ...]) -> Any:
    return keras.Sequential([keras.Input(shape), *layers])


def of_two(layer: Any, size: int = 6, **call: Any) -> Any:
    query, value = keras.Input((5, 4)), keras.Input((7, size))
    return keras.Model([query, value], layer(query, value, **call))


RECURRENT = [
    lambda unroll: chain(L.LSTM(3, unroll=unroll), shape=(5, 2)),
    lambda unroll: chain(L.GRU(3, unroll=unroll), shape=(5, 2)),
    lambda unroll: chain(L.GRU(3, reset_after=False, go_backwards=True, unroll=unroll), shape=(5, 2)),
    lambda unroll: chain(L.Masking(), L.LSTM(3, return_sequences=True, unroll=unroll), L.Dense(4), shape=(5, 2)),
    lambda unroll: chain(L.Bidirectional(L.SimpleRNN(4, unroll=unroll)), shape=(5, 2)),
    lambda unroll: chain(L.RNN([L.GRUCell(3), L.LSTMCell(2)], unroll=unroll), shape=(5, 2)),
]


@pytest.mark.parametrize("make", RECURRENT)
def test_a_loop_of_a_cell_costs_what_tensorflow_says_of_it_unrolled(make: Any) -> None:
    unrolled = make(True)
    assert counted(make(False)) == counted(unrolled) == profiled(unrolled) > 0


OTHERS = [
    (lambda: of_two(L.MultiHeadAttention(2, 3, value_dim=5, output_shape=9)), 5 * 24 + 7 * 36 + 7 * 60 + 5 * 90 + 560),
    (lambda: of_two(L.MultiHeadAttention(2, 3, dropout=0.5), use_causal_mask=True), None),
    (lambda: of_two(L.MultiHeadAttention(2, 3), return_attention_scores=True), None),
    (lambda: of_two(L.GroupQueryAttention(3, 4, 2), 4), None),
    (lambda: keras.Model(x := keras.Input((3, 5, 4)), L.MultiHeadAttention(2, 3, attention_axes=(2,))(x, x)), None),
    (lambda: keras.Model(x := keras.Input((3, 5, 4)), L.MultiHeadAttention(2, 3)(x, x)), None),
    (lambda: of_two(lambda one, other: L.Attention(use_scale=True)([one, other]), 4), 2 * 5 * 7 * 4),
    (lambda: of_two(lambda one, other: L.Dot((2, 2))([one, other]), 4), 5 * 7 * 4),
    (lambda: chain(L.TimeDistributed(L.Dense(3)), shape=(5, 2)), 5 * 6),
    (lambda: chain(L.TimeDistributed(chain(L.Dense(3), L.Dense(4), shape=(2,))), shape=(5, 2)), 5 * 18),
    (lambda: chain(L.TimeDistributed(L.Conv2D(3, 3)), shape=(2, 6, 6, 4)), None),
]


@pytest.mark.parametrize(("make", "by_hand"), OTHERS)
def test_attention_and_steps_cost_what_tensorflow_says_of_their_operations(make: Any, by_hand: int | None) -> None:
    model = make()
    assert counted(model) == profiled(model) > 0
    assert by_hand in (None, counted(model))


def test_a_convolutional_lstm_convolves_inputs_and_state_in_each_step() -> None:
    model = chain(L.ConvLSTM2D(3, 3, strides=2, padding="same", return_sequences=True), shape=(5, 8, 8, 2))
    assert counted(model) == 5 * 16 * (9 * 2 * 12 + 9 * 3 * 12)


def test_two_attentions_that_share_a_layer_count_twice() -> None:
    x, layer = keras.Input((5, 4)), L.MultiHeadAttention(2, 3)
    once = keras.Model(x, layer(x, x))
    assert counted(keras.Model(x, layer(layer(x, x), x))) == 2 * (counted(once) or 0)


class OwnAttention(keras.layers.MultiHeadAttention):  # type: ignore[misc, name-defined]
    """May compute something else."""


class OwnCell(keras.layers.LSTMCell):  # type: ignore[misc, name-defined]
    """So may this."""


class OwnLSTM(keras.layers.LSTM):  # type: ignore[misc, name-defined]
    """And this."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: of_two(OwnAttention(2, 3)),
        lambda: chain(OwnLSTM(3), shape=(5, 2)),
        lambda: chain(L.RNN(OwnCell(3)), shape=(5, 2)),
        lambda: chain(L.RNN([L.LSTMCell(3), OwnCell(3)], unroll=True), shape=(5, 2)),
        lambda: chain(L.TimeDistributed(OwnLSTM(3)), shape=(5, 4, 2)),
        lambda: chain(L.LSTM(3), shape=(None, 2)),
        lambda: of_two(lambda one, other: L.Attention(score_mode="concat")([one, other]), 4),
        lambda: of_two(lambda one, other: L.AdditiveAttention()([one, other]), 4),
    ],
)
def test_what_is_derived_from_a_known_kind_is_not_counted_and_neither_is_a_free_length(make: Any) -> None:
    assert counted(make()) is None
