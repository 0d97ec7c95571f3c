"""A gate's result -> its cases and the one answer that stands for each and for all of them. Pure, formats nothing."""

from __future__ import annotations

from collections.abc import Sequence

from bench.check.pair_values import mean_known
from bench.check.records import STATISTICAL, GateAnswer, GateResult, Judged, Pair
from bench.errors import EXIT_INTERRUPTED, EXIT_TERMINATED
from bench.records import Record

WORST_FIRST: tuple[GateAnswer, ...] = (
    "DISAGREES",
    "REGRESSED",
    "FAILED",
    "NOT COMPARABLE",
    "INCONCLUSIVE",
    "PASS",
)  # as exit codes: 3, 4, 6, 5, 0


class GatedCase(Record, frozen=True):
    """One case of the baseline with all that is known of it."""

    name: str
    answer: GateAnswer  # the worst of its metrics'
    judged: tuple[Judged, ...]
    pairs: tuple[Pair, ...]


def gated_cases(result: GateResult) -> list[GatedCase]:
    """Every case that was judged, in the order of the result."""
    names = dict.fromkeys(one.case for one in result.judged)
    return [
        GatedCase(
            name=name,
            answer=worst([one for one in result.judged if one.case == name]),
            judged=tuple(one for one in result.judged if one.case == name),
            pairs=tuple(pair for pair in result.pairs if pair.case == name),
        )
        for name in names
    ]


def worst(judged: Sequence[Judged]) -> GateAnswer:
    """The answer that stands for several; nothing judged at all is INCONCLUSIVE."""
    answers = {one.answer for one in judged}
    return next((answer for answer in WORST_FIRST if answer in answers), "INCONCLUSIVE")


def is_interrupted(result: GateResult) -> bool:
    """Whether a Ctrl-C or a SIGTERM ended it."""
    return result.exit_code in (EXIT_INTERRUPTED, EXIT_TERMINATED)


def is_statistical(result: GateResult) -> bool:
    """Whether any metric of it was decided over pairs."""
    return any(metric in STATISTICAL for metric in result.settings.metrics)


def mean_preempted(pairs: Sequence[Pair]) -> float | None:
    """The share of timed calls in which a worker was preempted, None where no process told."""
    return mean_known([side.preempted for pair in pairs for side in (pair.baseline, pair.head)])


def mean_load(pairs: Sequence[Pair]) -> float | None:
    """The machine's one-minute load over the pairs."""
    return mean_known([pair.load_1min for pair in pairs])
