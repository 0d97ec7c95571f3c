"""Where the sides of a gate run; and one gate of two versions from the suite to the verdict."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from bench.bundling import make_bundle
from bench.check.pairing import PairedCase
from bench.check.records import BundledCase, GateSettings, Judged, Side
from bench.environments.facts import pins_in
from bench.environments.pinned import locked_environment, own_pins
from bench.errors import UsageError
from bench.gate_environments import differences_of, environments_of
from bench.gating import gate_bundles
from bench.progress import Silent
from bench.records import MeasureSettings, PrepareSettings, Suite
from bench.specs import parse_model, parse_runtimes
from gate_fakes import NET, bundled, paired
from uv_fakes import WORKER_PINS, FakeUv, install_fake_uv, lock_of

OWN = own_pins("onnxruntime")
OLD = OWN | {"onnxruntime": "1.30.0"}
SETTINGS = GateSettings(metrics=("latency", "agreement"))
Prefixes = dict[Side, dict[str, Path]]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    made = install_fake_uv(tmp_path, monkeypatch)
    for pins in (OWN, OLD):
        made.knows("onnxruntime", pins["onnxruntime"], pins)
    return made


def environments(folder: Path, baseline: BundledCase, head: BundledCase) -> tuple[Prefixes, list[Judged]]:
    case = paired(baseline=baseline, head=head)
    return environments_of([case], {"baseline": folder, "head": folder}, SETTINGS, Silent())


def locked(folder: Path, pins: dict[str, str]) -> BundledCase:
    (folder / "locks").mkdir(exist_ok=True)
    (folder / "locks" / "one.txt").write_text(lock_of(pins))
    return bundled(pins=pins, lock="locks/one.txt")


def test_what_both_ran_on_is_installed_here_so_both_run_here(fake: FakeUv, tmp_path: Path) -> None:
    prefixes, refused = environments(tmp_path, bundled(pins=OWN), bundled(pins=OWN))
    assert prefixes == {"baseline": {NET: Path(sys.prefix)}, "head": {NET: Path(sys.prefix)}}
    assert refused == []
    assert fake.verbs() == []


def test_where_one_needs_an_environment_the_other_gets_one_too(fake: FakeUv, tmp_path: Path) -> None:
    for sides in ((bundled(pins=OLD), bundled(pins=OWN)), (bundled(pins=OWN), bundled(pins=OLD))):
        prefixes, refused = environments(tmp_path, *sides)
        places = [prefixes["baseline"][NET], prefixes["head"][NET]]
        assert refused == []
        assert Path(sys.prefix) not in places
        assert places[0] != places[1]
    assert fake.verbs().count("install") == 2


def test_a_plugin_without_a_lock_runs_beside_the_onnx_runtime_of_its_pins(fake: FakeUv, tmp_path: Path) -> None:
    pins = OLD | {"onnxruntime-ep-webgpu": "0.3.0"}
    fake.knows("onnxruntime-ep-webgpu", "0.3.0", pins)
    webgpu = parse_runtimes(["webgpu"])[0]
    one = bundled(pins=pins)
    one = replace(one, case=replace(one.case, runtime=webgpu))
    prefixes, refused = environments(tmp_path, one, one)
    assert refused == []
    assert pins_in(prefixes["head"][NET]) == pins
    without = replace(one, pins=OLD)
    _, refused = environments(tmp_path, without, one)
    assert "the bundle does not say which onnxruntime-ep-webgpu it ran on" in refused[0].reason


def test_a_bundle_with_a_lock_runs_in_its_environment_though_the_same_is_installed(
    fake: FakeUv, tmp_path: Path
) -> None:
    prefixes, refused = environments(tmp_path, locked(tmp_path, OWN), bundled(pins=OWN))
    assert refused == []
    assert prefixes["baseline"][NET] == prefixes["head"][NET] != Path(sys.prefix)
    assert fake.verbs().count("compile") == 1  # head's; a lock is not resolved again


def test_a_baseline_without_an_environment_is_not_comparable_in_every_metric(fake: FakeUv, tmp_path: Path) -> None:
    gone = bundled(pins=OWN | {"onnxruntime": "9.9.9"})
    prefixes, refused = environments(tmp_path, gone, bundled(pins=OWN))
    assert NET not in prefixes["baseline"]
    assert [(one.metric, one.answer) for one in refused] == [
        ("latency", "NOT COMPARABLE"),
        ("agreement", "NOT COMPARABLE"),
    ]
    assert "baseline has no environment here: making an environment with onnxruntime 9.9.9: " in refused[0].reason


def test_a_head_without_an_environment_failed(fake: FakeUv, tmp_path: Path) -> None:
    gone = bundled(pins=OWN | {"onnxruntime": "9.9.9"})
    _, refused = environments(tmp_path, bundled(pins=OWN), gone)
    assert [one.answer for one in refused] == ["FAILED", "FAILED"]


def test_a_lock_that_is_not_what_was_bundled_is_not_run(fake: FakeUv, tmp_path: Path) -> None:
    changed = msgspec.structs.replace(locked(tmp_path, OLD), pins=OWN)
    _, refused = environments(tmp_path, changed, bundled(pins=OWN))
    assert refused[0].answer == "NOT COMPARABLE"
    assert "locks/one.txt does not hold what the bundle says" in refused[0].reason


def test_a_lock_with_an_address_in_it_is_not_run(fake: FakeUv, tmp_path: Path) -> None:
    changed = locked(tmp_path, OLD)
    (tmp_path / "locks" / "one.txt").write_text("--index-url https://elsewhere.invalid\n" + lock_of(OLD))
    _, refused = environments(tmp_path, changed, bundled(pins=OWN))
    assert "expected name==version with hashes" in refused[0].reason
    assert fake.verbs() == []


def test_a_bundle_that_names_no_version_is_refused_where_it_is_not_installed(fake: FakeUv, tmp_path: Path) -> None:
    _, refused = environments(tmp_path, bundled(pins=WORKER_PINS), bundled(pins=OWN))
    assert "does not say which onnxruntime it ran on; make it with onnxruntime-cpu@VERSION" in refused[0].reason


def test_a_cache_that_cannot_be_used_is_no_verdict(
    fake: FakeUv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", "/proc/nope")
    with pytest.raises(UsageError, match="set BENCH_CACHE"):
        environments(tmp_path, bundled(pins=OLD), bundled(pins=OWN))


def here(_: PairedCase) -> Prefixes:
    return {"baseline": {NET: Path(sys.prefix)}, "head": {NET: Path(sys.prefix)}}


def test_only_another_version_of_the_runtime_needs_no_note() -> None:
    case = paired(baseline=bundled(pins=OLD), head=bundled(pins=OWN))
    assert differences_of([case], here(case)) == []


def test_whatever_else_differs_is_noted() -> None:
    case = paired(baseline=bundled(pins=OLD | {"six": "1.0", "numpy": "1.26.0"}), head=bundled(pins=OWN))
    assert differences_of([case], here(case)) == [
        f"{NET}: the environments differ in more than onnxruntime: "
        f"numpy 1.26.0 against {OWN['numpy']}, six 1.0 against none"
    ]


def test_an_environment_that_is_not_as_bundled_is_noted_by_what_ran(fake: FakeUv) -> None:
    made = locked_environment(lock_of(OLD), on_stage=lambda _: None)
    case = paired(baseline=bundled(pins=OLD | {"numpy": "1.26.0"}), head=bundled(pins=OWN))
    prefixes: Prefixes = {"baseline": {NET: Path(made.prefix)}, "head": {NET: Path(sys.prefix)}}
    assert differences_of([case], prefixes) == [
        f"{NET}: baseline is not as bundled: numpy 1.26.0 was bundled, {OWN['numpy']} ran"
    ]


@pytest.mark.slow
def test_two_versions_are_gated_in_environments_of_their_own(tmp_path: Path) -> None:
    model = parse_model("mobilenet_v1:alpha=0.25,resolution=128")
    for name, runtime in (("baseline", "onnxruntime-cpu@1.30.0"), ("head", "onnxruntime-cpu")):
        suite = Suite(
            models=(model,),
            runtimes=parse_runtimes([runtime]),
            batch_sizes={model.display: (1,)},
            threads=1,
            prepare=PrepareSettings(),
            measure=MeasureSettings(),
        )
        bundle = make_bundle(suite, tmp_path / name, origin="here", replacing=False, progress=Silent())
        assert (bundle.cases[0].lock is not None) == (name == "baseline")
    settings = GateSettings(metrics=("agreement", "size"))
    result = gate_bundles(tmp_path / "baseline", tmp_path / "head", settings, out=None, command="", progress=Silent())
    assert [(one.metric, one.answer) for one in result.judged] == [("agreement", "PASS"), ("size", "PASS")]
    assert result.exit_code == 0
    assert list(result.baseline.versions.values()) == ["1.30.0"]
    assert list(result.head.versions.values()) == [OWN["onnxruntime"]]
    assert result.notes == ()
