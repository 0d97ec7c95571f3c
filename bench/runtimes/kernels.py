"""A profile's events and ONNX Runtime's log -> which provider ran which kernels, for how long, and why there. Pure.

A kernel's time is that of the host. A provider that computes on a device returns from its kernels at once; the host
waits for it in a copy (a kernel of that provider) or after the last kernel of the call. That wait is the device's time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bench.errors import UnavailableError
from bench.records import ProviderPart

NAMES_KEPT = 5  # of the nodes of one provider
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
    runs = sorted((event for event in events if event.get("name") == "model_run"), key=_start)[-calls:]
    if len(runs) < calls:
        raise UnavailableError(f"the profile has {len(runs)} of {calls} calls")
    kernels = [kernel for kernel in _kernels(events) if kernel.start_us >= _start(runs[0])]
    times = _times_by_provider(kernels)
    if device in times:
        times[str(device)] += sum(_wait(run, events) for run in runs)
    return tuple(
        _part(provider, [one for one in kernels if one.provider == provider], time_us, calls, reasons or {})
        for provider, time_us in times.items()
    )


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
        )
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith(_SUFFIX) and event.get("args", {}).get("provider")
    ]
    return sorted(ran, key=lambda one: (one.start_us, -one.duration_us))


def _times_by_provider(kernels: Sequence[Kernel]) -> Counter[str]:
    """Each kernel's own time: a loop's or a branch's without that of the kernels inside of it."""
    times: Counter[str] = Counter()
    around: list[Kernel] = []
    for kernel in kernels:
        while around and kernel.start_us >= around[-1].start_us + around[-1].duration_us:
            around.pop()
        if around:
            times[around[-1].provider] -= kernel.duration_us
        times[kernel.provider] += kernel.duration_us
        around.append(kernel)
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
