from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.environments import uv
from bench.environments.uv import Finished, find_uv, last_words, run_child, uv_environment
from bench.errors import UnavailableError

NO_SOLUTION = """error: No solution found when resolving dependencies
  cause: Because onnxruntime==1.20.1 depends on numpy>=1.21.6 and you require onnxruntime==1.20.1, we can conclude.
         And because you require numpy==1.20, we can conclude that your requirements are unsatisfiable.

hint: a hint
"""
NO_NETWORK = """error: Request failed after 3 retries in 5.3s
  cause: Failed to fetch: https://user:secret@index.invalid/simple/numpy/
  cause: tcp connect error
  cause: Connection refused (os error 111)
"""


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_uv_is_the_one_beside_this_interpreter_else_that_of_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "own" / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    with pytest.raises(UnavailableError, match="uv is neither beside this Python nor on PATH; `pip install uv`"):
        find_uv()
    there = executable(tmp_path / "path" / "uv")
    assert find_uv() == str(there)
    own = executable(tmp_path / "own" / "bin" / "uv")
    assert find_uv() == str(own)


def test_uv_keeps_what_the_user_set_but_the_choice_of_an_interpreter() -> None:
    seen = uv_environment({"UV_DEFAULT_INDEX": "i", "UV_OFFLINE": "1", "UV_PYTHON": "3.9", "UV_SYSTEM_PYTHON": "1"})
    assert seen["UV_DEFAULT_INDEX"] == "i"
    assert seen["UV_OFFLINE"] == "1"
    assert seen["UV_PYTHON_DOWNLOADS"] == "never"
    assert not seen.keys() & {"UV_PYTHON", "UV_SYSTEM_PYTHON"}


def say_to_pip(folder: Path, text: str) -> None:
    (folder / "pip.conf").write_text(text)
    uv.pip_configuration.cache_clear()


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Variables under which neither uv nor pip has a configuration of this machine's."""
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    say_to_pip(tmp_path, "")
    places = {"XDG_CONFIG_HOME": str(tmp_path / "home"), "XDG_CONFIG_DIRS": str(tmp_path / "system")}
    for name, value in (places | {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}).items():
        monkeypatch.setenv(name, value)
    yield places
    uv.pip_configuration.cache_clear()


def test_the_index_of_pip_is_passed_on_in_the_environment(
    nowhere: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "UV_DEFAULT_INDEX" not in uv_environment(nowhere)
    say_to_pip(tmp_path, "[global]\nindex-url = https://u:p@file.invalid/simple\n")
    assert uv_environment(nowhere)["UV_DEFAULT_INDEX"] == "https://u:p@file.invalid/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.invalid/simple")
    uv.pip_configuration.cache_clear()
    assert uv_environment(nowhere)["UV_DEFAULT_INDEX"] == "https://variable.invalid/simple"


