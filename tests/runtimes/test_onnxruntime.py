"""What ONNX Runtime answers with a CPU session, we answer with an error. The real library where it can show it."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from bench.errors import BenchError, UnavailableError, UnsupportedError, UsageError
from bench.records import Artifact, SessionSettings
from bench.runtimes import onnxruntime as ours
from bench.runtimes import onnxruntime_opening, onnxruntime_options
from bench.runtimes.loading import open_session, profile
from bench.runtimes.placement import CPU
from bench.runtimes.table import RUNTIMES
from bench.runtimes.tiny import TINY_INPUT, write_tiny_onnx
from ort_fakes import FakeOrt, FakeSession

OPENVINO = "OpenVINOExecutionProvider"
WEBGPU = "WebGpuExecutionProvider"


@pytest.fixture
def tiny(tmp_path: Path) -> Artifact:
    return write_tiny_onnx(tmp_path)


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime_options, "_decided", {})
    monkeypatch.setattr(onnxruntime_opening, "_registered", set())


def _settings(artifact: Artifact, **options: str) -> SessionSettings:
    return SessionSettings(threads=1, batch_size=1, inputs=artifact.inputs, outputs=("y",), options=options)


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a FakeOrt in place of the imported module."""
    real = pytest.importorskip("onnxruntime")

    def put(session: FakeSession, *available: str) -> FakeOrt:
        fake = FakeOrt(real, session, available or (OPENVINO, CPU))
        monkeypatch.setitem(sys.modules, "onnxruntime", fake)
        return fake

    return put


def _accelerated(**used: str) -> FakeSession:
    return FakeSession([OPENVINO, CPU], {"num_of_threads": "1", "precision": "FP32", **used}, OPENVINO)


@pytest.mark.parametrize("name", [name for name, entry in RUNTIMES.items() if entry.provider not in {None, CPU}])
def test_a_provider_that_the_real_wheel_lacks_is_not_available(name: str, tiny: Artifact) -> None:
    real = pytest.importorskip("onnxruntime")
    if RUNTIMES[name].provider in real.get_available_providers():
        pytest.skip(f"this wheel has {RUNTIMES[name].provider}")
    with pytest.raises(UnavailableError, match=f"{name}: .* is not in onnxruntime .*install"):
        open_session(name, tiny, _settings(tiny))


def test_the_real_cpu_provider_runs_with_its_thread_count_and_no_fallback(tiny: Artifact) -> None:
    pytest.importorskip("onnxruntime")
    session = open_session("cpu", tiny, _settings(tiny, optimization="off"))
    [result] = session.call({"x": np.ones(TINY_INPUT, np.float32)})
    np.testing.assert_array_equal(result, np.full((1, 1, 2, 2), 9, np.float32))
    assert session.info.provider == CPU
    assert session.info.node_share == 1
    assert session.info.effective_options["optimization"] == "off"
    assert session.info.effective_options["fallback"] == "off"


def test_a_call_is_the_public_run_and_one_partial(tiny: Artifact) -> None:
    pytest.importorskip("onnxruntime")
    session: Any = open_session("cpu", tiny, _settings(tiny))
    assert session.call.func.__name__ == "run"
    assert session.call.args == (["y"],)
    assert session.info.call_path == "InferenceSession.run"


def test_an_accelerator_that_takes_the_nodes_is_fine_and_fallback_is_off(build: Any, tiny: Artifact) -> None:
    fake = build(_accelerated(device_type="CPU"))
    session = open_session("ort-openvino", tiny, _settings(tiny, device_type="CPU"))
    assert session.info.provider == OPENVINO
    assert session.info.node_share == 1
    assert fake.asked == [[(OPENVINO, {"device_type": "CPU", "precision": "FP32", "num_of_threads": "1"})]]
    assert not fake.session.fallback
    assert session.info.effective_options["device_type"] == "CPU"
    assert session.info.effective_options["num_of_threads"] == "1"


def test_a_cpu_session_in_place_of_an_absent_device_is_not_available(build: Any, tiny: Artifact) -> None:
    build(FakeSession([CPU], {}, CPU))
    with pytest.raises(UnavailableError, match=f"asked for {OPENVINO}, device_type=GPU.*, the session has {CPU}"):
        open_session("ort-openvino", tiny, _settings(tiny, device_type="GPU"))


def test_a_provider_that_is_listed_second_is_not_what_was_asked_for(build: Any, tiny: Artifact) -> None:
    build(FakeSession([CPU, OPENVINO], {}, CPU))
    with pytest.raises(UnavailableError, match="asked for"):
        open_session("ort-openvino", tiny, _settings(tiny))


def test_a_listed_provider_that_runs_nothing_is_not_available(build: Any, tiny: Artifact) -> None:
    build(FakeSession([OPENVINO, CPU], {}, CPU))
    with pytest.raises(UnavailableError, match="took none"):
        open_session("ort-openvino", tiny, _settings(tiny))


