"""Trials of the gate -> rates with exact intervals, and whether the gate keeps its promises. Pure.

Two promises are counted with exact (Clopper-Pearson) intervals: identical sides are accused at most with chance alpha,
and a slowdown of the planted size is called REGRESSED but for a chance of beta. Everything else that is planted (wrong
outputs, a fallback, a case that is gone) must fire every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from bench.analysis.shares import exact_interval
from bench.check.selftest import KINDS, SLOW, Load, Plant, Trial, TrialKind, outcome
from bench.errors import EXIT_CANNOT_TELL, EXIT_OK, EXIT_OVER_BUDGET
from bench.records import Record


class Row(Record, frozen=True):
    """All trials of one kind under one load."""

    kind: TrialKind
    load: Load
    share: float | None
    trials: int
    fired: int
    missed: int
    inconclusive: int
    failed: int
    low: float  # exact interval of the rate of ``fired``
    high: float
    change: float | None  # median of the gates' estimates
    mean_pairs: float
    mean_seconds: float


def count_rows(trials: Sequence[Trial]) -> list[Row]:
    """A row for each kind, load and share, in the order of ``KINDS``; a trial that is there twice counts once."""
    unique = {trial.key: trial for trial in trials}
    lots: dict[tuple[TrialKind, Load, float | None], list[Trial]] = {}
    for trial in unique.values():
        lots.setdefault((trial.key.kind, trial.key.load, trial.key.share), []).append(trial)
    return [
        _row(*lot, lots[lot])
        for lot in sorted(lots, key=lambda lot: (lot[1] != "quiet", KINDS.index(lot[0]), lot[2] or 0))
    ]


def problems(rows: Sequence[Row], plants: Sequence[Plant], *, alpha: float, beta: float) -> list[str]:
    """Every promise that the trials contradict, a sentence each; none where the gate may be believed."""
    found = [sentence for row in rows for sentence in _problems_of(row, alpha, beta)]
    return found + [
        f"the planted slowdown ({plant.kind}) is not shown to be {plant.share:+.1%}: "
        f"{plant.change_low:+.2%} to {plant.change_high:+.2%} was measured, so its trials show nothing"
        for plant in plants
        if plant.change_low < plant.share
    ]


def exit_code_of(rows: Sequence[Row], found: Sequence[str]) -> int:
    """0 for a gate that may be believed, 4 for one that may not, 5 where identical or slow sides were not tried."""
    if found:
        return EXIT_OVER_BUDGET
    kinds = {row.kind for row in rows}
    return EXIT_OK if "same" in kinds and kinds & set(SLOW) else EXIT_CANNOT_TELL


def _row(kind: TrialKind, load: Load, share: float | None, trials: Sequence[Trial]) -> Row:
    outcomes = [outcome(trial) for trial in trials]
    fired = outcomes.count("fired")
    low, high = exact_interval(fired, len(trials))
    changes = [trial.change for trial in trials if trial.change is not None]
    return Row(
        kind=kind,
        load=load,
        share=share,
        trials=len(trials),
        fired=fired,
        missed=outcomes.count("missed"),
        inconclusive=outcomes.count("inconclusive"),
        failed=outcomes.count("failed"),
        low=low,
        high=high,
        change=median(changes) if changes else None,
        mean_pairs=fmean(trial.pairs for trial in trials),
        mean_seconds=fmean(trial.seconds for trial in trials),
    )


def _problems_of(row: Row, alpha: float, beta: float) -> list[str]:
    told = f"{row.fired} of {row.trials}, {row.low:.2%} to {row.high:.2%}"
    if row.kind == "same":
        said = [f"fires falsely: identical sides were accused {told}; promised is {alpha:.3g}"] * (row.low > alpha)
    elif row.kind in SLOW:
        said = [f"fails to fire: {row.kind} under {row.load} load was caught {told}; promised is {1 - beta:.3g}"] * (
            row.high < 1 - beta or not row.fired  # of a single trial no interval tells
        )
    else:
        said = [f"fails to fire: {row.kind} was caught {row.fired} of {row.trials}"] * (row.fired < row.trials)
    if row.failed:
        said.append(f"{row.failed} of {row.trials} trials ({row.kind}) came to no verdict: workers failed")
    return said
