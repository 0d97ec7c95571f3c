"""Where a case really ran: shares of nodes and of kernel time on the provider asked for, and what follows. Pure.

Two accounts with two denominators: the session's own counts the graph's nodes at partitioning, a profiled run of a
session of its own the time of executed kernels. Time decides where it is known: one cheap node elsewhere is no other
runtime, one dear node is.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.records import CaseRepetition, Caution, Placement, ProviderPart, SessionInfo, Status

UNKNOWN = "placement unknown"  # code of the caution that keeps a row out of the ranking: nothing proves where it ran

_NAMES_TOLD = 3
_WHOLE = 1.0


def placement_of(tries: Sequence[CaseRepetition]) -> Placement | None:
    """The profiled run of a case, which one of its repetitions holds."""
    return next((one.placement for one in tries if one.placement is not None), None)


def time_shares(parts: Sequence[ProviderPart]) -> dict[str, float]:
    """Share of kernel time by provider, the greatest first; empty where nothing was profiled."""
    return _shares({part.provider: part.time_ns or 0 for part in parts})


def node_shares(parts: Sequence[ProviderPart]) -> dict[str, float]:
    """Share of nodes by provider, or of kernels where it is those that were counted; the greatest first."""
    return _shares({part.provider: part.nodes or part.kernels or 0 for part in parts})


def time_share(placement: Placement | None, provider: str) -> float | None:
    """Share of kernel time on ``provider``; None where nothing was profiled."""
    shares = time_shares(placement.parts if placement else ())
    return shares.get(provider, 0.0) if shares else None


def node_share(info: SessionInfo, placement: Placement | None) -> float | None:
    """Share of the graph's nodes on the provider asked for; of kernels where the session can't tell."""
    if info.node_share is not None:
        return info.node_share
    shares = node_shares(placement.parts if placement else ())
    return shares.get(info.provider, 0.0) if shares else None


def placement_status(info: SessionInfo, placement: Placement | None, least: float) -> Status:
    """``ok``, ``partial`` below ``least``, ``unavailable`` where nothing ran on the provider asked for.

    A kernel that took less than the profile's microsecond did run.
    """
    by_time = time_share(placement, info.provider)
    share = node_share(info, placement) if by_time is None else by_time
    if share is None or (share >= least and share > 0):
        return "ok"
    return "partial" if share > 0 or _has_kernels(info, placement) else "unavailable"


def providers_that_ran(info: SessionInfo, placement: Placement | None) -> str:
    """What a row is named by: the provider, or several with their shares of kernel time, or else of nodes."""
    shares = _shares_that_count(info, placement)
    if len(shares) < 2:
        return next(iter(shares), info.provider)
    return ", ".join(f"{provider} {_percent(share)}" for provider, share in shares.items())


def placement_reason(info: SessionInfo, placement: Placement | None, least: float) -> str:
    """Why a case is partial or unavailable: shares, what went elsewhere, and why where that is told."""
    by_time = time_share(placement, info.provider)
    share = (node_share(info, placement) or 0.0) if by_time is None else by_time
    what = "the graph's nodes" if by_time is None else "kernel time"
    if share == 0 and not _has_kernels(info, placement):
        return f"nothing ran on {info.provider}: {_elsewhere(info, placement)}"
    return (
        f"{_percent(share)} of {what} on {info.provider}, at least {_percent(least)} is wanted: "
        f"{_elsewhere(info, placement)}"
    )


def placement_cautions(info: SessionInfo, placement: Placement | None, least: float) -> list[Caution]:
    """What went elsewhere, in a row that is fine; and what is not known, with its reason."""
    cautions = []
    if placement is not None and not placement.parts:
        cautions.append(_unprofiled(info, placement))
    if placement is not None and placement.parts and info.node_share is None:
        text = "this version does not tell where nodes went: the share is of kernels in a profiled run"
        cautions.append(Caution(code="placement from profile", text=text))
    elsewhere = _elsewhere(info, placement)
    if elsewhere and placement_status(info, placement, least) == "ok":
        cautions.append(Caution(code="placement", text=f"not all of it on {info.provider}: {elsewhere}"))
    return cautions


def _unprofiled(info: SessionInfo, placement: Placement) -> Caution:
    """A session that has every node on the provider, by its own account, needs no time to prove it."""
    why = placement.reason or "the profile is empty"
    if info.node_share == _WHOLE:
        text = f"every node is on {info.provider} by the session's own account, a profile failed: {why}"
        return Caution(code="not profiled", text=text)
    return Caution(code=UNKNOWN, text=f"where its kernels ran is not known: {why}")


def _has_kernels(info: SessionInfo, placement: Placement | None) -> bool:
    return any(part.kernels for part in (placement.parts if placement else ()) if part.provider == info.provider)


def _elsewhere(info: SessionInfo, placement: Placement | None) -> str:
    """Each other provider with its share, what it ran, and why: ``CPUExecutionProvider 2%: Unique (head)``."""
    kernels = {part.provider: part for part in (placement.parts if placement else ())}
    nodes = {part.provider: part for part in info.placement}
    shares = _shares_that_count(info, placement)
    others = [name for name in dict.fromkeys((*kernels, *nodes)) if name != info.provider]
    return " and ".join(
        _told(name, nodes.get(name) or kernels[name], shares.get(name), (kernels.get(name) or nodes[name]).reason)
        for name in others
    )


def _told(provider: str, part: ProviderPart, share: float | None, reason: str | None) -> str:
    operators = ", ".join(
        f"{operator} x{count}" if count > 1 else operator
        for operator, count in sorted(part.operators.items(), key=lambda one: -one[1])[:_NAMES_TOLD]
    )
    count = part.nodes or part.kernels or 0
    names = [name for name in part.names if name not in part.operators]
    named = f" ({', '.join(names[:_NAMES_TOLD])}{', ...' * (count > _NAMES_TOLD)})" if names else ""
    why = f", {reason}" if reason else ""
    return f"{provider}{'' if share is None else f' {_percent(share)}'}: {operators}{named}{why}"


def _shares_that_count(info: SessionInfo, placement: Placement | None) -> dict[str, float]:
    by_time = time_shares(placement.parts if placement else ())
    return by_time or node_shares(info.placement)


def _shares(amounts: dict[str, int]) -> dict[str, float]:
    total = sum(amounts.values())
    ordered = sorted(amounts.items(), key=lambda one: -one[1])
    return {name: amount / total for name, amount in ordered} if total else {}


def _percent(share: float) -> str:
    """A share that is neither nothing nor all is never shown as that."""
    text = f"{share:.0%}"
    if text == "100%" and share < _WHOLE:
        return ">99%"
    return "<1%" if text == "0%" and share > 0 else text
