"""Which arms get an environment of their own, and what becomes of those that can't have one."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.cases import Group, make_case
from bench.environments.pinned import own_pins
from bench.errors import UsageError
from bench.measure.rounds import Arm
from bench.pinning import Pinner
from bench.progress import Silent
from bench.records import ModelSpec
from bench.runtimes import homes
from bench.runtimes.table import RUNTIMES
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
    assert [arm.environment for arm in one.arms] == [None, None]
    assert [arm.request.expected_version for arm in one.arms] == [None, INSTALLED]
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


def test_a_plugin_has_an_environment_with_the_onnx_runtime_that_it_is_made_for(fake: FakeUv) -> None:
    fake.knows("onnxruntime-ep-webgpu", "0.4.0", OWN | {"onnxruntime": "1.32.0"})
    fake.knows("onnxruntime-ep-webgpu", "0.3.0", OWN | {"onnxruntime": "1.32.0"})
    one, pinner, _ = placed("onnxruntime-webgpu", "webgpu@0.3.0")
    assert [arm.request.expected_version for arm in one.arms] == ["1.32.0", "1.32.0"]
    assert pinner.environments["onnxruntime-webgpu"]["onnxruntime-ep-webgpu"] == "0.4.0"
    assert pinner.environments["onnxruntime-webgpu@0.3.0"]["onnxruntime-ep-webgpu"] == "0.3.0"
    assert pinner.facts["onnxruntime-webgpu@0.3.0"].requirements == (
        "onnxruntime==1.32.0",
        "onnxruntime-ep-webgpu==0.3.0",
    )


def test_a_runtime_with_requirements_runs_in_an_environment_of_its_own(fake: FakeUv) -> None:
    fake.knows("openvino", "2026.4.1")
    one, pinner, _ = placed("openvino")
    assert one.arms[0].environment
    assert one.arms[0].request.expected_version == "2026.4.1"
    facts = pinner.facts["openvino"]
    assert (facts.requirements, facts.packages) == (("openvino==2026.4.1",), 4)
    assert Path(one.arms[0].environment).name == facts.key


def test_it_runs_here_where_it_is_installed(fake: FakeUv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        RUNTIMES, "openvino", replace(RUNTIMES["openvino"], package="packaging", requirements=("packaging==25.0",))
    )
    here = own_pins("packaging")["packaging"]
    one, _, _ = placed("openvino", f"openvino@{here}#a")
    assert [arm.environment for arm in one.arms] == [None, None]
    assert [arm.request.expected_version for arm in one.arms] == [None, here]
    assert fake.verbs() == []


def test_a_version_is_the_same_however_it_is_spelt(fake: FakeUv) -> None:
    fake.knows("openvino", "2026.2.0")
    one, _, _ = placed("openvino@2026.2.0", f"onnxruntime-cpu@{INSTALLED}.0")
    assert [arm.request.expected_version for arm in one.arms] == ["2026.2.0", INSTALLED]


def test_a_wheel_that_overwrites_onnxruntime_never_runs_here(fake: FakeUv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homes, "own_pins", lambda *_: {"onnxruntime-openvino": "1.24.1", "onnxruntime": "1.24.1"})
    assert homes.has_rivals("onnxruntime-openvino")
    assert not homes.lives_here("onnxruntime-openvino")
    assert not homes.lives_here("onnxruntime-openvino", "1.24.1")
    assert homes.lives_here("onnxruntime-cpu")


def test_without_its_device_nothing_is_downloaded(
    fake: FakeUv, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = (str(tmp_path / "device*"),)
    monkeypatch.setattr(homes, "DEVICE_MAKERS", {there: "NVIDIA"})
    monkeypatch.setitem(RUNTIMES, "onnxruntime-cuda", replace(RUNTIMES["onnxruntime-cuda"], device_files=there))
    fake.knows("onnxruntime-gpu", "1.31.1", OWN)
    one, _, _ = placed("cuda")
    assert (one.refused[0].status, one.arms) == ("unavailable", ())
    assert one.refused[0].reason.startswith("no NVIDIA device here")
    assert "`bench env build onnxruntime-cuda` makes its environment" in one.refused[0].reason
    assert fake.verbs() == []
    (tmp_path / "device0").touch()
    assert placed("cuda")[0].arms[0].environment
    assert "onnxruntime-gpu[cuda,cudnn]==1.31.1" not in fake.asked()[-1]


def test_what_is_of_another_system_is_told_so(fake: FakeUv) -> None:
    one, _, _ = placed("directml")
    assert one.refused[0].status == "unavailable"
    assert one.refused[0].reason.startswith("not on Linux, only on Windows")
    assert fake.verbs() == []


def test_a_provider_of_another_system_is_told_so_although_its_package_is_installed(fake: FakeUv) -> None:
    fake.knows("onnxruntime", "1.30.0", OWN)
    one, _, _ = placed("onnxruntime-coreml", "onnxruntime-coreml@1.30.0", "onnxruntime-cpu@1.30.0")
    assert [refused.reason for refused in one.refused] == ["not on Linux, only on macOS"] * 2
    assert [arm.case.runtime.display for arm in one.arms] == ["onnxruntime-cpu@1.30.0"]


def test_a_requirement_that_cannot_be_had_is_a_row(fake: FakeUv) -> None:
    fake.fails("compile", 2, "error: Failed to fetch: `https://index.invalid/simple/`\n  cause: Connection refused\n")
    one, _, told = placed("openvino", "openvino@2026.2#b", "onnxruntime-cpu")
    assert [arm.case.runtime.name for arm in one.arms] == ["onnxruntime-cpu"]
    assert [refused.status for refused in one.refused] == ["unavailable", "unavailable"]
    assert "making an environment with openvino 2026.4.1: Connection refused" in one.refused[0].reason
    assert len(told.notes) == 2
    assert all(len(note.splitlines()) == 1 for note in told.notes)


def test_a_cache_that_cannot_be_used_ends_it(fake: FakeUv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", "/proc/nope")
    with pytest.raises(UsageError, match="set BENCH_CACHE"):
        placed("onnxruntime-cpu@1.30.0")


def test_what_one_version_built_is_kept_apart_from_what_another_builds(fake: FakeUv) -> None:
    request = open_request()
    keeping = replace(request, settings=replace(request.settings, cache="/kept/abc"))
    arms = group("onnxruntime-cpu", f"onnxruntime-cpu@{INSTALLED}", "onnxruntime-cpu@1.30.0")
    one = Pinner(Notes()).place([replace(arms, arms=tuple(replace(arm, request=keeping) for arm in arms.arms))])[0]
    key = Path(str(one.arms[2].environment)).name[:12]
    assert [arm.request.settings.cache for arm in one.arms] == [
        f"/kept/abc-{INSTALLED}",
        f"/kept/abc-{INSTALLED}",
        f"/kept/abc-{key}",
    ]
    assert [arm.request.expected_version for arm in one.arms] == [None, INSTALLED, "1.30.0"]
