"""Reported memory of a case: alone, after batch 32 of the same run, and from a parent that holds 500 MB.

Prints the peak of each case in the three settings and its ratio to the first. Usage: python benchmarks/memory_alone.py
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from bench.pipeline import run_suite
from bench.progress import Silent
from bench.records import MeasureSettings, PrepareSettings, Suite
from bench.rows import Row
from bench.specs import parse_model, parse_runtimes

HELD_BYTES = 500 * 2**20


def main() -> None:
    """Print one table and the largest deviation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mobilenet_v1")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    alone = peaks(arguments.model, (1,), arguments.threads)
    after = peaks(arguments.model, (32, 1), arguments.threads)
    held = np.ones(HELD_BYTES, dtype="uint8")
    from_large_parent = peaks(arguments.model, (1,), arguments.threads)
    del held
    print("| runtime | peak alone | after batch 32 | ratio | from a parent holding 500 MB | ratio |")
    print("|---|---|---|---|---|---|")
    worst = 0.0
    for runtime, peak in alone.items():
        ratios = [after[runtime] / peak, from_large_parent[runtime] / peak]
        worst = max(worst, *(abs(ratio - 1) for ratio in ratios))
        mib = [f"{number / 2**20:.1f} MiB" for number in (peak, after[runtime], from_large_parent[runtime])]
        print(f"| {runtime} | {mib[0]} | {mib[1]} | {ratios[0]:.4f} | {mib[2]} | {ratios[1]:.4f} |")
    print(f"largest deviation: {worst:.2%}")


def peaks(model: str, batch_sizes: tuple[int, ...], threads: int) -> dict[str, int]:
    """Peak resident bytes at batch 1 by runtime."""
    spec = parse_model(model)
    suite = Suite(
        models=(spec,),
        runtimes=parse_runtimes(["tensorflow,onnxruntime-cpu"]),
        batch_sizes={spec.display: batch_sizes},
        threads=threads,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
    )
    with tempfile.TemporaryDirectory() as folder:
        result = run_suite(suite, Path(folder) / "report", resume=False, command="", progress=Silent())
    return {row.runtime: peak_of(row) for row in result.rows if row.batch_size == 1}


def peak_of(row: Row) -> int:
    """The row's peak, or an end with its reason."""
    if row.rss_peak_bytes is None:
        raise SystemExit(f"{row.runtime}: {row.status}: {row.status_reason}")
    return row.rss_peak_bytes


if __name__ == "__main__":
    main()
