"""How often the gate is wrong, and what it catches: simulated gates, no process. Run it: under a minute.

One table of false alarms under noise that a machine may make (identical code, so every alarm is false), one of power
against the spread of pairs, one of designs for several cases.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from bench.analysis.power import answers, smallest_detectable
from bench.analysis.sequential import Design, make_design

GATES = 20_000
SEED = 20_231
SPREADS = (0.005, 0.01, 0.02, 0.03, 0.033, 0.04, 0.06, 0.10)
SLOWDOWNS = (0.0, 0.02, 0.05, 0.10)
CASES = (1, 2, 4, 8, 16)
Noise = np.ndarray[Any, np.dtype[Any]]


def hostile_noise(kind: str, gates: int, pairs: int, seed: int = SEED) -> Noise:
    """Pairs of a thing with itself: exchangeable, however ugly. Logarithms, a gate a row."""
    random = np.random.default_rng(seed)
    shape = (gates, pairs)
    if kind == "normal, sd 1 %":
        return random.normal(0, 0.01, shape)
    if kind == "normal, sd 10 %":
        return random.normal(0, 0.10, shape)
    if kind == "Cauchy":
        return 0.02 * random.standard_cauchy(shape)
    if kind == "two modes of 10 %":
        return random.choice((-0.1, 0.1), shape) + random.normal(0, 0.005, shape)
    if kind == "process modes -10, 0, 0, 10 %":
        modes = random.choice((-0.1, 0.0, 0.0, 0.1), (2, *shape))
        return np.asarray(modes[0] - modes[1] + random.normal(0, 0.005, shape))
    if kind == "bursts over several pairs":
        states = np.repeat(random.random((gates, math.ceil(pairs / 4))) < 0.4, 4, axis=1)[:, :pairs]
        sizes = states * random.exponential(0.3, shape) + np.abs(random.normal(0, 0.01, shape))
        return np.asarray(random.choice((-1.0, 1.0), shape) * sizes)
    raise ValueError(f"no noise is called {kind}")


KINDS = (
    "normal, sd 1 %", "normal, sd 10 %", "Cauchy", "two modes of 10 %", "process modes -10, 0, 0, 10 %",
    "bursts over several pairs",
)  # fmt: skip


def shares(design: Design, values: Noise) -> tuple[float, float, float]:
    """Of gates: alarmed, passed, neither."""
    found = answers(design, values)
    return tuple(float(np.mean(found == one)) for one in ("regressed", "pass", "next"))  # type: ignore[return-value]


def false_alarms(design: Design, gates: int = GATES) -> list[tuple[str, float, float, float]]:
    """Per kind of noise: its name, alarms, passes, inconclusive."""
    return [(kind, *shares(design, hostile_noise(kind, gates, design.max_pairs))) for kind in KINDS]


def power(design: Design, gates: int = GATES) -> list[tuple[float, list[float], float, float | None]]:
    """Per spread: alarms for each of SLOWDOWNS, inconclusive without any, smallest slowdown detectable."""
    draws = np.random.default_rng(SEED).standard_normal((gates, design.max_pairs))
    rows = []
    for sd in SPREADS:
        found = [shares(design, math.log1p(slowdown) + sd * draws) for slowdown in SLOWDOWNS]
        rows.append((sd, [one[0] for one in found], found[0][2], smallest_detectable(design, sd)))
    return rows


def main() -> None:
    """Print the tables."""
    start = time.monotonic()
    design = make_design()
    bound = design.false_alarm_bound
    print(f"{GATES} simulated gates a line, delta 5 %, looks at {', '.join(str(one.pairs) for one in design.looks)}\n")
    print(f"| identical code, noise | alarm (at most {bound:.2%}) | pass | inconclusive |\n|---|---|---|---|")
    for kind, alarm, passed, undecided in false_alarms(design):
        print(f"| {kind} | {alarm:.2%} | {passed:.1%} | {undecided:.1%} |")
    heads = " | ".join(f"alarm at +{slowdown:.0%}" for slowdown in SLOWDOWNS)
    print(f"\n| sd of pairs | {heads} | same code inconclusive | detectable |\n|---|{'---|' * (len(SLOWDOWNS) + 2)}")
    for sd, alarms, undecided, least in power(design):
        told = "-" if least is None else f"{least:.1%}"
        print(f"| {sd:.1%} | {' | '.join(f'{one:.1%}' for one in alarms)} | {undecided:.1%} | {told} |")
    print("\n| cases | looks (pairs: alarm rank, pass rank) | any false alarm, at most | a miss, at most |")
    print("|---|---|---|---|")
    for cases in CASES:
        one = make_design(cases=cases)
        looks = "; ".join(f"{look.pairs}: {look.alarm_rank or '-'}, {look.pass_rank or '-'}" for look in one.looks)
        print(f"| {cases} | {looks} | {one.false_alarm_bound:.2%} | {one.miss_bound:.2%} |")
    print(f"\n{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
