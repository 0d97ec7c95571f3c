"""How often `--soak` calls memory growing, standing or not to be told, on made-up series of each kind.

Prints the exact bound on a false "growing" for memory that wanders, then a table: kind of memory by verdict.
Usage: python benchmarks/soak_statistics.py [--series 1000] [--seed 0]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench.analysis.soak import BLOCKS, SIZE, summarise_soak
from bench.analysis.statistics import rank_of_size, tail_probability
from bench.measure.soak import SAMPLES
from bench.records import SoakSample

KIB, MIB = 2**10, 2**20
CALLS_PER_MINUTE = 3000
START = 200 * MIB

Series = np.ndarray[Any, np.dtype[Any]]
Make = Callable[[np.random.Generator, Series], Series]  # minutes of each look -> bytes on top of the start

PLATEAUS: dict[str, tuple[float, Make]] = {
    "constant, 1 min": (1, lambda _, t: 0 * t),
    "noise of 20 KiB, 1 min": (1, lambda rng, t: noise(rng, t, 20)),
    "noise of 1 MiB, 10 min": (10, lambda rng, t: noise(rng, t, 1024)),
    "noise of 1 MiB with memory (0.95 a look), 10 min": (10, lambda rng, t: wander(rng, t, 1024, 0.95)),
    "wandering for ever, 64 KiB a look, 10 min": (10, lambda rng, t: wander(rng, t, 64, 1.0)),
    "one step of 16 MiB in the second half, noise of 20 KiB": (5, lambda rng, t: steps(rng, t, 1) + noise(rng, t, 20)),
    "four steps up in the second half, noise of 20 KiB": (5, lambda rng, t: steps(rng, t, 4) + noise(rng, t, 20)),
    "a saw of 8 MiB, 3 to 40 teeth": (5, lambda rng, t: saw(rng, t, 8)),
    "settling 32 MiB within a twentieth of the soak": (5, lambda rng, t: settling(t, 0.05) + noise(rng, t, 20)),
    "settling 32 MiB within a fifth of the soak": (5, lambda rng, t: settling(t, 0.2) + noise(rng, t, 20)),
}
LEAKS: dict[str, tuple[float, Make]] = {
    "1 MiB a minute, 1 min, no noise": (1, lambda _, t: t * MIB),
    "1 MiB a minute, 1 min, noise of 20 KiB": (1, lambda rng, t: t * MIB + noise(rng, t, 20)),
    "1 MiB a minute, 5 min, noise of 100 KiB": (5, lambda rng, t: t * MIB + noise(rng, t, 100)),
    "1 MiB a minute in pieces of 128 KiB, 5 min": (5, lambda _, t: np.floor(t * 8) * 128 * KIB),
    "1 MiB a minute, 5 min, one step of 16 MiB": (5, lambda rng, t: t * MIB + steps(rng, t, 1)),
    "1 MiB a minute under a saw of 8 MiB, 10 min": (10, lambda rng, t: t * MIB + saw(rng, t, 8)),
    "1 MiB a call": (1, lambda rng, t: t * CALLS_PER_MINUTE * MIB + noise(rng, t, 1024)),
}


def noise(rng: np.random.Generator, t: Series, kib: float) -> Series:
    """Independent from look to look."""
    return np.asarray(rng.normal(0, kib * KIB, len(t)))


def wander(rng: np.random.Generator, t: Series, kib: float, memory: float) -> Series:
    """Each look keeps ``memory`` of the one before."""
    pushes = rng.normal(0, kib * KIB * (1 - memory**2) ** 0.5 if memory < 1 else kib * KIB, len(t))
    out = np.zeros(len(t))
    for i in range(1, len(t)):
        out[i] = memory * out[i - 1] + pushes[i]
    return out


def steps(rng: np.random.Generator, t: Series, n: int) -> Series:
    """Up by 16 MiB at ``n`` moments of the second half."""
    moments = rng.uniform(0.5, 1, n) * t[-1]
    return np.asarray(16 * MIB * (t[:, None] >= moments).sum(axis=1))


def saw(rng: np.random.Generator, t: Series, mib: float) -> Series:
    """Up evenly and down at once, as a collector does."""
    return np.asarray(mib * MIB * ((rng.uniform(3, 40) * t / t[-1] + rng.uniform()) % 1))


def settling(t: Series, share: float) -> Series:
    """Towards 32 MiB, two thirds of the way in each such share of the soak."""
    return np.asarray(32 * MIB * (1 - np.exp(-t / t[-1] / share)))


def samples(minutes: float, extra: Series) -> list[SoakSample]:
    """As a worker would have looked at it, page by page."""
    moments = np.linspace(0, minutes, len(extra))
    return [
        SoakSample(
            elapsed_ns=int(moment * 60e9),
            calls=int(moment * CALLS_PER_MINUTE),
            rss_bytes=START,
            private_bytes=START + int(more) // 4096 * 4096,
        )
        for moment, more in zip(moments, extra, strict=True)
    ]


def verdicts(kind: tuple[float, Make], n: int, seed: int) -> Counter[str]:
    """How often each was said of ``n`` series."""
    minutes, make = kind

    def said() -> Iterator[str]:
        for number in range(n):
            rng = np.random.default_rng([seed, number])
            soak = summarise_soak(samples(minutes, make(rng, np.linspace(0, minutes, SAMPLES))))
            assert soak is not None
            yield soak.soak_verdict

    return Counter(said())


def main() -> None:
    """Print the bound and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    n_changes = BLOCKS - 1
    exact = tail_probability(n_changes, rank_of_size(n_changes, SIZE))
    print(f'Chance of a false "growing" where changes are as likely up as down: at most {exact:.2%} (exact).\n')
    print("| memory | growing | plateau | cannot tell |\n|---|---|---|---|")
    for name, kind in (PLATEAUS | LEAKS).items():
        counts = verdicts(kind, asked.series, asked.seed)
        shares = [f"{counts[verdict] / asked.series:.1%}" for verdict in ("growing", "plateau", "cannot tell")]
        print(f"| {name} | {' | '.join(shares)} |")


if __name__ == "__main__":
    main()
