"""The self-test's table and its sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis.shares import exact_interval
from bench.check.selftest import SLOW, Identity, Plant, TrialKind
from bench.check.selftest_counts import Row
from bench.check.wording import percent

_TITLES: dict[TrialKind, str] = {
    "same": "identical",
    "nodes": "extra nodes",
    "busy": "busy wait",
    "wrong": "wrong outputs",
    "fallback": "fake fallback",
    "gone": "case gone",
}
_UNKNOWN = "-"
HEADER = (
    "planted",
    "load",
    "trials",
    "fired",
    "95% interval",
    "passed",
    "inconcl.",
    "failed",
    "change",
    "pairs",
    "seconds",
)
NUMERIC = (2, 3, 4, 5, 6, 7, 8, 9, 10)


def cells(row: Row) -> tuple[str, ...]:
    """One line of the table."""
    return (
        _title(row),
        row.load,
        str(row.trials),
        f"{row.fired} of {row.trials}",
        f"{_rate(row.low)} to {_rate(row.high)}",
        str(row.missed),
        str(row.inconclusive),
        str(row.failed),
        _UNKNOWN if row.change is None else percent(row.change),
        f"{row.mean_pairs:.1f}",
        f"{row.mean_seconds:.1f}",
    )


def subject(identity: Identity) -> str:
    """What was tried, in one line."""
    return (
        f"{identity.model} on {identity.runtime} {identity.runtime_version}, {identity.threads} "
        f"thread{'s' * (identity.threads != 1)}; delta {_rate(identity.delta)}, alpha {_rate(identity.alpha)}, "
        f"at most {identity.max_pairs} pairs; {identity.cpu}, {identity.cpus} CPUs"
    )


def plant_text(plant: Plant) -> str:
    """``extra nodes +5%: 9 nodes, 5.6% of the multiply-adds; measured +6.1% (+5.7% to +6.5%, 16 pairs)``."""
    return (
        f"{_TITLES[plant.kind]} {plant.share * 100:+.3g}%: {plant.text}; measured {plant.change:+.2%} "
        f"({plant.change_low:+.2%} to {plant.change_high:+.2%}, {plant.level:.0%}, {plant.pairs} pairs)"
    )


def demonstrated(rows: Sequence[Row], *, alpha: float, beta: float) -> list[str]:
    """What the numbers of trials show, and how many would show the promise itself; one-sided 95 %."""
    return [
        _rate_of_alarms(row, alpha) if row.kind == "same" else _power(row, 1 - beta)
        for row in rows
        if row.kind == "same" or row.kind in SLOW
    ]


def _rate_of_alarms(row: Row, promised: float) -> str:
    above = exact_interval(row.fired, row.trials, 0.9)[1]
    more = _more(row.trials, row.fired, _needed(promised), f"below {_rate(promised)}")
    return (
        f"{_title(row)}, {row.load}: {row.fired} of {row.trials} accused: the rate is below {_rate(row.high)}, "
        f"one-sided below {_rate(above)}{more}"
    )


def _power(row: Row, promised: float) -> str:
    below = exact_interval(row.fired, row.trials, 0.9)[0]
    more = _more(row.trials, row.trials - row.fired, _needed(1 - promised), f"above {_rate(promised)}")
    return (
        f"{_title(row)}, {row.load}: {row.fired} of {row.trials} caught: the power is above {_rate(row.low)}, "
        f"one-sided above {_rate(below)}{more}"
    )


def _needed(chance: float) -> int:
    """Trials without an error that show an error rate below ``chance``, one-sided 95 %: 59 for 5 %, 299 for 1 %."""
    n = 1
    while exact_interval(0, n, 0.9)[1] >= chance:
        n += 1
    return n


def _more(trials: int, errors: int, need: int, promise: str) -> str:
    return "" if errors or trials >= need else f"; {need} without an error would show one {promise}"


def _title(row: Row) -> str:
    return _TITLES[row.kind] + (f" {row.share * 100:+.3g}%" if row.share is not None else "")


def _rate(rate: float) -> str:
    return f"{rate * 100:.3g}%"


def conclusion(found: Sequence[str], code: int) -> list[str]:
    """The verdict of the self-test, its reasons before it."""
    if found:
        return [*(f"- {one}" for one in found), "SELF-TEST FAILED: this gate is not to be believed here"]
    if code:
        return ["SELF-TEST INCOMPLETE: identical and slow sides were not both tried"]
    return ["SELF-TEST PASSED: every fault fired, and nothing says that slowdowns are missed or alarms are false"]
