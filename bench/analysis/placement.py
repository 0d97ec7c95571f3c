"""Where a case really ran: shares of nodes and of kernel time on the provider asked for, and what follows. Pure.

Two accounts with two denominators: the session's own counts the graph's nodes at partitioning, a profiled run of a
session of its own the time of executed kernels. Time decides where it is known: one cheap node elsewhere is no other
runtime, one dear node is.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.records import CaseRepetition, Placement, SessionInfo, Status


def placement_of(tries: Sequence[CaseRepetition]) -> Placement | None:
    """The profiled run of a case, which one of its repetitions holds."""
    return next((one.placement for one in tries if one.placement is not None), None)


def time_share(placement: Placement | None, provider: str) -> float | None:
    """Share of kernel time on ``provider``; None where nothing was profiled."""
    parts = placement.parts if placement else ()
    total = sum(part.time_ns or 0 for part in parts)
    return sum(part.time_ns or 0 for part in parts if part.provider == provider) / total if total else None


def placement_status(info: SessionInfo, placement: Placement | None, least: float) -> Status:
    """``ok``, ``partial`` below ``least``, ``unavailable`` where nothing ran on the provider asked for."""
    by_time = time_share(placement, info.provider)
    share = info.node_share if by_time is None else by_time
    if share is None or share >= least:
        return "ok"
    return "partial" if share > 0 else "unavailable"
