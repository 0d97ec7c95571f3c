"""One small model for each layer with time, attention, several inputs, or a meaning of its own (images, words).

The second half of the table of conversions. Built in the child of prepare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import layers

from benchmarks.conversion_layers import IMAGE, ROW, SERIES, VOLUME, Build, on, signed


def _rnn(layer: Callable[[], Any], shape: tuple[int, ...] = SERIES) -> Build:
    return lambda: signed(shape, layer())


def _stateful() -> keras.Model:
    x = keras.Input(batch_shape=(2, 6, 4), name="x")
    return keras.Model(x, layers.LSTM(5, stateful=True)(x))


def _with_states() -> keras.Model:
    x = keras.Input(SERIES, name="x")
    sequence, h, c = layers.LSTM(5, return_sequences=True, return_state=True)(x)
    return keras.Model(x, {"sequence": sequence, "h": h, "c": c})


RECURRENT: dict[str, Build] = {
    "SimpleRNN": _rnn(lambda: layers.SimpleRNN(5)),
    "LSTM": _rnn(lambda: layers.LSTM(5)),
    "LSTM sequences": _rnn(lambda: layers.LSTM(5, return_sequences=True)),
    "LSTM backwards": _rnn(lambda: layers.LSTM(5, go_backwards=True, return_sequences=True)),
    "LSTM unrolled": _rnn(lambda: layers.LSTM(5, unroll=True)),
    "LSTM states": _with_states,
    "LSTM stateful": _stateful,
    "GRU": _rnn(lambda: layers.GRU(5)),
    "GRU reset before": _rnn(lambda: layers.GRU(5, reset_after=False, return_sequences=True)),
    "Bidirectional LSTM": _rnn(lambda: layers.Bidirectional(layers.LSTM(5, return_sequences=True))),
    "Bidirectional GRU, sum": _rnn(lambda: layers.Bidirectional(layers.GRU(5), merge_mode="sum")),
    "RNN of stacked cells": _rnn(lambda: layers.RNN([layers.LSTMCell(5), layers.GRUCell(4)])),
    "TimeDistributed": _rnn(lambda: layers.TimeDistributed(layers.Conv2D(3, 3)), (3, *IMAGE)),
    "ConvLSTM1D": _rnn(lambda: layers.ConvLSTM1D(3, 3), (4, 8, 2)),
    "ConvLSTM2D": _rnn(lambda: layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True), (3, 6, 6, 2)),
    "ConvLSTM3D": _rnn(lambda: layers.ConvLSTM3D(2, 2), (3, 4, 4, 4, 2)),
    "Masking and LSTM": lambda: on(SERIES, layers.Masking(0.0), layers.LSTM(5)),
    "Embedding with mask and LSTM": lambda: on(
        (7,), layers.Embedding(9, 4, mask_zero=True), layers.LSTM(5), dtype="int32"
    ),
}


def _attention(layer: Callable[[], Any], **options: Any) -> keras.Model:
    query, value = keras.Input((6, 8), name="query"), keras.Input((5, 8), name="value")
    return keras.Model([query, value], layer()([query, value], **options))


def _heads(causal: bool = False) -> keras.Model:
    x = keras.Input((6, 8), name="x")
    wide = layers.Rescaling(6.0, offset=-3.0)(x)
    return keras.Model(x, layers.MultiHeadAttention(2, 4)(wide, wide, use_causal_mask=causal))


def _masked_heads() -> keras.Model:
    x, mask = keras.Input((6, 8), name="x"), keras.Input((6, 6), dtype="bool", name="mask")
    return keras.Model([x, mask], layers.MultiHeadAttention(2, 4)(x, x, attention_mask=mask))


def _grouped_heads() -> keras.Model:
    x = keras.Input((6, 8), name="x")
    wide = layers.Rescaling(6.0, offset=-3.0)(x)
    return keras.Model(x, layers.GroupQueryAttention(4, 4, 2)(wide, wide))


def _masked_softmax() -> keras.Model:
    x, mask = keras.Input((6, 4), name="x"), keras.Input((6, 4), dtype="bool", name="mask")
    return keras.Model([x, mask], layers.Softmax()(x, mask=mask))


ATTENTION: dict[str, Build] = {
    "MultiHeadAttention": _heads,
    "MultiHeadAttention causal": partial(_heads, causal=True),
    "MultiHeadAttention masked": _masked_heads,
    "GroupQueryAttention": _grouped_heads,
    "Attention": partial(_attention, layers.Attention),
    "Attention causal": partial(_attention, layers.Attention, use_causal_mask=True),
    "AdditiveAttention": partial(_attention, layers.AdditiveAttention),
    "Softmax with mask": _masked_softmax,
}


def _merged(layer: Any, other: tuple[int, ...] = SERIES) -> keras.Model:
    a, b = keras.Input(SERIES, name="a"), keras.Input(other, name="b")
    return keras.Model([a, b], layer([layers.Dense(4)(a), layers.Dense(4)(b)]))


MERGING: dict[str, Build] = {
    **{
        name: partial(lambda kind: _merged(getattr(layers, kind)()), name)
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    },
    "Concatenate axis 1": lambda: _merged(layers.Concatenate(axis=1), (5, 4)),
    "Add broadcast": lambda: _merged(layers.Add(), (1, 4)),
    "Dot": lambda: _merged(layers.Dot(axes=2), (5, 4)),
    "Dot normalised": lambda: _merged(layers.Dot(axes=2, normalize=True), (5, 4)),
}


def _resized(how: str, antialias: bool = False, larger: bool = False) -> keras.Model:
    size = (19, 17) if larger else (5, 7)
    return on(IMAGE, layers.Resizing(*size, interpolation=how, antialias=antialias, name="resize"))


def _resizing() -> dict[str, Build]:
    found: dict[str, Build] = {}
    for how in ("nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5"):
        found[f"Resizing {how}, smaller"] = partial(_resized, how)
        found[f"Resizing {how}, larger"] = partial(_resized, how, larger=True)
    found["Resizing bilinear, antialias"] = partial(_resized, "bilinear", antialias=True)
    found["Resizing bicubic, antialias"] = partial(_resized, "bicubic", antialias=True)
    found["Resizing crop to aspect"] = lambda: on(IMAGE, layers.Resizing(5, 7, crop_to_aspect_ratio=True))
    found["Resizing pad to aspect"] = lambda: on(IMAGE, layers.Resizing(5, 7, pad_to_aspect_ratio=True))
    return found


IMAGES: dict[str, Build] = {
    **_resizing(),
    "CenterCrop": lambda: on(IMAGE, layers.CenterCrop(6, 5)),
    "Rescaling": lambda: on(IMAGE, layers.Rescaling(1 / 127.5, offset=-1)),
    "Normalization": lambda: on(IMAGE, layers.Normalization(mean=[0.1, 0.4, 0.5, 0.6], variance=[0.1, 0.3, 0.2, 0.4])),
    "STFTSpectrogram": lambda: on(
        (256, 1), layers.STFTSpectrogram(frame_length=64, frame_step=32, fft_length=64, trainable=False)
    ),
    "MelSpectrogram": lambda: on((2048,), layers.MelSpectrogram(fft_length=512, sequence_stride=256, num_mel_bins=16)),
}


def _integers(*stack: Any) -> keras.Model:
    return on((5,), *stack, dtype="int32")


WORDS: dict[str, Build] = {
    "Embedding": lambda: _integers(layers.Embedding(9, 4)),
    "ReversibleEmbedding": lambda: _integers(layers.ReversibleEmbedding(9, 4)),
    "Discretization": lambda: on(ROW, layers.Discretization(bin_boundaries=[0.2, 0.5, 0.7])),
    "CategoryEncoding multi-hot": lambda: _integers(layers.CategoryEncoding(num_tokens=9)),
    "CategoryEncoding one-hot": lambda: on(
        (1,), layers.CategoryEncoding(num_tokens=999, output_mode="one_hot"), dtype="int32"
    ),
    "CategoryEncoding count": lambda: _integers(layers.CategoryEncoding(num_tokens=9, output_mode="count")),
    "Hashing": lambda: _integers(layers.Hashing(num_bins=7)),
    "IntegerLookup": lambda: on((5,), layers.IntegerLookup(vocabulary=[1, 2, 5]), dtype="int64"),
    "StringLookup": lambda: on((5,), layers.StringLookup(vocabulary=["a", "b"]), dtype="string"),
    "TextVectorization": lambda: on((1,), layers.TextVectorization(vocabulary=["a", "b"]), dtype="string"),
}


def _operation(call: Callable[[Any], Any], shape: tuple[int, ...] = SERIES) -> Build:
    return lambda: signed(shape, layers.Lambda(call))


OPERATIONS: dict[str, Build] = {
    "Lambda": _operation(lambda x: x * x - 1.0),
    "Lambda of ops.einsum": _operation(lambda x: keras.ops.einsum("bij,bkj->bik", x, x)),
    "Lambda of ops.cumsum": _operation(lambda x: keras.ops.cumsum(x, axis=1)),
    "Lambda of ops.sort": _operation(lambda x: keras.ops.sort(x, axis=1)),
    "Lambda of ops.top_k": _operation(lambda x: keras.ops.top_k(x, 2)[0]),
    "Lambda of ops.argmax": _operation(lambda x: keras.ops.argmax(x, axis=-1)),
    "Lambda of ops.one_hot": _operation(lambda x: keras.ops.one_hot(keras.ops.cast(x > 0, "int32"), 3)),
    "Lambda of ops.erf": _operation(keras.ops.erf),
    "Lambda of ops.logsumexp": _operation(lambda x: keras.ops.logsumexp(x, axis=-1)),
    "Lambda of ops.where": _operation(lambda x: keras.ops.where(x > 0, x, -2.0 * x)),
    "Lambda of ops.pad, reflect": _operation(lambda x: keras.ops.pad(x, [[0, 0], [2, 1], [0, 0]], "reflect")),
    "Lambda of ops.flip": _operation(lambda x: keras.ops.flip(x, axis=1)),
    "Lambda of ops.norm": _operation(lambda x: keras.ops.norm(x, axis=-1), VOLUME),
}
