"""A/A: the same runtime under two labels, many whole runs; how often does the interval of the ratio cover 1?

Every run is `bench run` as people have it: fresh workers, five repetitions, interleaved rounds. Each result is appended
to a file, so that a stopped benchmark goes on where it was. Prints the count with its exact (Clopper-Pearson) interval.

Usage: python benchmarks/same_twice.py --times 200 [--model mobilenet_v1:alpha=0.25,resolution=192] [--file F.jsonl]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from scipy.stats import binomtest

from bench.pipeline import run_suite
from bench.progress import Silent
from bench.records import MeasureSettings, PrepareSettings, Suite
from bench.specs import parse_model, parse_runtimes


def main() -> None:
    """Run what is missing, then print the figures of all runs in the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--model", default="mobilenet_v1:alpha=0.25,resolution=192")
    parser.add_argument("--runtime", default="onnxruntime-cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--file", type=Path, default=Path("reports/same_twice.jsonl"))
    arguments = parser.parse_args()
    done = read(arguments.file)
    arguments.file.parent.mkdir(parents=True, exist_ok=True)
    for seed in range(len(done), arguments.times):
        result = one_run(arguments.model, arguments.runtime, arguments.threads, seed)
        done.append(result)
        with arguments.file.open("a") as file:
            file.write(json.dumps(result) + "\n")
    summarise(arguments.model, done)


def one_run(model: str, runtime: str, threads: int, seed: int) -> dict[str, float]:
    """Ratio of the second label to the first, with its interval."""
    spec = parse_model(model)
    suite = Suite(
        models=(spec,),
        runtimes=parse_runtimes([f"{runtime}#a", f"{runtime}#b"]),
        batch_sizes={spec.display: (1,)},
        threads=threads,
        prepare=PrepareSettings(),
        measure=MeasureSettings(seed=seed),
    )
    with tempfile.TemporaryDirectory() as folder:
        result = run_suite(suite, Path(folder) / "report", resume=False, command="", progress=Silent())
    row = next(row for row in result.rows if row.label == "b")
    ratio, low, high, level = row.ratio_to_reference, row.ratio_low, row.ratio_high, row.interval_level
    if ratio is None or low is None or high is None or level is None:
        raise SystemExit(f"seed {seed}: no ratio ({row.status}: {row.status_reason})")
    best = row.latency_ns_best or 0.0
    return {"seed": seed, "ratio": ratio, "low": low, "high": high, "level": level, "best_ns": best}


def summarise(model: str, done: list[dict[str, float]]) -> None:
    """The coverage with its exact interval, and how wide and how far off the intervals are."""
    covered = sum(one["low"] <= 1 <= one["high"] for one in done)
    exact = binomtest(covered, len(done)).proportion_ci(0.95, "exact")
    widths = sorted(one["high"] / one["low"] - 1 for one in done)
    furthest = max(abs(one["ratio"] - 1) for one in done)
    print(f"{model}, best about {statistics.median(one['best_ns'] for one in done) / 1e6:.2f} ms")
    print(f"the {done[0]['level']:.2%} interval covers 1 in {covered} of {len(done)} runs: {covered / len(done):.1%}")
    print(f"exact 95 % interval of that share: {exact.low:.1%} to {exact.high:.1%}")
    print(f"width of the interval: median {statistics.median(widths):.2%}, largest {widths[-1]:.2%}")
    print(f"ratio furthest from 1: {furthest:.2%}")


def read(path: Path) -> list[dict[str, float]]:
    """Results of earlier runs of this benchmark."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    main()
