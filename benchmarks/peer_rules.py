"""The rules by which other tools call a benchmark slower, as functions of recorded calls. Pure, and deterministic.

Each is written anew from what its tool documents and does by default; where a default does not fit a recorded block of
calls, ``approximated`` says what was done instead. A rule sees the baseline's processes and head's: arrays of warm
calls in nanoseconds, in the order in which they were made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.peer_statistics import (
    LEVEL,
    RESAMPLES,
    Array,
    block_means,
    mann_whitney_p,
    resampled_indices,
    t_test_slower,
    welch_statistic,
)

Processes = Sequence[Array]
Alarm = Callable[[Processes, Processes], bool]  # baseline, head

CALLS_OF_TURN = 4  # calls of a turn of ours: one switch call and three timed ones


@dataclass(frozen=True)
class Rule:
    """One tool's rule, what it needs to run, and what its verdict costs."""

    name: str
    alarm: Alarm
    timed_s: Callable[[float], float]  # seconds that one process is timed for, by the seconds of a call
    baseline_processes: int = 1
    head_processes: int = 1
    is_history: bool = False  # the baseline's processes are earlier runs, one by one, not one run
    approximated: str = ""

    @property
    def processes(self) -> int:
        """Fresh processes that a verdict costs; a history was paid for long ago."""
        return self.head_processes if self.is_history else self.baseline_processes + self.head_processes


def threshold(statistic: Callable[[Array], Any], limit: float) -> Alarm:
    """Head's statistic over all calls is more than ``limit`` times the baseline's."""

    def alarm(baseline: Processes, head: Processes) -> bool:
        return bool(statistic(np.concatenate(head)) > limit * statistic(np.concatenate(baseline)))

    return alarm


def google_u_test(baseline: Processes, head: Processes) -> bool:
    """Google benchmark, ``tools/compare.py``: two-sided Mann-Whitney over the means of 9 repetitions, p < 0.05, slower.

    Nine are what it calls the least for a reliable test; repetitions follow each other in one process.
    """
    a, b = block_means(baseline[0], 9), block_means(head[0], 9)
    return mann_whitney_p(a, b) < LEVEL and float(b.mean()) > float(a.mean())


def u_test_on_calls(baseline: Processes, head: Processes) -> bool:
    """Two-sided Mann-Whitney over single calls, p < 0.05, and head's median is the larger."""
    a, b = np.concatenate(baseline), np.concatenate(head)
    return mann_whitney_p(a, b) < LEVEL and float(np.median(b)) > float(np.median(a))


def welch_on_calls(baseline: Processes, head: Processes) -> bool:
    """Welch's two-sided t test over single calls, p < 0.05, and head's mean is the larger."""
    return t_test_slower(np.concatenate(baseline), np.concatenate(head), equal_variances=False)


def criterion(baseline: Processes, head: Processes) -> bool:
    """Criterion.rs: p < 0.05 of a t test bootstrapped from the pooled calls, and the mean has changed by over 1 %.

    That is, the bootstrapped 95 % interval of ``mean(head) / mean(baseline) - 1`` lies above its noise threshold.
    """
    a, b = np.concatenate(baseline).astype(float), np.concatenate(head).astype(float)
    pooled = np.concatenate([a, b])
    draws = pooled[resampled_indices(len(pooled), len(pooled), 0)]
    below = float(
        np.mean(welch_statistic(draws[:, : len(b)], draws[:, len(b) :]) < welch_statistic(b[None], a[None])[0])
    )
    if 2 * min(below, 1 - below) >= LEVEL:
        return False
    change = (
        b[resampled_indices(len(b), len(b), 1)].mean(axis=1) / a[resampled_indices(len(a), len(a), 2)].mean(axis=1) - 1
    )
    return bool(np.quantile(change, LEVEL / 2) > 0.01)


def asv(baseline: Processes, head: Processes) -> bool:
    """``asv continuous``: medians differ by more than 1.1 and the samples by an exact Mann-Whitney, p < 0.002.

    Defaults: two rounds, a process each, of at most 5 samples, a sample as many calls as take 10 ms.
    """
    a = np.concatenate([_samples(calls, 5, 0.01) for calls in baseline])
    b = np.concatenate([_samples(calls, 5, 0.01) for calls in head])
    return mann_whitney_p(a, b, "exact") < 0.002 and float(np.median(b)) > 1.1 * float(np.median(a))


