"""OpenVINO's performance counters told operator by operator. Runs in a worker; OpenVINO's objects are handed in.

On the CPU a counter is the running average over all calls since the model was compiled, in whole microseconds. So what
is told of one call after many would be lost in the rounding. Each "call" told here is therefore the mean over a block
of calls of a model compiled anew: what the average says after the block, less what it said before it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from statistics import mean
from typing import Any

from bench.errors import UnsupportedError
from bench.records import Profiled
from bench.runtimes.onnx_fused import fused_origins
from bench.runtimes.onnx_graph import Graph
from bench.runtimes.operators import Call, Ran, added_up, timed_calls

_WARM = 5  # calls before the block
_LEAST, _MOST, _BLOCK_NS = 5, 50, 500_000_000  # calls of a block, and when it ends between the two
_US = 1000
Bind = Callable[[Any], Call]  # an infer request -> its call


def profiled_operators(
    compile_model: Callable[[], Any], bind: Bind, device: str, file: Graph, feeds: Sequence[Any], calls: int
) -> Profiled:
    """Operators and wall times, each the mean of a block of calls; ``compile_model`` with counters on.

    Raises UnsupportedError for other devices than the CPU, and for several streams: each has counters of its own.
    """
    if device.partition(".")[0] != "CPU":
        raise UnsupportedError(f"operators are told of OpenVINO's CPU alone, this is {device}")
    ran: list[Ran] = []
    walls: list[int] = []
    least = _MOST
    for call in range(calls):
        compiled = compile_model()
        if int(compiled.get_property("NUM_STREAMS")) != 1:
            raise UnsupportedError("every stream has counters of its own; profile with hint=latency")
        counted, wall_ns, block = _block(compiled, bind, feeds)
        walls.append(wall_ns)
        least = min(least, block)
        written = _output_bytes(compiled)
        ran += [Ran(call, name, name, kind, device, time_ns, written.get(name)) for name, kind, time_ns in counted]
    told = _told(compiled)
    names = [name for name, _ in told]
    origins: dict[Hashable, tuple[str, ...]] = dict(
        zip(names, fused_origins(file, [own for _, own in told], _closed(compiled, told)), strict=True)
    )
    return Profiled(
        parts=(),
        calls=calls,
        operators=added_up(ran, calls, origins),
        calls_ns=tuple(walls),
        rounding_ns=len(names) * most_cut_off(_WARM, least),
    )


def mean_of_block(before_us: int, warm: int, after_us: int, block: int) -> int:
    """The mean time of the later ``block`` calls in ns, of the averages over ``warm`` calls and over all of them.

    Both averages are cut to whole microseconds, so this is at most ``1 + warm / block`` microseconds too little and
    ``warm / block`` too much; each call's time was cut before it was averaged, up to another microsecond.
    """
    return max(0, round(((warm + block) * after_us - warm * before_us) * _US / block))


def most_cut_off(warm: int, block: int) -> int:
    """By how many ns a kernel may have taken longer or less than ``mean_of_block``; one of 0 is not told at all."""
    return round((2 + warm / block) * _US)


def _block(compiled: Any, bind: Bind, feeds: Sequence[Any]) -> tuple[list[tuple[str, str, int]], int, int]:
    """Name, kind and mean time of what ran; the mean wall time; how many calls the block has."""
    request = compiled.create_infer_request()
    call = bind(request)
    timed_calls(call, feeds, _WARM)
    before = {one.node_name: _us(one.real_time) for one in request.get_profiling_info()}
    walls: list[int] = []
    end = time.perf_counter_ns() + _BLOCK_NS
    while len(walls) < _LEAST or (len(walls) < _MOST and time.perf_counter_ns() < end):
        walls += timed_calls(call, feeds[len(walls) % len(feeds) :], 1)
    after = [one for one in request.get_profiling_info() if str(one.status).endswith("EXECUTED") and one.real_time]
    took = partial(mean_of_block, warm=_WARM, block=len(walls))
    counted = [
        (one.node_name, one.node_type, took(before.get(one.node_name, 0), after_us=_us(one.real_time))) for one in after
    ]
    return counted, round(mean(walls)), len(walls)


def _us(duration: Any) -> int:
    return round(float(duration.total_seconds()) * 1_000_000)


def _output_bytes(compiled: Any) -> dict[str, int]:
    """By kernel, what it writes where its shape is fixed."""
    sizes = {}
    for node in compiled.get_runtime_model().get_ordered_ops():
        shapes = [(out.get_partial_shape(), out.get_element_type().size) for out in node.outputs()]
        if all(shape.is_static for shape, _ in shapes):
            sizes[node.get_friendly_name()] = sum(math.prod(shape.to_shape()) * size for shape, size in shapes)
    return sizes


def _told(compiled: Any) -> list[tuple[str, list[str]]]:
    """By kernel of the compiled model, the names of the nodes that it stands for, the last one first."""
    nodes = [node for node in compiled.get_runtime_model().get_ordered_ops() if not _is_fixed(node)]
    return [(node.get_friendly_name(), _names(node)) for node in nodes]


def _closed(compiled: Any, told: Sequence[tuple[str, list[str]]]) -> set[int]:
    """Places of kernels that take something from one that names nothing and computes something."""
    places = {name: place for place, (name, _) in enumerate(told)}
    closed = set()
    for node in compiled.get_runtime_model().get_ordered_ops():
        sources = [value.get_node() for value in node.input_values()]
        if any(not _is_fixed(one) and _text(one, "layerType") != "Reorder" and not _names(one) for one in sources):
            closed.add(places.get(node.get_friendly_name(), -1))
    return closed


def _is_fixed(node: Any) -> bool:
    return _text(node, "layerType") in {"Const", "Input"}


def _names(node: Any) -> list[str]:
    return [name for name in reversed(_text(node, "originalLayersNames").split(",")) if name]


def _text(node: Any, key: str) -> str:
    info = node.get_rt_info()
    return str(info[key].astype(str)) if key in info else ""
