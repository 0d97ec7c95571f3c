from __future__ import annotations

from typing import Any

import pytest

from bench.errors import UnavailableError
from bench.records import ProviderPart
from bench.runtimes.kernels import profiled_parts, reasons_in

CPU, WEBGPU = "CPUExecutionProvider", "WebGpuExecutionProvider"


def _run(start: int, duration: int) -> dict[str, Any]:
    return {"cat": "Session", "name": "model_run", "ts": start, "dur": duration, "args": {}}


def _kernel(start: int, duration: int, provider: str = CPU, operator: str = "Conv", node: str = "a") -> dict[str, Any]:
    args = {"provider": provider, "op_name": operator}
    return {"cat": "Node", "name": f"{node}_kernel_time", "ts": start, "dur": duration, "args": args}


def _times(parts: tuple[ProviderPart, ...]) -> dict[str, int | None]:
    return {part.provider: part.time_ns for part in parts}


def test_the_call_that_warms_up_is_not_counted() -> None:
    events = [_kernel(0, 900), _run(0, 901), _kernel(1000, 5), _run(1000, 6), _kernel(2000, 7), _run(2000, 8)]
    [part] = profiled_parts(events, 2)
    assert (part.kernels, part.time_ns, part.operators, part.names) == (1, 12_000, {"Conv": 1}, ("a",))


def test_a_profile_that_lacks_calls_is_no_proof() -> None:
    with pytest.raises(UnavailableError, match="the profile has 1 of 2 calls"):
        profiled_parts([_kernel(0, 1), _run(0, 2)], 2)


def test_fences_and_whole_runs_are_no_kernels() -> None:
    fence = {"cat": "Node", "name": "a_fence_before", "ts": 1, "dur": 1, "args": {"op_name": "Conv"}}
    execute = {"cat": "Session", "name": "SequentialExecutor::Execute", "ts": 0, "dur": 9, "args": {}}
    [part] = profiled_parts([fence, execute, _kernel(2, 3), _run(0, 10)], 1)
    assert (part.kernels, part.time_ns) == (1, 3000)


def test_a_loop_is_not_charged_with_what_runs_inside_of_it() -> None:
    inner = [_kernel(10, 20, WEBGPU, node="b"), _kernel(40, 30, WEBGPU, node="c")]
    events = [_kernel(5, 100, CPU, "Loop", "loop"), *inner, _kernel(105, 4), _run(0, 120)]
    assert _times(profiled_parts(events, 1)) == {CPU: 54_000, WEBGPU: 50_000}


def test_the_wait_for_a_device_after_the_last_kernel_is_the_devices_time() -> None:
    events = [_kernel(1, 20, CPU, "Unique", "u"), _kernel(30, 2, WEBGPU), _run(0, 1032)]
    assert _times(profiled_parts(events, 1, WEBGPU)) == {CPU: 20_000, WEBGPU: 1_002_000}
    assert _times(profiled_parts(events, 1)) == {CPU: 20_000, WEBGPU: 2_000}


def test_a_device_that_ran_no_kernel_is_charged_with_no_wait() -> None:
    assert _times(profiled_parts([_kernel(1, 20), _run(0, 1000)], 1, WEBGPU)) == {CPU: 20_000}


def test_a_part_keeps_the_reasons_of_its_nodes_each_once() -> None:
    reasons = {"u": "no webgpu kernel for Unique", "v": "no webgpu kernel for Unique", "w": "cheap", "gone": "fused"}
    events = [_kernel(i, 1, CPU, "Unique", node) for i, node in enumerate("uvw")]
    [part] = profiled_parts([*events, _run(0, 9)], 1, WEBGPU, reasons)
    assert part.reason == "no webgpu kernel for Unique, cheap"
    [part] = profiled_parts([*events, _run(0, 9)], 1, WEBGPU)
    assert part.reason is None


def test_reasons_are_read_from_the_log_colours_and_times_apart() -> None:
    log = (
        "\x1b[0;93m2026-11-26 [I:onnxruntime:, ep.cc:91 GetCapabilityImpl] webgpu kernel not found in registries for "
        "Op type: Unique node name: head/unique\x1b[m\n"
        "2026-11-26 [I:onnxruntime:, fallback.cc:168 X] ORT optimization- Force fallback to CPU execution for node: "
        "gather because the CPU execution path is deemed faster than overhead  capable of executing this node\n"
        "2026-11-26 [I:onnxruntime:, graph_transformer.cc:15 Apply] GraphTransformer X modified: 0 with status: OK\n"
    )
    assert reasons_in(log) == {
        "head/unique": "no webgpu kernel for Unique",
        "gather": "the CPU execution path is deemed faster than overhead capable of executing this node",
    }
    assert reasons_in("") == {}
