from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.errors import UsageError
from bench.prepare.inputs import load_pool
from bench.records import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

A = Tensor(name="a", shape=(None, 3), dtype="float32")
B = Tensor(name="b", shape=(None, 2), dtype="int32")
IMAGE = Tensor(name="image", shape=(None, 8, 6, 3), dtype="float32")


def arrays(items: int = 4) -> dict[str, Any]:
    return {"a": np.arange(items * 3, dtype=np.float32).reshape(items, 3), "b": np.ones((items, 2), np.int32)}


def test_an_npz_gives_its_arrays_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays())
    pool = load_pool(tmp_path / "x.npz", [A, B])
    np.testing.assert_array_equal(pool["a"], arrays()["a"])
    assert list(pool) == ["a", "b"]


def test_an_npy_or_an_unnamed_array_fits_a_model_with_one_input(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", arrays()["a"])
    np.savez(tmp_path / "x.npz", arrays()["a"])
    for file in ("x.npy", "x.npz"):
        np.testing.assert_array_equal(load_pool(tmp_path / file, [A])["a"], arrays()["a"])


def test_one_item_may_come_without_its_batch_axis(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones(3, np.float32))
    assert load_pool(tmp_path / "x.npy", [A])["a"].shape == (1, 3)


def test_all_that_does_not_fit_is_said_at_once(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.ones((4, 3)), c=np.ones(2))
    with pytest.raises(UsageError) as caught:
        load_pool(tmp_path / "x.npz", [A, B])
    assert str(caught.value) == (
        "--load-inputs x.npz: expected inputs ['a', 'b'], seen ['a', 'c']; "
        "expected 'a' float32 [items, 3], seen float64 [4, 3]; convert it with .astype(\"float32\")"
    )


@pytest.mark.parametrize("wrong", [np.ones((4, 2), np.float32), np.ones((0, 3), np.float32), np.ones((2, 3, 1), "f4")])
def test_a_wrong_shape_names_expected_and_seen(tmp_path: Path, wrong: Array) -> None:
    np.save(tmp_path / "x.npy", wrong)
    with pytest.raises(UsageError, match=r"expected 'a' float32 \[items, 3\], seen float32") as caught:
        load_pool(tmp_path / "x.npy", [A])
    assert str(list(wrong.shape)) in str(caught.value)


def test_inputs_of_different_length_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=arrays(4)["a"], b=arrays(3)["b"])
    with pytest.raises(UsageError, match="items differ"):
        load_pool(tmp_path / "x.npz", [A, B])


def test_pickles_broken_files_and_other_kinds_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "pickled.npy", np.array([{}], object), allow_pickle=True)
    np.savez(tmp_path / "whole.npz", **arrays())
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:100])
    (tmp_path / "text.npy").write_text("not numpy")
    (tmp_path / "x.csv").write_text("1,2,3")
    (tmp_path / "empty").mkdir()
    for name in ("pickled.npy", "cut.npz", "text.npy", "x.csv", "missing.npz", "empty"):
        with pytest.raises(UsageError, match=f"^--load-inputs {name}: ") as caught:
            load_pool(tmp_path / name, [A])
        assert str(tmp_path) not in str(caught.value)


def test_a_folder_of_images_is_resized_and_scaled_in_order_of_names(tmp_path: Path) -> None:
    Image.new("RGB", (60, 80), (255, 0, 0)).save(tmp_path / "b.png")
    Image.new("L", (6, 8), 255).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("no image")
    pool = load_pool(tmp_path, [IMAGE], {"image": (-1.0, 1.0)})["image"]
    assert pool.shape == (2, 8, 6, 3)
    assert np.all(pool[0] == 1.0)
    assert np.all(pool[1] == np.array([1.0, -1.0, -1.0], np.float32))


def test_images_go_channels_first_and_grey_where_the_input_is(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(0, 60, 10).astype(np.uint8), (8, 1))
    Image.fromarray(ramp).save(tmp_path / "a.png")
    grey = Tensor(name="x", shape=(None, 1, 8, 6), dtype="uint8")
    np.testing.assert_array_equal(load_pool(tmp_path, [grey])["x"][0, 0], ramp)


def test_images_for_a_model_that_takes_none_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (6, 8)).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"one image input, not 'a' float32 \[items, 3\]"):
        load_pool(tmp_path, [A])


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(UsageError, match=r"/a\.png: no readable image"):
        load_pool(tmp_path, [IMAGE])


def write_proto(path: Path, array: Array, name: str = "") -> None:
    numpy_helper = pytest.importorskip("onnx.numpy_helper")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(numpy_helper.from_array(array, name).SerializeToString())


def test_onnx_test_data_sets_are_joined_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (0, 2, 10):
        folder = tmp_path / f"test_data_set_{number}"
        write_proto(folder / "input_0.pb", np.full((1, 3), number, np.float32), "a")
        write_proto(folder / "input_1.pb", np.full((1, 2), number, np.int32), "b")
    pool = load_pool(tmp_path, [A, B])
    assert pool["a"][:, 0].tolist() == [0, 2, 10]
    assert pool["b"][:, 0].tolist() == [0, 2, 10]


def test_one_data_set_without_names_goes_by_number(tmp_path: Path) -> None:
    write_proto(tmp_path / "input_0.pb", np.ones((1, 3), np.float32))
    write_proto(tmp_path / "input_1.pb", np.zeros((1, 2), np.int32))
    pool = load_pool(tmp_path, [A, B])
    assert pool["a"].shape == (1, 3)
    assert pool["b"].dtype == np.int32


def test_data_sets_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    write_proto(tmp_path / "test_data_set_0" / "input_0.pb", np.ones((1, 3), np.float32), "a")
    write_proto(tmp_path / "test_data_set_1" / "input_0.pb", np.ones((1, 4), np.float32), "a")
    with pytest.raises(UsageError, match="do not fit together"):
        load_pool(tmp_path, [A])


def test_nan_and_infinity_are_refused_and_counted(tmp_path: Path) -> None:
    given = arrays()
    given["a"][0] = [np.nan, np.inf, 1]
    np.savez(tmp_path / "x.npz", **given)
    with pytest.raises(UsageError, match=r"^--load-inputs x\.npz: input 'a' holds 2 NaN or infinite values; remove"):
        load_pool(tmp_path / "x.npz", [A, B])


def test_another_type_of_numbers_says_how_to_convert_them(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((2, 3)))
    with pytest.raises(UsageError, match=r'seen float64 \[2, 3\]; convert it with \.astype\("float32"\)'):
        load_pool(tmp_path / "x.npy", [A])
    np.save(tmp_path / "x.npy", np.ones((2, 4)))
    with pytest.raises(UsageError) as caught:
        load_pool(tmp_path / "x.npy", [A])
    assert "astype" not in str(caught.value)
