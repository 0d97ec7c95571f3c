"""Which arms get an environment of their own, and what becomes of those that can't have one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cases import Group, make_case
from bench.environments.pinned import own_pins
from bench.errors import UsageError
from bench.measure.rounds import Arm
from bench.pinning import Pinner
from bench.progress import Silent
from bench.records import ModelSpec
from bench.specs import parse_runtime
from fakes import open_request
from uv_fakes import FakeUv, install_fake_uv

OWN = own_pins("onnxruntime")
INSTALLED = OWN["onnxruntime"]
MODEL = ModelSpec(text="m", kind="zoo", name="m", display="m")


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    made = install_fake_uv(tmp_path, monkeypatch)
    made.knows("onnxruntime", "1.30.0", OWN)
    return made


def group(*runtimes: str) -> Group:
    cases = tuple(make_case(MODEL, parse_runtime(text), 1, 1) for text in runtimes)
    return Group(number=0, model="m", cases=cases, arms=tuple(Arm(case=c, request=open_request()) for c in cases))


def placed(*runtimes: str) -> tuple[Group, Pinner, Notes]:
    told = Notes()
    pinner = Pinner(told)
    return pinner.place([group(*runtimes)])[0], pinner, told


def test_no_version_and_the_installed_one_run_here(fake: FakeUv) -> None:
    one, pinner, _ = placed("onnxruntime-cpu", f"onnxruntime-cpu@{INSTALLED}")
    assert one == group("onnxruntime-cpu", f"onnxruntime-cpu@{INSTALLED}")
    assert pinner.environments == {}
    assert fake.verbs() == []


def test_another_version_runs_in_an_environment_and_must_be_found_there(fake: FakeUv) -> None:
    one, pinner, told = placed("onnxruntime-cpu@1.30.0", "onnxruntime-cpu")
    pinned, here = one.arms
    assert pinned.environment == pinned.request.prefix
    assert pinned.request.expected_version == "1.30.0"
    assert Path(pinned.request.prefix, "bin", "python").exists()
    assert here.environment is None
    assert pinner.environments == {"onnxruntime-cpu@1.30.0": OWN | {"onnxruntime": "1.30.0"}}
    assert told.notes == []


def test_a_version_is_made_once_for_all_of_its_cases(fake: FakeUv) -> None:
    one, pinner, _ = placed("onnxruntime-cpu@1.30.0#a", "onnxruntime-cpu@1.30.0:arena=off#b")
    assert one.arms[0].environment == one.arms[1].environment
    assert fake.verbs() == ["compile", "venv", "install"]
    assert len(pinner.environments) == 2


def test_a_version_that_cannot_be_had_is_refused_and_the_others_go_on(fake: FakeUv) -> None:
    one, _, told = placed("onnxruntime-cpu@9.9.9", "onnxruntime-cpu@1.30.0")
    assert [arm.case.runtime.version for arm in one.arms] == ["1.30.0"]
    (refused,) = one.refused
    assert refused.case_id == one.cases[0].case_id
    assert refused.status == "unavailable"
    assert refused.reason.startswith("making an environment with onnxruntime 9.9.9: Because there is no version")
    assert told.notes == [f"onnxruntime-cpu@9.9.9: {refused.reason}"]


def test_what_moved_beside_the_runtime_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = install_fake_uv(tmp_path, monkeypatch)
    fake.knows("onnxruntime", "1.20.1", OWN | {"numpy": "1.26.0"}, clashes={"numpy": OWN["numpy"]})
    _, _, told = placed("onnxruntime-cpu@1.20.1")
    assert told.notes == [
        f"onnxruntime-cpu@1.20.1 runs in an environment with numpy 1.26.0 (here {OWN['numpy']}): "
        "the difference is of all of it"
    ]


def test_a_plugin_beside_onnxruntime_is_no_single_version(fake: FakeUv) -> None:
    one, _, _ = placed("onnxruntime-webgpu@1.30.0")
    assert one.refused[0].status == "unavailable"
    assert "leave @VERSION out" in one.refused[0].reason
    assert fake.verbs() == []


def test_a_cache_that_cannot_be_used_ends_it(fake: FakeUv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", "/proc/nope")
    with pytest.raises(UsageError, match="set BENCH_CACHE"):
        placed("onnxruntime-cpu@1.30.0")
