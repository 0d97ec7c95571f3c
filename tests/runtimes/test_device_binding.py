"""The boundary ``device``, on a device that works on after a run has returned (C15): a call lasts until it is done."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.errors import UnavailableError, UnsupportedError
from bench.records import SessionInfo
from bench.runtimes.device_binding import WAYS, DeviceSession, Place, Way, place_of, plugin_device
from bench.runtimes.table import RUNTIMES

WORK_NS, QUEUE_NS, COPY_NS = 20_000_000, 100_000, 50_000


class Device:
    """A device with one queue and a clock: it is busy until ``done``."""

    def __init__(self, *, binding_waits: bool) -> None:
        self.now = self.done = 0
        self.binding_waits = binding_waits
        self.type_here = "gpu"

    def clock(self) -> int:
        return self.now

    def queue(self) -> None:
        self.now += QUEUE_NS
        self.done = max(self.done, self.now) + WORK_NS

    def read(self) -> None:
        self.now = max(self.now, self.done) + COPY_NS


class Value:
    def __init__(self, device: Device, array: Any) -> None:
        self.device, self.array = device, array.copy()

    def numpy(self) -> Any:
        self.device.read()
        return self.array

    def device_name(self) -> str:
        return self.device.type_here


class Binding:
    def __init__(self, device: Device) -> None:
        self.device = device
        self.inputs: dict[str, Value] = {}
        self.outputs: list[tuple[str, str, int]] = []

    def bind_ortvalue_input(self, name: str, value: Value) -> None:
        self.inputs[name] = value

    def bind_output(self, name: str, device_type: str, device_id: int) -> None:
        self.outputs.append((name, device_type, device_id))

    def synchronize_inputs(self) -> None:
        pass

    def synchronize_outputs(self) -> None:
        if self.device.binding_waits:
            self.device.now = max(self.device.now, self.device.done)

    def copy_outputs_to_cpu(self) -> list[Any]:
        self.device.read()
        return [self.inputs["x"].array * 2 for _ in self.outputs]


class Ort:
    """What of ONNX Runtime a device session uses: the module, the session and OrtValue in one."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.OrtValue = self
        self.bindings: list[Binding] = []

    def ortvalue_from_numpy(self, array: Any, device_type: str, device_id: int) -> Value:
        if (device_type, device_id) != ("gpu", 0):
            raise RuntimeError("no allocator\nand a trace")
        return Value(self.device, array)

    def io_binding(self) -> Binding:
        self.bindings.append(Binding(self.device))
        return self.bindings[-1]

    def run_with_iobinding(self, _: Binding) -> None:
        self.device.queue()

    def run(self, _: list[str], feed: dict[str, Any]) -> list[Any]:
        self.device.queue()
        self.device.read()
        return [feed["x"] * 2]


INFO = SessionInfo(
    runtime_version="1",
    runtime_file="ort.py",
    provider="SlowExecutionProvider",
    call_path="run",
    effective_options={"arena": "on"},
    concurrent=True,
)
FEED = {"x": np.arange(3, dtype=np.float32)}


def open_on(device: Device, *, read_back: bool = False, device_id: int = 0) -> DeviceSession:
    ort = Ort(device)
    return DeviceSession(ort, ort, Place(Way("gpu", read_back), device_id), ["y"], INFO, device.clock)


def time_of(device: Device, call: Callable[[Any], Any], feed: Any) -> int:
    start = device.now
    call(feed)
    return device.now - start


@pytest.mark.parametrize(
    ("binding_waits", "read_back"), [(True, False), (False, True)], ids=["its binding waits", "it is read back"]
)
def test_both_boundaries_see_the_work_that_goes_on_after_a_run(binding_waits: bool, read_back: bool) -> None:
    device = Device(binding_waits=binding_waits)
    session = open_on(device, read_back=read_back)
    placed = session.place(FEED)
    assert time_of(device, session.call, placed) >= WORK_NS
    assert time_of(device, lambda feed: Ort(device).run([], feed), FEED) >= WORK_NS
    [output] = session.fetch(session.call(placed))
    np.testing.assert_array_equal(output, FEED["x"] * 2)


