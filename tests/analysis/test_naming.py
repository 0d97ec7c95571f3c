"""Outputs that one side calls otherwise, and the flag that says so."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis import naming
from bench.analysis.distance import Array

FLAT = {"a": np.ones((8, 2)), "b": np.ones((8, 3))}  # no spread: values tell nothing


def drawn(*names: str, seed: int = 0) -> dict[str, Array]:
    """Different outputs of one shape."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=(8, 3)) for name in names}


def test_names_on_one_side_only_are_each_told_and_a_twin_in_shape_suggests_a_new_name() -> None:
    assert naming.name_problems(FLAT, FLAT) == {}
    assert naming.name_problems(FLAT, {"a": FLAT["a"]}) == {
        "b": "output 'b' is missing: the model has 'a', 'b', the runtime gave 'a'"
    }
    assert naming.name_problems(FLAT, {})["a"].endswith("the runtime gave none")
    assert naming.name_problems(FLAT, {"a": FLAT["a"], "c": FLAT["b"]}) == {
        "b": "output 'b' is missing: the model has 'a', 'b', the runtime gave 'a', 'c'; 'c' has its shape: "
        "if it is that, add --onnx-names c=b",
        "c": "output 'c' is not the model's: the model has 'a', 'b', the runtime gave 'a', 'c'",
    }
    twice = naming.name_problems(FLAT, {"a": FLAT["a"], "c": FLAT["b"], "d": FLAT["b"]})
    assert "--onnx-names" not in twice["b"]


def test_of_several_in_one_shape_the_values_tell_which_is_which_and_one_line_names_them_all() -> None:
    truth = drawn("note", "onset")
    outputs = {"p:0": truth["onset"] + 1e-5, "p:1": truth["note"]}
    problems = naming.name_problems(truth, outputs, "--litert-names")
    for name in truth:
        assert problems[name].endswith("add --litert-names p:1=note --litert-names p:0=onset")
    assert "'p:0' has its values (1" in problems["onset"]


def test_what_has_the_shape_and_other_values_is_not_said_to_be_it() -> None:
    problems = naming.name_problems(drawn("y"), drawn("z", seed=1))
    assert problems["y"].endswith("'z' has its shape: if it is that, add --onnx-names z=y")
    assert "add" not in naming.name_problems(drawn("y"), drawn("z", "w", seed=1))["y"]


def test_integers_are_paired_by_the_share_that_differs() -> None:
    truth = {"class": np.arange(8), "count": np.arange(8)[::-1].copy()}
    pairs = naming.pair_by_value(truth, {"0": truth["count"], "1": truth["class"]})
    assert {(pair.theirs, pair.ours): pair.error for pair in pairs} == {("1", "class"): 0.0, ("0", "count"): 0.0}


def test_a_name_with_a_space_is_quoted() -> None:
    assert naming.flag_line("--onnx-names", [("a b", "c")]) == "--onnx-names 'a b=c'"


@given(st.permutations(["a", "b", "c", "d"]))
def test_any_order_is_found_again(order: list[str]) -> None:
    truth = drawn("a", "b", "c", "d")
    outputs = {f"out{place}": truth[name] * (1 + 1e-6) for place, name in enumerate(order)}
    pairs = naming.pair_by_value(truth, outputs)
    assert {pair.theirs: pair.ours for pair in pairs} == {f"out{place}": name for place, name in enumerate(order)}
    assert all(pair.is_near for pair in pairs)
