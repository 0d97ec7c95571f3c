"""The power of the check on real files: what is caught, what no check could see, what a sloppy tolerance lets pass."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.commands.verify_power import measure_power
from bench.errors import UsageError
from bench.flags import Flags
from bench.prepare import power, tasks
from bench.prepare.power import PowerRequest
from bench.progress import Silent
from command_fakes import Heard


def write_net(path: Path, *, kernel_scale: float = 1.0, dead: bool = False) -> Path:
    """Three layers of eight; with ``dead`` the middle kernel is multiplied by 0, so that its faults change nothing."""
    rng = np.random.default_rng(0)
    weights = {f"k{n}": kernel_scale * rng.normal(0, 0.5, (8, 8)) for n in (1, 2, 3)}
    weights |= {"bias": rng.normal(0, 1, 8), "zero": np.array(0.0)}
    nodes = [
        helper.make_node("MatMul", ["x", "k1"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "k2"], ["c"]),
        helper.make_node("Mul", ["c", "zero"] if dead else ["c", "c"], ["d"]),
        helper.make_node("Add", ["d", "b"], ["e"]),
        helper.make_node("MatMul", ["e", "k3"], ["f"]),
        helper.make_node("Add", ["f", "bias"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 8])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def measured(flags: Flags, *, as_json: bool = True) -> tuple[int, Heard]:
    heard = Heard()
    code = measure_power(flags, suite_file=None, as_json=as_json, console=heard.console, progress=Silent())
    return code, heard


pytestmark = pytest.mark.slow


def test_every_wrong_file_of_a_bare_onnx_file_is_called_out_and_said_first(tmp_path: Path) -> None:
    code, heard = measured(Flags(model=(str(write_net(tmp_path / "net.onnx")),)), as_json=False)
    first, header = heard.text.splitlines()[:2]
    assert code == 0
    assert first.startswith("net.onnx: the check calls out ")
    assert "on these very inputs; the correct file agrees exactly" in first
    assert header.split() == ["fault", "error", "over", "tolerance"]
    assert any(line.startswith("one kernel times 1.01 ") for line in heard.text.splitlines())


def test_a_sloppy_tolerance_visibly_misses_faults(tmp_path: Path) -> None:
    flags = Flags(model=(str(write_net(tmp_path / "net.onnx")),), atol=("0.3",))
    code, heard = measured(flags)
    (record,) = json.loads(heard.text)
    missed = {file["fault"] for file in record["files"] if file["outcome"] == "missed"}
    assert code == 5
    assert {"one kernel times 1.01", "weights through float16"} <= missed
    assert record["called_out"] + len(missed) == record["scored"]
    assert f"{len(missed)} would pass for correct" in record["sentence"]


def test_faults_behind_a_zero_are_equivalent_and_not_scored(tmp_path: Path) -> None:
    code, heard = measured(Flags(model=(str(write_net(tmp_path / "net.onnx", dead=True)),)))
    (record,) = json.loads(heard.text)
    same = {file["fault"] for file in record["files"] if file["outcome"] == "equivalent"}
    assert code == 0
    assert "one kernel times 1.01" in same
    assert "last kernel times 1.01" not in same


def test_where_outputs_do_not_depend_on_the_input_it_says_that_nothing_could_have_failed(tmp_path: Path) -> None:
    code, heard = measured(Flags(model=(str(write_net(tmp_path / "net.onnx", kernel_scale=0.0)),)), as_json=False)
    assert code == 5
    assert heard.text.startswith("net.onnx: the check could not have failed: y: the truth is the same for every input")


def test_several_models_are_told_each_and_the_stronger_exit_code_wins(tmp_path: Path) -> None:
    good, flat = write_net(tmp_path / "good.onnx"), write_net(tmp_path / "flat.onnx", kernel_scale=0.0)
    code, heard = measured(Flags(model=(str(good), str(flat))))
    assert [(one["model"], one["exit_code"]) for one in json.loads(heard.text)] == [("good.onnx", 0), ("flat.onnx", 5)]
    assert code == 5


def test_a_runtime_is_refused_as_wrong_files_do_not_depend_on_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave -e out"):
        measured(Flags(model=(str(tmp_path / "net.onnx"),), runtime=("openvino",)))


def test_many_outputs_are_made_by_several_children_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = tasks.run_task

    def few_bytes(task: str, request: PowerRequest, *rest: object, **options: object) -> object:
        asked.append(request.start)
        small = PowerRequest(artifact=request.artifact, pool=request.pool, start=request.start, most_bytes=5_000)
        return real(task, small, *rest, **options)  # type: ignore[arg-type]

    flags = Flags(model=(str(write_net(tmp_path / "net.onnx")),))
    whole = json.loads(measured(flags)[1].text)
    monkeypatch.setattr(power, "run_task", few_bytes)
    assert json.loads(measured(flags)[1].text) == whole
    assert len(asked) > 1
    assert asked[0] == 0
