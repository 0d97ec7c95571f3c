"""What a difference between two runs, one measured after the other, can tell. Pure.

Two runs of like code differ by more than their repetitions show. Of 240 such pairs minutes apart, on one machine with
one thread, tests at 5 % told 37 to 43 % apart; a factor of two told none of them (at most 1.5 %), but 31 % where
threads took all cores. So bounds over repetitions are no rate of error here, and told is only what like code cannot
have: work that stands on the slower side alone, or a change beyond a factor of two that the machine's roofs did not
move with, while a core was left free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.analysis.statistics import Interval

if TYPE_CHECKING:
    from bench.analysis.profile_diff import Change
    from bench.analysis.roofline import Roof
    from bench.rows import Row

FACTOR = 2.0
LEAST_MOVED = 1.005  # of the roofs, below which it is told as 0 %
_MOST = 0.5  # of the change


def roofs_moved(roofs: tuple[Roof | None, Roof | None]) -> tuple[float, float] | None:
    """How much slower B's machine was by its roofs, by compute and by memory: above 1; None where one has none."""
    first, second = roofs
    if first is None or second is None:
        return None
    return first.flops_per_s / second.flops_per_s, first.bytes_per_s / second.bytes_per_s


def made_by(row: Row) -> tuple[str | None, ...]:
    """What must be the same on both sides for work of one alone to be the model's."""
    return row.runtime, row.runtime_version, row.provider, row.runtime_options, row.precision


def is_beyond(change: Interval, a_ns: float, moved: tuple[float, float] | None) -> bool:
    """Whether the bounds of B less A lie beyond the factor, after what the roofs moved in that direction."""
    if change.low is None or change.high is None or a_ns <= 0:
        return False
    slower = max([1.0, *(moved or ())])
    faster = max([1.0, *(1 / one for one in moved or ())])
    return a_ns + change.low >= FACTOR * slower * a_ns or (a_ns + change.high) * FACTOR * faster <= a_ns


def is_new_work(changes: Sequence[Change], total_ns: float) -> bool:
    """Whether what stands on the slower side alone makes up most of the change.

    What stands on the faster side alone may be what it replaces, measured in another run: it counts by the factor.
    """
    slower, faster = ("only in B", "only in A") if total_ns > 0 else ("only in A", "only in B")
    own = sum(abs(one.change.estimate) for one in changes if one.presence == slower and one.is_told)
    other = sum(abs(one.change.estimate) for one in changes if one.presence == faster)
    return own - FACTOR * other >= _MOST * abs(total_ns)


def doubt_of_two_runs(
    changes: Sequence[Change],
    *,
    ratios: Sequence[tuple[Interval, float]],
    moved: tuple[float, float] | None,
    has_free_core: bool,
    is_like: bool,
) -> str:
    """Why two runs do not tell a change; "" where they do.

    ``ratios``: the changes of the profiled and of the plain time, each with A's; ``is_like``: the same runtime,
    version and options on both sides, so that work of one side alone is the model's.
    """
    total, _ = ratios[0]
    if is_like and is_new_work(changes, total.estimate):
        return ""
    if has_free_core and all(is_beyond(change, a_ns, moved) for change, a_ns in ratios):
        return ""
    said = f"two runs of like code may differ as much{_machine_text(moved, total.estimate)}"
    return f"{said}; measure in turns: bench profile MODEL -e A,B --diff"


def _machine_text(moved: tuple[float, float] | None, total_ns: float) -> str:
    """How far the machine itself went in the change's direction; "" where it did not."""
    factor = max(moved if total_ns > 0 else [1 / one for one in moved]) if moved is not None else 1.0
    if factor < LEAST_MOVED:
        return ""
    return f" (by its roofs alone the machine was {factor - 1:.0%} {'slower' if total_ns > 0 else 'faster'} in B)"
