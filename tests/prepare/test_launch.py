from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from bench.errors import BenchError, OptionError, UnsupportedError, UsageError
from bench.prepare.launch import PrepareBug, child_environment, run_child
from bench.prepare.messages import ChildAnswer, ChildRequest
from bench.records import PrepareSettings

REQUEST = ChildRequest(parent=os.getpid(), specs=(), settings=PrepareSettings())
HEAD = "import os, sys, time, signal\nfolder = sys.argv[1]\n"
ANSWER = "open(folder + '/answer.json', 'w').write('{}')\n"


def ask(folder: Path, body: str, *, time_limit_s: float = 60.0) -> tuple[ChildAnswer, list[str]]:
    """The answer of a child with this body, and the stages that were told."""
    script = folder / "child.py"
    script.write_text(HEAD + body)
    stages: list[str] = []
    answer = run_child(
        folder, REQUEST, stages.append, command=(sys.executable, "-S", str(script)), time_limit_s=time_limit_s
    )
    return answer, stages


def stage(name: str) -> str:
    return f"open(folder + '/stages', 'a').write('{name}\\n')\n"


def test_the_answer_comes_back_and_stages_are_told_in_order(tmp_path: Path) -> None:
    answer, stages = ask(tmp_path, stage("load") + stage("export") + ANSWER)
    assert answer == ChildAnswer()
    assert stages == ["load", "export"]


@pytest.mark.parametrize(
    ("kind", "raised"),
    [("option", OptionError), ("usage", UsageError), ("unsupported", UnsupportedError), ("failed", BenchError)],
)
def test_the_childs_error_is_raised_as_its_kind(tmp_path: Path, kind: str, raised: type[BenchError]) -> None:
    answer = f"""open(folder + '/answer.json', 'w').write('{{"error": {{"kind": "{kind}", "text": "why"}}}}')"""
    with pytest.raises(raised, match="why") as caught:
        ask(tmp_path, answer)
    assert type(caught.value) is raised


def test_a_bug_in_the_child_is_no_state_of_the_world(tmp_path: Path) -> None:
    answer = """open(folder + '/answer.json', 'w').write('{"error": {"kind": "bug", "text": "Traceback of it"}}')"""
    with pytest.raises(PrepareBug, match="Traceback of it") as caught:
        ask(tmp_path, answer)
    assert not isinstance(caught.value, BenchError)


def test_a_child_killed_by_a_signal_says_which_where_and_its_last_words(tmp_path: Path) -> None:
    body = stage("export onnx") + "sys.stderr.write('out of luck\\n'); sys.stderr.flush()\n"
    with pytest.raises(BenchError, match=r"SIGABRT, at export onnx.*\n.*out of luck"):
        ask(tmp_path, body + "os.kill(os.getpid(), signal.SIGABRT)")


def test_what_tensorflow_says_when_it_starts_is_no_childs_last_word(tmp_path: Path) -> None:
    noise = "Could not find cuda drivers\\ncomputation_placer: oneDNN custom operations are on\\n"
    body = f"sys.stderr.write('{noise}out of luck\\n'); sys.stderr.flush()\n"
    with pytest.raises(BenchError, match=r"the end of its output:\nout of luck$"):
        ask(tmp_path, body + "sys.exit(3)")
    with pytest.raises(BenchError, match=r"exit code 3, at start$"):
        ask(tmp_path, body.replace("out of luck\\n", "") + "sys.exit(3)")


def test_a_killed_child_is_asked_about_memory(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"SIGKILL \(is there enough memory\?\), at start"):
        ask(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")


@pytest.mark.parametrize(
    ("body", "says"), [("sys.exit(3)", "ended with exit code 3"), ("", "gave no answer"), (ANSWER + "1/0", "code 1")]
)
def test_a_child_without_an_answer_is_an_error(tmp_path: Path, body: str, says: str) -> None:
    with pytest.raises(BenchError, match=says):
        ask(tmp_path, body)


def test_a_child_over_its_time_limit_is_ended_with_its_own_children(tmp_path: Path) -> None:
    body = "import subprocess\nc = subprocess.Popen(['sleep', '60'])\nopen(folder + '/pid', 'w').write(str(c.pid))\n"
    with pytest.raises(BenchError, match=r"took more than 0\.5 s, at start"):
        ask(tmp_path, body + "time.sleep(60)", time_limit_s=0.5)
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_ctrl_c_ends_the_child(tmp_path: Path) -> None:
    body = "open(folder + '/pid', 'w').write(str(os.getpid()))\ntime.sleep(60)"
    interrupt = threading.Thread(target=interrupt_when_there, args=(tmp_path / "pid",))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        ask(tmp_path, body)
    interrupt.join()
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_output_beyond_a_pipes_capacity_does_not_block(tmp_path: Path) -> None:
    answer, _ = ask(tmp_path, "sys.stdout.write('x' * 300_000); sys.stderr.write('y' * 300_000)\n" + ANSWER)
    assert answer.error is None
    assert (tmp_path / "stdout").stat().st_size == 300_000


def test_the_childs_environment_drops_what_changes_numbers_and_keeps_the_rest() -> None:
    given = {"PATH": "/bin", "TF_ENABLE_ONEDNN_OPTS": "0", "OMP_NUM_THREADS": "1", "XLA_FLAGS": "x", "KERAS_HOME": "k"}
    found = child_environment(given)
    assert found["PATH"] == "/bin"
    assert found["KERAS_HOME"] == "k"
    assert not {"TF_ENABLE_ONEDNN_OPTS", "OMP_NUM_THREADS", "XLA_FLAGS"} & set(found)
    assert found["CUDA_VISIBLE_DEVICES"] == "-1"
    assert found["ORT_DISABLE_TELEMETRY"] == "1"


def interrupt_when_there(file: Path) -> None:
    while not (file.exists() and file.read_text()):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def is_gone(pid: int) -> bool:
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False
