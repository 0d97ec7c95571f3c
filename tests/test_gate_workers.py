"""Whole gates with real workers on a one-op model: nothing is left behind on any way out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper

from bench.cases import make_arm
from bench.check.bundle import write_bundle
from bench.check.gate_store import load_gate
from bench.check.records import GateSettings, Judged, Pair
from bench.environments.pinned import own_pins
from bench.gating import gate_bundles
from bench.measure.launch import ProcessLauncher, make_folder
from bench.measure.rounds import Arm
from bench.prepare.arrays import save_arrays
from bench.prepare.digests import artifact_digest
from bench.progress import Silent
from bench.records import Opened, Prepared
from gate_fakes import artifact, bundle, bundled, prepared, replace

pytestmark = pytest.mark.slow
BOTH = ("latency", "agreement")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of y = x + x on this environment's ONNX Runtime."""
    place = tmp_path_factory.mktemp("bundles")
    net = _net(place)
    case = replace(bundled(), case=replace(bundled().case, runtime=replace(bundled().case.runtime, version=None)))
    arm = make_arm(case.case, net, {"net": {"x": (8, 4)}})
    assert isinstance(arm, Arm)
    worker = ProcessLauncher(place / "run").start()
    opened = worker.ask(arm.request, 60)
    worker.close()
    assert isinstance(opened, Opened)
    real = replace(case, info=opened.info, pins=own_pins("onnxruntime"))
    write_bundle(place / "bundle", bundle(real, models={"net": net}), {})
    return place / "bundle"


def _net(place: Path) -> Prepared:
    (place / "onnx").mkdir()
    path = place / "onnx" / "model.onnx"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "g", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    values = np.random.default_rng(0).random((8, 4), np.float32)
    return prepared(
        artifacts={"onnx": artifact(str(path), artifact_digest(path), path.stat().st_size)},
        pool=save_arrays(place / "inputs.npz", {"x": values}),
        truth_file=save_arrays(place / "truth.npz", {"y": 2 * values.astype(np.float64)}),
    )


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary ones and a lock of our own: other runs on this machine are not waited for."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    monkeypatch.setattr("bench.measure.lock.LOCK", tmp_path / "lock")
    return place


def run(folder: Path, out: Path | None = None, watcher: Any = None, **settings: Any) -> Any:
    fields: dict[str, Any] = {"max_pairs": 8, "metrics": BOTH}
    return gate_bundles(
        folder,
        folder,
        GateSettings(**(fields | settings)),
        out=out,
        command="bench gate",
        progress=Silent(),
        watcher=watcher,
    )


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "worker.py" in " ".join(child.cmdline())]


def test_a_thing_against_itself_is_measured_judged_and_stored(folder: Path, temporary: Path, tmp_path: Path) -> None:
    result = run(folder, tmp_path / "gate", metrics=("latency", "load", "rss_peak", "size", "agreement"), max_pairs=9)
    assert result.exit_code in (0, 5), result.judged
    assert len(result.pairs) >= 5
    answers = {one.metric: one.answer for one in result.judged}
    assert answers["size"] == answers["agreement"] == answers["rss_peak"] == "PASS"
    assert {pair.head.status for pair in result.pairs} == {pair.baseline.status for pair in result.pairs} == {"ok"}
    assert result.settings.seed != 0
    assert load_gate(tmp_path / "gate") == result
    assert {path.name for path in (tmp_path / "gate").iterdir()} >= {"gate.json", "samples.parquet"}
    assert list(temporary.iterdir()) == []
    assert children() == []


def test_an_error_in_the_watcher_leaves_neither_worker_nor_folder(folder: Path, temporary: Path) -> None:
    class Broken:
        def pair_done(self, pair: Pair, judged: Sequence[Judged]) -> None:
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        run(folder, watcher=Broken())
    assert list(temporary.iterdir()) == []
    assert children() == []


