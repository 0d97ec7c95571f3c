"""Which nodes of a file take ONNX Runtime's time once it has fused what it can. Runs in the child.

Shares of one machine's time: good enough to tell a tenth from nothing, and told as such.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import onnx

from bench.prepare.child.onnx_graph import all_nodes
from bench.prepare.child.onnx_run import open_session, quiet_options
from bench.prepare.child.reference import Arrays

_CALLS = 20
_LEAST_CALLS = 3
_BUDGET_S = 1.0
_HOLDERS = ("If", "Loop", "Scan")  # their time is that of the nodes within
_KERNEL = "_kernel_time"


class Kernel(NamedTuple):
    """One node of the graph that runs."""

    name: str
    op: str
    time_us: float  # a call, the median of each of its runs
    written_bytes: int  # by its last run


class Profiled(NamedTuple):
    """What ran, and the graph that it was, without weights."""

    kernels: list[Kernel]
    proto: Any


def profile(proto: Any, feed: Arrays) -> Profiled:
    """One thread, fully optimised, a second at most; nodes without a name are called after their first output."""
    named = onnx.ModelProto.FromString(proto.SerializeToString())
    for node in all_nodes(named):
        node.name = node.name or next(filter(None, node.output), "")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "optimised.onnx"
        session = open_session(named.SerializeToString(), _options(target, folder))
        calls = _run(session, feed)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        return Profiled(_kernels(events, calls), onnx.load(target, load_external_data=False))


def _options(target: Path, folder: str) -> Any:
    options = quiet_options("ENABLE_ALL")
    options.optimized_model_filepath = str(target)
    options.enable_profiling = True
    options.profile_file_prefix = str(Path(folder) / "profile")
    options.intra_op_num_threads = 1
    return options


def _run(session: Any, feed: Arrays) -> int:
    """Calls that were made, the first of them to warm up."""
    start = time.monotonic()
    for call in range(1, _CALLS + 1):
        session.run(None, dict(feed))
        if call >= _LEAST_CALLS and time.monotonic() - start > _BUDGET_S:
            break
    return call


def _kernels(events: list[dict[str, Any]], calls: int) -> list[Kernel]:
    by_node: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(_KERNEL) and event["args"]["op_name"] not in _HOLDERS:
            by_node[event["name"].removesuffix(_KERNEL), event["args"]["op_name"]].append(event)
    return [
        Kernel(
            name=name,
            op=op,
            time_us=median(event["dur"] for event in runs) * len(runs) / calls,
            written_bytes=int(runs[-1]["args"].get("output_size", 0)),
        )
        for (name, op), runs in by_node.items()
    ]
