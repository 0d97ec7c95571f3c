"""A profile's events and ONNX Runtime's log -> which provider ran which kernels, for how long, and why there. Pure.

A kernel's time is that of the host. A provider that computes on a device returns from its kernels at once; the host
waits for it in a copy (a kernel of that provider) or after the last kernel of the call. That wait is the device's time.
"""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bench.errors import UnavailableError
from bench.records import ProviderPart
from bench.runtimes.operators import Ran

NAMES_KEPT = 5  # of the nodes of one provider
WAIT = "(wait for the device)"  # the operator that stands for what a device does after its last kernel was started
_SUFFIX = "_kernel_time"
_US = 1000  # a profile counts microseconds
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NO_KERNEL = re.compile(r"(\S+) kernel not found in registries for Op type: (\S+) node name: (.*)$")
_CHEAPER = re.compile(r"Force fallback to CPU execution for node: (.*?) because (.*)$")


class Kernel(NamedTuple):
    """One kernel that ran."""

    provider: str
    operator: str
    node: str
    start_us: int
    duration_us: int
    node_index: int = 0  # of the node in its graph: two nodes may have one name
    output_bytes: int | None = None


def profiled_parts(
    events: Sequence[Mapping[str, Any]],
    calls: int,
    device: str | None = None,
    reasons: Mapping[str, str] | None = None,
) -> tuple[ProviderPart, ...]:
    """What each provider ran in the last ``calls`` calls of a profile; earlier ones were to warm up.

    ``device``: the provider that the host waits for at the end of a call, where there is one. ``reasons``: by node, why
    it is not on the provider asked for. Raises UnavailableError where the profile lacks calls.
    """
    runs = _last_runs(events, calls)
    kernels = [kernel for kernel in _kernels(events) if kernel.start_us >= _start(runs[0])]
    times: Counter[str] = Counter()
    for kernel, own_us in zip(kernels, _own_times(kernels), strict=True):
        times[kernel.provider] += own_us
    if device in times:
        times[str(device)] += sum(_wait(run, events) for run in runs)
    return tuple(
        _part(provider, [one for one in kernels if one.provider == provider], time_us, calls, reasons or {})
        for provider, time_us in times.items()
    )


def profiled_kernels(events: Sequence[Mapping[str, Any]], calls: int, device: str | None = None) -> list[Ran]:
    """Each kernel of the last ``calls`` calls; the wait for ``device`` at the end of a call is one of it.

    Times are whole microseconds, cut off: many small kernels add up to less than they took.
    """
    runs = _last_runs(events, calls)
    starts = [_start(run) for run in runs]
    kernels = [kernel for kernel in _kernels(events) if kernel.start_us >= starts[0]]
    ran = [
        Ran(
            call=bisect.bisect_right(starts, kernel.start_us) - 1,
            key=(kernel.node, kernel.node_index, kernel.operator, kernel.provider),
            name=kernel.node or kernel.operator,
            operator=kernel.operator,
            provider=kernel.provider,
            time_ns=own_us * _US,
            output_bytes=kernel.output_bytes,
        )
        for kernel, own_us in zip(kernels, _own_times(kernels), strict=True)
    ]
    if device is None or device not in {kernel.provider for kernel in kernels}:
        return ran
    waits = [(call, _wait(run, events) * _US) for call, run in enumerate(runs)]
    return ran + [Ran(call, WAIT, WAIT, "Wait", device, wait_ns) for call, wait_ns in waits]


def reasons_in(log: str) -> dict[str, str]:
    """By node, why ONNX Runtime did not give it to the provider asked for, from its log at the level INFO."""
    reasons: dict[str, str] = {}
    for line in _COLOUR.sub("", log).splitlines():
        if found := _NO_KERNEL.search(line):
            provider, operator, node = found.groups()
            reasons[node.strip()] = f"no {provider} kernel for {operator}"
        elif found := _CHEAPER.search(line):
            node, why = found.groups()
            reasons[node.strip()] = " ".join(why.split())
    return reasons


def _kernels(events: Iterable[Mapping[str, Any]]) -> list[Kernel]:
    """Kernels in the order in which they began; fences and whole runs are other events."""
    ran = [
        Kernel(
            provider=event["args"]["provider"],
            operator=event["args"].get("op_name", "?"),
            node=event["name"].removesuffix(_SUFFIX),
            start_us=_start(event),
            duration_us=int(event["dur"]),
            node_index=int(event["args"].get("node_index", 0)),
            output_bytes=int(size) if (size := event["args"].get("output_size")) is not None else None,
        )
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith(_SUFFIX) and event.get("args", {}).get("provider")
    ]
    return sorted(ran, key=lambda one: (one.start_us, -one.duration_us))


def _last_runs(events: Sequence[Mapping[str, Any]], calls: int) -> list[Mapping[str, Any]]:
    runs = sorted((event for event in events if event.get("name") == "model_run"), key=_start)[-calls:]
    if len(runs) < calls:
        raise UnavailableError(f"the profile has {len(runs)} of {calls} calls")
    return runs


def _own_times(kernels: Sequence[Kernel]) -> list[int]:
    """Each kernel's own time: a loop's or a branch's without that of the kernels inside of it."""
    times = [kernel.duration_us for kernel in kernels]
    around: list[int] = []
    for i, kernel in enumerate(kernels):
        while around and kernel.start_us >= kernels[around[-1]].start_us + kernels[around[-1]].duration_us:
            around.pop()
        if around:
            times[around[-1]] -= kernel.duration_us
        around.append(i)
    return times


def _wait(run: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> int:
    """From the end of the last thing that was done in a call to the end of the call, in microseconds."""
    start, end = _start(run), _end(run)
    inside = [_end(event) for event in events if event is not run and start <= _start(event) and _end(event) <= end]
    return end - max(inside, default=end)


def _part(
    provider: str, kernels: Sequence[Kernel], time_us: int, calls: int, reasons: Mapping[str, str]
) -> ProviderPart:
    operators = Counter(one.operator for one in kernels)
    nodes = list(dict.fromkeys(one.node or one.operator for one in kernels))
    why = dict.fromkeys(reasons[node] for node in nodes if node in reasons)
    return ProviderPart(
        provider=provider,
        kernels=_per_call(len(kernels), calls),
        time_ns=time_us * _US,
        operators={operator: _per_call(count, calls) for operator, count in operators.items()},
        names=tuple(nodes[:NAMES_KEPT]),
        reason=", ".join(why) or None,
    )


def _per_call(count: int, calls: int) -> int:
    return max(1, round(count / calls))


def _start(event: Mapping[str, Any]) -> int:
    return int(event.get("ts", 0))


def _end(event: Mapping[str, Any]) -> int:
    return _start(event) + int(event.get("dur", 0))
