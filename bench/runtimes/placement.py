"""Where the nodes of a graph went at partitioning: the session's own account, or else what a profiled run shows.

Two accounts, two denominators: the partitioning counts the graph's nodes, a profile the kernels that ran, some of them
fused. ``get_providers()`` is no account at all: it lists what was registered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from bench.errors import UnavailableError
from bench.records import Caution, ProviderPart
from bench.runtimes.kernels import NAMES_KEPT

CPU = "CPUExecutionProvider"
_FROM_PROFILE = Caution(
    code="placement from profile",
    text="this version does not tell where nodes went: the share is of kernels in a profiled run, and load time and "
    "memory include that run",
)

Parts = tuple[ProviderPart, ...]
Account = tuple[float | None, Parts, tuple[Caution, ...]]


class PlacedNode(NamedTuple):
    """A node of the graph and the provider that has it."""

    provider: str
    operator: str
    name: str = ""


def placement(session: Any, provider: str, profiled: Callable[[], Parts] | None) -> Account:
    """Share of nodes on ``provider``, all providers' parts, cautions; ``profiled`` where a version keeps no account.

    None in its place: somebody else profiles, nothing is known here. Raises UnavailableError where no node at all went
    there.
    """
    placed = assigned_nodes(session)
    if placed is not None:
        return account(parts_of(placed), provider)
    if session.get_providers() == [CPU]:
        return (1.0, (), ()) if provider == CPU else account((ProviderPart(provider=CPU, nodes=1),), provider)
    if profiled is None:
        return None, (), ()
    share, parts, cautions = account(profiled(), provider)
    return share, parts, (*cautions, _FROM_PROFILE)


def account(parts: Parts, provider: str) -> Account:
    """The share of the nodes, or else of the kernels, that is here; UnavailableError where that is 0 of some."""
    counts = {part.provider: part.nodes or part.kernels or 0 for part in parts}
    total, here = sum(counts.values()), counts.get(provider, 0)
    if total == 0:
        return _without_nodes(provider)
    if here == 0:
        raise UnavailableError(f"{provider} was accepted and took none of the graph's {total} nodes")
    return here / total, parts, ()


def parts_of(placed: Sequence[PlacedNode]) -> Parts:
    """The same by provider."""
    return tuple(
        ProviderPart(
            provider=provider,
            nodes=len(nodes),
            operators=dict(Counter(node.operator for node in nodes)),
            names=tuple(node.name or node.operator for node in nodes[:NAMES_KEPT]),
        )
        for provider in dict.fromkeys(node.provider for node in placed)
        if (nodes := [node for node in placed if node.provider == provider])
    )


def assigned_nodes(session: Any) -> list[PlacedNode] | None:
    """The session's account of its partitioning; None where this version of ONNX Runtime keeps none."""
    ask = getattr(session, "get_provider_graph_assignment_info", None)
    if ask is None:
        return None
    return [PlacedNode(part.ep_name, node.op_type, node.name) for part in ask() for node in part.get_nodes()]


def _without_nodes(provider: str) -> Account:
    if provider == CPU:
        return 1.0, (), ()
    text = f"the graph has no node left to place, so nothing shows that {provider} works"
    return None, (), (Caution(code="placement unknown", text=text),)
