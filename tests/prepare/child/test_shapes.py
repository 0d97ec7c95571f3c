from __future__ import annotations

import pytest

from bench.errors import UsageError
from bench.prepare.child.shapes import check_names, fix_shapes
from bench.records import Tensor

IMAGE = Tensor(name="image", shape=(None, None, None, 3), dtype="float32")
FIXED = Tensor(name="x", shape=(None, 4), dtype="float32")
TABLE = Tensor(name="table", shape=(7, None), dtype="float32", batched=False)


def test_what_is_known_stays_and_what_is_free_is_filled() -> None:
    fixed = fix_shapes([IMAGE, FIXED], {"image": (1, 32, 16, 3)})
    assert [tensor.shape for tensor in fixed] == [(None, 32, 16, 3), (None, 4)]


def test_the_batch_of_a_given_shape_does_not_fix_the_batch() -> None:
    assert fix_shapes([FIXED], {"x": (1, 4)})[0].shape == (None, 4)


def test_a_batch_in_a_shape_is_refused_unless_the_model_has_it_fixed() -> None:
    with pytest.raises(UsageError, match=r"the batch, which comes from -b; write \[1,4\]"):
        fix_shapes([FIXED], {"x": (3, 4)})
    three = Tensor(name="x", shape=(3, None), dtype="float32")
    assert fix_shapes([three], {"x": (3, 4)})[0].shape == (3, 4)
    with pytest.raises(UsageError, match="comes from -b"):
        fix_shapes([three], {"x": (2, 4)})


def test_a_free_axis_is_asked_for_without_a_guess() -> None:
    with pytest.raises(UsageError, match=r"--input-shapes table:\[7,N\]"):
        fix_shapes([TABLE], {})


def test_a_tensor_without_a_batch_is_filled_whole() -> None:
    assert fix_shapes([TABLE], {"table": (7, 2)})[0].shape == (7, 2)


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        ({}, r"--input-shapes image:\[1,N,N,3\]"),
        ({"image": (1, 32, 3)}, r"the input has the shape \[\?,\?,\?,3\]"),
        ({"image": (1, 32, 32, 4)}, r"the input has the shape"),
        ({"picture": (1, 32, 32, 3)}, "no input picture; the model has image"),
    ],
)
def test_what_does_not_fit_is_a_usage_error_with_the_right_flag(shapes: dict[str, tuple[int, ...]], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        fix_shapes([IMAGE], shapes)


def test_names_of_a_flag_are_checked_and_the_empty_one_is_all() -> None:
    check_names("--input-range", ["", "x"], ["x", "y"])
    with pytest.raises(UsageError, match="--input-range: no z; the model has x, y"):
        check_names("--input-range", ["z"], ["x", "y"])
    with pytest.raises(UsageError, match=r"--onnx-names: no z; the file own\.onnx has x"):
        check_names("--onnx-names", ["z"], ["x"], "the file own.onnx")