def test_an_error_between_turns_leaves_neither_worker_nor_folder(folder: Path, temporary: Path) -> None:
    """While both workers are alive and stopped."""
    seen: list[list[str]] = []

    class Broken(Silent):
        def advance(self, n: float = 1, detail: str = "") -> None:
            if detail.startswith("round 2"):
                seen.append([child.status() for child in children()])
                raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        gate_bundles(folder, folder, GateSettings(), out=None, command="", progress=Broken())
    assert seen == [[psutil.STATUS_STOPPED] * 2]
    assert list(temporary.iterdir()) == []
    assert children() == []


def test_workers_that_do_not_answer_in_time_are_ended_and_told(folder: Path, temporary: Path) -> None:
    result = run(folder, answer_limit_s=0.001)
    assert result.exit_code == 6
    assert result.judged[0].reason.startswith("head timeout in 2 of 2 pairs: no answer to 'open' within 0.001 s")
    assert list(temporary.iterdir()) == []
    assert children() == []


PARENT = """
import sys, tempfile
from pathlib import Path
import bench.measure.lock
from bench.check.records import GateSettings
from bench.gating import gate_bundles
from bench.progress import Silent
folder, temporary, out = map(Path, sys.argv[1:])
bench.measure.lock.LOCK = temporary.parent / "lock"
tempfile.tempdir = str(temporary)
class Telling(Silent):
    def advance(self, n=1, detail=""):
        if "round" in detail or n:
            sys.stdout.write(detail + "\\n")
            sys.stdout.flush()
result = gate_bundles(folder, folder, GateSettings(max_pairs=16, min_rounds=2000), out=out, command="bench gate",
    progress=Telling())
sys.exit(result.exit_code)
"""


def parent(folder: Path, temporary: Path, out: Path, *until: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A gate in a process of its own that has come to the last of ``until``, one after the other; with its workers."""
    started = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), str(temporary), str(out)], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    for words in until:
        next(line for line in started.stdout if words in line)
    workers = psutil.Process(started.pid).children(recursive=True)
    assert len(workers) == 2
    return started, workers


def gone(workers: list[psutil.Process]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130)])
def test_ctrl_c_keeps_what_was_measured_and_leaves_nothing(
    folder: Path, temporary: Path, tmp_path: Path, number: int, code: int
) -> None:
    started, workers = parent(folder, temporary, tmp_path / "gate", "round 3 of")
    os.kill(started.pid, number)
    assert started.communicate(timeout=60)[0] is not None
    assert started.returncode == code
    assert gone(workers)
    assert list(temporary.iterdir()) == []
    stored = load_gate(tmp_path / "gate")
    assert stored.exit_code == code
    assert [one.reason.endswith("interrupted") for one in stored.judged] == [True, True]


def test_a_killed_parent_takes_its_workers_along_and_the_next_run_sweeps_its_folder(
    folder: Path, temporary: Path, tmp_path: Path
) -> None:
    started, workers = parent(folder, temporary, tmp_path / "gate", "round 3 of")
    started.kill()
    started.communicate(timeout=60)
    assert gone(workers)
    (left,) = temporary.iterdir()
    made = make_folder()
    assert not left.exists()
    assert list(temporary.iterdir()) == [made]


def test_a_killed_gate_leaves_the_pairs_that_it_had_undecided(folder: Path, temporary: Path, tmp_path: Path) -> None:
    started, workers = parent(folder, temporary, tmp_path / "gate", "pair 1 ", "round 3 of")
    started.kill()
    started.communicate(timeout=60)
    assert gone(workers)
    stored = load_gate(tmp_path / "gate")
    assert [one.number for one in stored.pairs] == [0]
    assert (stored.exit_code, stored.judged[0].answer) == (143, "INCONCLUSIVE")
    assert stored.judged[0].reason == "1 pair, a verdict takes 5 or more: the gate was ended before its verdict"
    shutil.rmtree(next(temporary.iterdir()))