def test_a_provider_that_uses_another_value_than_asked_is_not_available(build: Any, tiny: Artifact) -> None:
    build(_accelerated(device_type="CPU"))
    with pytest.raises(UnavailableError, match="asked for device_type=GPU, the session uses CPU"):
        open_session("ort-openvino", tiny, _settings(tiny, device_type="GPU"))


def test_a_provider_that_ignores_the_thread_budget_is_not_available(build: Any, tiny: Artifact) -> None:
    build(_accelerated(num_of_threads="8"))
    with pytest.raises(UnavailableError, match="num_of_threads=1, the session uses 8"):
        open_session("ort-openvino", tiny, _settings(tiny))


def test_a_provider_that_reports_other_options_and_not_this_one_is_not_available(build: Any, tiny: Artifact) -> None:
    build(_accelerated())
    with pytest.raises(UnavailableError, match="asked for device_type=CPU, the session does not report that it uses"):
        open_session("ort-openvino", tiny, _settings(tiny, device_type="CPU"))


def test_a_provider_that_reports_no_option_at_all_leaves_a_caution(build: Any, tiny: Artifact) -> None:
    build(FakeSession([OPENVINO, CPU], {}, OPENVINO))
    [caution] = open_session("ort-openvino", tiny, _settings(tiny, device_type="CPU")).info.cautions
    assert (caution.code, "took device_type=CPU and does not report" in caution.text) == ("options unconfirmed", True)
    assert open_session("ort-openvino", tiny, _settings(tiny)).info.cautions == ()


@pytest.mark.parametrize(("asked", "used"), [("true", "1"), ("0", "False"), ("cpu", "CPU")])
def test_a_value_that_is_reported_in_other_words_is_the_same(build: Any, tiny: Artifact, asked: str, used: str) -> None:
    build(_accelerated(device_type=used))
    open_session("ort-openvino", tiny, _settings(tiny, device_type=asked))


def test_half_precision_is_the_providers_own_switch_and_float32_is_asked_for_too(build: Any, tiny: Artifact) -> None:
    fake = build(_accelerated(precision="FP16"))
    settings = msgspec.structs.replace(_settings(tiny, precision="float16"), precision="float16")
    info = open_session("ort-openvino", tiny, settings).info
    assert (fake.asked[0][0][1]["precision"], info.effective_options["precision"]) == ("FP16", "FP16")
    with pytest.raises(UnavailableError, match="asked for precision=FP32, the session uses FP16"):
        open_session("ort-openvino", tiny, _settings(tiny))


def test_an_unknown_key_of_a_provider_never_reaches_it(build: Any, tiny: Artifact) -> None:
    fake = build(_accelerated())
    with pytest.raises(UsageError, match="unknown option 'device_typ'; it knows: device_type"):
        open_session("ort-openvino", tiny, _settings(tiny, device_typ="GPU"))
    assert fake.asked == []


