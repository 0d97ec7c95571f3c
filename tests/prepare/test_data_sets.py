"""ONNX's own layout of test data, out: and in again through the readers of prepare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bench.errors import DisagreeError, UnsupportedError, UsageError
from bench.prepare import data_sets
from bench.prepare.arrays import save_arrays
from bench.prepare.data_sets import ExportedData, export_with_data
from bench.prepare.expected import expected_outputs
from bench.prepare.input_files import load_pool
from bench.prepare.tensor_proto import parse_tensor
from bench.records import Failure, ModelSpec, Prepared, PrepareSettings, Tensor
from fakes import artifact
from report_fakes import prepared

A = Tensor(name="a", shape=(None, 2), dtype="float32")
B = Tensor(name="b", shape=(None, 3), dtype="int64")
SUM = Tensor(name="sum", shape=(None, 2), dtype="float32")
WHOLE = Tensor(name="whole", shape=(1, 2), dtype="float32", batched=False)
SPEC = ModelSpec(text="net", kind="zoo", name="net", display="net")
Export = Callable[..., ExportedData]


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Export:
    """Exports what it is told that prepare had made, over the items 0, 1, 2, ... of which ``twice`` come twice."""

    def call(
        inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], items: int = 3, twice: int = 0, **facts: Any
    ) -> ExportedData:
        names = facts.get("names", {})
        numbers = np.array([*range(items), *range(twice)])
        pool = {
            names.get(one.name, one.name): np.stack([np.full(_inner(one), i, one.dtype) for i in numbers])
            for one in inputs
        }
        truth = {
            names.get(one.name, one.name): np.stack([np.full(_inner(one), i + 1 / 3, np.float64) for i in numbers])
            for one in outputs
        }
        (tmp_path / "cached").mkdir(exist_ok=True)
        (tmp_path / "cached/model.onnx").write_bytes(b"graph")
        made = msgspec.structs.replace(
            prepared(),
            artifacts={
                "onnx": artifact(path=str(tmp_path / "cached/model.onnx"), inputs=inputs, outputs=outputs, **facts)
            },
            pool=save_arrays(tmp_path / "pool.npz", pool),
            truth_file=save_arrays(tmp_path / "truth.npz", truth),
        )
        monkeypatch.setattr(data_sets, "prepare_model", lambda *_, **__: made)
        return export_with_data(SPEC, PrepareSettings(), tmp_path / "out")

    return call


def _inner(tensor: Tensor) -> tuple[int, ...]:
    return tuple(axis or 1 for axis in (tensor.shape[1:] if tensor.batched else tensor.shape))


def test_every_item_is_a_set_in_the_order_of_the_file_and_its_types(export: Export, tmp_path: Path) -> None:
    made = export((B, A), (SUM,))
    assert (made.sets, made.truth) == (3, "float64")
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")) == [
        "model.onnx",
        *(f"test_data_set_{n}/{name}.pb" for n in range(3) for name in ("input_0", "input_1", "output_0")),
    ]
    read = [parse_tensor((tmp_path / f"out/test_data_set_2/{name}.pb").read_bytes()) for name in ("input_0", "input_1")]
    assert [(name, array.dtype.name, array.tolist()) for name, array in read] == [
        ("b", "int64", [[2, 2, 2]]),
        ("a", "float32", [[2.0, 2.0]]),
    ]
    name, array = parse_tensor((tmp_path / "out/test_data_set_2/output_0.pb").read_bytes())
    assert (name, array.dtype.name, array.shape) == ("sum", "float32", (1, 2))
    assert array[0, 0] == np.float32(2 + 1 / 3)


def test_what_is_written_is_read_as_inputs_and_truth(export: Export, tmp_path: Path) -> None:
    export((A, B), (SUM, WHOLE), items=4)
    pool = load_pool(tmp_path / "out", (A, B))
    assert pool["a"][:, 0].tolist() == [0, 1, 2, 3]
    assert pool["b"].shape == (4, 3)
    truth = expected_outputs(str(tmp_path / "out"), (SUM, WHOLE), 4)
    assert truth is not None
    assert truth["sum"][:, 0].tolist() == [np.float32(i + 1 / 3) for i in range(4)]
    assert truth["whole"].shape == (4, 1, 2)


def test_an_input_that_comes_twice_is_one_set(export: Export) -> None:
    assert export((A,), (SUM,), items=3, twice=2).sets == 3


def test_files_have_the_files_names_and_the_models_numbers(export: Export, tmp_path: Path) -> None:
    export((A,), (SUM,), names={"a": "image", "sum": "scores"})
    name, array = parse_tensor((tmp_path / "out/test_data_set_1/input_0.pb").read_bytes())
    assert (name, array[0, 0]) == ("a", 1)


def test_a_fixed_batch_is_filled(export: Export, tmp_path: Path) -> None:
    fixed = [msgspec.structs.replace(one, shape=(2, 2)) for one in (A, SUM)]
    assert export((fixed[0],), (fixed[1],), items=3).sets == 2
    first, last = (parse_tensor((tmp_path / f"out/test_data_set_{n}/input_0.pb").read_bytes())[1] for n in (0, 1))
    assert (first[:, 0].tolist(), last[:, 0].tolist()) == ([0, 1], [2, 0])


def test_a_fixed_batch_beside_a_tensor_without_one_is_refused_and_leaves_nothing(
    export: Export, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedError, match="not every tensor has one"):
        export((msgspec.structs.replace(A, shape=(2, 2)),), (WHOLE,))
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_folder_with_something_in_it_is_refused(export: Export, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert export((A,), (SUM,)).sets == 3
    with pytest.raises(UsageError, match="something is there already; name another folder"):
        export((A,), (SUM,))


def test_a_model_without_a_right_file_gets_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Failure(status="failed", reason="off by 0.1", verdict="disagrees")
    made: Prepared = msgspec.structs.replace(prepared(), artifacts={}, failures={"onnx": wrong})
    monkeypatch.setattr(data_sets, "prepare_model", lambda *_, **__: made)
    with pytest.raises(DisagreeError, match=r"exporting net: off by 0\.1"):
        export_with_data(SPEC, PrepareSettings(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
