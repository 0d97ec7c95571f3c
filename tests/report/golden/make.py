"""Write the golden files anew: ``PYTHONPATH=tests python tests/report/golden/make.py``. Then read the difference.

``v1`` and ``v2`` are stored reports of those schema versions. Once a version is released its report must not change: a
new version gets a folder of its own, and the old ones have to stay loadable.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from bench.records import Environment, EnvironmentFacts, Placement, ProviderPart, SoakSample
from bench.report import exchange_dashboards, render
from bench.report.columns import SCHEMA_VERSION
from bench.report.exchange_junit import render_junit
from bench.report.exchange_summary import render_summary
from bench.report.store import save_report
from bench.rows import Row
from report_fakes import ADA, absent, case_repetition, check, environment, group_repetition, reference, row

HERE = Path(__file__).parent


def stored_rows() -> list[Row]:
    """One group with a case of every kind, and one group where nobody wins."""
    cautions = (
        "contended: other processes were busy in 9 of 50 rounds; use a quieter machine; few samples: p99 needs 500"
    )
    disagrees = {
        "agreement": "disagrees",
        "agreement_reason": "relative error 0.12 is above the tolerance 0.001",
        "relative_error": 0.12,
        "cautions": "disagrees: its outputs disagree with the truth, so it cannot win",
    }
    return [
        reference(cautions="few samples: p99 needs 500"),
        row("onnxruntime-cpu", 0.476, ratio_low=0.435, ratio_high=0.5, cautions=cautions),
        row("onnxruntime-cpu:optimization=basic#basic", 0.62, label="basic", interval_level=0.9453125, processes=8),
        row("openvino", 0.4, latency_ns_best=6_400_000.0, **disagrees),
        row("litert", 0.45, status="partial", status_reason="3 of 90 nodes ran elsewhere"),
        absent(),
        absent("mnn|`x`", status="crashed", status_reason="the worker died of SIGSEGV\n\x1b[31mbad\x1b[0m [bold]|`"),
        reference(case_id="8 tf", batch_size=8),
        row("onnxruntime-cpu", 0.98, case_id="8 ort", batch_size=8, ratio_low=0.952, ratio_high=1.031),
    ]


def sweep_rows() -> list[Row]:
    """Versions, precisions and a provider that ran in part elsewhere; callers at the same time; tensors on a device."""

    def version(number: str, ratio: float, peak: int, /, **changes: Any) -> Row:
        name = f"onnxruntime-cpu@{number}"
        return row("onnxruntime-cpu", ratio, case_id=name, runtime_spec=name, rss_peak_bytes=peak << 20, **changes)

    small = {"precision": "int8", "isa": "avx2", "relative_error": 0.021, "tolerance": 0.1, "conversion_error": 0.019}
    placed = {"provider_requested": "WebGpuExecutionProvider", "node_share": 0.9, "streams": 4}
    return [
        reference(pareto=False),
        version("1.18.1", 0.5, 120, environment="ab12", pareto=False),
        version("1.22.1", 0.4, 110, pareto=True),
        version("1.32.0", 0.39, 111, pareto=True),
        version("1.32.0:precision=int8", 0.2, 90, pareto=True, **small),
        row("openvino", 0.41, build_ns=30_000_000, build_cache="miss", pareto=True, soak_verdict="plateau"),
        reference(case_id="4 tf", streams=4, throughput_items_per_s=110.0, node_share=None),
        row("onnxruntime-webgpu", 0.7, case_id="4 gpu", time_share=0.9996, throughput_items_per_s=233.0, **placed),
        row(
            "onnxruntime-webgpu:boundary=device",
            1.0,
            case_id="device",
            boundary="device",
            reference_runtime="onnxruntime-webgpu:boundary=device",
            ratio_low=None,
            ratio_high=None,
        ),
    ]


def sweep_environment() -> Environment:
    """Where one of the versions ran."""
    facts = EnvironmentFacts(
        key="ab12" * 16, requirements=("onnxruntime==1.18.1",), packages=9, size_bytes=179 << 20, build_s=7.1
    )
    return environment(environment_facts={"onnxruntime-cpu@1.18.1": facts})


def stored_texts(rows: list[Row]) -> dict[str, str]:
    """Every form of the same rows, by file name."""
    return {
        "width_80.txt": render.render_text(rows, environment(), width=80),
        "width_120.txt": render.render_text(rows, environment(), width=120),
        "width_160.txt": render.render_text(rows, environment(), width=160),
        "report.md": render.render_markdown(rows, environment()),
        "results.csv": render.render_csv(rows),
        "results.json": render.render_json(rows),
    }


def sweep_texts() -> dict[str, str]:
    """The sweep at the widths of terminals, and as Markdown."""
    rows, where = sweep_rows(), sweep_environment()
    texts = {f"sweep_{width}.txt": render.render_text(rows, where, width=width) for width in (80, 100, 160)}
    return {**texts, "sweep.md": render.render_markdown(rows, where)}


def exchanged_texts() -> dict[str, str]:
    """The stored rows as other tools read them."""
    rows, where = stored_rows(), environment()
    rows[0] = msgspec.structs.replace(rows[0], latency_ns_p50_low=16_200_000.0, latency_ns_p50_high=16_900_000.0)
    return {
        "github_action_benchmark.json": exchange_dashboards.render_github_action_benchmark(rows),
        "bencher.json": exchange_dashboards.render_bencher(rows),
        "junit.xml": render_junit(rows, where),
        "github_summary.md": render_summary(rows, where),
    }


def apart() -> dict[str, Any]:
    """Where a case ran in part elsewhere, and its memory under --soak."""
    here = ProviderPart(provider="WebGpuExecutionProvider", kernels=9, time_ns=990, operators={"Conv": 8, "Add": 1})
    elsewhere = ProviderPart(
        provider="CPUExecutionProvider",
        kernels=1,
        time_ns=10,
        operators={"Unique": 1},
        names=("head/unique",),
        reason="no webgpu kernel for Unique",
    )
    looks = [SoakSample(elapsed_ns=n * 10**9, calls=n * 7, rss_bytes=n << 20, private_bytes=n << 19) for n in (0, 1)]
    return {"placement": Placement(parts=(here, elsewhere), calls=3), "soak": looks}


def main() -> None:
    """Replace the report of today's version, and the texts."""
    worst = check(worst_value=0.125, worst_truth=0.25)
    repetitions = [
        group_repetition(
            repetition=number,
            cases=[
                case_repetition("net | tensorflow", number, **apart() if number else {}),
                case_repetition("net | openvino", number, checks=[worst, check("NA", 0.12)]),
            ],
        )
        for number in (0, 1)
    ]
    save_report(HERE / f"v{SCHEMA_VERSION}", environment(), stored_rows(), repetitions, private=ADA)
    for name, content in (stored_texts(stored_rows()) | sweep_texts() | exchanged_texts()).items():
        (HERE / "texts").mkdir(exist_ok=True)
        (HERE / "texts" / name).write_bytes(content.encode())


if __name__ == "__main__":
    main()