def _plugin(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    plugin = ModuleType("onnxruntime_ep_webgpu")
    plugin.get_library_path = lambda: path  # type: ignore[attr-defined]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setitem(sys.modules, plugin.__name__, plugin)


def test_a_plugin_without_a_device_says_that_it_is_installed(
    build: Any, tiny: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = build(FakeSession([CPU], {}, CPU), CPU)
    _plugin(monkeypatch, "webgpu.so")
    for _ in range(2):
        with pytest.raises(UnavailableError, match="onnxruntime_ep_webgpu is installed and finds no device"):
            open_session("webgpu", tiny, _settings(tiny))
    assert fake.libraries == [("onnxruntime_ep_webgpu", "webgpu.so")]
    assert ours.probe("onnxruntime-webgpu").state == "no device"


def test_a_plugin_whose_library_does_not_load_says_why(
    build: Any, tiny: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(FakeSession([CPU], {}, CPU), CPU)
    _plugin(monkeypatch, "missing.so")
    with pytest.raises(UnavailableError, match=r"onnxruntime_ep_webgpu: Failed to load library missing\.so$"):
        open_session("webgpu", tiny, _settings(tiny))


def test_a_plugin_library_by_path_takes_the_place_of_the_packages(build: Any, tiny: Artifact, tmp_path: Path) -> None:
    fake = build(FakeSession([CPU], {}, CPU), CPU)
    library = tmp_path / "mine.so"
    settings = msgspec.structs.replace(_settings(tiny), plugin=str(library))
    with pytest.raises(UnavailableError, match=r"its plugin library mine\.so is not there: see --plugin"):
        open_session("webgpu", tiny, settings)
    library.touch()
    with pytest.raises(UnavailableError, match="its plugin library loads and finds no device"):
        open_session("webgpu", tiny, settings)
    assert fake.libraries == [("onnxruntime_ep_webgpu", str(library))]


def test_a_relative_plugin_library_is_meant_from_the_folder_of_the_caller(
    build: Any, tiny: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = build(FakeSession([CPU], {}, CPU), CPU)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.so").touch()
    settings = msgspec.structs.replace(_settings(tiny), plugin="mine.so")
    with pytest.raises(UnavailableError, match="finds no device"):
        open_session("webgpu", tiny, settings)
    assert fake.libraries == [("onnxruntime_ep_webgpu", str(tmp_path / "mine.so"))]


def test_a_plugin_is_given_to_the_session_by_its_device_and_never_beside_providers(
    build: Any, tiny: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = build(FakeSession([WEBGPU, CPU], {}, WEBGPU), CPU)
    _plugin(monkeypatch, "webgpu.so")
    hardware = SimpleNamespace(type=SimpleNamespace(name="GPU"), vendor="Maker")
    device = SimpleNamespace(ep_name=WEBGPU, device=hardware)
    fake.ep_devices = [SimpleNamespace(ep_name=CPU), device]
    added: list[Any] = []
    monkeypatch.setattr(onnxruntime_opening, "make_session_options", lambda *_: _Options(added))
    monkeypatch.setattr(ours, "effective_options", lambda *_: {})
    open_session("webgpu", tiny, _settings(tiny, powerPreference="low-power"))
    assert added == [([device], {"powerPreference": "low-power"})]
    assert fake.asked == [None]


class _Options:
    def __init__(self, added: list[Any]) -> None:
        self.added = added

    def add_provider_for_devices(self, devices: list[Any], keys: Mapping[str, str]) -> None:
        self.added.append((devices, keys))


def test_probe_of_a_provider_whose_device_is_absent(build: Any) -> None:
    build(FakeSession([CPU], {}, CPU))
    probe = ours.probe("onnxruntime-openvino")
    assert (probe.state, probe.version) == ("no device", "1.24.1")
    assert f"the session has {CPU}" in probe.detail


def test_probe_of_a_provider_that_works(build: Any) -> None:
    build(_accelerated())
    assert ours.probe("onnxruntime-openvino").state == "usable"


def test_probe_of_a_provider_that_computes_nonsense(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = _accelerated()
    monkeypatch.setattr(session, "run", lambda *_: [np.zeros((1, 1, 2, 2), np.float32)])
    build(session)
    probe = ours.probe("onnxruntime-openvino")
    assert probe.state == "no device"
    assert "gave 0.0 in place of 9.0" in probe.detail


@pytest.mark.parametrize(
    ("kind", "becomes"),
    [
        ("NotImplemented", UnsupportedError),
        ("InvalidGraph", UnsupportedError),
        ("Fail", UnsupportedError),
        ("EPFail", UnavailableError),
        ("NoSuchFile", BenchError),
    ],
)
def test_an_exception_at_opening_becomes_one_line(kind: str, becomes: type[BenchError]) -> None:
    error = type(kind, (Exception,), {})("[ONNXRuntimeError] : 9 : Could not find Conv(11)\n  at session.cc")
    mapped = onnxruntime_opening.opening_error("onnxruntime-cpu", error)
    assert type(mapped) is becomes
    assert str(mapped) == "opening the model on onnxruntime-cpu: [ONNXRuntimeError] : 9 : Could not find Conv(11)"


def test_an_exception_that_is_our_bug_stays_what_it_is() -> None:
    with pytest.raises(KeyError):
        onnxruntime_opening.opening_error("onnxruntime-cpu", KeyError("x"))


def test_a_graph_with_an_operator_that_no_kernel_has_is_unsupported(tiny: Artifact) -> None:
    pytest.importorskip("onnxruntime")
    content = Path(tiny.path).read_bytes().replace(b"Relu", b"Rely")
    Path(tiny.path).write_bytes(content)
    with pytest.raises(UnsupportedError, match="Rely"):
        open_session("cpu", tiny, _settings(tiny))


def test_a_profiled_run_of_the_real_library_counts_its_kernels_and_leaves_nothing(
    tiny: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    feeds = [{"x": np.full(TINY_INPUT, value, np.float32)} for value in (1, 2)]
    [part] = profile("cpu", tiny, _settings(tiny, optimization="off"), feeds, 3)
    assert (part.provider, part.kernels, part.operators) == (CPU, 2, {"Conv": 1, "Relu": 1})
    assert part.time_ns is not None
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.onnx"]


def test_a_profile_of_a_runtime_that_has_none_is_not_available(tiny: Artifact) -> None:
    saved_model = msgspec.structs.replace(tiny, kind="saved_model")
    with pytest.raises(UnavailableError, match="tensorflow does not tell where its kernels ran"):
        profile("tensorflow", saved_model, _settings(tiny), [], 1)
