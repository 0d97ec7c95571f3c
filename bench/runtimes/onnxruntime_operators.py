"""A profiled session of ONNX Runtime told operator by operator. Runs where ONNX Runtime does.

The profile knows kernels by the names of the optimised graph, so that graph is written beside it and compared with the
file: whose work a fused kernel does, and what is of no node of the file.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.errors import UnsupportedError
from bench.records import Profiled, ProviderPart
from bench.runtimes.contract import Feed
from bench.runtimes.kernels import WAIT, profiled_kernels
from bench.runtimes.onnx_graph import Graph, read_graph
from bench.runtimes.onnx_origins import Between, Origins
from bench.runtimes.onnxruntime_opening import Opening
from bench.runtimes.operators import Ran, added_up, cut_off, timed_calls, warm_up
from bench.runtimes.placement import assigned_nodes

Events = Sequence[Mapping[str, Any]]


def profiled_operators(
    opening: Opening, feeds: Sequence[Feed], calls: int, parts_of: Callable[[Events, str], tuple[ProviderPart, ...]]
) -> Profiled:
    """Operators and wall times of ``calls`` calls; ``parts_of`` reads the parts from the events and the log.

    One node runs after another (``execution=sequential``), so that the operators of a call add up to less than the
    call. A provider on a device returns from its kernels at once: what it does then is in the wait at the end.
    """
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as name:
        folder = Path(name)
        session, log, graph = _create(opening, folder)
        call = partial(session.run, list(opening.settings.outputs))
        warm_up(call, feeds)
        walls = timed_calls(call, feeds, calls)
        events = json.loads(Path(session.end_profiling()).read_bytes())
        ran = profiled_kernels(events, calls, device_of(opening))
        file = read_graph(Path(opening.path))
        origins, between = _origins(ran, Origins(file, read_graph(graph))) if graph else (_told(ran, session, file), {})
    operators = added_up(ran, calls, origins, between)
    return Profiled(
        parts=parts_of(events, log), calls=calls, operators=operators, calls_ns=walls, rounding_ns=cut_off(ran)
    )


def device_of(opening: Opening) -> str | None:
    """The provider that the host waits for at the end of a call, where there is one."""
    return opening.provider if "device" in opening.entry.boundaries else None


def _create(opening: Opening, folder: Path) -> tuple[Any, str, Path | None]:
    """The session, its log, and its optimised graph; no graph where a provider has compiled a part of it."""
    graph = folder / "optimised.onnx"
    try:
        return *opening.create_profiled(folder, graph), graph
    except UnsupportedError:  # also where the model itself does not open: then the second try says so
        return *opening.create_profiled(folder), None


def _origins(ran: Sequence[Ran], origins: Origins) -> tuple[dict[Hashable, tuple[str, ...]], dict[Hashable, Between]]:
    """By key of a kernel: by its place where a call ran the nodes as they stand in the graph, else by its name.

    Between what a kernel of no origins is, is told by its place alone.
    """
    keys = dict.fromkeys(one.key for one in ran if one.key != WAIT)
    kinds = {one.key: one.operator for one in ran}
    if [kinds[key] for key in keys] == [node.operator for node in origins.nodes]:
        return dict(zip(keys, origins.of, strict=True)), dict(zip(keys, origins.between, strict=True))
    names = {one.key: one.name for one in ran}
    return {key: origins.by_name.get(names[key], ()) for key in keys}, {}


def _told(ran: Sequence[Ran], session: Any, file: Graph) -> dict[Hashable, tuple[str, ...]]:
    """Where there is no graph to compare: names that the file has, and all that a provider took if it is one kernel."""
    known = {node.name for node in file.all_nodes()}
    own: dict[Hashable, tuple[str, ...]] = {one.key: (one.name,) for one in ran if one.name in known}
    placed = assigned_nodes(session) or []
    for provider in {node.provider for node in placed}:
        keys = list(dict.fromkeys(one.key for one in ran if one.provider == provider))
        if len(keys) == 1:
            own[keys[0]] = tuple(node.name for node in placed if node.provider == provider and node.name in known)
    return own
