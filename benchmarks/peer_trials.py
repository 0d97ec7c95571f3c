"""Recorded calls -> trials: which processes a rule compares, in which design, and how often it cried out. Pure.

Designs: *stored*, the baseline's numbers are at least a minute older than head's; *same job*, head follows within ten
seconds; *interleaved*, a gate's pair with its turns. Trials of a table share no process; all combinations do, so that
their shares have no interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from bench.analysis import power, sequential
from benchmarks.peer_rules import Processes, Rule
from benchmarks.trace_file import Array, PairTrace, Solo, Trace

APART_S = 60.0
BACK_TO_BACK_S = 10.0
LEVELS = ("quiet", "burst", "mixed")
_SEED = 20_231
_COMBINATIONS = 200  # drawn where there are more
_HISTORIES = 5  # for each run, where all combinations are asked for
_GATES = 4000


@dataclass(frozen=True)
class Count:
    """Alarms in trials."""

    alarms: int
    trials: int


@dataclass(frozen=True)
class Gates:
    """What gates over recorded pairs said."""

    regressed: int
    passed: int
    trials: int
    pairs: int  # of all trials

    @property
    def count(self) -> Count:
        """Alarms in trials."""
        return Count(self.regressed, self.trials)


@dataclass(frozen=True)
class Group:
    """What one side of one trial ran: fresh processes of one series and one stretch, one after the other."""

    start_s: float
    end_s: float
    stretch: int
    load: str
    processes: tuple[Array, ...]


Fits = Callable[[Group, Group], bool]  # baseline, head
PairAlarm = Callable[[Array, Array], bool]  # baseline, head: [rounds, timed calls]


def groups_of(solos: Sequence[Solo], series: str, size: int, load: str) -> list[Group]:
    """Groups of ``size`` processes, in the order of recording; what is left over in a stretch is not used."""
    found: list[Group] = []
    wanted = [one for one in solos if one.series == series and load in (one.load, "mixed")]
    for stretch, members in groupby(wanted, key=lambda one: one.stretch):
        ones = list(members)
        for start in range(0, len(ones) - size + 1, size):
            part = ones[start : start + size]
            end = part[-1].at_s + part[-1].wall_s
            found.append(Group(part[0].at_s, end, stretch, part[0].load, tuple(one.calls for one in part)))
    return found


def is_stored(baseline: Group, head: Group) -> bool:
    """Head was run at least a minute after the baseline."""
    return head.start_s - baseline.end_s >= APART_S


def is_same_job(baseline: Group, head: Group) -> bool:
    """Head follows within ten seconds, in one stretch (groups of many processes may overlap)."""
    follows = baseline.start_s < head.start_s and head.start_s - baseline.end_s <= BACK_TO_BACK_S
    return baseline.stretch == head.stretch and follows


def disjoint_trials(baselines: Sequence[Group], heads: Sequence[Group], fits: Fits) -> list[tuple[Group, Group]]:
    """Trials that share no group: for each head, from the last on, a baseline drawn from those that are free.

    In the same job it is the nearest one. ``baselines`` and ``heads`` may be the same groups (A/A).
    """
    rng = np.random.default_rng(_SEED)
    used: set[int] = set()
    trials: list[tuple[Group, Group]] = []
    for head in sorted(heads, key=lambda one: -one.start_s):
        if id(head) in used:
            continue
        free = [one for one in baselines if id(one) not in used and one is not head and fits(one, head)]
        if free:
            chosen = free[int(rng.integers(len(free)))] if fits is is_stored else max(free, key=lambda one: one.end_s)
            used |= {id(chosen), id(head)}
            trials.append((chosen, head))
    return trials


def all_trials(baselines: Sequence[Group], heads: Sequence[Group], fits: Fits) -> list[tuple[Group, Group]]:
    """Every baseline with every head that fits it, or so many drawn from them."""
    every = [(one, head) for head in heads for one in baselines if fits(one, head)]
    if len(every) <= _COMBINATIONS:
        return every
    chosen = np.random.default_rng(_SEED).choice(len(every), _COMBINATIONS, replace=False)
    return [every[int(i)] for i in sorted(chosen)]


def history_trials(
    baselines: Sequence[Group], heads: Sequence[Group], size: int, times: int
) -> list[tuple[Processes, Processes]]:
    """Each head with ``times`` histories of ``size`` earlier processes; histories share processes."""
    rng = np.random.default_rng(_SEED)
    trials: list[tuple[Processes, Processes]] = []
    for head in heads:
        earlier = [one for one in baselines if is_stored(one, head)]
        for _ in range(times if len(earlier) >= size else 0):
            chosen = rng.choice(len(earlier), size, replace=False)
            trials.append(([earlier[int(i)].processes[0] for i in sorted(chosen)], head.processes))
    return trials


def count_alarms(rule: Rule, trace: Trace, series: str, load: str, fits: Fits, *, every: bool = False) -> Count:
    """How often the rule calls ``series`` slower than the base; A/A where ``series`` is the base itself.

    ``load`` "mixed" takes any load on either side. ``every`` counts all combinations instead of disjoint trials.
    """
    if rule.is_history:
        if fits is not is_stored:
            return Count(0, 0)
        bases = groups_of(trace.solos, "base", 1, load)
        heads = bases if series == "base" else groups_of(trace.solos, series, 1, load)
        pairs = history_trials(bases, heads, rule.baseline_processes, _HISTORIES if every else 1)
    else:
        bases = groups_of(trace.solos, "base", rule.baseline_processes, load)
        heads = bases if series == "base" else groups_of(trace.solos, series, rule.head_processes, load)
        chosen = (all_trials if every else disjoint_trials)(bases, heads, fits)
        pairs = [(one.processes, head.processes) for one, head in chosen]
    return Count(sum(rule.alarm(*pair) for pair in pairs), len(pairs))


def pairs_of(trace: Trace, series: str, load: str) -> list[PairTrace]:
    """The gate's pairs in the order of recording."""
    return [one for one in trace.pairs if one.series == series and load in (one.load, "mixed")]


