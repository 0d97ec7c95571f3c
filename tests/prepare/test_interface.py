"""Tensors of a file that another exporter named are paired by name, else by shape, else by place, or not at all."""

from __future__ import annotations

from bench.prepare.interface import less_sure, pair_tensors
from bench.records import Tensor


def tensor(name: str, *shape: int | None, dtype: str = "float32") -> Tensor:
    return Tensor(name=name, shape=(None, *shape), dtype=dtype)


OURS = (tensor("logits", 10), tensor("boxes", 4), tensor("scores", 4))


def test_names_pair_in_any_order() -> None:
    theirs = [tensor("scores", 4), tensor("boxes", 4), tensor("logits", 10)]
    found = pair_tensors(theirs, OURS, {})
    assert found == ({"scores": "scores", "boxes": "boxes", "logits": "logits"}, "by name")


def test_a_colon_and_another_spelling_are_still_names() -> None:
    found = pair_tensors([tensor("my_input:0", 4)], [tensor("my input", 4)], {"my_input": "my input"})
    assert found == ({"my_input:0": "my input"}, "by name")


def test_one_tensor_needs_no_name() -> None:
    assert pair_tensors([tensor("Identity:0", 3)], [tensor("y", 3)], {}) == ({"Identity:0": "y"}, "the only one")


def test_shapes_pair_where_each_fits_exactly_one() -> None:
    theirs = [tensor("Identity:0", 4), tensor("Identity_1:0", 10)]
    found = pair_tensors(theirs, [tensor("logits", 10), tensor("boxes", 4)], {})
    assert found == ({"Identity:0": "boxes", "Identity_1:0": "logits"}, "by shape")


def test_types_tell_shapes_apart() -> None:
    theirs = [tensor("a", 4), tensor("b", 4, dtype="int64")]
    found = pair_tensors(theirs, [tensor("index", 4, dtype="int64"), tensor("boxes", 4)], {})
    assert found == ({"a": "boxes", "b": "index"}, "by shape")


def test_where_shapes_repeat_places_are_a_guess_that_is_called_one() -> None:
    theirs = [tensor("Identity:0", 10), tensor("Identity_1:0", 4), tensor("Identity_2:0", 4)]
    found = pair_tensors(theirs, OURS, {})
    assert found is not None
    assert found[1] == "by position"
    assert found[0]["Identity_1:0"] == "boxes"


def test_a_free_axis_fits_any_length() -> None:
    found = pair_tensors([tensor("a", None), tensor("b", 4, 4)], [tensor("x", 9), tensor("y", 4, 4)], {})
    assert found == ({"a": "x", "b": "y"}, "by shape")


def test_what_does_not_fit_is_not_paired() -> None:
    assert pair_tensors([tensor("a", 4)], OURS, {}) is None
    assert pair_tensors([tensor("a", 4), tensor("b", 4)], [tensor("x", 4), tensor("y", 10)], {}) is None


def test_of_two_ways_the_guess_is_told() -> None:
    assert less_sure(["by name", "by position"]) == "by position"
    assert less_sure(["the only one", "by name"]) == "the only one"