def test_a_device_that_nothing_waits_for_cannot_claim_the_boundary() -> None:
    device = Device(binding_waits=False)
    session = open_on(device)
    placed = session.place(FEED)
    assert time_of(device, session.call, placed) < WORK_NS  # what would have been reported
    with pytest.raises(UnavailableError, match=r"SlowExecutionProvider has no way to wait.*boundary=host"):
        session.fetch(session.call(placed))


def test_whether_calls_wait_is_looked_at_once() -> None:
    device = Device(binding_waits=True)
    session = open_on(device)
    binding = session.call(session.place(FEED))
    session.fetch(binding)
    assert time_of(device, session.fetch, binding) == COPY_NS


def test_a_provider_without_a_known_way_to_wait_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(UnavailableError, match=r"QNNExecutionProvider has no way to wait"):
        place_of(None, "QNNExecutionProvider", [], {})


def test_a_plugin_without_memory_of_its_own_is_refused() -> None:
    class NoMemory:
        OrtDeviceMemoryType = type("Types", (), {"DEFAULT": 0})

        def memory_info(self, _: int) -> None:
            return None

    with pytest.raises(UnavailableError, match="tells of no device memory"):
        place_of(NoMemory, "WebGpuExecutionProvider", [NoMemory()], {})


def test_the_device_that_was_asked_for_is_the_one_that_is_used() -> None:
    assert place_of(None, "CUDAExecutionProvider", [], {"device_id": "1"}) == Place(Way("cuda"), 1)
    with pytest.raises(UnavailableError, match=r"no tensor can be made on gpu 1.*\(no allocator\)"):
        open_on(Device(binding_waits=True), device_id=1)


def fake_device(kind: str, vendor: str) -> SimpleNamespace:
    return SimpleNamespace(device=SimpleNamespace(type=SimpleNamespace(name=kind), vendor=vendor))


def test_the_row_names_the_device_of_a_plugin_and_of_how_many() -> None:
    cpu, gpu = (fake_device(kind, vendor) for kind, vendor in (("CPU", "AMD"), ("GPU", "")))
    assert plugin_device([]) == {}
    assert plugin_device([cpu]) == {"plugin_device": "CPU AMD"}
    assert plugin_device([gpu, cpu]) == {"plugin_device": "GPU, first of 2"}


def test_tensors_that_lie_on_the_host_are_no_device_boundary() -> None:
    device = Device(binding_waits=True)
    device.type_here = "cpu"
    with pytest.raises(UnavailableError, match="lie in host memory"):
        open_on(device)


def test_what_a_device_cannot_hold_is_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"input 'words' is .*boundary=host"):
        open_on(Device(binding_waits=True)).place({"words": np.array(["a", "b"])})


def test_every_caller_has_a_binding_of_its_own() -> None:
    device = Device(binding_waits=True)
    session = open_on(device)
    other = session.another()
    assert session.call(session.place(FEED)) is not other(session.place({"x": FEED["x"] + 1}))


def test_a_second_caller_is_refused_where_work_is_waited_for_by_reading_back() -> None:
    session = open_on(Device(binding_waits=False), read_back=True)
    assert not session.info.concurrent
    with pytest.raises(UnsupportedError, match="--streams 1"):
        session.another()


def test_the_row_says_where_and_how() -> None:
    info = open_on(Device(binding_waits=True)).info
    assert info.call_path == "InferenceSession.run_with_iobinding"
    assert info.effective_options == {
        "arena": "on", "boundary": "device", "device": "gpu 0", "synchronised_by": "synchronize_outputs"
    }  # fmt: skip


def test_closing_twice_is_fine_and_a_closed_session_says_so() -> None:
    session = open_on(Device(binding_waits=True))
    placed = session.place(FEED)
    session.close()
    session.close()
    for call in (session.call, session.another):
        with pytest.raises(RuntimeError, match="closed"):
            call(*([placed] if call is session.call else []))


def test_every_runtime_that_offers_the_boundary_has_a_way_to_wait() -> None:
    offered = {str(entry.provider) for entry in RUNTIMES.values() if "device" in entry.boundaries}
    assert offered == set(WAYS)
