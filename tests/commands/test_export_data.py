"""``bench export --test-data`` and back: by ``bench verify``, and by ONNX's own test runner."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.cli import run_cli
from bench.errors import EXIT_CASE_FAILED, EXIT_DISAGREE, EXIT_OK, EXIT_USAGE
from bench.prepare.tensor_proto import parse_tensor, tensor_bytes

Verify = Callable[..., tuple[int, dict[str, Any]]]

ONNX_RUNNER = """
import sys, unittest
import onnxruntime.backend
from onnx.backend.test import BackendTest
from onnx.backend.test.case.test_case import TestCase

case = TestCase(name="test_ours", model_name="ours", url=None, model_dir=sys.argv[1], model=None, data_sets=None,
                kind="simple", rtol=1e-3, atol=1e-5)
runner = BackendTest(onnxruntime.backend, "ours")
runner._add_model_test(case, "Simple")
runner.include("test_ours_cpu")
done = unittest.TextTestRunner().run(runner.test_suite)
print(done.testsRun - len(done.skipped), "run,", len(done.failures) + len(done.errors), "failed")
"""
NODES = """
import sys
from pathlib import Path
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

for case in collect_testcases(None):
    if case.name not in sys.argv[2:]:
        continue
    folder = Path(sys.argv[1]) / case.name
    ((inputs, outputs),) = case.data_sets
    (folder / "test_data_set_0").mkdir(parents=True)
    onnx.save(case.model, folder / "model.onnx")
    for what, arrays, told in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
        for place, (array, tensor) in enumerate(zip(arrays, told)):
            path = folder / "test_data_set_0" / f"{what}_{place}.pb"
            path.write_bytes(numpy_helper.from_array(array, tensor.name).SerializeToString())
"""


def test_two_ways_to_export_are_refused_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["export", "article_cnn", "-o", "x", "--test-data", "--all-exporters"]) == EXIT_USAGE
    assert "leave --all-exporters out" in capsys.readouterr().err


def test_without_a_folder_it_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["export", "article_cnn", "--test-data"]) == EXIT_USAGE
    assert "with -o DIR" in capsys.readouterr().err


def test_a_files_name_in_the_place_of_the_folders_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made" / "m.onnx"
    assert run_cli(["export", "article_cnn", "-o", str(out), "--test-data"]) == EXIT_USAGE
    (said,) = capsys.readouterr().err.splitlines()
    assert said.endswith(
        f"-o {out}: with --test-data this is the folder of model.onnx and its data, such as -o {out.parent / 'm'}"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "net"
    assert run_cli(["export", "mobilenet_v1:alpha=0.25,resolution=128", "-o", str(folder), "--test-data"]) == EXIT_OK
    return folder


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Exit code and JSON of ``bench verify``; it measures nothing, so it need not wait for others that do."""
    monkeypatch.setattr("bench.measure.lock.LOCK", tmp_path / "lock")

    def call(model: Path, *more: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = run_cli(["verify", str(model), "-e", "cpu", "--json", *more])
        return code, json.loads(capsys.readouterr().out)

    return call


def by_onnx(folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", ONNX_RUNNER, folder], capture_output=True, text=True, timeout=300)
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.slow
def test_verify_and_onnx_itself_find_the_stored_outputs_and_see_a_changed_one(exported: Path, verify: Verify) -> None:
    code, told = verify(exported / "model.onnx")
    assert code == EXIT_OK
    assert "stored outputs" in json.dumps(told)
    assert by_onnx(exported) == "1 run, 0 failed"
    changed = exported / "test_data_set_3" / "output_0.pb"
    kept = changed.read_bytes()
    name, array = parse_tensor(kept)
    array[0, 7] += array.std()
    changed.write_bytes(tensor_bytes(name, array))
    try:
        assert verify(exported / "model.onnx")[0] == EXIT_DISAGREE
        assert by_onnx(exported) == "1 run, 1 failed"
    finally:
        changed.write_bytes(kept)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("test_basic_conv_with_padding", EXIT_OK, "agrees"),  # two inputs, batch 1
        ("test_matmul_2d", EXIT_OK, "agrees"),  # no batch axis
        ("test_relu", EXIT_CASE_FAILED, "fixed at 3, 1 was asked for; use -b 3"),
        ("test_split_equal_parts_1d_opset18", EXIT_CASE_FAILED, "its outputs do not have the batch in front"),
    ],
)
def test_official_examples_are_verified_or_say_why_not(
    name: str, code: int, said: str, verify: Verify, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-c", NODES, tmp_path, name], check=True, capture_output=True, timeout=300)
    found, told = verify(tmp_path / name / "model.onnx")
    assert found == code
    assert said in json.dumps(told)
