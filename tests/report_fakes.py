"""A small invented run, exact to the nanosecond: what the tests of the report and the golden report are made from."""

from __future__ import annotations

from typing import Any

from bench.records import (
    ArrayFile,
    Artifact,
    CaseRepetition,
    Environment,
    GroupRepetition,
    Machine,
    MeasureSettings,
    ModelSpec,
    OutputCheck,
    Prepared,
    PrepareSettings,
    RoundState,
    RuntimeSpec,
    Suite,
    Tensor,
    Turn,
)
from bench.report.columns import SCHEMA_VERSION
from bench.report.scrub import Private
from bench.rows import Row
from fakes import artifact

ADA = Private(home="/home/ada", user="ada", host="analytical-engine")

MACHINE = Machine(
    cpu="Invented CPU",
    isa=("avx2",),
    logical_cpus=4,
    effective_cpus=2,
    memory_bytes=8 << 30,
    system="Linux 6.1",
    python="3.11.9",
)


def row(runtime: str = "onnxruntime-cpu", ratio: float | None = 0.5, /, **changes: Any) -> Row:
    """A verified row of 8 ms whose ratio has an interval of 5 % to either side."""
    fields: dict[str, Any] = {
        "case_id": f"net | {runtime}",
        "model": "net",
        "runtime": runtime,
        "batch_size": 1,
        "threads": 2,
        "reproduce": f"bench run net -e {runtime}",
        "agreement": "agrees",
        "agreement_reason": "within 6.0e-6 of the truth",
        "relative_error": 6e-6,
        "tolerance": 1e-3,
        "truth": "float64",
        "latency_ns_best": 8_000_000.0,
        "ratio_to_reference": ratio,
        "ratio_low": None if ratio is None else ratio * 0.95,
        "ratio_high": None if ratio is None else ratio * 1.05,
        "interval_level": 0.9375,
        "reference_runtime": "tensorflow",
        "latency_ns_p50": 8_200_000.0,
        "latency_ns_p90": 9_500_000.0,
        "percentile_block": "turns",
        "calls": 150,
        "rounds": 50,
        "processes": 5,
        "throughput_items_per_s": 121.9512,
        "import_ns": 100_000_000,
        "load_ns": 40_000_000,
        "first_call_ns": 15_000_000,
        "page_cache": "warm",
        "rss_import_bytes": 50 << 20,
        "rss_peak_bytes": 111 << 20,
        "macs": 568_740_352,
        "params": 4_231_976,
    }
    return Row(**(fields | changes))


def reference(**changes: Any) -> Row:
    """TensorFlow, at 16 ms."""
    fields: dict[str, Any] = {
        "ratio_low": None,
        "ratio_high": None,
        "latency_ns_best": 16_000_000.0,
        "latency_ns_p50": 16_500_000.0,
        "latency_ns_p90": 19_000_000.0,
        "throughput_items_per_s": 60.606,
        "import_ns": 2_500_000_000,
        "load_ns": 400_000_000,
        "first_call_ns": 435_000_000,
        "rss_import_bytes": 400 << 20,
        "rss_peak_bytes": 640 << 20,
    }
    return row("tensorflow", 1.0, **(fields | changes))


def absent(runtime: str = "onnxruntime-cuda", **changes: Any) -> Row:
    """A row of a case that never ran."""
    fields: dict[str, Any] = {
        "case_id": f"net | {runtime}",
        "model": "net",
        "runtime": runtime,
        "batch_size": 1,
        "threads": 2,
        "status": "unavailable",
        "status_reason": "asked for CUDAExecutionProvider, this build has CPUExecutionProvider",
        "reproduce": f"bench run net -e {runtime} -b 1 -x 2",
    }
    return Row(**(fields | changes))


def check(output: str = "probabilities", error: float = 6e-6, **changes: Any) -> OutputCheck:
    fields: dict[str, Any] = {
        "output": output,
        "verdict": "agrees" if error <= 1e-3 else "disagrees",
        "reason": f"relative error {error}",
        "relative_error": error,
        "tolerance": 1e-3,
        "spread": 0.01,
        "yardstick": 5e-6,
        "worst_index": (3, 917),
    }
    return OutputCheck(**(fields | changes))


