"""Everything that ONNX Runtime answers with a working CPU session and no error: each is refused here, or named."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.analysis.placement import placement_cautions, placement_reason, placement_status, providers_that_ran
from bench.errors import BenchError, UnavailableError, UsageError
from bench.records import Artifact, Placement, ProviderPart, SessionInfo, SessionSettings, Tensor
from bench.runtimes import onnxruntime_opening, onnxruntime_options
from bench.runtimes.loading import open_session
from bench.runtimes.placement import CPU
from bench.runtimes.table import precision_of
from bench.runtimes.tiny import write_tiny_onnx
from bench.runtimes.wheels import overlapping_wheels
from bench.specs import parse_runtime
from made_environments import require_usable
from ort_fakes import FakeOrt, FakeSession
from session_server import SessionServer

OPENVINO, WEBGPU = "OpenVINOExecutionProvider", "WebGpuExecutionProvider"
SHAPE = (1, 3, 16, 16)


def _open(text: str, folder: Path, plugin: str | None = None) -> SessionInfo:
    """As a worker does with what was typed after ``-e``."""
    runtime = parse_runtime(text)
    artifact = write_tiny_onnx(folder)
    settings = SessionSettings(
        threads=1, batch_size=1, inputs=artifact.inputs, outputs=("y",), options=runtime.options, plugin=plugin
    )
    return open_session(runtime.name, artifact, settings).info


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeOrt]:
    """Put a build of ONNX Runtime with these providers in place of the real one, which opens this session."""
    real = pytest.importorskip("onnxruntime")
    monkeypatch.setattr(onnxruntime_options, "_decided", {})
    monkeypatch.setattr(onnxruntime_opening, "_registered", set())

    def put(session: FakeSession, *available: str) -> FakeOrt:
        fake = FakeOrt(real, session, available)
        monkeypatch.setitem(sys.modules, "onnxruntime", fake)
        return fake

    return put


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("cuda", UnavailableError, "CUDAExecutionProvider is not in onnxruntime"),
        ("tensorrt", UnavailableError, "TensorrtExecutionProvider is not in onnxruntime"),
        ("CUDA", UsageError, "unknown runtime 'CUDA'; the runtimes are: cuda"),
        ("CUDAExecutionProvider", UsageError, "unknown runtime"),
        ("cudaa", UsageError, "unknown runtime 'cudaa'; the runtimes are: cuda"),
        ("", UsageError, "unknown runtime"),
        ("cuda:device=1", UsageError, "unknown option 'device'; it knows: device_id"),
        ("cpu:use_arena=1", UsageError, "unknown option 'use_arena'"),
        ("cpu:optimization=99", UsageError, "optimization='99' is not a value of it"),
        ("ort-openvino:precision=FP8", UsageError, "is not a value of it; allowed: float32, float16"),
        ("ort-openvino:device_typ=GPU", UsageError, "unknown option 'device_typ'; it knows: device_type"),
        ("azure", UsageError, "runtime 'azure' is left out on purpose"),
    ],
)
def test_what_is_not_there_or_not_a_word_is_refused(
    text: str, error: type[BenchError], says: str, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(error, match=says):
        _open(text, tmp_path)


def test_an_order_that_puts_the_cpu_first_is_not_what_was_asked_for(
    invented: Callable[..., FakeOrt], tmp_path: Path
) -> None:
    fake = invented(FakeSession([CPU, OPENVINO], {}, CPU), OPENVINO, CPU)
    with pytest.raises(UnavailableError, match=f"asked for {OPENVINO}.*, the session has {CPU}, {OPENVINO}"):
        _open("ort-openvino", tmp_path)
    [[(provider, _)]] = fake.asked  # and we never ask for an order: the one provider
    assert provider == OPENVINO


def test_a_session_that_lists_the_provider_and_gives_it_no_node_is_refused(
    invented: Callable[..., FakeOrt], tmp_path: Path
) -> None:
    invented(FakeSession([OPENVINO, CPU], {}, CPU), OPENVINO, CPU)
    with pytest.raises(UnavailableError, match="was accepted and took none"):
        _open("ort-openvino", tmp_path)


@pytest.mark.parametrize("device", ["AUTO", "AUTO:CPU", "HETERO:CPU", "MULTI:CPU"])
def test_a_rule_that_picks_a_device_is_refused_although_openvino_takes_it(
    device: str, invented: Callable[..., FakeOrt], tmp_path: Path
) -> None:
    invented(FakeSession([OPENVINO, CPU], {}, OPENVINO), OPENVINO, CPU)
    with pytest.raises(UnavailableError, match="picks a device, silently; name one"):
        _open(f'ort-openvino:device_type="{device}"', tmp_path)


def test_what_is_to_be_kept_is_asked_of_the_provider_and_told_when_it_was(
    invented: Callable[..., FakeOrt], tmp_path: Path
) -> None:
    fake, kept = invented(FakeSession([OPENVINO, CPU], {}, OPENVINO), OPENVINO, CPU), tmp_path / "kept"
    artifact = write_tiny_onnx(tmp_path)
    settings = SessionSettings(
        threads=1, batch_size=1, inputs=artifact.inputs, outputs=("y",), options={"cache": "on"}, cache=str(kept)
    )
    assert open_session("onnxruntime-openvino", artifact, settings).info.build_cache == "miss"
    [[(_, keys)]] = fake.asked
    assert keys["cache_dir"] == str(kept)
    (kept / "model.blob").write_bytes(b"built")
    info = open_session("onnxruntime-openvino", artifact, settings).info
    assert info.build_cache == "hit"
    assert str(kept) not in str(info.effective_options)


def test_a_profile_that_shows_the_cpu_alone_makes_the_case_unavailable() -> None:
    info = SessionInfo(
        runtime_version="1", runtime_file="", provider=OPENVINO, call_path="", effective_options={}, node_share=1.0
    )
    ran = Placement(parts=(ProviderPart(provider=CPU, kernels=2, time_ns=9, operators={"Conv": 2}),), calls=3)
    assert placement_status(info, ran, 0.95) == "unavailable"
    assert providers_that_ran(info, ran) == CPU
    assert placement_reason(info, ran, 0.95) == f"nothing ran on {OPENVINO}: {CPU} 100%: Conv x2"


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("onnxruntime_ep_webgpu")
    module.get_library_path = lambda: "webgpu.so"  # type: ignore[attr-defined]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.usefixtures("plugin")
def test_a_plugin_without_a_device_is_refused(invented: Callable[..., FakeOrt], tmp_path: Path) -> None:
    invented(FakeSession([CPU], {}, CPU), CPU)
    with pytest.raises(UnavailableError, match="onnxruntime_ep_webgpu is installed and finds no device"):
        _open("webgpu", tmp_path)


@pytest.mark.usefixtures("plugin")
def test_a_plugin_is_asked_for_by_its_device_and_never_beside_providers(
    invented: Callable[..., FakeOrt], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With both, ONNX Runtime drops the plugin and says nothing."""
    fake = invented(FakeSession([WEBGPU, CPU], {}, WEBGPU), CPU)
    fake.ep_devices = [
        SimpleNamespace(ep_name=WEBGPU, device=SimpleNamespace(type=SimpleNamespace(name="GPU"), vendor=""))
    ]
    asked: list[Any] = []
    add = "add_provider_for_devices"
    subclass = type("Options", (fake.SessionOptions,), {add: lambda _, *given: asked.append(given)})
    monkeypatch.setattr(fake, "SessionOptions", subclass)
    _open("webgpu", tmp_path)
    assert [devices for devices, _ in asked] == [fake.ep_devices]
    assert fake.asked == [None]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_plugin_library_that_is_not_there_or_not_a_library_is_refused(is_there: bool, tmp_path: Path) -> None:
    real = pytest.importorskip("onnxruntime")
    if not hasattr(real, "register_execution_provider_library"):
        pytest.skip("this version takes no plugin libraries")
    library = tmp_path / "libwebgpu.so"
    if is_there:
        library.write_bytes(b"not a library")
    says = "registering onnxruntime_ep_webgpu: .*libwebgpu" if is_there else r"library libwebgpu\.so is not there"
    with pytest.raises(UnavailableError, match=says) as told:
        _open("webgpu", tmp_path, plugin=str(library))
    assert str(tmp_path) not in str(told.value)


