"""A suite becomes a bundle by really running each case once; a case that can't be had is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.bundling import make_bundle
from bench.check.bundle import BUNDLE_FILE, open_bundle
from bench.environments.pinned import own_pins
from bench.errors import BenchError, UnsupportedError, UsageError
from bench.progress import Silent
from bench.records import MeasureSettings, PrepareSettings, Suite
from bench.specs import parse_model, parse_runtimes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """y = x w, of four."""
    weights = numpy_helper.from_array(np.random.default_rng(0).random((4, 4), np.float32), "w")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [weights])
    path = tmp_path_factory.mktemp("model") / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return str(path)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr("bench.measure.lock.LOCK", tmp_path / "lock")


def suite(model: str, *runtimes: str, batch: int = 1) -> Suite:
    spec = parse_model(model)
    return Suite(
        models=(spec,),
        runtimes=parse_runtimes(list(runtimes)),
        batch_sizes={spec.display: (batch,)},
        threads=1,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
    )


def bundle_of(asked: Suite, folder: Path, **changes: Any) -> Any:
    fields: dict[str, Any] = {"origin": "net.onnx", "replacing": False, "progress": Silent()}
    return make_bundle(asked, folder, **(fields | changes))


def test_every_case_is_run_named_and_pinned(model: str, tmp_path: Path) -> None:
    asked = suite(model, "cpu", "cpu:arena=off")
    made = bundle_of(asked, tmp_path / "b", origin=f"{model} at git 1a2b3c4")
    assert open_bundle(tmp_path / "b") == made
    assert [case.name for case in made.cases] == [
        "net.onnx | onnxruntime-cpu | batch 1 | threads 1",
        "net.onnx | onnxruntime-cpu:arena=off | batch 1 | threads 1",
    ]
    pins = own_pins("onnxruntime")
    for case in made.cases:
        assert (case.verdict, case.pins, case.lock) == ("agrees", pins, None)
        assert case.info.runtime_version == case.case.runtime.version == pins["onnxruntime"]
        assert case.info.runtime_file == "__init__.py"
        assert case.artifact_bytes > 0
    assert made.origin == "net.onnx at git 1a2b3c4"
    assert list(made.models["net.onnx"].artifacts) == ["onnx"]
    assert str(Path(model).parent) not in (tmp_path / "b" / BUNDLE_FILE).read_text()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_two_cases_of_one_name_are_refused_before_anything_is_written(model: str, tmp_path: Path) -> None:
    asked = suite(model, "cpu#a", "cpu#b")
    with pytest.raises(UsageError, match="is there twice; label its runtimes"):
        bundle_of(asked, tmp_path / "b", called="runtime")
    assert not (tmp_path / "b").exists()


def test_a_case_that_cannot_be_had_ends_it_or_is_told_where_that_is_asked_for(model: str, tmp_path: Path) -> None:
    asked = suite(model, "cpu", "tensorflow")
    with pytest.raises((BenchError, UnsupportedError), match="bundling"):
        bundle_of(asked, tmp_path / "b")
    assert not (tmp_path / "b").exists()
    made = bundle_of(asked, tmp_path / "b", tolerant=True)
    assert len(made.cases) == 1
    assert list(made.missing) == ["net.onnx | tensorflow | batch 1 | threads 1"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_bundle_that_is_there_is_kept(model: str, tmp_path: Path) -> None:
    bundle_of(suite(model, "cpu"), tmp_path / "b")
    with pytest.raises(UsageError, match="a bundle is there"):
        bundle_of(suite(model, "cpu"), tmp_path / "b")
    bundle_of(suite(model, "cpu"), tmp_path / "b", replacing=True)


def test_cases_of_several_callers_are_left_out_and_nothing_else_is_refused(model: str, tmp_path: Path) -> None:
    asked = suite(model, "onnxruntime-cpu")
    both = bundle_of(msgspec.structs.replace(asked, streams=(1, 2)), tmp_path / "both")
    assert [one.case.streams for one in both.cases] == [1]
    with pytest.raises(UsageError, match="a gate measures one caller"):
        bundle_of(msgspec.structs.replace(asked, streams=(2,)), tmp_path / "none")
