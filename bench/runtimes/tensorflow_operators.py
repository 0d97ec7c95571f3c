"""TensorFlow's own profiler told operator by operator: of a function's operations, or of what XLA made of them.

Runs in a worker. The profiler writes a protobuf (XSpace): planes of lines (threads) of events, each with its begin and
length in picoseconds. Its description comes with TensorFlow (tensorflow/tsl/profiler/protobuf/xplane.proto).
"""

from __future__ import annotations

import importlib
import os
import re
import tempfile
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.errors import UnavailableError, UnsupportedError
from bench.records import Profiled
from bench.runtimes.operators import Ran, added_up, timed_calls, warm_up
from bench.runtimes.tensorflow_paths import CallPath
from bench.runtimes.xla_text import Instruction, instructions

_CALL = "bench profiled call"
_EVERY_OPERATION = 3  # of host_tracer_level: 2 leaves out those that TensorFlow takes for cheap
_XPLANE = "tensorflow.tsl.profiler.protobuf.xplane_pb2"
_CALLER = re.compile(r"^((Stateful)?PartitionedCall(_\d+)?/)+")  # put before a node's name with its function's body
_PROVIDER = "CPU"


class Event(NamedTuple):
    """An operation or a kernel of XLA that a thread ran, or a profiled call."""

    name: str
    kind: str  # "Conv2D"; "" of a call
    start_ps: int
    end_ps: int
    is_xla: bool = False


def profiled_operators(tf: Any, path: CallPath, feeds: Sequence[Any], calls: int) -> Profiled:
    """Operators and wall times of ``calls`` calls.

    On one thread the operators of a call add up to less than the call. On several XLA runs kernels side by side, and
    ``predict`` makes batches beside its model: then they may add up to more.
    """
    threads, walls = _traced_calls(tf, path.call, feeds, calls)
    ran = kernels_of(threads)
    if not ran:
        raise UnsupportedError(f"called by {path.name}, TensorFlow's profiler tells no operations; path=function does")
    if path.compiled is not None:
        ran, origins = named_by_xla(ran, instructions(path.compiled()))
    else:
        names = path.nodes() if path.nodes else None
        origins = {one.key: origin_of(one.name, names) for one in ran}
    return Profiled(parts=(), calls=calls, operators=added_up(ran, calls, origins), calls_ns=walls)


def kernels_of(threads: Sequence[Sequence[Event]]) -> list[Ran]:
    """Every operation within a call, of a function that XLA compiled every kernel, in order of time; its own time."""
    windows = sorted((event.start_ps, event.end_ps) for thread in threads for event in thread if not event.kind)
    is_xla = any(event.is_xla for thread in threads for event in thread)
    ran: list[tuple[int, Ran]] = []
    for thread in threads:
        events = [event for event in thread if event.kind and event.is_xla == is_xla]
        for event, own_ps in zip(events, _own_times(events), strict=True):
            call = next((i for i, (start, end) in enumerate(windows) if start <= event.start_ps < end), None)
            if call is not None:
                key = (event.name, event.kind)
                ran.append((event.start_ps, Ran(call, key, event.name, event.kind, _PROVIDER, own_ps // 1000)))
    return [one for _, one in sorted(ran, key=lambda pair: pair[0])]


def origin_of(name: str, nodes: Collection[str] | None) -> tuple[str, ...]:
    """The node of the function that an operation is, by its name; none for what TensorFlow put in.

    ``nodes``: of the function and all that it calls; None where they are not known, and a scope has to do.
    """
    inner = _CALLER.sub("", name)
    is_there = "/" in inner if nodes is None else inner in nodes
    return (inner,) if is_there else ()


def named_by_xla(
    ran: Sequence[Ran], made: Mapping[str, Instruction]
) -> tuple[list[Ran], dict[Hashable, tuple[str, ...]]]:
    """The same with the bytes that a kernel writes, and the operations that XLA says it is made from."""
    sized = [one._replace(output_bytes=made[one.name].output_bytes) if one.name in made else one for one in ran]
    origins = {one.key: made[one.name].operations for one in ran if one.name in made}
    return sized, {key: tuple(dict.fromkeys(_CALLER.sub("", name) for name in names)) for key, names in origins.items()}


def _own_times(events: Sequence[Event]) -> list[int]:
    """Of one thread, in order of time: each without those inside of it."""
    times = [event.end_ps - event.start_ps for event in events]
    around: list[int] = []
    for i, event in enumerate(events):
        while around and event.start_ps >= events[around[-1]].end_ps:
            around.pop()
        if around:
            times[around[-1]] -= event.end_ps - event.start_ps
        around.append(i)
    return times


def _traced_calls(
    tf: Any, call: Callable[[Any], Any], feeds: Sequence[Any], calls: int
) -> tuple[list[list[Event]], tuple[int, ...]]:
    """What each thread ran during ``calls`` calls after some to warm up, and the calls' wall times."""
    space = _space()
    warm_up(call, feeds)
    profiler = tf.profiler.experimental
    options = profiler.ProfilerOptions(host_tracer_level=_EVERY_OPERATION, python_tracer_level=0, device_tracer_level=0)
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
        profiler.start(folder, options=options)
        walls = timed_calls(call, feeds, calls, lambda i: profiler.Trace(_CALL, step_num=i))
        profiler.stop()
        [file] = Path(folder).rglob("*.xplane.pb")
        space.ParseFromString(file.read_bytes())
    return [list(_events(plane, line)) for plane in space.planes for line in plane.lines], walls


def _space() -> Any:
    try:
        return importlib.import_module(_XPLANE).XSpace()
    except ImportError as error:
        raise UnavailableError(f"reading TensorFlow's profile: this version has no {_XPLANE}") from error


def _events(plane: Any, line: Any) -> Iterator[Event]:
    """Of one thread, in order of time, the outer one first."""
    told = {number: data.name for number, data in plane.stat_metadata.items()}
    for event in sorted(line.events, key=lambda one: (one.offset_ps, -one.duration_ps)):
        data = plane.event_metadata[event.metadata_id]
        start = line.timestamp_ns * 1000 + event.offset_ps
        end = start + event.duration_ps
        kind = data.display_name
        if data.name == _CALL:
            yield Event(_CALL, "", start, end)
        elif kind and data.name.endswith(f":{kind}"):
            yield Event(data.name.removesuffix(f":{kind}"), kind, start, end)
        elif any(told[stat.metadata_id] == "hlo_op" for stat in event.stats):
            yield Event(data.name, re.sub(r"[.\d]+$", "", data.name), start, end, is_xla=True)
