"""Time and peak memory of `compare`, `history` and `report`, and how each grows with reports and samples.

Makes 1,000 invented reports with 10,000 samples each, through the product's own store, and single reports with up to 10
million; they are kept in a temporary folder for the next time. Each command runs in a fresh process. Prints tables as
Markdown: wall time, CPU time in brackets and peak memory, a column for ten times as many as the one before; then how
CPU time and memory grow at each tenfold.
Usage: python benchmarks/many_reports.py [--reports 1000] [--samples 10000000] [--folder DIR]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

EACH = 10_000  # samples of each of many reports


class Cost(NamedTuple):
    """What one command took."""

    seconds: float
    cpu_seconds: float  # with its children's: other load does not change it by much
    peak_bytes: int  # of the largest process among it and its children


def measured(arguments: Sequence[str]) -> Cost:
    """One command in a fresh process; SystemExit with its words where it fails to run."""
    with tempfile.TemporaryFile() as said:
        begin = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", "bench.cli", *arguments], stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if child.returncode not in (0, 5):  # compare: different runs can't be told
            raise SystemExit(f"bench {arguments[0]}: exit code {child.returncode}\n{said.read().decode()[-2000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def made(folder: Path, reports: int, samples: int) -> list[Path]:
    """So many reports with so many samples each, made where they are not there yet."""
    place = folder / f"{reports}-of-{samples}"
    command = [sys.executable, "-m", "benchmarks.many_reports_make", str(place), str(reports), str(samples)]
    subprocess.run(command, check=True, cwd=Path(__file__).parent.parent)
    return [place / f"{number:04d}" for number in range(reports)]


def print_table(title: str, counts: Sequence[int], lines: dict[str, list[Cost]]) -> None:
    """Time and memory by count, then both over those of a tenth."""
    print(f"\n## {title}\n")
    tenfold = [f"{count:,} over {before:,}" for before, count in pairwise(counts)]
    print(f"| command | {' | '.join([f'{count:,}' for count in counts] + tenfold)} |")
    print(f"|---|{'--:|' * (len(counts) + len(tenfold))}")
    for name, costs in lines.items():
        cells = [
            f"{cost.seconds:.1f} s ({cost.cpu_seconds:.1f} s), {cost.peak_bytes / 2**20:.0f} MiB" for cost in costs
        ]
        cells += [
            f"x{after.cpu_seconds / before.cpu_seconds:.2g}, x{after.peak_bytes / before.peak_bytes:.2g}"
            for before, after in pairwise(costs)
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def by_reports(folder: Path, most: int) -> None:
    """Commands that take many reports."""
    counts = [count for count in (10, 100, 1000) if count <= most]
    places = {count: made(folder, count, EACH) for count in counts}
    out = str(folder / "history.html")
    commands: dict[str, Callable[[list[Path]], list[str]]] = {
        "`compare` of all, text": lambda paths: ["compare", *map(str, paths)],
        "`compare` of all, JSON": lambda paths: ["compare", *map(str, paths), "--format", "json"],
        "`compare` of the first and the last": lambda paths: ["compare", str(paths[0]), str(paths[-1])],
        "`history`, text, without change points": lambda paths: ["history", str(paths[0].parent), "--no-changes"],
        "`history`, text": lambda paths: ["history", str(paths[0].parent)],
        "`history`, HTML": lambda paths: ["history", str(paths[0].parent), "--format", "html", "-o", out],
    }
    measured(["history", str(places[counts[0]][0].parent)])  # Otava's environment is made once, before
    lines = {name: [measured(make(places[count])) for count in counts] for name, make in commands.items()}
    print_table(f"By reports, {EACH:,} samples and 10 cases each", counts, lines)


def by_samples(folder: Path, most: int) -> None:
    """The command that shows one report."""
    counts = [count for count in (10_000, 100_000, 1_000_000, 10_000_000) if count <= most]
    paths = {count: made(folder, 1, count)[0] for count in counts}
    out = str(folder / "report.html")
    commands: dict[str, Callable[[Path], list[str]]] = {
        "`report`, text": lambda path: ["report", str(path)],
        "`report`, JSON": lambda path: ["report", str(path), "--format", "json"],
        "`report`, HTML": lambda path: ["report", str(path), "--format", "html", "-o", out],
        "`compare` with itself": lambda path: ["compare", str(path), str(path)],
    }
    lines = {name: [measured(make(paths[count])) for count in counts] for name, make in commands.items()}
    print_table("By samples of one report", counts, lines)


def main() -> None:
    """Make what is missing, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "onnx-crossbench-many-reports")
    asked = parser.parse_args()
    by_reports(asked.folder, asked.reports)
    by_samples(asked.folder, asked.samples)


if __name__ == "__main__":
    main()
