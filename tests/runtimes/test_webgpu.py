"""ONNX Runtime's WebGPU plugin on a Vulkan driver in software: a provider that is not the CPU's, run for real."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench import cli
from bench.errors import UnavailableError, UnsupportedError
from bench.records import Artifact, Boundary, SessionSettings, Tensor
from bench.report.store import load_report
from made_environments import require_usable
from session_server import RemoteSession, SessionServer

pytestmark = pytest.mark.slow
WEBGPU, CPU = "WebGpuExecutionProvider", "CPUExecutionProvider"
SHAPE, CHANNELS = (2, 3, 16, 16), 8
UNSUPPORTED = "Hardmax"  # the plugin has no kernel for it


class StartServer(Protocol):
    def __call__(self, prefix: Path | None = None) -> SessionServer: ...


Net = Callable[[str | None], Artifact]


@pytest.fixture(scope="module")
def gpu(start_server: StartServer) -> SessionServer:
    return start_server(require_usable("onnxruntime-webgpu"))


@pytest.fixture(scope="module")
def cpu(start_server: StartServer) -> SessionServer:
    return start_server()


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Net:
    """Three convolutions, and in their midst the operator given."""
    folder = tmp_path_factory.mktemp("nets")

    def make(odd: str | None) -> Artifact:
        path = folder / f"{odd}.onnx"
        onnx.save(_model(odd), path)
        return Artifact(kind="onnx", path=str(path), digest="", size_bytes=1, inputs=(), outputs=())

    return make


def _model(odd: str | None) -> onnx.ModelProto:
    random = np.random.default_rng(0)
    nodes, weights, last = [], [], "x"
    for number, wide in enumerate((3, CHANNELS, CHANNELS)):
        values = random.standard_normal((CHANNELS, wide, 3, 3)) / np.sqrt(9 * wide)
        weights.append(numpy_helper.from_array(values.astype(np.float32), f"w{number}"))
        nodes.append(helper.make_node("Conv", [last, f"w{number}"], [f"c{number}"], f"conv_{number}", pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"r{number}"], f"relu_{number}"))
        last = f"r{number}"
        if odd and number == 1:
            nodes.append(helper.make_node(odd, [last], ["odd"], "odd_one"))
            last = "odd"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size, 16, 16])
        for name, size in (("x", 3), (last, CHANNELS))
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _settings(boundary: Boundary = "host", plugin: str | None = None) -> SessionSettings:
    return SessionSettings(
        threads=1,
        batch_size=SHAPE[0],
        inputs=(Tensor(name="x", shape=SHAPE, dtype="float32"),),
        outputs=("r2",),
        options={} if boundary == "host" else {"boundary": boundary},
        boundary=boundary,
        plugin=plugin,
        profiled_apart=True,
    )


def _feeds(count: int = 3) -> list[dict[str, np.ndarray]]:
    random = np.random.default_rng(1)
    return [{"x": random.standard_normal(SHAPE).astype(np.float32)} for _ in range(count)]


def _outputs(session: RemoteSession) -> list[np.ndarray]:
    outputs, _ = session.call_all(_feeds())
    return [one[0] for one in outputs]


def test_it_computes_what_the_cpu_computes(gpu: SessionServer, cpu: SessionServer, net: Net) -> None:
    session = gpu.open("onnxruntime-webgpu", net(None), _settings())
    truth = _outputs(cpu.open("onnxruntime-cpu", net(None), _settings()))
    for ours, theirs in zip(_outputs(session), truth, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
        assert np.std(theirs) > 0.1


def test_every_node_and_all_the_time_are_on_it(gpu: SessionServer, net: Net) -> None:
    assert gpu.open("onnxruntime-webgpu", net(None), _settings()).info.node_share == 1
    [part] = gpu.ask("profile", "onnxruntime-webgpu", net(None), _settings(), _feeds(1)[0])
    assert part.provider == WEBGPU
    assert part.time_ns > 0


def test_the_boundaries_agree_to_the_bit(gpu: SessionServer, net: Net) -> None:
    host = _outputs(gpu.open("onnxruntime-webgpu", net(None), _settings()))
    device = gpu.open("onnxruntime-webgpu", net(None), _settings("device"))
    for ours, theirs in zip(_outputs(device), host, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert device.info.effective_options["synchronised_by"] == "read-back of 4 bytes"


def test_a_second_caller_on_the_device_is_refused(gpu: SessionServer, net: Net) -> None:
    device = gpu.open("onnxruntime-webgpu", net(None), _settings("device"))
    with pytest.raises(UnsupportedError, match="--streams 1"):
        device.call_at_once(_feeds(2))


def test_an_operator_without_a_kernel_is_named_with_its_share(gpu: SessionServer, net: Net) -> None:
    session = gpu.open("onnxruntime-webgpu", net(UNSUPPORTED), _settings())
    elsewhere = [part for part in session.info.placement if part.provider == CPU]
    assert 0 < (session.info.node_share or 0) < 1
    assert [part.operators for part in elsewhere] == [{UNSUPPORTED: 1}]
    parts = gpu.ask("profile", "onnxruntime-webgpu", net(UNSUPPORTED), _settings(), _feeds(1)[0])
    [other] = [part for part in parts if part.provider == CPU]
    assert other.names == ("odd_one",)
    assert other.reason


def test_the_boundaries_agree_where_a_node_is_elsewhere(gpu: SessionServer, net: Net) -> None:
    host = _outputs(gpu.open("onnxruntime-webgpu", net(UNSUPPORTED), _settings()))
    device = _outputs(gpu.open("onnxruntime-webgpu", net(UNSUPPORTED), _settings("device")))
    for ours, theirs in zip(device, host, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_names_what_is_elsewhere_and_fails_where_all_was_required(
    net: Net, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_usable("onnxruntime-webgpu")
    words = ["run", net(UNSUPPORTED).path, "-e", "webgpu,cpu", "--quick", "-r", "3", "-o", str(tmp_path / "report")]
    assert cli.run_cli([*words, "--min-placement", "100%", "--require-placement"]) == 6
    assert f"{UNSUPPORTED} (odd_one)" in " ".join(capsys.readouterr().out.split())
    report = load_report(tmp_path / "report")
    assert dict(zip(report.results["runtime"], report.results["status"], strict=True)) == {
        "onnxruntime-webgpu": "partial",
        "onnxruntime-cpu": "ok",
    }
    assert set(report.results["agreement"]) == {"agrees"}


def test_a_library_by_path_is_used_and_one_that_is_none_is_named(
    start_server: StartServer, net: Net, tmp_path: Path
) -> None:
    prefix = require_usable("onnxruntime-webgpu")
    assert prefix
    [library] = prefix.glob("lib/python*/site-packages/onnxruntime_ep_webgpu/libonnxruntime_providers_webgpu.so")
    session = start_server(prefix).open("onnxruntime-webgpu", net(None), _settings(plugin=str(library)))
    assert session.info.node_share == 1
    broken = tmp_path / "libnothing.so"
    broken.write_bytes(b"no library")
    with pytest.raises(UnavailableError, match="registering onnxruntime_ep_webgpu"):
        start_server(prefix).open("onnxruntime-webgpu", net(None), _settings(plugin=str(broken)))
    with pytest.raises(UnavailableError, match=r"libgone\.so is not there"):
        start_server(prefix).open("onnxruntime-webgpu", net(None), _settings(plugin=str(tmp_path / "libgone.so")))
