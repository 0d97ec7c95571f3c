"""Invented reports that the product itself stores: ten cases, any number of samples, one version and one step.

In a process of its own: the memory of whoever starts a process counts as that process's first peak.
Usage: python -m benchmarks.many_reports_make FOLDER REPORTS SAMPLES
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bench.records import (
    CaseRepetition,
    Environment,
    FirstDone,
    GroupRepetition,
    Machine,
    MeasureSettings,
    Memory,
    ModelSpec,
    Opened,
    OutputCheck,
    PrepareSettings,
    RoundState,
    RuntimeSpec,
    SessionInfo,
    Suite,
    Turn,
)
from bench.report.columns import SCHEMA_VERSION
from bench.report.store import save_report
from bench.rows import Row

CASES = tuple(
    (name, batch) for batch in (1, 8) for name in ("tensorflow", "onnxruntime-cpu", "openvino", "litert", "iree")
)
REPETITIONS, ROUNDS = 5, 20
LEAST_SAMPLES = len(CASES) * REPETITIONS * ROUNDS  # one call a turn
_CPUS = ("Invented CPU", "Another CPU")


def make_report(folder: Path, number: int, samples: int, of: int) -> None:
    """Store report ``number`` of ``of`` with so many samples, a multiple of LEAST_SAMPLES; left alone where it is."""
    if (folder / "environment.json").is_file():
        return
    factors = _factors(number, of)
    rows = [_row(case, number, of, factor) for case, factor in zip(CASES, factors, strict=True)]
    rng = np.random.default_rng(number)
    repetitions = [_repetition(one, rows, rng, samples // LEAST_SAMPLES) for one in range(REPETITIONS)]
    save_report(folder, _environment(number, of), rows, repetitions)


def _factors(number: int, of: int) -> list[float]:
    """Noise of 2 % between runs; the third case is 10 % slower from three fifths of the way on."""
    random_ = random.Random(number)
    slower = [1.1 if case == 2 and number >= of * 3 // 5 else 1.0 for case in range(len(CASES))]
    return [random_.lognormvariate(0, 0.02) * one for one in slower]


def _case_id(case: tuple[str, int]) -> str:
    return f"mobilenet_v1 | {case[0]} | b{case[1]}"


def _version(number: int, of: int) -> str:
    return "1.32.0" if number >= of * 3 // 5 else "1.30.0"


def _row(case: tuple[str, int], number: int, of: int, factor: float) -> Row:
    name, batch = case
    latency = 8e6 * batch * (1 + 0.3 * [one for one, _ in CASES].index(name)) * factor
    return Row(
        case_id=_case_id(case),
        model="mobilenet_v1",
        model_digest="ab" * 32,
        input_digest="ef" * 32,
        artifact_digest="cd" * 32,
        runtime=name,
        runtime_spec=name,
        runtime_version=_version(number, of),
        batch_size=batch,
        threads=2,
        agreement="agrees",
        agreement_reason="within 6.0e-6 of the truth",
        relative_error=6e-6 * factor,
        tolerance=1e-3,
        truth="float64",
        latency_ns_best=latency,
        ratio_to_reference=latency / (8e6 * batch),
        ratio_low=latency / (8e6 * batch) * 0.97,
        ratio_high=latency / (8e6 * batch) * 1.03,
        interval_level=0.9375,
        reference_runtime="tensorflow",
        latency_ns_p50=latency * 1.03,
        latency_ns_p50_low=latency * 1.01,
        latency_ns_p50_high=latency * 1.05,
        latency_ns_p90=latency * 1.2,
        percentile_block="turns",
        calls=1000,
        rounds=REPETITIONS * ROUNDS,
        processes=REPETITIONS,
        throughput_items_per_s=batch * 1e9 / latency,
        load_ns=int(4e7 * factor),
        page_cache="warm",
        rss_peak_bytes=int((111 << 20) * factor),
    )


def _repetition(number: int, rows: list[Row], rng: np.random.Generator, calls: int) -> GroupRepetition:
    return GroupRepetition(
        group=0,
        repetition=number,
        cases=[_case(row, number, rng, calls) for row in rows],
        rounds=[
            RoundState(
                round=i, wall_ns=10**8, load_1min=0.5, steal_share=0.0, foreign_cpus=0.0, frequency_mhz=None,
                disturbed=False,
            )
            for i in range(ROUNDS)
        ],
        page_cache="warm",
        started="2026-01-01T08:00:00+00:00",
    )  # fmt: skip


def _case(row: Row, number: int, rng: np.random.Generator, calls: int) -> CaseRepetition:
    latencies = (row.latency_ns_best or 0) * rng.lognormal(0.03, 0.05, (ROUNDS, calls))
    turns = [
        Turn(
            round=i, kind="turn", input_index=i % 8, switch_ns=None, latencies_ns=own, cpu_ns=sum(own),
            wall_ns=sum(own), involuntary_switches=0, thread_count=2,
        )
        for i, own in enumerate(latencies.astype(np.int64).tolist())
    ]  # fmt: skip
    memory = Memory(rss_bytes=100 << 20, peak_rss_bytes=row.rss_peak_bytes)
    info = SessionInfo(row.runtime_version or "", "runtime.so", "CPU", "call", {})
    check = OutputCheck("probabilities", "agrees", "within the tolerance", relative_error=6e-6, tolerance=1e-3)
    return CaseRepetition(
        case_id=row.case_id,
        repetition=number,
        status="ok",
        opened=Opened(10**8, row.load_ns or 0, info, memory, memory, memory, 2),
        first=FirstDone(15_000_000, memory),
        turns=turns,
        memory_peak=memory,
        checks=[check],
        complete=True,
    )


def _environment(number: int, of: int) -> Environment:
    """A day apart; every tenth is of another machine."""
    model = ModelSpec("mobilenet_v1", "zoo", "mobilenet_v1", "mobilenet_v1")
    names = dict.fromkeys(name for name, _ in CASES)
    suite = Suite(
        models=(model,),
        runtimes=tuple(RuntimeSpec(name, name, name) for name in names),
        batch_sizes={"mobilenet_v1": (1, 8)},
        threads=2,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
    )
    return Environment(
        schema_version=SCHEMA_VERSION,
        bench_version="0.1.0",
        command="bench run mobilenet_v1",
        started=(datetime(2023, 1, 1, 8, tzinfo=UTC) + timedelta(days=number)).isoformat(),
        machine=Machine(_CPUS[number % 10 == 3], ("avx2",), 4, 2, 8 << 30, "Linux 6.1", "3.11.9"),
        packages={"numpy": "2.4.6", "onnxruntime": _version(number, of)},
        suite=suite,
        stages_s={},
        finished=True,
    )


def main(folder: str, reports: str, samples: str) -> None:
    """Store what is not there yet of so many reports with so many samples each, in folders 0000, 0001 and so on."""
    assert int(samples) % LEAST_SAMPLES == 0, f"samples are multiples of {LEAST_SAMPLES}"
    for number in range(int(reports)):
        make_report(Path(folder) / f"{number:04d}", number, int(samples), int(reports))
        if number % 100 == 99:
            print(f"{number + 1} of {reports} reports are there", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
