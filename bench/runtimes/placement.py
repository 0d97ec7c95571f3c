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
from bench.records import Caution, ProviderPart, SessionSettings

CPU = "CPUExecutionProvider"
_FROM_PROFILE = Caution(
    code="placement from profile",
    text="this version does not tell where nodes went: the share is of kernels in a profiled run, and load time and "
    "memory include that run",
)

Placed = Counter[tuple[str, str]]  # (provider, operator) -> nodes
Account = tuple[float | None, tuple[ProviderPart, ...], tuple[Caution, ...]]


def placement(session: Any, provider: str, profiled: Callable[[], Placed]) -> Account:
    """Share of nodes on ``provider``, all providers' parts, cautions; ``profiled`` where a version keeps no account.

    Raises UnavailableError where no node at all went there.
    """
    placed = assigned_nodes(session)
    if placed is not None:
        return account(placed, provider)
    if session.get_providers() == [CPU]:
        return (1.0, (), ()) if provider == CPU else account(Counter({(CPU, "all"): 1}), provider)
    share, parts, cautions = account(profiled(), provider)
    return share, parts, (*cautions, _FROM_PROFILE)


def account(placed: Placed, provider: str) -> Account:
    """The share of the nodes that is here; UnavailableError where that is 0 of some."""
    total, here = placed.total(), sum(n for (where, _), n in placed.items() if where == provider)
    parts = parts_of(placed)
    if total == 0:
        return _without_nodes(provider)
    if here == 0:
        raise UnavailableError(f"{provider} was accepted and took none of the graph's {total} nodes")
    return here / total, parts, ()


def parts_of(placed: Placed) -> tuple[ProviderPart, ...]:
    """The same by provider."""
    by_provider: dict[str, dict[str, int]] = {}
    for (where, operator), n in placed.items():
        by_provider.setdefault(where, {})[operator] = n
    return tuple(
        ProviderPart(provider=where, nodes=sum(operators.values()), operators=operators)
        for where, operators in by_provider.items()
    )


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


def _without_nodes(provider: str) -> Account:
    if provider == CPU:
        return 1.0, (), ()
    text = f"the graph has no node left to place, so nothing shows that {provider} works"
    return None, (), (Caution(code="placement unknown", text=text),)