def test_more_indexes_and_folders_of_wheels_of_pip_are_passed_on_too(
    nowhere: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    text = "[global]\nextra-index-url =\n  https://one.invalid/simple\n  file:///two\n"
    say_to_pip(tmp_path, f"{text}find-links = {wheels} /not/there https://three.invalid/wheels\n")
    seen = uv_environment(nowhere)
    assert seen["UV_INDEX"] == "https://one.invalid/simple file:///two"
    assert seen["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert seen["UV_FIND_LINKS"] == f"{wheels},https://three.invalid/wheels"
    assert "UV_DEFAULT_INDEX" not in seen
    assert uv_environment(nowhere | {"UV_INDEX_STRATEGY": "first-index"})["UV_INDEX_STRATEGY"] == "first-index"
    assert not uv_environment(nowhere | {"UV_INDEX": "i"}).keys() & {"UV_FIND_LINKS", "UV_INDEX_STRATEGY"}
    monkeypatch.setenv("PIP_FIND_LINKS", "wheels")
    uv.pip_configuration.cache_clear()
    monkeypatch.chdir(tmp_path)
    assert uv_environment(nowhere)["UV_FIND_LINKS"] == str(wheels)


def test_one_index_alone_needs_no_strategy(nowhere: dict[str, str], tmp_path: Path) -> None:
    say_to_pip(tmp_path, "[global]\nindex-url = https://file.invalid/simple\n")
    assert not uv_environment(nowhere).keys() & {"UV_INDEX", "UV_INDEX_STRATEGY", "UV_FIND_LINKS"}


def test_limits_on_versions_are_those_of_uv_else_of_pip(nowhere: dict[str, str], tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.txt", tmp_path / "other.txt"
    mine.write_text("")
    other.write_text("")
    assert uv.constraint_flags(nowhere) == []
    say_to_pip(tmp_path, f"[global]\nconstraint = {mine} /not/there\n")
    assert uv.constraint_flags(nowhere) == ["--constraints", str(mine)]
    assert uv.constraint_flags(nowhere | {"UV_CONSTRAINT": str(other)}) == ["--constraints", str(other)]
    assert uv.constraint_flags(nowhere | {"UV_DEFAULT_INDEX": "i"}) == []


def test_without_an_index_pip_is_obeyed_too(nowhere: dict[str, str], tmp_path: Path) -> None:
    assert uv.index_flags(nowhere) == []
    say_to_pip(tmp_path, "[global]\nno-index = true\n")
    assert uv.index_flags(nowhere) == ["--no-index"]
    assert uv.index_flags(nowhere | {"UV_DEFAULT_INDEX": "i"}) == []


@pytest.mark.parametrize("text", ['index-url = "https://x.invalid"', '[[index]]\nurl = "https://x.invalid"'])
def test_an_index_of_uvs_own_configuration_comes_before_that_of_pip(
    nowhere: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.invalid/simple")
    uv.pip_configuration.cache_clear()
    (tmp_path / "home" / "uv").mkdir(parents=True)
    (tmp_path / "home" / "uv" / "uv.toml").write_text("offline = false\n")
    assert "UV_DEFAULT_INDEX" in uv_environment(nowhere)
    (tmp_path / "home" / "uv" / "uv.toml").write_text(text)
    assert "UV_DEFAULT_INDEX" not in uv_environment(nowhere)


def test_its_last_words_are_its_conclusion_in_one_line() -> None:
    assert last_words(Finished(1, "", NO_SOLUTION), 5) == (
        "Because onnxruntime==1.20.1 depends on numpy>=1.21.6 and you require onnxruntime==1.20.1, we can conclude. "
        "And because you require numpy==1.20."
    )


def test_else_they_are_its_last_line_without_any_address() -> None:
    assert last_words(Finished(2, "", NO_NETWORK), 5) == "Connection refused (os error 111)"
    words = last_words(Finished(2, "", "error: Failed to fetch: `https://u:secret@index.invalid/simple/`\n"), 5)
    assert words == "Failed to fetch: `the package index`"
    assert last_words(Finished(None, "", NO_NETWORK), 5) == "no answer within 5 s"
    assert last_words(Finished(3, "", ""), 5) == "exit code 3"
    assert len(last_words(Finished(3, "", "x" * 1000), 5)) == 303


def test_a_child_over_its_limit_is_killed_with_its_children(tmp_path: Path) -> None:
    script = "sleep 100 & echo $! > pid; echo out; wait"
    finished = run_child(["sh", "-c", script], folder=tmp_path, limit_s=0.5, environment=os.environ)
    assert (finished.exit_code, finished.out) == (None, "out\n")
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            return
        time.sleep(0.05)
    pytest.fail("its child is alive")


def test_uv_runs_where_no_project_is_and_leaves_nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = executable(tmp_path / "uv")
    own.write_text("#!/bin/sh\npwd; ls; echo $1\n")
    monkeypatch.setattr(uv, "find_uv", lambda: str(own))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://index.invalid")
    monkeypatch.chdir(tmp_path)
    place, word = uv.run_uv(["x"], limit_s=5).out.split()
    assert word == "x"
    assert Path(place).parent == Path(tempfile.gettempdir()).resolve()
    assert not Path(place).exists()


STARTS = """
import sys
from bench.environments import uv
uv.find_uv = lambda: sys.argv[1]
uv.run_uv([], limit_s=60)
"""


def test_uv_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = executable(tmp_path / "uv")
    script.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 60\n")
    parent = subprocess.Popen([sys.executable, "-c", STARTS, str(script)])
    until(lambda: (tmp_path / "pid").exists())
    child = Path("/proc") / (tmp_path / "pid").read_text().strip()
    assert child.exists()
    parent.kill()
    parent.wait()
    until(lambda: not child.exists() or "Z (zombie)" in (child / "status").read_text())


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