def count_pair_alarms(alarm: PairAlarm, pairs: Sequence[PairTrace]) -> Count:
    """A rule over the timed calls of single pairs; both see [rounds, calls]."""
    return Count(sum(alarm(one.baseline[:, 1:], one.head[:, 1:]) for one in pairs), len(pairs))


def pair_value(pair: PairTrace) -> float:
    """The median over rounds of log head over baseline, of the least timed calls: ``Pair.latency``."""
    return float(np.median(np.log(pair.head[:, 1:].min(axis=1) / pair.baseline[:, 1:].min(axis=1))))


def disjoint_gates(design: sequential.Design, values: Sequence[float]) -> Gates:
    """Gate after gate over the pairs as they came, each going on where the one before was done.

    A last one that the pairs don't suffice for is not counted.
    """
    answers: list[Any] = []
    pairs = 0
    while values:
        decision = sequential.decide(design, values[: design.max_pairs])
        if decision.answer == "next" and len(values) < design.max_pairs:
            break
        answers.append(decision.answer)
        pairs += decision.pairs
        values = values[decision.pairs :]
    return Gates(answers.count("regressed"), answers.count("pass"), len(answers), pairs)


def resampled_gates(design: sequential.Design, values: Sequence[float], *, flipped: bool) -> Gates:
    """Gates over pairs drawn from these, in random order; ``flipped`` exchanges the labels of each by a coin.

    Drawn without putting back where there are enough for a whole gate. Not independent of each other; pairs of all
    trials are not counted (0).
    """
    if not values:
        return Gates(0, 0, 0, 0)
    rng = np.random.default_rng(_SEED)
    pool = np.asarray(values, float)
    replacing = len(pool) < design.max_pairs
    drawn = np.array([rng.choice(pool, design.max_pairs, replace=replacing) for _ in range(_GATES)])
    if flipped:
        drawn = drawn * rng.choice((-1.0, 1.0), size=drawn.shape)
    answers = power.answers(design, drawn)
    return Gates(int(np.sum(answers == "regressed")), int(np.sum(answers == "pass")), _GATES, 0)
