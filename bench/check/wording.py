"""The few sentences that every part of the gate says alike. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis.sequential import DELTA
from bench.check.gate_summary import mean_preempted
from bench.check.pair_values import mean_known
from bench.check.records import Pair

_MANY_PREEMPTED = 0.3  # of timed calls
_FOREIGN = 0.3  # CPUs
_STEAL = 0.05


def percent(share: float, *, sign: bool = True) -> str:
    """``0.048`` -> ``+4.8%``; without ``sign`` ``4.8%``."""
    text = f"{share * 100:+.2f}" if abs(share) < 0.01 else f"{share * 100:+.1f}"
    text = text if sign else text.lstrip("+").removesuffix(".0").removesuffix(".00")
    return f"{text}%"


def explain_noise(
    pairs: Sequence[Pair], sd: float | None, *, detectable: float | None, delta: float = DELTA
) -> tuple[str, ...]:
    """What the contention of these pairs says about a verdict that could not be given; it never drops a pair.

    ``detectable``: the smallest slowdown that the gate catches in noise of ``sd``, None where it catches none.
    """
    said = []
    if sd is not None and (detectable is None or detectable > delta):
        caught = "none" if detectable is None else f"one of {percent(detectable, sign=False)}"
        said.append(
            f"pairs spread by {percent(sd, sign=False)}: the least slowdown that is caught in that is {caught}, "
            f"{percent(delta, sign=False)} was asked for"
        )
    preempted = mean_preempted(pairs)
    if preempted is not None and preempted > _MANY_PREEMPTED:
        said.append(f"{preempted:.0%} of calls were preempted: lower --threads or use a quieter runner")
    foreign = mean_known([pair.foreign_cpus for pair in pairs])
    if foreign is not None and foreign > _FOREIGN:
        said.append(f"other processes kept {foreign:.1f} CPUs busy")
    steal = mean_known([pair.steal_share for pair in pairs])
    if steal is not None and steal > _STEAL:
        said.append(f"{steal:.0%} of CPU time was stolen by the hypervisor's other guests")
    return tuple(said)
