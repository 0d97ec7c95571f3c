"""ONNX Runtime at the boundary ``device``: inputs lie on the device before a call, outputs stay there after it.

A call returns when its work is done. Most bindings wait for it in ``synchronize_outputs``; that of WebGPU does not (its
run returned after 0.5 ms of work of 2.3 s). There four bytes are read back: a device with one queue hands them out
after everything that was queued before. ``fetch`` looks once whether a call really waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from bench.errors import UnavailableError, UnsupportedError
from bench.records import SessionInfo
from bench.runtimes.contract import Array, Feed

Clock = Callable[[], int]
_TRIES = 3  # an early return is believed when it shows every time


class Way(NamedTuple):
    """How a provider's device is named to a binding, and what waits for its work."""

    device: str
    read_back: bool = False  # its binding does not wait


WAYS = {
    "CUDAExecutionProvider": Way("cuda"),
    "TensorrtExecutionProvider": Way("cuda"),
    "NvTensorRTRTXExecutionProvider": Way("cuda"),
    "DmlExecutionProvider": Way("dml"),
    "MIGraphXExecutionProvider": Way("gpu"),
    "ROCMExecutionProvider": Way("cuda"),  # its builds keep that word
    "CANNExecutionProvider": Way("cann"),
    "WebGpuExecutionProvider": Way("gpu", read_back=True),
}


class Place(NamedTuple):
    """A device, and the way to wait for it."""

    way: Way
    device_id: int


class DeviceSession:
    """An ``InferenceSession`` behind an ``IOBinding``; ``call`` takes what ``place`` gave and returns the binding."""

    def __init__(
        self,
        ort: Any,
        session: Any,
        place: Place,
        outputs: Sequence[str],
        info: SessionInfo,
        clock: Clock = time.perf_counter_ns,
    ) -> None:
        """UnavailableError where the device takes no memory of ours."""
        self.info = msgspec.structs.replace(
            info,
            call_path="InferenceSession.run_with_iobinding",
            effective_options=info.effective_options | _told(place),
            concurrent=info.concurrent and not place.way.read_back,
        )
        self._ort, self._session, self._place, self._outputs = ort, session, place, tuple(outputs)
        self._clock, self._waits = clock, False
        self._fence = self._copy(np.zeros(1, np.float32))
        self.call: Callable[[Any], Any] = self._caller()

    def place(self, feed: Feed) -> tuple[tuple[str, Any], ...]:
        """The feed on the device, read back once to be sure of it; UnsupportedError for what has no place there."""
        return tuple((name, self._checked(name, array)) for name, array in feed.items())

    def fetch(self, outputs: Any) -> Sequence[Array]:
        """Host arrays of what a call left in its binding; UnavailableError where calls return too early."""
        if not self._waits:
            if all(self._returns_early(outputs) for _ in range(_TRIES)):
                raise UnavailableError(
                    f"{self.info.provider} has no way to wait for the device: calls return while most of their work is "
                    "still to do; measure it with boundary=host"
                )
            self._waits = True
        arrays: Sequence[Array] = outputs.copy_outputs_to_cpu()
        return arrays

    def another(self) -> Callable[[Any], Any]:
        """A call with a binding of its own; UnsupportedError where a second caller would disturb the first."""
        if not self.info.concurrent:
            raise UnsupportedError(
                f"{self.info.provider} takes one caller at boundary=device: copies of two disturb each other; use "
                "--streams 1 or boundary=host"
            )
        return self._caller()

    def close(self) -> None:
        """Drop session, device memory and bindings; twice is fine. A call after it raises RuntimeError."""
        self._session = self._fence = None
        self.call = self.another = _closed  # type: ignore[method-assign]

    def _caller(self) -> Callable[[Any], Any]:
        """A binding and the call through it. Outputs are bound to the device, not to memory: a model may size them."""
        session, wait = self._session, self._wait
        binding = session.io_binding()
        for name in self._outputs:
            binding.bind_output(name, self._place.way.device, self._place.device_id)

        def call(placed: Any) -> Any:
            for name, value in placed:
                binding.bind_ortvalue_input(name, value)
            binding.synchronize_inputs()
            session.run_with_iobinding(binding)
            wait(binding)
            return binding

        return call

    def _wait(self, binding: Any) -> None:
        binding.synchronize_outputs()
        if self._place.way.read_back:
            self._fence.numpy()

    def _returns_early(self, binding: Any) -> bool:
        """Whether the outputs were waited for longer than the call took; a second reading tells what the copy takes."""
        start = self._clock()
        self._session.run_with_iobinding(binding)
        self._wait(binding)
        returned = self._clock()
        binding.copy_outputs_to_cpu()
        read = self._clock()
        binding.copy_outputs_to_cpu()
        return (read - returned) - (self._clock() - read) > returned - start

    def _checked(self, name: str, array: Array) -> Any:
        if array.dtype.kind not in "fiub":
            raise UnsupportedError(f"input {name!r} is {array.dtype}: it has no place on a device; use boundary=host")
        value = self._copy(array)
        if value.numpy().tobytes() != array.tobytes():
            raise UnavailableError(f"input {name!r} came back from {self.info.provider} other than it went")
        return value

    def _copy(self, array: Array) -> Any:
        way, device_id = self._place
        try:
            value = self._ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array), way.device, device_id)
        except Exception as error:
            raise UnavailableError(
                f"{self.info.provider}: no tensor can be made on {way.device} {device_id}; use boundary=host "
                f"({str(error).partition(chr(10))[0]})"
            ) from error
        if value.device_name().lower() == "cpu":
            raise UnavailableError(f"{self.info.provider}: tensors for {way.device} {device_id} lie in host memory")
        return value


def place_of(ort: Any, provider: str, devices: Sequence[Any], keys: Mapping[str, str]) -> Place:
    """The provider's device; UnavailableError for one that has none of its own or no way to wait for it."""
    if provider not in WAYS:
        raise UnavailableError(f"{provider} has no way to wait for a device; measure it with boundary=host")
    if not devices:
        return Place(WAYS[provider], int(keys.get("device_id", "0")))
    memory = devices[0].memory_info(ort.OrtDeviceMemoryType.DEFAULT)
    if memory is None:
        raise UnavailableError(f"the plugin of {provider} tells of no device memory; measure it with boundary=host")
    return Place(WAYS[provider], memory.device_id)


def plugin_device(devices: Sequence[Any]) -> dict[str, str]:
    """Which of a plugin's devices is used: the first. A software adapter of WebGPU is told by its kind, CPU."""
    if not devices:
        return {}
    first = devices[0].device
    among = f", first of {len(devices)}" if len(devices) > 1 else ""
    return {"plugin_device": f"{first.type.name} {first.vendor}".strip() + among}


def _told(place: Place) -> dict[str, str]:
    waits = "read-back of 4 bytes" if place.way.read_back else "synchronize_outputs"
    return {"boundary": "device", "device": f"{place.way.device} {place.device_id}", "synchronised_by": waits}


def _closed(*_: Any) -> Any:
    raise RuntimeError("this session is closed")
