"""What a profile holds: every kernel's own time in every profiled call, the plain latency beside it, layers and roofs.

Nothing is summarised here: each statistic can be computed again from these records. ``profiling`` makes them,
``report/profile_store`` keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.records import Environment, LayerCost, Operator, Profiled, Record, Roofs
from bench.rows import Row

PROFILE_SCHEMA = 1
PROFILE_HISTORY = {1: "The first."}

Origins = tuple[str, ...]


class Kernel(Record, frozen=True):
    """One step of a runtime's own graph, over all repetitions of a case."""

    name: str  # the runtime's own, unique in a session
    operator: str  # its kind in the runtime's words
    provider: str
    origins: Origins  # names of the artifact whose work it does; empty where the runtime put it in
    layers: tuple[int, ...]  # places among the case's layers, in order; empty where unknown
    time_ns: tuple[tuple[int, ...], ...]  # own time by repetition and call; () in a repetition in which it did not run
    output_bytes: int | None = None  # of one call
    # of one without layers: places of the layers before and after it, () where none or unknown
    between: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


class ProfiledCase(Record, frozen=True):
    """One case: its row as in a report, and its kernels where it told them."""

    row: Row  # with agreement, latency and cautions of the plain workers
    layers: tuple[LayerCost, ...] = ()  # of its model; empty where they could not be counted
    kernels: tuple[Kernel, ...] = ()
    repetitions: tuple[int, ...] = ()  # numbers of those that follow, in order
    calls_ns: tuple[tuple[int, ...], ...] = ()  # wall time of every profiled call, by repetition
    plain_ns: tuple[float | None, ...] = ()  # median of the timed calls of a worker without profile, by repetition
    rounding_ns: int = 0  # by which the kernels of a call may have taken longer together: their times are cut off
    reason: str = ""  # why there are no kernels
    layers_reason: str = ""  # why there are no layers


class Profile(Record, frozen=True):
    """``profile.json``: a whole command, or the repetitions of it that are whole."""

    schema_version: int
    environment: Environment  # machine, versions, suite, digests
    cases: tuple[ProfiledCase, ...]
    roofs: tuple[Roofs, ...] = ()  # measured before the repetitions, and after
    roofs_reason: str = ""  # why there are none


def repetitions_of(profile: Profile) -> tuple[int, int]:
    """How many are whole, and how many were asked for."""
    whole = max((len(case.repetitions) for case in profile.cases), default=0)
    return whole, profile.environment.suite.measure.repetitions


class Reply(Record, frozen=True):
    """One profiled worker's answer with the repetition that it is of."""

    repetition: int
    profiled: Profiled
    plain_ns: float | None


def join_kernels(replies: Sequence[Reply], owners: Mapping[Origins, tuple[int, ...]]) -> tuple[Kernel, ...]:
    """The kernels of all repetitions, in the order in which they first come; those of one name are one."""
    found: dict[tuple[str, str], dict[int, tuple[int, ...]]] = {}
    first: dict[tuple[str, str], Operator] = {}
    for place, reply in enumerate(replies):
        for one in reply.profiled.operators:
            key = one.name, one.operator
            first.setdefault(key, one)
            found.setdefault(key, {})[place] = one.time_ns
    return tuple(
        Kernel(
            name=one.name,
            operator=one.operator,
            provider=one.provider,
            origins=one.origins,
            layers=_places(owners, one.origins),
            between=((), ()) if _places(owners, one.origins) else _between(owners, one),
            time_ns=tuple(found[key].get(place, ()) for place in range(len(replies))),
            output_bytes=one.output_bytes,
        )
        for key, one in first.items()
    )


def _between(owners: Mapping[Origins, tuple[int, ...]], one: Operator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    before, after = one.between
    return _places(owners, before), _places(owners, after)


def _places(owners: Mapping[Origins, tuple[int, ...]], origins: Origins) -> tuple[int, ...]:
    return tuple(sorted(owners.get(origins, ())))
