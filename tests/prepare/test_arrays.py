from __future__ import annotations

import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from bench.errors import BenchError
from bench.prepare.arrays import Array, arrays_digest, load_arrays, save_arrays
from bench.records import ArrayFile


def test_arrays_come_back_with_names_dtypes_and_values(tmp_path: Path) -> None:
    arrays: dict[str, Array] = {
        "file": np.arange(6, dtype=np.float32).reshape(2, 3),
        "nested/name.npz": np.array([[True], [False]]),
        "ids": np.array([7, -1], np.int64),
    }
    file = save_arrays(tmp_path / "a.npz", arrays)
    loaded = load_arrays(file)
    assert file.items == 2
    assert set(loaded) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_bfloat16_is_stored_as_uint16_and_comes_back_as_bfloat16(tmp_path: Path) -> None:
    array = np.array([[1.5], [-2.0]], ml_dtypes.bfloat16)
    file = save_arrays(tmp_path / "a.npz", {"x": array})
    with np.load(file.path, allow_pickle=False) as raw:
        assert raw["x"].dtype == np.uint16
    assert load_arrays(file)["x"].dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(load_arrays(file)["x"].astype(np.float32), [[1.5], [-2.0]])


def test_a_changed_file_is_refused_by_its_digest(tmp_path: Path) -> None:
    file = save_arrays(tmp_path / "a.npz", {"x": np.zeros((1, 2))})
    save_arrays(tmp_path / "a.npz", {"x": np.ones((1, 2))})
    with pytest.raises(BenchError, match="digest"):
        load_arrays(file)
    assert load_arrays(Path(file.path))["x"].sum() == 2


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"<html>"])
def test_a_damaged_file_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(BenchError, match=r"expected an \.npz of numbers"):
        load_arrays(tmp_path / "a.npz")


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="reading arrays"):
        load_arrays(tmp_path / "none.npz")


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{"a": 1}], object))
    with pytest.raises(BenchError):
        load_arrays(tmp_path / "a.npz")


def test_a_single_array_is_not_a_set_of_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(BenchError):
        load_arrays(tmp_path / "a.npy")


@pytest.mark.parametrize(
    "arrays",
    [{}, {"x": np.float32(1).reshape(())}, {"x": np.zeros((2, 1)), "y": np.zeros((3, 1))}, {"x": np.array(["text"])}],
)
def test_what_has_no_items_or_no_numbers_is_refused_and_leaves_no_file(
    tmp_path: Path, arrays: dict[str, Array]
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message differs, the kind does not
        save_arrays(tmp_path / "a.npz", arrays)
    assert list(tmp_path.iterdir()) == []


def test_the_digest_tells_name_dtype_shape_and_value_apart_and_ignores_order() -> None:
    x, y = np.arange(4, dtype=np.int32), np.zeros(4, np.int32)
    digest = arrays_digest({"x": x, "y": y})
    assert digest == arrays_digest({"y": y, "x": x})
    others: list[dict[str, Array]] = [
        {"x": x, "z": y},
        {"x": x, "y": y.astype(np.uint32)},
        {"x": x.reshape(2, 2), "y": y},
        {"x": y, "y": x},
    ]
    assert digest not in {arrays_digest(other) for other in others}


def test_the_digest_does_not_depend_on_memory_layout_or_byte_order() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert arrays_digest({"x": array}) == arrays_digest({"x": np.asfortranarray(array)})
    assert arrays_digest({"x": array}) == arrays_digest({"x": array.astype(">f4")})


def test_the_same_arrays_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_arrays(tmp_path / name, {"x": np.ones((2, 2))})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert zipfile.ZipFile(tmp_path / "a").namelist() == ["x.npy"]


@given(
    array=arrays_of.arrays(
        st.sampled_from(["f4", "f8", "f2", "i8", "u1", "?"]), arrays_of.array_shapes(min_dims=1, max_side=3)
    )
)
def test_file_to_arrays_is_the_inverse_of_arrays_to_file(
    tmp_path_factory: pytest.TempPathFactory, array: Array
) -> None:
    file = save_arrays(tmp_path_factory.mktemp("law") / "a.npz", {"x": array})
    assert isinstance(file, ArrayFile)
    assert load_arrays(file)["x"].tobytes() == array.tobytes()
