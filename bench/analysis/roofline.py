"""Lines of a profile against this machine's roofs: rates, what bounds each, and its time at the roof. Pure.

The roofline model of Williams, Waterman and Patterson (2009): a step of so many floating point operations and bytes
takes at least as long as either alone. Assumptions: float32, every byte moved once (a lower bound), and roofs as
measured by a matrix product and a copy, with as many threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from bench.analysis.operators import Costs, Line, costs_of
from bench.analysis.profiled import ProfiledCase
from bench.records import Record, Roofs
from bench.runtimes.table import RUNTIMES

FAR_BELOW = 0.1  # of the roof at its intensity: below it neither products nor bytes explain the time
ROOFS_DIFFER = 0.1  # roofs measured before and after that differ by more are told
FLOPS_PER_MULTIPLY_ADD = 2
_NS = 1e9
_CPU_PROVIDERS = {
    "CPUExecutionProvider",
    "DnnlExecutionProvider",
    "OpenVINOExecutionProvider",
    "XnnpackExecutionProvider",
}

Bound = Literal["compute", "memory", "overhead", "above the roof", "unknown"]


class Roof(Record, frozen=True):
    """The best that was seen of this machine."""

    flops_per_s: float
    bytes_per_s: float
    # best of before against best of after: the lesser is so much lower, a share; None where it was measured once
    flops_differ: float | None
    bytes_differ: float | None

    @property
    def ridge(self) -> float:
        """Operations a byte from which on products bound."""
        return self.flops_per_s / self.bytes_per_s

    @property
    def is_steady(self) -> bool | None:
        """Whether the machine was as fast at the end as at the beginning; None where it was measured once."""
        if self.flops_differ is None or self.bytes_differ is None:
            return None
        return max(self.flops_differ, self.bytes_differ) <= ROOFS_DIFFER


class Rate(Record, frozen=True):
    """How fast a line is and could be; None where its costs or the roofs are not known."""

    flops: int | None = None  # of one call
    traffic_bytes: int | None = None
    flops_per_s: float | None = None
    bytes_per_s: float | None = None
    intensity: float | None = None  # operations a byte
    roof_share: float | None = None  # time at the roof over time taken: above 1 it is above the roof
    bound: Bound = "unknown"
    headroom_ns: float | None = None  # that would be saved at the roof, 0 above it


def roof_of(measured: Sequence[Roofs]) -> Roof | None:
    """The best trial of all, and how far the bests of the measurements are apart."""
    flops = [max(one.flops_per_s) for one in measured if one.flops_per_s and one.bytes_per_s]
    moved = [max(one.bytes_per_s) for one in measured if one.flops_per_s and one.bytes_per_s]
    if not flops or min(*flops, *moved) <= 0:
        return None
    return Roof(
        flops_per_s=max(flops),
        bytes_per_s=max(moved),
        flops_differ=1 - min(flops) / max(flops) if len(flops) > 1 else None,
        bytes_differ=1 - min(moved) / max(moved) if len(moved) > 1 else None,
    )


def why_no_roof(case: ProfiledCase) -> str:
    """Why the case is not held against roofs of a float32 CPU; "" where it is."""
    entry = RUNTIMES.get(case.row.runtime)
    provider = entry.provider if entry else None
    if provider is not None and provider not in _CPU_PROVIDERS:
        return f"{provider} does not run on the CPU, whose roofs were measured"
    if case.row.boundary != "host":
        return "its calls leave their data on a device"
    if case.row.precision != "float32":
        return f"costs and roofs are of float32, it runs {case.row.precision}"
    return ""


def rates_of(case: ProfiledCase, lines: Sequence[Line], roof: Roof | None) -> list[Rate]:
    """The rate of each line."""
    if why_no_roof(case):
        return [Rate() for _ in lines]
    batch = case.row.batch_size
    return [rate(costs_of(line.layers, case.layers, batch), line.time.estimate, roof) for line in lines]


def rate(costs: Costs, time_ns: float, roof: Roof | None) -> Rate:
    """The rate of what costs so much in so long."""
    flops = None if costs.multiply_adds is None else FLOPS_PER_MULTIPLY_ADD * costs.multiply_adds
    moved = costs.traffic_bytes
    if time_ns <= 0 or not (flops or moved):
        return Rate(flops=flops, traffic_bytes=moved)
    share = _roof_share(flops, moved, time_ns, roof)
    return Rate(
        flops=flops,
        traffic_bytes=moved,
        flops_per_s=None if flops is None else flops / time_ns * _NS,
        bytes_per_s=None if moved is None else moved / time_ns * _NS,
        intensity=flops / moved if flops is not None and moved else None,
        roof_share=share,
        bound=_bound(flops, moved, share, roof),
        headroom_ns=None if share is None else max(0.0, time_ns * (1 - share)),
    )


def by_headroom(lines: Sequence[Line], rates: Sequence[Rate]) -> list[tuple[Line, Rate]]:
    """Lines with their rates, that which has most to win first; those without a roof after, the dearest first."""
    known = [(line, one) for line, one in zip(lines, rates, strict=True) if not line.is_outside]
    return sorted(known, key=lambda pair: (-_headroom(pair[1]), -pair[0].time.estimate))


def _headroom(one: Rate) -> float:
    return -math.inf if one.headroom_ns is None else one.headroom_ns


def _roof_share(flops: int | None, moved: int | None, time_ns: float, roof: Roof | None) -> float | None:
    """Both costs must be known: with one of them the other could be what bounds."""
    if roof is None or flops is None or moved is None:
        return None
    return max(flops / roof.flops_per_s, moved / roof.bytes_per_s) * _NS / time_ns


def _bound(flops: int | None, moved: int | None, share: float | None, roof: Roof | None) -> Bound:
    """Above the roof, far below it, or at what of the two takes longer."""
    if share is None or roof is None or flops is None or moved is None:
        return "unknown"
    if share > 1:
        return "above the roof"
    if share < FAR_BELOW:
        return "overhead"
    return "compute" if flops / roof.flops_per_s >= moved / roof.bytes_per_s else "memory"
