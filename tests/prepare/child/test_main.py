"""The real child: its answer, its end with its parent, and what it makes of exceptions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from bench.errors import UsageError
from bench.prepare.messages import ChildAnswer, ChildRequest
from bench.prepare.prepare import prepare_model
from bench.records import ModelSpec, Prepared, PrepareSettings
from bench.specs import parse_model

pytestmark = pytest.mark.slow

OPTIONS = {"alpha": "0.25", "resolution": "32", "classes": "10"}
KINDS = Path(__file__).with_name("model_kinds.py")
PARENT = """
import sys
from pathlib import Path
from bench.prepare.launch import run_child
from bench.prepare.messages import ChildRequest
from bench.records import PrepareSettings
from bench.specs import parse_model
import os
request = ChildRequest(parent=os.getpid(), specs=(parse_model(sys.argv[2]),), settings=PrepareSettings())
run_child(Path(sys.argv[1]), request, lambda stage: print(stage, flush=True))
"""


def test_two_children_make_the_same_files_and_a_cached_answer_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ModelSpec(text="keras", kind="keras", name="MobileNet", display="net", options=OPTIONS)
    made: list[Prepared] = []
    stages: list[str] = []
    for cache in ("one", "two", "two"):
        monkeypatch.setenv("BENCH_CACHE", str(tmp_path / cache))
        made.append(prepare_model(spec, PrepareSettings(), on_stage=stages.append))
    digests = [
        (m.model_digest, m.pool.digest, {kind: artifact.digest for kind, artifact in m.artifacts.items()}) for m in made
    ]
    assert digests[0] == digests[1] == digests[2]
    assert made[0].failures == {}
    assert set(made[0].stages_ns) == {
        "import",
        "load",
        "weights",
        "truth",
        "export saved_model",
        "export onnx",
        "hazards",
        "store",
    }
    assert made[2].stages_ns == {}
    assert stages == [*made[0].stages_ns, *made[1].stages_ns]


def test_a_killed_parent_takes_the_child_with_it(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), f"{KINDS}:sequential"], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "import\n"
    (child,) = psutil.Process(parent.pid).children()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    child.wait(timeout=30)
    assert not child.is_running()


def test_a_child_whose_parent_is_another_ends_at_once(tmp_path: Path) -> None:
    request = ChildRequest(parent=1, specs=(), settings=PrepareSettings())
    (tmp_path / "request.json").write_bytes(msgspec.json.encode(request))
    done = subprocess.run([sys.executable, "-m", "bench.prepare.child.main", str(tmp_path)], check=False, timeout=60)
    assert done.returncode == 1
    assert not (tmp_path / "stages").exists()


def test_a_users_mistake_is_an_answer_without_a_traceback(tmp_path: Path) -> None:
    error = answer_to(tmp_path, f"{KINDS}:functional:wide=3").error
    assert error is not None
    assert error.kind == "option"
    assert "it has width" in error.text
    assert "Traceback" not in error.text


def test_a_mistake_in_the_models_own_call_is_the_users(tmp_path: Path) -> None:
    error = answer_to(tmp_path, f"{KINDS}:broken", input_shapes={"x": (1, 4)}).error
    assert error is not None
    assert error.kind == "usage"
    assert "calling the model: AttributeError: " in error.text
    assert "no attribute 'nope'" in error.text


def test_a_bug_of_ours_is_an_answer_with_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.prepare.child import pipeline

    monkeypatch.setattr(pipeline, "trace", lambda _: 1 // 0)
    error = answer_to(tmp_path, f"{KINDS}:functional").error
    assert error is not None
    assert error.kind == "bug"
    assert "Traceback" in error.text
    assert "ZeroDivisionError" in error.text


def answer_to(folder: Path, text: str, **settings: Any) -> ChildAnswer:
    """The child's answer, made in this process."""
    from bench.prepare.child.main import answer

    request = ChildRequest(parent=os.getppid(), specs=(parse_model(text),), settings=PrepareSettings(**settings))
    return answer(request, folder)


def test_a_usage_error_of_the_real_child_is_raised_by_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    (tmp_path / "net.py").write_text("def build(width=1):\n    return width\n")
    with pytest.raises(UsageError, match=r"gave int, expected a keras\.Model"):
        prepare_model(parse_model(str(tmp_path / "net.py")), PrepareSettings())
