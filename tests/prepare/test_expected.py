"""Test data beside a bare file are its inputs and its truth, where there are enough of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import UsageError
from bench.prepare.expected import expected_outputs, with_data_beside
from bench.prepare.tensor_proto import tensor_bytes
from bench.records import ModelSpec, PrepareSettings, Tensor

Y = Tensor(name="y", shape=(None, 2), dtype="float32")


def write(folder: Path, items: int, sets: int = 1, *, outputs: bool = True) -> None:
    for number in range(sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir(parents=True)
        (data / "input_0.pb").write_bytes(tensor_bytes("x", np.zeros((items, 3), np.float32)))
        if outputs:
            (data / "output_0.pb").write_bytes(tensor_bytes("y", np.full((items, 2), number, np.float32)))


def spec(folder: Path) -> ModelSpec:
    return ModelSpec(text="m", kind="onnx", name="model", display="m", path=str(folder / "model.onnx"))


@pytest.mark.parametrize(("items", "sets"), [(8, 1), (1, 8), (3, 3)])
def test_enough_of_them_are_taken_without_a_flag(tmp_path: Path, items: int, sets: int) -> None:
    write(tmp_path, items, sets)
    assert with_data_beside(spec(tmp_path), PrepareSettings()).load_inputs == str(tmp_path)


def test_few_of_them_or_none_with_outputs_are_left(tmp_path: Path) -> None:
    write(tmp_path / "few", 2)
    write(tmp_path / "blind", 8, outputs=False)
    (tmp_path / "none").mkdir()
    for name in ("few", "blind", "none"):
        assert with_data_beside(spec(tmp_path / name), PrepareSettings()) == PrepareSettings()


def test_a_layout_in_which_one_output_is_gone_is_damaged_and_does_not_pass_for_one_without(tmp_path: Path) -> None:
    write(tmp_path, 1, 8)
    (tmp_path / "test_data_set_3" / "output_0.pb").unlink()
    with pytest.raises(UsageError, match=r"test_data_set_3/output_0\.pb is missing, 1 of 8 sets have no outputs"):
        with_data_beside(spec(tmp_path), PrepareSettings())


def test_a_users_own_inputs_win(tmp_path: Path) -> None:
    write(tmp_path, 8)
    own = PrepareSettings(load_inputs="mine.npz")
    assert with_data_beside(spec(tmp_path), own) == own


def test_outputs_are_joined_in_the_order_of_their_sets(tmp_path: Path) -> None:
    write(tmp_path, 1, 3)
    found = expected_outputs(str(tmp_path), [Y], 3)
    assert found is not None
    assert found["y"].tolist() == [[0, 0], [1, 1], [2, 2]]
    whole = expected_outputs(str(tmp_path), [Tensor(name="y", shape=(1, 2), dtype="float32", batched=False)], 3)
    assert whole is not None
    assert whole["y"].shape == (3, 1, 2)


def test_inputs_without_outputs_have_none(tmp_path: Path) -> None:
    write(tmp_path, 8, outputs=False)
    assert expected_outputs(str(tmp_path), [Y], 8) is None
    assert expected_outputs(None, [Y], 8) is None
    assert expected_outputs(str(tmp_path / "inputs.npz"), [Y], 8) is None


def test_outputs_that_are_not_the_models_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, 8)
    other = Tensor(name="z", shape=(None, 1), dtype="float32")
    with pytest.raises(UsageError, match=r"expected 'y' \[9, 2\], seen \[8, 2\]; 'z' is missing"):
        expected_outputs(str(tmp_path), [Y, other], 9)
