from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from bench.errors import UnavailableError, UnsupportedError
from bench.records import Artifact, SessionSettings
from bench.runtimes import openvino as ours
from bench.runtimes.table import RUNTIMES
from small_onnx import SETTINGS, X, relu_and_sum


class FakeCompiled:
    """A compiled model that uses what it was told, but for ``differing``."""

    def __init__(self, wanted: dict[str, str], differing: dict[str, Any], kernels: tuple[str, ...]) -> None:
        self.properties = {"EXECUTION_DEVICES": ["CPU"], "NUM_STREAMS": 2, "LOADED_FROM_CACHE": True}
        self.properties |= wanted | differing
        self.kernels = kernels
        self.outputs = [SimpleNamespace(get_names=lambda name=name: {name}) for name in "yz"]
        self.requests: list[FakeRequest] = []

    def get_property(self, key: str) -> Any:
        return self.properties[key]

    def get_runtime_model(self) -> Any:
        infos = [{"layerType": FakeAny("Input"), "runtimePrecision": FakeAny("f32")}]
        infos += [{"layerType": FakeAny("Convolution"), "runtimePrecision": FakeAny(kind)} for kind in self.kernels]
        return SimpleNamespace(get_ops=lambda: [SimpleNamespace(get_rt_info=lambda info=info: info) for info in infos])

    def create_infer_request(self) -> FakeRequest:
        self.requests.append(FakeRequest())
        return self.requests[-1]


class FakeAny(str):
    def astype(self, kind: type) -> Any:
        return kind(self)


class FakeRequest:
    model_outputs = ("y", "z")

    def infer(self, feed: dict[str, Any], *, share_inputs: bool) -> Any:
        assert share_inputs
        return SimpleNamespace(to_tuple=lambda: (feed["x"], -feed["x"]))


class FakeOpenVino:
    """The module ``openvino``: one device, a model of one input and two outputs."""

    __file__ = "/env/openvino/__init__.py"

    def __init__(self) -> None:
        self.devices = ["CPU"]
        self.differing: dict[str, Any] = {}
        self.kernels: tuple[str, ...] = ("f32", "f32")
        self.type = "f32"
        self.compiled: FakeCompiled | None = None
        self.refuses: str | None = None

    def Core(self) -> Any:  # noqa: N802 - its name there
        return SimpleNamespace(
            available_devices=self.devices, read_model=lambda _: self._model(), compile_model=self._compile
        )

    def PartialShape(self, sizes: list[int]) -> list[int]:  # noqa: N802
        return sizes

    def _model(self) -> Any:
        kind = SimpleNamespace(get_type_name=lambda: self.type)
        x = SimpleNamespace(get_names=lambda: {"x"}, get_element_type=lambda: kind)
        outputs = [SimpleNamespace(get_names=lambda name=name: {name}) for name in "yz"]
        nodes = [SimpleNamespace(get_type_name=lambda name=name: name) for name in ("Parameter", "Relu", "Add")]
        return SimpleNamespace(inputs=[x], outputs=outputs, reshape=lambda _: None, get_ops=lambda: nodes)

    def _compile(self, model: Any, device: str, wanted: dict[str, str]) -> FakeCompiled:
        del model, device
        if self.refuses is not None:
            raise RuntimeError(self.refuses)
        self.compiled = FakeCompiled(wanted, self.differing, self.kernels)
        return self.compiled


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeOpenVino:
    fake = FakeOpenVino()
    monkeypatch.setitem(sys.modules, "openvino", fake)
    monkeypatch.setitem(sys.modules, "openvino_telemetry", None)
    monkeypatch.setattr("importlib.metadata.version", lambda _: "2026.4.1")
    return fake


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return relu_and_sum(tmp_path)


def _with(**changes: Any) -> SessionSettings:
    return msgspec.structs.replace(SETTINGS, **changes)


def test_what_was_set_is_what_the_session_says_it_has(fake: FakeOpenVino, artifact: Artifact) -> None:
    session = ours.open_session("openvino", artifact, SETTINGS)
    effective = session.info.effective_options
    assert effective["intra_op_threads"] == "2"
    assert effective["inference_precision_hint"] == "f32"
    assert (effective["num_streams"], effective["device"]) == ("1", "CPU")
    assert effective["kernel_types"] == "f32=2"
    assert (session.info.node_share, session.info.placement[0].nodes) == (1.0, 2)


def test_outputs_come_in_the_order_asked_for(fake: FakeOpenVino, artifact: Artifact) -> None:
    z, y = ours.open_session("openvino", artifact, SETTINGS).call({"x": X})
    np.testing.assert_array_equal(y, X)
    np.testing.assert_array_equal(z, -X)
    (only,) = ours.open_session("openvino", artifact, _with(outputs=("z",))).call({"x": X})
    np.testing.assert_array_equal(only, -X)


def test_every_caller_has_an_infer_request_of_its_own(fake: FakeOpenVino, artifact: Artifact) -> None:
    session = ours.open_session("openvino", artifact, SETTINGS)
    session.another()
    assert fake.compiled is not None
    assert len(fake.compiled.requests) == 2


