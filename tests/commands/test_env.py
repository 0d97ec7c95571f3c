from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.check import history_otava
from bench.commands.env import build_environments, list_environments, remove_environments
from bench.environments.facts import FACTS_FILE
from bench.environments.kept import kept_environments
from bench.environments.pinned import pinned_environment
from bench.errors import EXIT_CASE_FAILED, EXIT_OK, UsageError
from bench.measure import lock
from bench.progress import Silent
from command_fakes import Heard
from uv_fakes import FakeUv, install_fake_uv


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    made = install_fake_uv(tmp_path, monkeypatch)
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock")
    made.knows("openvino", "2026.4.1")
    made.knows("openvino", "2026.2.0")
    made.knows("onnxruntime-ep-webgpu", "0.4.0", {"onnxruntime": "1.32.0"})
    made.knows("onnxruntime", "1.30.0", {"flatbuffers": "25.0"})
    return made


def build(*names: str) -> tuple[int, Heard]:
    heard = Heard()
    return build_environments(names, console=heard.console, progress=Silent()), heard


def remove(*names: str) -> Heard:
    heard = Heard()
    assert remove_environments(names, console=heard.console) == EXIT_OK
    return heard


def left() -> list[str]:
    heard = Heard()
    list_environments(as_json=True, console=heard.console)
    return sorted(name for one in json.loads(heard.text) for name in one["runtimes"])


def test_what_was_built_is_told_with_its_packages_and_size(fake: FakeUv) -> None:
    code, heard = build("ov", "webgpu")
    assert code == EXIT_OK
    first, second = heard.out
    assert first.startswith("openvino: environment ")
    assert " from openvino==2026.4.1: 4 packages, " in first
    assert ", made in " in first
    assert " from onnxruntime==1.32.0, onnxruntime-ep-webgpu==0.4.0: 5 packages, " in second


def test_building_twice_makes_it_once(fake: FakeUv) -> None:
    assert build("openvino")[1].text == build("openvino")[1].text
    assert fake.verbs() == ["compile", "venv", "install"]


def test_one_that_cannot_be_made_is_exit_6_and_the_others_are_made(fake: FakeUv) -> None:
    code, heard = build("openvino@9.9", "coreml", "openvino")
    assert code == EXIT_CASE_FAILED
    assert [line.split(":")[0] for line in heard.err] == ["openvino@9.9", "onnxruntime-coreml"]
    assert heard.err[1].endswith("not on Linux, only on macOS")
    assert left() == ["openvino"]


def test_what_lives_in_the_environment_of_bench_needs_none(fake: FakeUv) -> None:
    code, heard = build("cpu")
    assert (code, fake.verbs()) == (EXIT_OK, [])
    assert "it runs in the environment of bench" in heard.text


def test_a_name_that_there_is_not_is_told_before_anything_is_made(fake: FakeUv) -> None:
    with pytest.raises(UsageError, match="unknown runtime 'nope'"):
        build("openvino", "nope")
    assert fake.verbs() == []


def test_the_list_names_runtimes_sizes_and_what_they_were_made_from(fake: FakeUv) -> None:
    build("openvino", "openvino@2026.2", "webgpu", "cpu@1.30.0")
    heard = Heard()
    assert list_environments(as_json=False, console=heard.console) == EXIT_OK
    lines = heard.text.splitlines()
    assert lines[0].split()[:2] == ["runtime", "key"]
    named = {line.split()[0]: line.split()[-1] for line in lines[1:-1]}
    assert named == {
        "openvino": "openvino==2026.4.1",
        "openvino@2026.2.0": "openvino==2026.2",
        "onnxruntime-webgpu": "onnxruntime-ep-webgpu==0.4.0",
        "onnxruntime-cpu@1.30.0": "onnxruntime==1.30.0",
    }
    assert lines[-1].startswith("4 environments, ")


def test_one_made_before_facts_were_kept_is_named_by_what_it_holds(fake: FakeUv) -> None:
    build("cpu@1.30.0")
    Path(kept_environments()[0].path, FACTS_FILE).unlink()
    heard = Heard()
    list_environments(as_json=False, console=heard.console)
    line = heard.text.splitlines()[1].split()
    assert (line[0], line[2], line[-1]) == ("onnxruntime-cpu@1.30.0", "5", "-")


@pytest.mark.parametrize("called", ["apache-otava", "Apache_Otava", "apache-otava@0.8"])
def test_the_environment_of_a_tool_of_bench_is_listed_and_removed_by_its_name(fake: FakeUv, called: str) -> None:
    fake.knows("apache-otava", "0.8.0", {"scipy": "1.13.1"})
    pinned_environment(history_otava.REQUIREMENTS, like={}, on_stage=lambda _: None)
    heard = Heard()
    list_environments(as_json=False, console=heard.console)
    assert heard.text.splitlines()[1].split()[0] == "apache-otava"
    assert remove(called).out[0].startswith("removed apache-otava (")
    assert kept_environments() == []


def test_another_version_of_a_tool_is_not_the_one_that_is_there(fake: FakeUv) -> None:
    fake.knows("apache-otava", "0.8.0")
    pinned_environment(history_otava.REQUIREMENTS, like={}, on_stage=lambda _: None)
    with pytest.raises(UsageError, match=r"there are: apache-otava \("):
        remove("apache-otava@0.7")


@pytest.mark.parametrize(
    ("names", "rest"),
    [
        (["openvino"], ["onnxruntime-cpu@1.30.0"]),
        (["ov@2026.2"], ["onnxruntime-cpu@1.30.0", "openvino"]),
        (["openvino@2026.4.1"], ["onnxruntime-cpu@1.30.0", "openvino@2026.2.0"]),
        (["cpu", "openvino"], []),
        (["all"], []),
    ],
)
def test_environments_are_removed_by_name_and_version(fake: FakeUv, names: Sequence[str], rest: Sequence[str]) -> None:
    build("openvino", "openvino@2026.2", "cpu@1.30.0")
    assert remove(*names).out[-1].startswith("freed ")
    assert left() == rest


def test_one_is_removed_by_the_beginning_of_its_key(fake: FakeUv) -> None:
    build("openvino", "cpu@1.30.0")
    key = next(one.key for one in kept_environments() if "openvino" in one.pins)
    assert remove(key[:12]).out[0] == f"removed openvino ({key[:12]})"
    assert left() == ["onnxruntime-cpu@1.30.0"]


@pytest.mark.parametrize("name", ["", "a", "litert", "openvino@2026.3", "nonsense"])
def test_what_is_not_there_lists_what_is_and_nothing_is_removed(fake: FakeUv, name: str) -> None:
    build("openvino")
    with pytest.raises(UsageError, match=rf"remove {name}: no environment is called so; there are: openvino \("):
        remove("openvino", name)
    assert left() == ["openvino"]


def test_a_removed_one_is_resolved_anew(fake: FakeUv) -> None:
    build("openvino", "cpu@1.30.0")
    remove("openvino")
    build("openvino", "cpu@1.30.0")
    assert fake.verbs() == ["compile", "venv", "install"] * 3


def test_removing_waits_for_a_run_that_measures(fake: FakeUv) -> None:
    build("openvino")
    held, heard, order = threading.Event(), Heard(), []

    def measure() -> None:
        with lock.machine_lock(lambda _: None):
            held.set()
            while not heard.err:
                time.sleep(0.01)
            order.append(left())

    run = threading.Thread(target=measure)
    run.start()
    held.wait()
    remove_environments(["all"], console=heard.console)
    run.join()
    assert "waiting for it to end" in heard.err[0]
    assert order == [["openvino"]]
    assert left() == []
