"""Real workers on a real one-op model: stopped while idle, ended on every way out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper

from bench.children import child_environment
from bench.measure.launch import ProcessLauncher, make_folder
from bench.measure.machine import oom_kills
from bench.measure.process import ProcessWorker, WorkerDiedError
from bench.prepare.arrays import load_arrays, save_arrays
from bench.records import (
    FirstDone,
    FirstRequest,
    Opened,
    OpenRequest,
    OutputsDone,
    OutputsRequest,
    Turn,
    TurnRequest,
    WarmRequest,
)
from fakes import artifact, open_request


@pytest.fixture(scope="module")
def request_to_open(tmp_path_factory: pytest.TempPathFactory) -> OpenRequest:
    folder = tmp_path_factory.mktemp("model")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    pool = save_arrays(folder / "pool.npz", {"x": np.arange(32, dtype="float32").reshape(8, 4)})
    return msgspec.structs.replace(
        open_request(), artifact=artifact(path=str(folder / "model.onnx")), pool=pool, prefix=sys.prefix
    )


@pytest.fixture
def launcher(tmp_path: Path) -> ProcessLauncher:
    return ProcessLauncher(tmp_path)


@pytest.fixture
def worker(launcher: ProcessLauncher, request_to_open: OpenRequest) -> Iterator[ProcessWorker]:
    worker = launcher.start()
    assert isinstance(worker.ask(request_to_open, 60), Opened)
    yield worker
    worker.close()


def state(pid: int) -> str:
    return str(psutil.Process(pid).status())


def test_a_worker_is_stopped_while_it_is_idle(worker: ProcessWorker) -> None:
    assert state(worker.pid) == psutil.STATUS_STOPPED
    worker.ask(FirstRequest(), 60)
    assert state(worker.pid) == psutil.STATUS_STOPPED


def test_a_closed_worker_is_gone_and_closing_twice_is_fine(worker: ProcessWorker) -> None:
    worker.close()
    worker.close()
    assert not psutil.pid_exists(worker.pid)


def test_the_ledgers_grow_from_stage_to_stage(launcher: ProcessLauncher, request_to_open: OpenRequest) -> None:
    worker = launcher.start()
    opened = worker.ask(request_to_open, 60)
    first = worker.ask(FirstRequest(), 60)
    worker.close()
    assert isinstance(opened, Opened)
    assert isinstance(first, FirstDone)
    assert opened.import_ns > 0
    assert opened.load_ns > 0
    assert opened.memory_start.rss_bytes < opened.memory_import.rss_bytes < opened.memory_load.rss_bytes
    assert opened.info.runtime_version == "1.32.0"
    assert opened.thread_count == 1


def test_a_turn_is_one_switch_call_and_the_timed_calls(worker: ProcessWorker) -> None:
    worker.ask(FirstRequest(), 60)
    turn = worker.ask(TurnRequest(round=2, calls=3), 60)
    assert isinstance(turn, Turn)
    assert (turn.round, len(turn.latencies_ns)) == (2, 3)
    assert turn.switch_ns is not None
    assert turn.input_index == 1  # the first call had feed 0
    assert turn.wall_ns >= sum(turn.latencies_ns)


def test_warm_up_takes_the_count_it_is_given(worker: ProcessWorker) -> None:
    warm = worker.ask(WarmRequest(calls=7), 60)
    assert isinstance(warm, Turn)
    assert len(warm.latencies_ns) == 7
    until_steady = worker.ask(WarmRequest(), 60)
    assert isinstance(until_steady, Turn)
    assert 6 <= len(until_steady.latencies_ns) <= 50
    assert until_steady.steady is not None


@pytest.mark.parametrize("batch", [1, 3, 8, 20])
def test_outputs_come_as_passes_over_the_pool(
    launcher: ProcessLauncher, request_to_open: OpenRequest, tmp_path: Path, batch: int
) -> None:
    settings = request_to_open.settings
    tensor = msgspec.structs.replace(settings.inputs[0], shape=(batch, 4))
    settings = msgspec.structs.replace(settings, batch_size=batch, inputs=(tensor,))
    worker = launcher.start()
    worker.ask(msgspec.structs.replace(request_to_open, settings=settings), 60)
    done = worker.ask(OutputsRequest(path=str(tmp_path / "out.npz")), 60)
    worker.close()
    assert isinstance(done, OutputsDone)
    y, x = load_arrays(done.file)["y"], load_arrays(request_to_open.pool)["x"]
    passes = {1: 1, 3: 1, 8: 2, 20: 5}[batch]
    assert np.array_equal(y, np.concatenate([2 * x] * passes))


def test_two_runs_give_the_same_words_of_a_worker_that_could_not_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    reasons = []
    for _ in range(2):
        folder = make_folder()
        code = f"import sys; sys.exit('x' * 560 + ' no file {folder}/worker-1.npz')"
        worker = ProcessWorker([sys.executable, "-c", code], child_environment(os.environ), folder / "log")
        with pytest.raises(WorkerDiedError) as death:
            worker.ask(FirstRequest(), 60)
        reasons.append(death.value.reason)
        folder.rename(tmp_path / f"onnx-crossbench-another-{len(reasons)}")
    assert reasons[0] == reasons[1]
    assert reasons[0].endswith("x no file TMP/worker-1.npz")


def test_a_killed_worker_is_told_by_its_signal(worker: ProcessWorker) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="died of SIGKILL") as death:
        worker.ask(FirstRequest(), 60)
    assert death.value.status == "crashed"
    assert not psutil.pid_exists(worker.pid)


def test_a_worker_killed_for_memory_is_told_as_such(worker: ProcessWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    kills = oom_kills()
    monkeypatch.setattr("bench.measure.process.oom_kills", lambda: kills + 1)
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="lack of memory") as death:
        worker.ask(FirstRequest(), 60)
    assert death.value.status == "oom"


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_worker_that_dies_between_its_answer_and_its_stop_is_told_at_the_next_question(
    worker: ProcessWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = worker._stop

    def killed_first() -> None:
        os.kill(worker.pid, signal.SIGKILL)
        before()

    monkeypatch.setattr(worker, "_stop", killed_first)
    worker.ask(FirstRequest(), 60)
    with pytest.raises(WorkerDiedError, match="died of SIGKILL"):
        worker.ask(FirstRequest(), 60)


def test_no_pipe_is_left_open_by_a_worker_that_died_while_idle(
    launcher: ProcessLauncher, request_to_open: OpenRequest
) -> None:
    before = open_files()
    for _ in range(2):
        worker = launcher.start()
        worker.ask(request_to_open, 60)
        os.kill(worker.pid, signal.SIGKILL)
        worker.close()
    assert open_files() == before


def test_an_interpreter_that_is_not_there_is_a_dead_worker_and_leaves_no_pipe(launcher: ProcessLauncher) -> None:
    before = open_files()
    with pytest.raises(WorkerDiedError, match="starting the worker: No such file") as death:
        launcher.start(Path("/nowhere"))
    assert death.value.status == "failed"
    assert open_files() == before


def test_folders_of_killed_runs_are_removed_and_those_of_live_ones_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "onnx-crossbench-999999999-dead").mkdir()
    alive = tmp_path / f"onnx-crossbench-{os.getpid()}-alive"
    alive.mkdir()
    made = make_folder()
    assert {path.name for path in tmp_path.iterdir()} == {alive.name, made.name}


def test_an_exception_in_a_worker_is_its_reason(launcher: ProcessLauncher, request_to_open: OpenRequest) -> None:
    worker = launcher.start()
    missing = msgspec.structs.replace(request_to_open.artifact, path="/nowhere/model.onnx")
    with pytest.raises(WorkerDiedError, match=r"model\.onnx") as death:
        worker.ask(msgspec.structs.replace(request_to_open, artifact=missing), 60)
    assert death.value.status == "failed"
    assert not psutil.pid_exists(worker.pid)


def test_a_worker_that_does_not_answer_in_time_is_ended(worker: ProcessWorker) -> None:
    with pytest.raises(WorkerDiedError, match="raise --time-limit") as death:
        worker.ask(TurnRequest(round=0, calls=10**7), 0.2)
    assert death.value.status == "timeout"
    assert not psutil.pid_exists(worker.pid)


def test_a_runtime_of_another_version_or_place_is_refused(
    launcher: ProcessLauncher, request_to_open: OpenRequest, tmp_path: Path
) -> None:
    for change, expected in (
        ({"expected_version": "1.0.0"}, "1.0.0 asked for"),
        ({"prefix": str(tmp_path)}, "outside"),
    ):
        worker = launcher.start()
        with pytest.raises(WorkerDiedError, match=expected) as death:
            worker.ask(msgspec.structs.replace(request_to_open, **change), 60)
        assert death.value.status == "failed"


def test_nothing_that_changes_threads_or_speed_reaches_a_worker() -> None:
    outside = {
        "PATH": "p",
        "ORT_INTRA_OP_NUM_THREADS": "7",
        "OMP_NUM_THREADS": "7",
        "TF_XLA_FLAGS": "x",
        "PYTHONPATH": "y",
    }
    inside = child_environment(outside)
    assert inside["PATH"] == "p"
    assert inside["ORT_DISABLE_TELEMETRY"] == "1"
    assert not set(inside) & (set(outside) - {"PATH"})


PARENT = """
import sys, time
from pathlib import Path
import msgspec
from bench.measure.launch import ProcessLauncher
from bench.records import OpenRequest
request = msgspec.json.decode(sys.stdin.read(), type=OpenRequest)
workers = [ProcessLauncher(Path(sys.argv[1])).start() for _ in range(2)]
workers[0].ask(request, 60)
print(*[worker.pid for worker in workers], flush=True)
time.sleep(60)
"""


def test_workers_end_with_a_killed_parent_also_while_stopped(request_to_open: OpenRequest, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(msgspec.json.encode(request_to_open).decode())
    parent.stdin.close()
    stopped, idle = map(int, parent.stdout.readline().split())
    assert state(stopped) == psutil.STATUS_STOPPED
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (running(stopped) or running(idle)):
        time.sleep(0.05)
    assert not running(stopped)
    assert not running(idle)


def running(pid: int) -> bool:
    return psutil.pid_exists(pid) and state(pid) != psutil.STATUS_ZOMBIE


def test_a_worker_and_all_its_threads_are_held_to_the_cpus_that_it_is_given(
    launcher: ProcessLauncher, request_to_open: OpenRequest
) -> None:
    ours = os.sched_getaffinity(0)
    last = max(ours)
    settings = msgspec.structs.replace(request_to_open.settings, threads=2)
    worker = launcher.start()
    worker.ask(msgspec.structs.replace(request_to_open, cpus=(last,), settings=settings), 60)
    threads = [int(path.name) for path in Path(f"/proc/{worker.pid}/task").iterdir()]
    held = [os.sched_getaffinity(thread) for thread in threads]
    worker.close()
    assert held == [{last}] * len(threads)
    assert os.sched_getaffinity(0) == ours


def test_cpus_that_are_not_there_are_the_workers_failure(
    launcher: ProcessLauncher, request_to_open: OpenRequest
) -> None:
    worker = launcher.start()
    with pytest.raises(WorkerDiedError, match="Invalid argument") as death:
        worker.ask(msgspec.structs.replace(request_to_open, cpus=(1023,)), 60)
    assert death.value.status == "failed"


def test_a_planted_wait_makes_every_call_longer(launcher: ProcessLauncher, request_to_open: OpenRequest) -> None:
    """By a hundredfold of its own time, which no other load makes of the least of 50 calls."""
    least = []
    for busy in (0.0, 100.0):
        worker = launcher.start()
        worker.ask(msgspec.structs.replace(request_to_open, busy=busy), 60)
        turn = worker.ask(TurnRequest(round=0, calls=50), 60)
        worker.close()
        assert isinstance(turn, Turn)
        least.append(min(turn.latencies_ns))
    assert least[1] > 10 * least[0]
