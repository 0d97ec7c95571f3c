"""How often `bench history` finds a change point in noise alone, and how often a planted step, on made-up series.

Prints tables as Markdown: false alarms by kind of noise and number of reports, then planted steps in independent noise
by their size, with how often the step is found at its very place, or one report beside it; last, steps of the size that
the product calls noticeable. Everything goes through the product's own child with Otava.
Usage: python benchmarks/history_change_points.py [--series 1000] [--seed 0]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.analysis.history_steps import noticeable_step
from bench.check.history_otava import MAX_P, ChangePoint, Otava, provide_otava

Numbers = np.ndarray[Any, np.dtype[Any]]
Make = Callable[[np.random.Generator, int], Numbers]  # count -> noise with standard deviation 1

NOISES: dict[str, Make] = {
    "independent, normal": lambda rng, count: rng.normal(0, 1, count),
    "independent, heavy tails (Student's t, 3 degrees)": lambda rng, count: rng.standard_t(3, count) / 3**0.5,
    "drifting (each keeps 0.5 of the one before)": lambda rng, count: drifting(rng, count, 0.5),
}
LENGTHS = (7, 10, 15, 30, 100)
SPREADS = (0.01, 0.02, 0.03)
STEPS = (0.05, 0.1)


def drifting(rng: np.random.Generator, count: int, memory: float) -> Numbers:
    """Noise in which neighbours are alike."""
    pushes = rng.normal(0, 1, count)
    out = pushes.copy()
    for i in range(1, count):
        out[i] = memory * out[i - 1] + pushes[i] * (1 - memory**2) ** 0.5
    return out


def made(make: Make, count: int, spread: float, n_series: int, seed: int, step: float = 0.0) -> list[list[float]]:
    """Latencies in ns about 8 ms, the second half larger by ``step``."""
    rng = np.random.default_rng([seed, count, round(1e4 * spread), round(1e4 * step)])
    levels = np.where(np.arange(count) >= count // 2, np.log1p(step), 0.0)
    return [(8e6 * np.exp(spread * make(rng, count) + levels)).tolist() for _ in range(n_series)]


def print_false_alarms(otava: Otava, n_series: int, seed: int) -> None:
    """Shares of series without a step in which one is found."""
    print(f"## Noise alone: share of {n_series} series with a change point\n")
    print(f"| noise | {' | '.join(f'{count} reports' for count in LENGTHS)} |\n|---{'|--:' * len(LENGTHS)}|")
    for name, make in NOISES.items():
        found = [otava.change_points(made(make, count, 0.02, n_series, seed)) for count in LENGTHS]
        shares = [sum(map(bool, of_length)) / n_series for of_length in found]
        print(f"| {name} | {' | '.join(f'{100 * share:.2f} %' for share in shares)} |", flush=True)


def print_power(otava: Otava, n_series: int, seed: int) -> None:
    """Shares of series with a step in their middle in which it is found."""
    print(f"\n## A step in the middle, independent normal noise: {n_series} series each\n")
    header = ("reports", "spread", "step", "found", "at its place", "at most one report off", "noticed from, median")
    print(f"| {' | '.join(header)} |\n|{'--:|' * len(header)}")
    for count in LENGTHS:
        for spread in SPREADS:
            for step in STEPS:
                series = made(NOISES["independent, normal"], count, spread, n_series, seed, step)
                print(
                    f"| {count} | {100 * spread:g} % | +{100 * step:g} % | {power_cells(otava, series)} |", flush=True
                )


def power_cells(otava: Otava, series: Sequence[list[float]]) -> str:
    """Found at all, at its place, at most one off; and what the product says would be noticed one time in two."""
    middle = len(series[0]) // 2
    found = otava.change_points(series)
    shares = [sum(bool(one) for one in found), near(found, middle, 0), near(found, middle, 1)]
    noticed = [noticeable_step(one, [middle], MAX_P) or float("nan") for one in series]
    cells = [f"{100 * share / len(series):.1f} %" for share in shares]
    return " | ".join([*cells, f"+{100 * float(np.median(noticed)):.1f} %"])


def near(found: Sequence[Sequence[ChangePoint]], place: int, off: int) -> int:
    """Series with a change point at most ``off`` reports from the place."""
    return sum(any(abs(one.index - place) <= off for one in of_series) for of_series in found)


def print_noticeable(otava: Otava, n_series: int, seed: int) -> None:
    """Whether a step of the size that the product calls noticeable is found one time in two."""
    print("\n## A step of the size that is called noticeable, spread 2 %\n")
    print("| reports | step | found |\n|--:|--:|--:|")
    for count in LENGTHS:
        pure = made(NOISES["independent, normal"], count, 0.02, n_series, seed)
        step = float(np.median([noticeable_step(one, (), MAX_P) or float("nan") for one in pure]))
        found = otava.change_points(made(NOISES["independent, normal"], count, 0.02, n_series, seed, step))
        print(f"| {count} | +{100 * step:.1f} % | {100 * sum(map(bool, found)) / n_series:.1f} % |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    otava = provide_otava(lambda stage: print(stage, file=sys.stderr))
    print_false_alarms(otava, asked.series, asked.seed)
    print_power(otava, asked.series, asked.seed)
    print_noticeable(otava, asked.series, asked.seed)


if __name__ == "__main__":
    main()
