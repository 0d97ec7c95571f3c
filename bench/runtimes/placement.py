"""Where the nodes of a graph really went: the session's own account of its partitioning, or else a profile.

Two accounts, two denominators: the partitioning counts the graph's nodes, a profile the kernels that ran, some of them
fused. ``get_providers()`` is no account at all: it lists what was registered.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import UnavailableError
from bench.records import Caution, SessionSettings, Status

CPU = "CPUExecutionProvider"
_FROM_PROFILE = Caution(
    code="placement from profile",
    text="this version does not tell where nodes went: the share is of kernels in a profiled run, and load time and "
    "memory include that run",
)

Placed = Counter[tuple[str, str]]  # (provider, operator) -> nodes
Verdict = tuple[float | None, Status, tuple[Caution, ...]]


def placement(session: Any, provider: str, profiled: Callable[[], Placed]) -> Verdict:
    """Share of nodes on ``provider``, status and cautions; ``profiled`` is asked where a version keeps no account.

    Raises UnavailableError where no node at all went there.
    """
    placed = assigned_nodes(session)
    if placed is not None:
        return judge(placed, provider)
    if session.get_providers() == [CPU]:
        return (1.0, "ok", ()) if provider == CPU else judge(Counter({(CPU, "all"): 1}), provider)
    share, status, cautions = judge(profiled(), provider)
    return share, status, (*cautions, _FROM_PROFILE)


def judge(placed: Placed, provider: str) -> Verdict:
    """A share of 1 is ok, less is partial with the operators that went elsewhere, 0 is UnavailableError."""
    total, here = placed.total(), sum(n for (where, _), n in placed.items() if where == provider)
    if total == 0:
        return _without_nodes(provider)
    if here == 0:
        raise UnavailableError(f"{provider} was accepted and took none of the graph's {total} nodes")
    if here == total:
        return 1.0, "ok", ()
    elsewhere: Counter[str] = Counter()
    for (where, operator), n in placed.items():
        if where != provider:
            elsewhere[operator] += n
    names = ", ".join(f"{operator} x{n}" if n > 1 else operator for operator, n in elsewhere.most_common(8))
    text = f"{here} of {total} nodes on {provider}; elsewhere: {names}"
    return here / total, "partial", (Caution(code="partial", text=text),)


def assigned_nodes(session: Any) -> Placed | None:
    """The session's account of its partitioning; None where this version of ONNX Runtime keeps none."""
    ask = getattr(session, "get_provider_graph_assignment_info", None)
    if ask is None:
        return None
    return Counter((part.ep_name, node.op_type) for part in ask() for node in part.get_nodes())


def profiled_nodes(session: Any, settings: SessionSettings) -> Placed:
    """Kernels by provider in one run, on ones, of a session that was made with ``enable_profiling``."""
    feed = {tensor.name: np.ones([size or 1 for size in tensor.shape], tensor.dtype) for tensor in settings.inputs}
    session.run(list(settings.outputs), feed)
    file = Path(session.end_profiling())
    try:
        return executed_kernels(json.loads(file.read_bytes()))
    finally:
        file.unlink()


def executed_kernels(events: list[dict[str, Any]]) -> Placed:
    """Kernels by provider and operator in a profile's events."""
    runs = (event["args"] for event in events if event.get("cat") == "Node" and "provider" in event.get("args", {}))
    return Counter((run["provider"], run.get("op_name", "?")) for run in runs)


def _without_nodes(provider: str) -> Verdict:
    if provider == CPU:
        return 1.0, "ok", ()
    text = f"the graph has no node left to place, so nothing shows that {provider} works"
    return None, "ok", (Caution(code="placement unknown", text=text),)
