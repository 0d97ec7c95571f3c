"""What a gate could have seen in the noise that it met: its false alarms and the slowdown that it would catch.

Pure functions of pair values (logarithms of head over baseline); numpy only to do many gates at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from bench.analysis.sequential import Answer, Design

Array = np.ndarray[Any, np.dtype[Any]]

POWER = 0.95  # how often the smallest effect detectable must be caught
_GATES = 2000  # simulated for one effect
_SEED = 20_231  # any number; the same for everybody, so that a report can be made again
_EXACT_PAIRS = 16  # of a design: 65536 choices of signs; of a longer one as many are drawn
_AT_ONCE = 4096  # gates: their Walsh averages are held in memory
_STEP = 0.01  # of the answer: detectable effects are told to 1 % of themselves
_GREATEST = 3.0  # a logarithm: twenty times slower; beyond it nothing is detectable


def pair_sd(values: Sequence[float]) -> float | None:
    """The standard deviation of the pairs' values, None for fewer than two."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def false_alarm_rate(design: Design, values: Sequence[float]) -> float:
    """The share of all ways to label these very pairs under which the gate calls head regressed.

    Where nothing differs each pair could as well have come with its labels exchanged. Exact for a design of up to 16
    pairs: every choice of signs counts; of more, 65536 are drawn. Needs at least as many values as the design's last
    look; more are gated as its first, middle and last run of pairs, and the mean is told.
    """
    magnitudes, n = np.abs(np.asarray(values, float)), design.max_pairs
    spare = len(magnitudes) - n
    if spare < 0:
        raise ValueError(f"{len(magnitudes)} pairs, the gate may need {n}")
    signs = _signs(n)
    runs = [magnitudes[start : start + n] for start in sorted({0, spare // 2, spare})]
    return float(np.mean([np.mean(answers(design, signs * run) == "regressed") for run in runs]))


def smallest_detectable(design: Design, sd: float) -> float | None:
    """The slowdown (0.03 is 3 %) that the gate catches 95 times in 100 when pairs spread by ``sd`` about it.

    Simulated with normal noise, the same draws for every effect; None where even a twentyfold slowdown is missed.
    """
    noise = sd * _draws(design.max_pairs)
    low, high = 0.0, _GREATEST
    if _alarms(design, noise, high) < POWER:
        return None
    while high - low > _STEP * high and high > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if _alarms(design, noise, middle) >= POWER else (middle, high)
    return math.expm1(high)


def answers(design: Design, values: Array) -> Array:
    """``sequential.decide(...).answer`` of many gates at once, one a row; columns are pairs in their order.

    "next" where the columns end before a decision. Raises ValueError for a value that is no finite number.
    """
    if not np.isfinite(values).all():
        raise ValueError("a pair's value is not a finite number")
    parts = [_answers(design, values[start : start + _AT_ONCE]) for start in range(0, len(values), _AT_ONCE)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=object)


def _answers(design: Design, values: Array) -> Array:
    line, budget = math.log1p(design.delta / 2), math.log1p(design.delta)
    found: Array = np.full(len(values), "next", dtype=object)
    for look in design.looks:
        open_rows = np.flatnonzero(found == "next")
        if not len(open_rows) or look.pairs > values.shape[1]:
            break
        walsh = _walsh(values[open_rows, : look.pairs])
        estimate = np.median(walsh, axis=1)
        alarm = (estimate >= line) & (walsh[:, look.alarm_rank - 1] > 0) if look.alarm_rank else estimate < -np.inf
        passed = (estimate < line) & (walsh[:, -look.pass_rank] < budget) if look.pass_rank else estimate < -np.inf
        verdicts: list[tuple[Any, Answer]] = [(alarm, "regressed"), (passed, "pass")]
        for rows, verdict in verdicts:
            found[open_rows[rows]] = verdict
    return found


def _signs(n: int) -> Array:
    """All choices of n signs, a row each; 65536 drawn ones where they are more."""
    if n > _EXACT_PAIRS:
        return np.random.default_rng(_SEED).choice((-1.0, 1.0), size=(2**_EXACT_PAIRS, n))
    return np.where((np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1, 1.0, -1.0)


def _alarms(design: Design, noise: Array, effect: float) -> float:
    return float(np.mean(answers(design, noise + effect) == "regressed"))


def _walsh(values: Array) -> Array:
    """Every row's Walsh averages in ascending order."""
    first, second = np.triu_indices(values.shape[1])
    return np.sort((values[:, first] + values[:, second]) / 2, axis=1)


@cache
def _draws(pairs: int) -> Array:
    """Standard normal noise of the simulated gates."""
    return np.random.default_rng(_SEED).standard_normal((_GATES, pairs))
