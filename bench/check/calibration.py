"""What a machine can gate, from pairs of one thing with itself. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.analysis.power import false_alarm_rate, pair_sd, smallest_detectable
from bench.analysis.sequential import Design, make_design
from bench.check.gate_summary import mean_preempted
from bench.check.records import GateSettings, Pair
from bench.check.wording import percent
from bench.records import Machine, Record

DELTAS = (0.01, 0.02, 0.03, 0.05, 0.10, 0.15, 0.20, 0.30)  # that are recommended
LEVEL = 0.95  # of the interval of a standard deviation


class Noise(Record, frozen=True):
    """What the pairs of one thread count were like. Logarithms of head over baseline."""

    threads: int
    pairs: int
    sd: float
    sd_low: float | None  # 95 %, by chi-square: as if pairs were normal
    sd_high: float | None
    false_alarm_rate: float  # over all ways to label these very pairs
    false_alarm_bound: float  # by the design, whatever the pairs
    smallest_detectable: float | None  # slowdown caught 95 times in 100; None where none is
    preempted: float | None  # share of timed calls
    recommended: float | None  # least delta that is held with 95 % power at sd; None where none of them is
    holds_delta: bool  # the delta asked for is held


class Calibration(Record, frozen=True):
    """What ``bench gate calibrate`` found."""

    model: str
    runtime: str
    runtime_version: str
    machine: Machine
    settings: GateSettings
    threads: tuple[Noise, ...]


def noise_of(threads: int, pairs: Sequence[Pair], settings: GateSettings) -> Noise:
    """The noise in pairs that all have a latency; there are at least as many as the gate may take."""
    values = [pair.latency for pair in pairs if pair.latency is not None]
    design = _design(settings, settings.delta)
    sd = pair_sd(values) or 0.0
    low, high = sd_interval(sd, len(values))
    return Noise(
        threads=threads,
        pairs=len(values),
        sd=sd,
        sd_low=low,
        sd_high=high,
        false_alarm_rate=false_alarm_rate(design, values),
        false_alarm_bound=design.false_alarm_bound,
        smallest_detectable=smallest_detectable(design, sd),
        preempted=mean_preempted(pairs),
        recommended=next((delta for delta in DELTAS if holds(settings, delta, sd)), None),
        holds_delta=holds(settings, settings.delta, sd),
    )


def holds(settings: GateSettings, delta: float, sd: float) -> bool:
    """Whether a gate with ``delta`` catches a slowdown of ``delta`` 95 times in 100 where pairs spread by ``sd``."""
    least = smallest_detectable(_design(settings, delta), sd)
    return least is not None and least <= delta


def sd_interval(sd: float, n: int) -> tuple[float | None, float | None]:
    """The exact 95 % interval of a normal's standard deviation from ``n`` values; None for fewer than two."""
    if n < 2:
        return None, None
    from scipy.stats import chi2

    low, high = (math.sqrt((n - 1) / float(chi2.ppf(p, n - 1))) * sd for p in ((1 + LEVEL) / 2, (1 - LEVEL) / 2))
    return low, high


def spell_ability(calibration: Calibration) -> str:
    """One sentence: ``this machine can gate 5% with 1 thread; not with 2``."""
    delta = percent(calibration.settings.delta, sign=False)
    can = [str(one.threads) for one in calibration.threads if one.holds_delta]
    not_ = [str(one.threads) for one in calibration.threads if not one.holds_delta]
    if not can:
        return f"this machine can not gate {delta} with {_threads(not_)}"
    rest = f"; not with {_listed(not_)}" if not_ else ""
    return f"this machine can gate {delta} with {_threads(can)}{rest}"


def _design(settings: GateSettings, delta: float) -> Design:
    return make_design(delta=delta, alpha=settings.alpha, beta=settings.beta, max_pairs=settings.max_pairs)


def _threads(counts: Sequence[str]) -> str:
    return f"{_listed(counts)} thread{'s' * (list(counts) != ['1'])}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
