"""One compared case -> the cells of its line in a table. Pure."""

from __future__ import annotations

from bench import units
from bench.check.compare_records import METRICS, Change, Compared
from bench.check.standing import trouble_of
from bench.check.wording import percent
from bench.report import verdict
from bench.rows import Row

_NOTHING = (units.UNKNOWN,) * (len(METRICS) - 1)


def cells_between(compared: Compared) -> tuple[str, ...]:
    """Both latencies and every metric's change, or the standing in their place; then the speed within either run."""
    start = (compared.runtime, latency_cell(compared.reference), latency_cell(compared.other))
    own = (_own_speed(compared.reference), _own_speed(compared.other))
    if compared.standing != "same":
        return (*start, compared.standing, *_NOTHING, *own)
    return (*start, *(_change(change) for change in compared.changes), *own)


def cells_within(compared: Compared) -> tuple[str, ...]:
    """The latency, the speed against the reference of the same rounds, and the change of every other metric."""
    start = (compared.runtime, latency_cell(compared.other))
    if compared.standing != "same":
        return (*start, compared.standing, *_NOTHING)
    latency = compared.changes[0]
    speed = units.comparison(latency.ratio, latency.low, latency.high)
    return (*start, speed, *(_change(change) for change in compared.changes[1:]))


def latency_cell(row: Row | None, gone: str = units.UNKNOWN) -> str:
    """The latency, or what is wrong with it: no speed without agreement."""
    if row is None:
        return gone
    trouble = trouble_of(row)
    return trouble[0] if trouble else units.duration(row.latency_ns_best)


def _own_speed(row: Row | None) -> str:
    """The speed against the reference runtime of the row's own run, with its interval."""
    if row is None or row.ratio_to_reference is None or trouble_of(row):
        return units.UNKNOWN
    return "reference" if verdict.is_reference(row) else f"{verdict.comparison(row)} than {row.reference_runtime}"


def _change(change: Change) -> str:
    if change.ratio is None:
        return units.UNKNOWN
    if change.ratio == 1:
        return "equal"
    return f"{change.ratio:.3g}x" if change.ratio >= 10 else percent(change.ratio - 1)
