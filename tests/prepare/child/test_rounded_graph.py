from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from bench.prepare.child.onnx_run import open_unoptimised
from bench.prepare.child.rounded_graph import ROUNDINGS, Rounding, has_products, rounded
from bench.prepare.child.saturating_graph import saturating

X = np.random.default_rng(0).normal(size=4000) * 10.0 ** np.random.default_rng(1).integers(-6, 5, 4000)


def bits(x: Any, *, cut: bool) -> Any:
    """TF32 by its definition: ten bits of fraction, the nearest (even) or the rest cut off."""
    whole = x.astype(np.float32).view(np.uint32).astype(np.uint64)
    whole = whole if cut else whole + 0xFFF + ((whole >> 13) & 1)
    return (whole & 0xFFFFE000).astype(np.uint32).view(np.float32)


EXACT = {
    "tf32": lambda x: bits(x, cut=False),
    "tf32_cut": lambda x: bits(x, cut=True),
    "bfloat16": lambda x: x.astype(ml_dtypes.bfloat16).astype(np.float32),
    "float16": lambda x: x.astype(np.float16).astype(np.float32),
}


def parse(text: str, **weights: Any) -> Any:
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 18]> g {text}')
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in weights.items())
    return model


def run(model: Any, **feed: Any) -> Any:
    onnx.checker.check_model(model)
    return open_unoptimised(model.SerializeToString())(feed)["y"]


@pytest.mark.parametrize("body", EXACT)
def test_the_emulation_rounds_bit_by_bit_as_the_format_does(body: str) -> None:
    model = rounded(parse("(float[N] x) => (float[N] y) { y = Identity(x) }"), Rounding("", "", body, "all"))
    x = X.astype(np.float32)
    assert np.array_equal(run(model, x=x), EXACT[body](x))


@pytest.mark.parametrize("rounding", ROUNDINGS[:2], ids=lambda rounding: rounding.body)
def test_tf32_rounds_the_operands_of_a_product_and_nothing_else(rounding: Rounding) -> None:
    w, x = np.random.default_rng(1).normal(size=(2, 5, 5)).astype(np.float32)
    model = rounded(parse("(float[N,5] x) => (float[N,5] y) { p = MatMul(x, w) y = Add(p, x) }", w=w), rounding)
    operands = EXACT[rounding.body](x), EXACT[rounding.body](w)
    assert np.array_equal(run(model, x=x), run(parse("(float[N,5] x, float[N,5] z) => (float[N,5] y)"
        " { p = MatMul(x, w) y = Add(p, z) }", w=operands[1]), x=operands[0], z=x))  # fmt: skip


def test_a_file_without_products_has_nothing_that_tf32_would_touch() -> None:
    assert not has_products(parse("(float[N] x) => (float[N] y) { y = Abs(x) }"))


@pytest.mark.parametrize("body", ["tf32", "tf32_cut", "bfloat16"])
def test_what_masks_hold_is_left_as_it_is(body: str) -> None:
    model = rounded(parse("(float[N] x) => (float[N] y) { y = Identity(x) }"), Rounding("", "", body, "all"))
    masks = np.array([-np.inf, np.inf, np.finfo(np.float32).min, 0.0], np.float32)
    assert np.array_equal(run(model, x=masks), masks)


def saturated(a: Any, w: Any, zero: int) -> Any:
    a, w = (np.pad(v.astype(int), pad) for v, pad in ((a, ((0, 0), (0, 1))), (w, ((0, 1), (0, 0)))))
    even, odd = a[:, 0:-1:2, None] * w[0:-1:2], a[:, 1::2, None] * w[1::2]
    odd = np.pad(odd, ((0, 0), (0, even.shape[1] - odd.shape[1]), (0, 0)))
    return np.clip(even + odd, -(2**15), 2**15 - 1).sum(axis=1) - zero * w.sum(axis=0)


@pytest.mark.parametrize("length", [64, 6, 7])
@pytest.mark.parametrize("zero", [0, 13])
def test_pairs_of_integer_products_saturate(length: int, zero: int) -> None:
    rng = np.random.default_rng(length)
    w = rng.integers(-128, 128, (length, 5)).astype(np.int8)
    a = rng.integers(100, 256, (4, length)).astype(np.uint8)
    text = f"(uint8[N,{length}] a) => (int32[N,5] y) <uint8 z = {{{zero}}}> {{ y = MatMulInteger(a, w, z) }}"
    model = parse(text, w=w)
    emulated = run(saturating(model), a=a)
    assert np.array_equal(emulated, saturated(a, w, zero))
    assert not np.array_equal(emulated, run(model, a=a))


def test_the_saturated_sum_is_the_one_that_was_seen_on_a_cpu_without_vnni() -> None:
    text = "(uint8[N,64] a) => (int32[N,1] y) { y = MatMulInteger(a, w) }"
    model = parse(text, w=np.full((64, 1), 127, np.int8))
    a = np.full((1, 64), 255, np.uint8)
    assert run(saturating(model), a=a).item() == 1_048_544
    assert run(model, a=a).item() == 2_072_640


def test_small_values_and_unsigned_weights_do_not_saturate() -> None:
    text = "(uint8[N,8] a) => (int32[N,1] y) { y = MatMulInteger(a, w) }"
    model = parse(text, w=np.full((8, 1), 3, np.int8))
    a = np.full((1, 8), 5, np.uint8)
    assert run(saturating(model), a=a) == run(model, a=a)
    assert saturating(parse(text, w=np.full((8, 1), 200, np.uint8))) is None