def turn(number: int, latencies: list[int], **changes: Any) -> Turn:
    fields: dict[str, Any] = {
        "round": number,
        "kind": "turn",
        "input_index": 0,
        "switch_ns": 99,
        "latencies_ns": latencies,
        "cpu_ns": sum(latencies),
        "wall_ns": sum(latencies),
        "involuntary_switches": 0,
        "thread_count": 2,
    }
    return Turn(**(fields | changes))


def case_repetition(case_id: str = "net | onnxruntime-cpu", repetition: int = 0, **changes: Any) -> CaseRepetition:
    """Two warm-up calls, two turns of three timed calls, and a tail of two."""
    fields: dict[str, Any] = {
        "case_id": case_id,
        "repetition": repetition,
        "status": "ok",
        "turns": [
            turn(0, [70, 60], kind="warmup", switch_ns=None, input_index=1),
            turn(0, [11, 12, 13], input_index=3, order=1),
            turn(1, [21, 22, 23], input_index=7, order=0),
            turn(2, [31, 32], kind="tail", switch_ns=98, input_index=11),
        ],
        "checks": [check()],
        "complete": True,
    }
    return CaseRepetition(**(fields | changes))


def round_state(number: int, **changes: Any) -> RoundState:
    fields: dict[str, Any] = {
        "round": number,
        "wall_ns": 1000 + number,
        "load_1min": 0.5,
        "steal_share": 0.0,
        "foreign_cpus": None,
        "frequency_mhz": None,
        "disturbed": number == 1,
    }
    return RoundState(**(fields | changes))


def group_repetition(group: int = 0, repetition: int = 0, **changes: Any) -> GroupRepetition:
    fields: dict[str, Any] = {
        "group": group,
        "repetition": repetition,
        "cases": [case_repetition(f"net | {name}", repetition) for name in ("tensorflow", "onnxruntime-cpu")],
        "rounds": [round_state(0), round_state(1)],
        "page_cache": "warm",
        "started": "2026-11-25T08:00:00+00:00",
    }
    return GroupRepetition(**(fields | changes))


def prepared(folder: str = "/home/ada/.cache/onnx-crossbench/ab12") -> Prepared:
    onnx: Artifact = artifact(path=f"{folder}/model.onnx")
    tensor = Tensor(name="image", shape=(None, 8, 8, 3), dtype="float32")
    return Prepared(
        model="net",
        model_digest="ab12",
        inputs=(tensor,),
        outputs=(Tensor(name="probabilities", shape=(None, 10), dtype="float32"),),
        output_paths={"probabilities": "probabilities"},
        artifacts={"onnx": onnx},
        failures={},
        pool=ArrayFile(path=f"{folder}/pool.npz", digest="cd34", items=8),
        truth_file=ArrayFile(path=f"{folder}/truth.npz", digest="ef56", items=8),
        truth="float64",
        yardstick={"probabilities": 5e-6},
        parameters=4_231_976,
        multiply_adds=568_740_352,
        versions={"tf2onnx": "1.17.0"},
    )


def environment(**changes: Any) -> Environment:
    """As a run of ada's would leave it: full of her paths."""
    net = ModelSpec(
        text="/home/ada/nets/net.py:build:width=2",
        kind="builder",
        name="net.py",
        display="net.py:build:width=2",
        path="/home/ada/nets/net.py",
        function="build",
        options={"width": "2"},
    )
    suite = Suite(
        models=(net,),
        runtimes=(RuntimeSpec(text="tf", name="tensorflow", display="tensorflow"),),
        batch_sizes={net.display: (1,)},
        threads=2,
        prepare=PrepareSettings(load_inputs="/home/ada/pictures", input_ranges={"": (0.0, 1.0)}),
        measure=MeasureSettings(),
    )
    fields: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "bench_version": "0.1.0",
        "command": "bench run /home/ada/nets/net.py:build:width=2 -e tf -o /srv/ada/out",
        "started": "2026-11-25T08:00:00+00:00",
        "machine": MACHINE,
        "packages": {"numpy": "2.4.6"},
        "suite": suite,
        "stages_s": {"prepare": 1.5, "measure": 2.5},
        "finished": True,
        "models": {net.display: prepared()},
    }
    return Environment(**(fields | changes))
