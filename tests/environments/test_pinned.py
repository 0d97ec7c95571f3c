"""With a fake uv: what is asked, kept and told. With the real one: an environment that works, and is mended."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
from pathlib import Path

import pytest

from bench.environments import kept, pinned, store
from bench.environments.facts import FACTS_FILE, LOCK_FILE, pins_in
from bench.environments.pinned import (
    PinnedEnvironment,
    locked_environment,
    made_environment,
    own_pins,
    pinned_environment,
)
from bench.errors import BenchError, UnavailableError, UsageError
from bench.runtimes.probing import probe_all
from bench.runtimes.table import RUNTIMES
from uv_fakes import WORKER_PINS, FakeUv, install_fake_uv, lock_of

LIKE = WORKER_PINS | {"flatbuffers": "25.0"}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    return install_fake_uv(tmp_path, monkeypatch)


def ignore(_: str) -> None:
    pass


def ask(version: str = "1.30.0", like: dict[str, str] = LIKE, told: list[str] | None = None) -> PinnedEnvironment:
    return pinned_environment([f"onnxruntime=={version}"], like=like, on_stage=([] if told is None else told).append)


def test_an_environment_is_named_by_its_lock_and_this_interpreter(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0", {"flatbuffers": "25.0"})
    told: list[str] = []
    made = ask(told=told)
    assert made.pins == LIKE | {"onnxruntime": "1.30.0"}
    assert made.lock == lock_of(made.pins)
    assert made.key == store.key_of(made.lock)
    assert Path(made.prefix) == store.environments_folder() / made.key
    assert told[:2] == [
        "resolving an environment with onnxruntime 1.30.0",
        "installing 5 packages for an environment with onnxruntime 1.30.0",
    ]
    assert told[2].startswith("the environment with onnxruntime 1.30.0 is ready: ")
    assert len(told) == 3
    assert fake.verbs() == ["compile", "venv", "install"]


def test_another_interpreter_has_another_key(fake: FakeUv, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store.key_of("lock")
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    assert store.key_of("lock") != before


def test_nothing_but_wheels_with_hashes_and_no_address_is_asked_for(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0")
    ask()
    compiled, made, installed = fake.asked()
    assert "--generate-hashes --no-header --no-annotate --only-binary :all: --no-emit-index-url" in compiled
    assert "--relocatable" in made
    assert "--require-hashes --only-binary :all:" in installed


def test_the_same_question_is_answered_without_uv(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0")
    before = ask()
    assert ask() == before
    assert fake.verbs() == ["compile", "venv", "install"]
    assert locked_environment(before.lock, on_stage=ignore) == before
    assert fake.verbs() == ["compile", "venv", "install"]


def test_other_pins_are_another_question_and_the_same_lock_the_same_environment(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0")
    assert ask().key == ask(like=LIKE | {"six": "1.0"}).key
    assert fake.verbs() == ["compile", "venv", "install", "compile"]


def test_pins_that_cannot_be_had_are_freed_all_but_the_workers_needs_first(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0", {"flatbuffers": "26.0"}, clashes={"flatbuffers": "25.0"})
    told: list[str] = []
    made = ask(told=told)
    assert made.pins["flatbuffers"] == "26.0"
    assert "onnxruntime 1.30.0 can't be had with flatbuffers 25.0: its environment has flatbuffers 26.0" in told
    assert fake.verbs() == ["compile", "compile", "venv", "install"]


def test_then_every_pin_is_freed(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0", {"numpy": "1.26.0"}, clashes={"numpy": "2.4.0"})
    assert ask().pins["numpy"] == "1.26.0"
    assert fake.verbs() == ["compile", "compile", "compile", "venv", "install"]


def test_the_pin_of_the_distribution_itself_is_not_held(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0", clashes={"onnxruntime": "1.32.0"})
    assert ask(like=LIKE | {"onnxruntime": "1.32.0"}).pins["onnxruntime"] == "1.30.0"
    assert fake.verbs()[:2] == ["compile", "venv"]


def test_without_pins_a_workers_needs_are_as_here(fake: FakeUv) -> None:
    here = own_pins("numpy")["numpy"]
    fake.knows("onnxruntime", "1.30.0", {"numpy": "1.26.0"}, clashes={"numpy": here})
    assert ask(like={}).pins["numpy"] == "1.26.0"
    assert fake.verbs().count("compile") == 3


def test_a_version_that_there_is_not_is_unavailable_with_uvs_reason(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0")
    with pytest.raises(UnavailableError) as caught:
        ask("9.9.9")
    assert str(caught.value).startswith(
        "making an environment with onnxruntime 9.9.9: Because there is no version of onnxruntime==9.9.9 and you "
        "require onnxruntime==9.9.9"
    )
    assert "name a version that has wheels for Python" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ask("1.30.0").pins["onnxruntime"] == "1.30.0"


def test_a_requirement_without_a_version_is_resolved_and_stays_locked(fake: FakeUv) -> None:
    fake.knows("onnxruntime-directml", "1.24.0")
    made = pinned_environment(["onnxruntime-directml"], like={}, on_stage=ignore)
    assert made.pins["onnxruntime-directml"] == "1.24.0"
    fake.fails("compile", 2, "error: none\n")
    assert pinned_environment(["onnxruntime-directml"], like={}, on_stage=ignore).key == made.key


def test_an_environment_is_found_only_once_it_is_made(fake: FakeUv) -> None:
    fake.knows("openvino", "2026.4.1")
    assert made_environment(["openvino==2026.4.1"], like={}) is None
    made = pinned_environment(["openvino==2026.4.1"], like={}, on_stage=ignore)
    assert made_environment(["openvino==2026.4.1"], like={}) == made
    assert made_environment(["openvino==2026.2"], like={}) is None
    kept.remove_environments([made.key])
    assert made_environment(["openvino==2026.4.1"], like={}) is None


def test_facts_are_kept_beside_the_lock_and_an_older_environment_has_fewer(fake: FakeUv) -> None:
    fake.knows("openvino", "2026.4.1")
    made = pinned_environment(["openvino==2026.4.1"], like={}, on_stage=ignore)
    assert made.facts.packages == 4
    assert made.facts.build_s is not None
    again = locked_environment(made.lock, on_stage=ignore)
    assert again.facts == made.facts
    Path(made.prefix, FACTS_FILE).unlink()
    older = locked_environment(made.lock, on_stage=ignore).facts
    assert (older.requirements, older.build_s, older.packages) == ((), None, 4)
    asked = pinned_environment(["openvino==2026.4.1"], like={}, on_stage=ignore).facts
    assert (asked.requirements, asked.build_s) == (("openvino==2026.4.1",), None)


def test_without_a_network_nothing_is_tried_twice(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0")
    fake.fails("compile", 2, "error: Failed to fetch: `https://index.invalid/simple/`\n  cause: Connection refused\n")
    with pytest.raises(UnavailableError, match=r"1\.30\.0: Connection refused; see that the package index can be"):
        ask()
    assert fake.verbs() == ["compile"]


def test_a_failed_installation_leaves_nothing_and_can_be_tried_again(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0")
    fake.fails("install", 1, "error: Hash mismatch for `numpy==2.4.0`\n")
    with pytest.raises(UnavailableError, match="uv could not install it: Hash mismatch"):
        ask()
    assert kept.kept_environments() == []
    fake.works()
    assert ask().pins["numpy"] == "2.4.0"


@pytest.mark.parametrize("text", ["onnxruntime==", "onnxruntime 1.0", "numpy\n-e .", "-e .", "--index-url=https://x"])
def test_what_is_no_requirement_is_never_asked_for(fake: FakeUv, text: str) -> None:
    with pytest.raises(BenchError, match="is no requirement such as name==1"):
        pinned_environment([text], like=LIKE, on_stage=ignore)
    assert fake.verbs() == []


def test_a_requirement_with_an_address_is_never_asked_for(fake: FakeUv) -> None:
    with pytest.raises(BenchError, match="names an address"):
        pinned_environment(["numpy @ https://elsewhere.invalid/numpy.whl"], like=LIKE, on_stage=ignore)
    assert fake.verbs() == []


def test_a_pin_that_is_no_version_is_never_asked_for(fake: FakeUv) -> None:
    with pytest.raises(BenchError, match="is no version"):
        ask(like={"numpy": "1.0\n--index-url https://elsewhere.invalid"})
    assert fake.verbs() == []


def test_a_text_that_is_no_lock_is_never_installed(fake: FakeUv) -> None:
    with pytest.raises(BenchError, match="expected name==version with hashes"):
        locked_environment("--index-url https://elsewhere.invalid\nnumpy==1.0\n", on_stage=ignore)
    assert fake.verbs() == []


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        ("rm bin/python", "its interpreter can't be started: No such file or directory"),
        ("printf '#!/bin/sh\\nexit 3\\n' > bin/python", "its interpreter fails: exit code 3"),
        ("sed -i s/2.4.0/2.4.1/ answer.json", "numpy is 2.4.1, not 2.4.0"),
        ("sed -i s/numpy/scipy/ answer.json", "numpy is missing, not 2.4.0"),
        ("""sed -i 's/"damaged": ../"damaged": ["a.so"]/' answer.json""", "1 files are not as installed, such as a.so"),
        ("""sed -i 's|"base": "[^"]*"|"base": "/other"|' answer.json""", "it belongs to another Python"),
    ],
)
def test_a_damaged_environment_is_made_again(fake: FakeUv, harm: str, why: str) -> None:
    fake.knows("onnxruntime", "1.30.0")
    made = ask()
    subprocess.run(["sh", "-c", harm], cwd=made.prefix, check=True)
    told: list[str] = []
    assert ask(told=told).key == made.key
    assert len(told) == 4
    assert told[1].startswith(f"making the environment with onnxruntime 1.30.0 again: {why}")
    assert fake.verbs() == ["compile", "venv", "install", "venv", "install"]
    assert ask().key == made.key
    assert len(fake.verbs()) == 5


def test_an_environment_that_is_not_its_lock_is_no_environment(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0")
    fake.has_another_python()
    with pytest.raises(BenchError, match=r"be used: it belongs to another Python.*uv cache clean"):
        ask()


def test_a_kept_resolution_that_cannot_be_read_is_made_again(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0")
    made = ask()
    (resolved,) = store.environments_folder().glob("resolved-*.txt")
    resolved.write_text("numpy==")
    assert ask().key == made.key
    assert fake.verbs().count("compile") == 2


def test_who_comes_second_waits_and_takes_what_the_first_made(fake: FakeUv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_POLL_S", 0.01)
    fake.knows("onnxruntime", "1.30.0")
    made = ask()
    told: list[str] = []
    answers: list[PinnedEnvironment] = []
    fd = os.open(store.environments_folder() / ".lock", os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    second = threading.Thread(target=lambda: answers.append(ask(told=told)))
    second.start()
    while "waiting for another process that makes an environment" not in told:
        assert second.is_alive()
    assert answers == []
    os.close(fd)
    second.join()
    assert answers == [made]


def test_waiting_ends(fake: FakeUv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WAIT_LIMIT_S", 0.0)
    fake.knows("onnxruntime", "1.30.0")
    ask()
    fd = os.open(store.environments_folder() / ".lock", os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        with pytest.raises(UnavailableError, match="another process has been at one for 0 s"):
            ask()
    finally:
        os.close(fd)


def test_a_cache_that_cannot_be_used_names_the_variable(fake: FakeUv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", "/proc/nope")
    with pytest.raises(UsageError, match=r"cache folder /proc/nope: .*set BENCH_CACHE"):
        ask()


def test_kept_environments_are_listed_with_their_size_and_cleared(fake: FakeUv) -> None:
    assert kept.kept_environments() == []
    assert kept.clear_environments() == 0
    fake.knows("onnxruntime", "1.30.0")
    made = ask()
    (one,) = kept.kept_environments()
    assert (one.key, one.pins, one.path) == (made.key, made.pins, made.prefix)
    assert one.size_bytes > 0
    (Path(made.prefix) / LOCK_FILE).write_text("nonsense")
    assert kept.kept_environments()[0].pins == {}
    assert kept.clear_environments() > 0
    assert not store.environments_folder().exists()
    assert ask().key == made.key


def test_what_an_environment_holds_is_read_from_it(fake: FakeUv, tmp_path: Path) -> None:
    fake.knows("onnxruntime", "1.30.0")
    made = ask()
    assert pins_in(Path(made.prefix)) == made.pins
    assert pins_in(tmp_path) is None


def test_own_pins_follow_dependencies_and_know_what_is_not_installed() -> None:
    pins = own_pins("onnxruntime")
    assert {"onnxruntime", "numpy", "msgspec", "psutil", "flatbuffers"} <= pins.keys()
    assert "tensorflow" not in pins
    assert own_pins("no-such-distribution") == {}


@pytest.mark.slow
def test_a_real_environment_runs_its_own_version_and_is_mended() -> None:
    told: list[str] = []
    made = pinned_environment(["onnxruntime==1.30.0"], like=own_pins("onnxruntime"), on_stage=told.append)
    own = own_pins("onnxruntime")
    assert made.pins == own | {"onnxruntime": "1.30.0"}
    assert "://" not in made.lock
    assert str(store.environments_folder()) not in made.lock
    binary = next(Path(made.prefix).glob("lib/*/site-packages/onnxruntime/capi/*.so*"))
    binary.unlink()  # a hard link to the cache of uv: never write into it
    binary.write_bytes(b"damaged")
    told.clear()
    assert locked_environment(made.lock, on_stage=told.append).key == made.key
    assert "1 files are not as installed, such as onnxruntime/capi/" in told[0]
    assert binary.stat().st_size > 10**5
    code = "import onnxruntime, sys; print(onnxruntime.__version__, sys.prefix)"
    answer = subprocess.run(
        [f"{made.prefix}/bin/python", "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout.split() == ["1.30.0", made.prefix]


@pytest.mark.slow
def test_a_project_around_the_cache_has_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = '[project]\nname = "x"\nversion = "1"\n[tool.uv]\nconstraint-dependencies = ["numpy<2.4"]\n'
    (tmp_path / "pyproject.toml").write_text(f"{project}[tool.uv.pip]\nemit-index-url = true\n")
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    own = own_pins("numpy")
    made = pinned_environment(["packaging==25.0"], like=own, on_stage=ignore)
    assert made.pins == own | {"packaging": "25.0"}
    assert "://" not in made.lock


@pytest.mark.slow
def test_a_real_version_that_there_is_not_says_so() -> None:
    with pytest.raises(UnavailableError, match=r"there is no version of onnxruntime==1\.30\.99"):
        pinned_environment(["onnxruntime==1.30.99"], like=own_pins("onnxruntime"), on_stage=ignore)
    assert pinned.WORKER_NEEDS == ("numpy", "msgspec", "psutil")


@pytest.mark.slow
def test_the_environment_of_a_runtime_is_made_for_real_and_its_probe_answers_from_it() -> None:
    made = pinned_environment(RUNTIMES["openvino"].requirements, like={}, on_stage=ignore)
    assert made.facts.packages == len(made.pins) >= 4
    assert made.facts.size_bytes > 10**8
    [openvino] = probe_all(["openvino"])
    assert (openvino.state, openvino.environment) == ("usable", made.key)
    assert openvino.version == made.pins["openvino"]
    assert openvino.evidence["openvino"] == made.pins["openvino"]
