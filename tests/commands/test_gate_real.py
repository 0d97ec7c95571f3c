"""The whole gate with executed workers on a small hand-made net; what each verdict means, and its opposite."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import cli
from bench.check.gate_store import load_gate

pytestmark = pytest.mark.slow
QUICK = ("--metric", "latency,agreement,size")


def net(path: Path, scale: float = 1.0) -> None:
    """Three convolutions, faster with ONNX Runtime's own layout than without it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    nodes, weights, last = [], [], "x"
    for number, (wide, out) in enumerate([(3, 32), (32, 32), (32, 8)]):
        values = random.standard_normal((out, wide, 3, 3)) * scale / np.sqrt(9 * wide)
        weights.append(numpy_helper.from_array(values.astype(np.float32), f"w{number}"))
        nodes.append(helper.make_node("Conv", [last, f"w{number}"], [f"c{number}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"y{number}"]))
        last = f"y{number}"
    shapes = ["n", 3, 32, 32], ["n", 8, 32, 32]
    tensors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in zip(("x", last), shapes, strict=True)
    ]
    graph = helper.make_graph(nodes, "net", tensors[:1], tensors[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``net.onnx``, ``other/net.onnx`` with 3 % greater weights, and ``b``, a bundle of the first."""
    folder = tmp_path_factory.mktemp("gate")
    (folder / "other").mkdir()
    net(folder / "net.onnx")
    net(folder / "other/net.onnx", scale=1.03)
    assert cli.run_cli(["bundle", f"{folder}/net.onnx", "-e", "cpu", "-o", f"{folder}/b"]) == 0
    return folder


@pytest.fixture
def there(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def gate(out: Path, *arguments: str) -> tuple[int, dict[str, str]]:
    code = cli.run_cli(["gate", *QUICK, "-o", str(out), *arguments])
    return code, {one.metric: one.answer for one in load_gate(out).judged}


def test_the_same_on_both_sides_passes(there: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answers = gate(tmp_path / "g", "--baseline", "b", "net.onnx", "--delta", "30%")
    assert (code, set(answers.values())) == (0, {"PASS"})
    captured = capsys.readouterr()
    assert captured.out.startswith("PASS: net.onnx | onnxruntime-cpu | batch 1 | threads 1: ")
    assert captured.err.count("pair 5 ") == 1


def test_a_slower_head_is_regressed_and_the_same_sides_exchanged_pass(there: Path, tmp_path: Path) -> None:
    fast, slow = "onnxruntime-cpu", "onnxruntime-cpu:optimization=off"
    code, answers = gate(tmp_path / "g", "--baseline", fast, "--head", slow, "net.onnx")
    assert (code, answers) == (4, {"latency": "REGRESSED", "agreement": "PASS", "size": "PASS"})
    code, answers = gate(tmp_path / "h", "--baseline", slow, "--head", fast, "net.onnx")
    assert (code, answers["latency"]) == (0, "PASS")


def test_a_head_that_computes_something_else_disagrees(there: Path, tmp_path: Path) -> None:
    code, answers = gate(tmp_path / "g", "--baseline", "b", "other/net.onnx", "--delta", "30%")
    assert (code, answers["agreement"]) == (3, "DISAGREES")


def test_a_head_without_its_device_has_failed_and_a_baseline_without_it_is_not_comparable(
    there: Path, tmp_path: Path
) -> None:
    code, answers = gate(tmp_path / "g", "--baseline", "b", "--head", "cuda", "net.onnx")
    assert (code, set(answers.values())) == (6, {"FAILED"})
    code, answers = gate(tmp_path / "h", "--baseline", "cuda", "--head", "cpu", "net.onnx")
    assert (code, set(answers.values())) == (5, {"NOT COMPARABLE"})


@pytest.mark.parametrize(
    ("flags", "expected"), [((), 5), (("--inconclusive", "pass"), 0), (("--inconclusive", "fail"), 4)]
)
def test_a_case_that_is_gone_is_never_silently_green(
    flags: Any, expected: int, there: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answers = gate(tmp_path / "g", "--baseline", "b", "net.onnx", "-b", "2", *flags)
    assert (code, set(answers.values())) == (expected, {"NOT COMPARABLE"})
    out = capsys.readouterr().out
    assert "gone: head has batch 2 in the place of batch 1" in " ".join(out.split())
    assert "new in head, not gated: net.onnx | onnxruntime-cpu | batch 2" in " ".join(out.split())


def test_too_little_time_is_no_verdict(there: Path, tmp_path: Path) -> None:
    code, answers = gate(tmp_path / "g", "--baseline", "b", "net.onnx", "--time-limit", "0.001")
    assert (code, answers["latency"]) == (5, "INCONCLUSIVE")


def test_other_inputs_are_not_comparable(there: Path, tmp_path: Path) -> None:
    code, answers = gate(tmp_path / "g", "--baseline", "b", "net.onnx", "-S", "3")
    assert (code, set(answers.values())) == (5, {"NOT COMPARABLE"})


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_was_measured_before_an_interruption_is_judged_and_kept(
    number: int, code: int, there: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "bench.cli", "gate", "--baseline", "b", "--head", "b", "-o", str(tmp_path / "g")]
    child = subprocess.Popen(
        [*command, "--delta", "0.1%", "--beta", "0.01%", "--max-pairs", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert child.stderr is not None
    assert child.stdout is not None
    for line in child.stderr:
        if "pair 2 " in line:
            break
    child.send_signal(number)
    out = child.stdout.read()
    child.stderr.read()
    assert child.wait() == code
    assert out.startswith("INTERRUPTED, so far INCONCLUSIVE: ")
    assert len(load_gate(tmp_path / "g").pairs) >= 2