def pyperf(baseline: Processes, head: Processes) -> bool:
    """``pyperf compare_to``: Student's two-sided t test over all values of all processes, 95 %, and slower.

    A value is the mean of 2^k calls that take 0.1 s; a process gives 3 after one that only warms.
    """
    sides = []
    for side in (baseline, head):
        loops = [min(2 ** math.ceil(math.log2(max(1.0, 1e8 / float(np.median(c))))), len(c) // 4) for c in side]
        sides.append(np.concatenate([block_means(c[n : 4 * n], 3) for c, n in zip(side, loops, strict=True)]))
    return t_test_slower(*sides, equal_variances=True)


def bencher(baseline: Processes, head: Processes) -> bool:
    """Bencher, ``t_test`` with an upper boundary of 0.99: the mean is above that quantile of the history's.

    Student's t about the mean of the earlier runs, scaled by their (population) standard deviation.
    """
    from scipy.stats import t

    history = np.array([calls.mean() for calls in baseline])
    limit = history.mean() + t.ppf(0.99, len(history) - 1) * history.std()
    return bool(np.mean([calls.mean() for calls in head]) > limit)


def stored_best(baseline: Processes, head: Processes) -> bool:
    """``bench compare --fail-on latency:5%``: the ratio of two stored ``latency_ns_best`` is above 1.05."""
    return latency_ns_best(head) > 1.05 * latency_ns_best(baseline)


def latency_ns_best(processes: Processes) -> float:
    """The median over rounds of the least timed call of a turn, whose first call is not used."""
    turns = [calls[: len(calls) // CALLS_OF_TURN * CALLS_OF_TURN].reshape(-1, CALLS_OF_TURN) for calls in processes]
    return float(np.median(np.concatenate(turns)[:, 1:].min(axis=1)))


def paired_t(baseline: Array, head: Array) -> bool:
    """One pair: the one-sided 97.5 % bound of the mean over rounds of log head over baseline is above 0.

    Both are [rounds, timed calls]; a round's value is its least call.
    """
    from scipy.stats import t

    values = np.log(head.min(axis=1) / baseline.min(axis=1))
    n = len(values)
    return bool(values.mean() > t.ppf(1 - LEVEL / 2, n - 1) * values.std(ddof=1) / math.sqrt(n))


def _samples(calls: Array, most: int, sample_s: float) -> Array:
    """At most ``most`` means of as many calls as take ``sample_s``; of fewer where too few were recorded."""
    number = min(_calls_in(sample_s, float(np.median(calls)) / 1e9), len(calls) // most)
    return block_means(calls[: number * most], most)


def _calls_in(seconds: float, call_s: float) -> int:
    return max(1, math.ceil(seconds / call_s))


def _one_second(call_s: float) -> float:
    """pytest-benchmark's defaults: rounds for a second, at least 5."""
    return max(1.0, 5 * call_s)


_CALLS = "sees the recorded calls of one process; the tool would time about a second"
RULES = (
    Rule("pytest-benchmark mean:5%", threshold(np.mean, 1.05), _one_second, approximated=_CALLS),
    Rule("pytest-benchmark median:5%", threshold(np.median, 1.05), _one_second, approximated=_CALLS),
    Rule("pytest-benchmark min:5%", threshold(np.min, 1.05), _one_second, approximated=_CALLS),
    Rule(
        "github-action-benchmark 110 %",
        threshold(np.mean, 1.1),
        _one_second,
        approximated="fed by pytest-benchmark: its ops are 1 / mean",
    ),
    Rule("github-action-benchmark 200 % (default)", threshold(np.mean, 2.0), _one_second),
    Rule(
        "Google benchmark U test, 9 repetitions",
        google_u_test,
        lambda _: 9 * 0.5,
        approximated="a repetition is a ninth of the recorded calls; the tool's takes 0.5 s",
    ),
    Rule("Mann-Whitney on calls, p < 0.05", u_test_on_calls, _one_second),
    Rule("Welch on calls, p < 0.05", welch_on_calls, _one_second),
    Rule(
        "Criterion, p < 0.05 and above 1 %",
        criterion,
        lambda _: 3.0 + 5.0,
        approximated=f"flat sampling, a call a sample instead of 100 samples in 5 s; {RESAMPLES} resamples",
    ),
    Rule(
        "asv 1.1, p < 0.002",
        asv,
        lambda call_s: 0.1 + 5 * _calls_in(0.01, call_s) * call_s,
        2,
        2,
        approximated="rounds of one side follow each other (no --interleave-rounds); warm-up is ours",
    ),
    Rule(
        "pyperf, 10 processes x 3 values",
        pyperf,
        lambda call_s: max(0.4, 4 * call_s),
        10,
        10,
        approximated="10 processes; its default is 20, its --fast 10 with 2 values; no process for calibration; values "
        "are shorter than 0.1 s where too few calls were recorded",
    ),
    Rule(
        "Bencher t_test 0.99, 20 runs",
        bencher,
        _one_second,
        20,
        1,
        is_history=True,
        approximated="a history is 20 earlier processes drawn at random, so trials share them",
    ),
    Rule(
        "bench compare --fail-on latency:5%",
        stored_best,
        lambda call_s: 60 * call_s,
        5,
        5,
        approximated="turns are cut from uninterrupted calls of 5 processes; `bench run` interleaves them with others",
    ),
)
PAIR_RULES: tuple[tuple[str, Callable[[Array, Array], bool]], ...] = (
    ("mean:5%", lambda a, b: threshold(np.mean, 1.05)([a.ravel()], [b.ravel()])),
    ("min:5%", lambda a, b: threshold(np.min, 1.05)([a.ravel()], [b.ravel()])),
    ("Mann-Whitney on calls, p < 0.05", lambda a, b: u_test_on_calls([a.ravel()], [b.ravel()])),
    ("Criterion, p < 0.05 and above 1 %", lambda a, b: criterion([a.ravel()], [b.ravel()])),
    ("paired t over rounds, 97.5 %", paired_t),
)