def test_a_call_after_closing_says_so_and_closing_twice_is_fine(fake: FakeOpenVino, artifact: Artifact) -> None:
    session = ours.open_session("openvino", artifact, SETTINGS)
    session.close()
    session.close()
    with pytest.raises(RuntimeError, match="closed"):
        session.call({"x": X})


@pytest.mark.parametrize(
    ("differing", "told"),
    [
        ({"INFERENCE_PRECISION_HINT": "bf16"}, "asked for float32, the device computes in bfloat16"),
        ({"INFERENCE_NUM_THREADS": 1}, "asked for 2 threads, the device uses 1"),
        ({"PERFORMANCE_HINT": "THROUGHPUT"}, "asked for PERFORMANCE_HINT=LATENCY, the device uses THROUGHPUT"),
        ({"NUM_STREAMS": 2}, "asked for NUM_STREAMS=1, the device uses 2"),
        ({"ENABLE_CPU_PINNING": True}, "asked for ENABLE_CPU_PINNING=NO, the device uses YES"),
        ({"EXECUTION_DEVICES": ["GPU.0"]}, "asked for CPU, the model runs on GPU.0"),
    ],
)
def test_a_property_that_came_out_otherwise_is_refused(
    fake: FakeOpenVino, artifact: Artifact, differing: dict[str, Any], told: str
) -> None:
    fake.differing = differing
    with pytest.raises(UnavailableError, match=told):
        ours.open_session("openvino", artifact, SETTINGS)


@pytest.mark.parametrize(("found", "told"), [("f32", "float32"), ("bf16", "bfloat16")])
def test_float16_is_refused_where_the_device_computes_in_another_precision(
    fake: FakeOpenVino, artifact: Artifact, found: str, told: str
) -> None:
    fake.differing = {"INFERENCE_PRECISION_HINT": found}
    with pytest.raises(UnavailableError, match=f"asked for float16, the device computes in {told}"):
        ours.open_session("openvino", artifact, _with(precision="float16"))
    fake.differing = {}
    info = ours.open_session("openvino", artifact, _with(precision="float16")).info
    assert info.effective_options["inference_precision_hint"] == "f16"


def test_an_int8_file_that_no_kernel_computes_in_int8_has_a_caution(fake: FakeOpenVino, artifact: Artifact) -> None:
    asked = _with(precision="int8")
    assert [one.code for one in ours.open_session("openvino", artifact, asked).info.cautions] == ["no int8 kernels"]
    fake.kernels = ("f32", "u8")
    assert ours.open_session("openvino", artifact, asked).info.cautions == ()


def test_a_model_from_the_cache_is_told_from_one_that_was_built(fake: FakeOpenVino, artifact: Artifact) -> None:
    assert ours.open_session("openvino", artifact, SETTINGS).info.build_cache is None
    assert ours.open_session("openvino", artifact, _with(cache="/kept")).info.build_cache == "hit"
    fake.differing = {"LOADED_FROM_CACHE": False}
    assert ours.open_session("openvino", artifact, _with(cache="/kept")).info.build_cache == "miss"


@pytest.mark.parametrize("has", ["f64", "bf16"])
def test_an_input_of_another_type_is_refused_because_a_call_would_cast(
    fake: FakeOpenVino, artifact: Artifact, has: str
) -> None:
    fake.type = has
    with pytest.raises(UnsupportedError, match=f"input 'x' is {has} in the model: float32 cannot be given to it"):
        ours.open_session("openvino", artifact, SETTINGS)


def test_a_name_that_is_not_there_is_told_with_those_that_are(fake: FakeOpenVino, artifact: Artifact) -> None:
    with pytest.raises(UnsupportedError, match=r"two\.onnx has no output w; it has y, z"):
        ours.open_session("openvino", artifact, _with(outputs=("w", "y")))


def test_what_does_not_compile_is_unsupported(fake: FakeOpenVino, artifact: Artifact) -> None:
    fake.refuses = "Exception from src/a.cpp:1:\nno such thing\n\n"
    with pytest.raises(UnsupportedError, match=r"compiling the model for CPU: no such thing$"):
        ours.open_session("openvino", artifact, SETTINGS)


def test_the_probe_names_version_and_devices(fake: FakeOpenVino) -> None:
    fake.devices = ["CPU", "GPU"]
    fake.type = "f32"
    probe = ours.probe("openvino")  # the fake has no y of the tiny model's value
    assert probe.state == "broken"
    assert probe.detail.startswith("openvino 2026.4.1, CPU, GPU: ")


def test_without_the_package_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    probe = ours.probe("openvino")
    assert (probe.state, probe.install) == ("not installed", RUNTIMES["openvino"].install)


def test_telemetry_is_out_of_reach_before_the_import(fake: FakeOpenVino, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "openvino_telemetry")
    ours.import_runtime("openvino", {})
    assert sys.modules["openvino_telemetry"] is None
