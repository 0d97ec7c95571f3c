"""What the benchmark of bisections prints and when it fails; no model is made."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: it must not hide an installed bench

from benchmarks.bisect_faults import Case, fit_of, render
from benchmarks.bisect_nets import NETS, QUICK
from benchmarks.bisect_polygraphy import Named, _layers_of


def case(**changes: object) -> Case:
    right = Case(
        name="net 8",
        layers=8,
        layer="part/conv_2",
        fault="kernel x 1.02",
        ours=Named(("part/conv_2",), 10.0, 8.0),
        verdict="found",
        fused=(),
        runs=8,
        judged=8,
    )
    return msgspec.structs.replace(right, **changes)


def test_thirty_models_and_those_of_the_quick_run_are_among_them() -> None:
    assert len(NETS) == 30
    assert set(QUICK) <= set(NETS)
    depths = [net.layers for net in NETS.values() if net.zoo is None]
    assert (min(depths), max(depths)) == (5, 150)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ours": Named(("part/conv_1",), 1.0, 1.0)},
        {"ours": Named((), 1.0, 1.0)},
        {"ours": Named(("part/conv_1",), 1.0, 1.0), "fused": ("part/conv_2",)},
        {"runs": 9},
    ],
)
def test_another_layer_none_or_a_run_too_many_is_wrong(wrong: dict[str, object]) -> None:
    assert case().bound == 8  # 2 log2(8) + 2
    assert case().is_right
    assert not case(**wrong).is_right


def test_the_table_says_what_was_named_and_sums_it_up() -> None:
    other = case(name="net 9", ours=Named(("part/conv_1",), 1.0, 1.0), marked=Named((), 2.0, 1.0))
    text = render([case(), other])
    assert "| net 8 | 8 | part/conv_2 | kernel x 1.02 | part/conv_2 | yes | 8 | 8 | 10 | 8 |" in text
    assert "| net 9 | 8 | part/conv_2 | kernel x 1.02 | part/conv_1 | NO | 8 | 8 | 1 | 1 |" in text
    assert "1 of 2 layers named, 2 of 2 within" in text
    assert "| mark-all | 0 | 0 | 1 | 2 | 1 |" in text


def test_a_layer_named_among_others_is_told_apart() -> None:
    assert fit_of(Named(("a",), 1.0, 1.0), "a") == "yes"
    assert fit_of(Named(("a", "b"), 1.0, 1.0), "a") == "with others"
    assert fit_of(Named((), 1.0, 1.0), "a") == "no"


def test_tensors_belong_to_the_layer_whose_whole_name_is_in_theirs() -> None:
    layers = ["dense_1", "dense_11", "part_1/dense_2"]
    assert _layers_of(["net_1/dense_11_1/MatMul:0"], layers) == ("dense_11",)
    assert _layers_of(["net/part_1/dense_2/Relu", "net/dense_1_1/Add:0"], layers) == ("part_1/dense_2", "dense_1")
    assert _layers_of(["dense_1"], layers) == ("dense_1",)
    assert _layers_of(["Conv__3:0"], layers) == ()