def test_two_wheels_in_one_environment_are_named(tmp_path: Path) -> None:
    for name, version in (("onnxruntime", "1.32.0"), ("onnxruntime-openvino", "1.24.1")):
        info = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text("onnxruntime/__init__.py,,\n")
    caution = overlapping_wheels([str(tmp_path)])
    assert caution
    assert "onnxruntime 1.32.0, onnxruntime-openvino 1.24.1 overwrite each other" in caution.text


# --- the OpenVINO wheel for real --------------------------------------------------------------------------------------


class StartServer(Protocol):
    def __call__(self, prefix: Path | None = None) -> SessionServer: ...


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> SessionServer:
    return start_server(require_usable("onnxruntime-openvino"))


def _net(folder: Path, odd: str | None) -> Artifact:
    """Three convolutions, before them an operator of which OpenVINO has no kernel."""
    weight = numpy_helper.from_array(np.full((3, 3, 3, 3), 0.1, np.float32), "w")
    last, nodes = "x", []
    if odd:
        nodes = [
            helper.make_node(odd, ["x"], ["u"], "the_odd_one"),
            helper.make_node("ReduceMax", ["u"], ["m"], "max", keepdims=0),
            helper.make_node("Add", ["x", "m"], ["a"], "add"),
        ]
        last = "a"
    for number in range(3):
        nodes.append(helper.make_node("Conv", [last, "w"], [f"c{number}"], f"conv_{number}", pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{number}"], [last := f"r{number}"], f"relu_{number}"))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in ("x", last)]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], [weight])
    path = folder / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return Artifact(kind="onnx", path=str(path), digest="", size_bytes=1, inputs=(), outputs=())


def _asked(**options: str) -> SessionSettings:
    tensor = Tensor(name="x", shape=SHAPE, dtype="float32")
    return SessionSettings(
        threads=1,
        batch_size=1,
        inputs=(tensor,),
        outputs=("r2",),
        options=options,
        precision=precision_of(options),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (_asked(device_type="GPU"), "asked for OpenVINO.*device_type=GPU.*, the session has CPUExecutionProvider"),
        (_asked(device_type="NPU"), "asked for OpenVINO.*device_type=NPU.*, the session has CPUExecutionProvider"),
        (_asked(device_type="NONSENSE"), "took none of the graph's|asked for|opening the model"),
        (_asked(precision="float16"), "precision=FP16.*, the session has CPUExecutionProvider"),
        (_asked(precision="float16", device_type="CPU"), "precision=FP16.*, the session has CPU"),
    ],
)
def test_openvino_with_a_device_or_a_precision_that_is_not_there_is_refused(
    server: SessionServer, tmp_path: Path, settings: SessionSettings, says: str
) -> None:
    with pytest.raises(UnavailableError, match=says):
        server.open("onnxruntime-openvino", _net(tmp_path, None), settings)


@pytest.mark.slow
def test_openvino_that_has_all_of_the_graph_is_fine_and_its_silent_options_are_named(
    server: SessionServer, tmp_path: Path
) -> None:
    info = server.open("onnxruntime-openvino", _net(tmp_path, None), _asked(device_type="CPU")).info
    assert (info.provider, info.node_share) == (OPENVINO, 1.0)
    assert [caution.code for caution in info.cautions] == ["options unconfirmed"]


@pytest.mark.slow
def test_a_node_that_stays_on_the_cpu_is_named_with_its_shares(server: SessionServer, tmp_path: Path) -> None:
    artifact = _net(tmp_path, "Unique")
    info = server.open("onnxruntime-openvino", artifact, _asked()).info
    assert info.node_share == pytest.approx(8 / 9)
    feed = {"x": np.ones(SHAPE, np.float32)}
    ran = Placement(parts=server.ask("profile", "onnxruntime-openvino", artifact, _asked(), feed), calls=2)
    assert {part.provider: part.operators for part in ran.parts}[CPU] == {"Unique": 1}
    assert placement_status(info, ran, 1.0) == "partial"
    assert placement_status(info, ran, 0.0) == "ok"
    [caution] = placement_cautions(info, ran, 0.0)
    assert "Unique (the_odd_one)" in caution.text
    assert {name.split()[0] for name in providers_that_ran(info, ran).split(", ")} == {OPENVINO, CPU}
