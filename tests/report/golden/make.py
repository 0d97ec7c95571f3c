"""Write the golden files anew: ``PYTHONPATH=tests python tests/report/golden/make.py``. Then read the difference.

``v1`` is a stored report of schema version 1. Once that version is released it must not change: a new version gets a
folder of its own, and the old one has to stay loadable.
"""

from __future__ import annotations

from pathlib import Path

from bench.report import render
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


def main() -> None:
    """Replace ``v1`` and the texts."""
    repetitions = [
        group_repetition(
            repetition=number,
            cases=[
                case_repetition("net | tensorflow", number),
                case_repetition("net | openvino", number, checks=[check(), check("NA", 0.12)]),
            ],
        )
        for number in (0, 1)
    ]
    save_report(HERE / "v1", environment(), stored_rows(), repetitions, private=ADA)
    for name, content in stored_texts(stored_rows()).items():
        (HERE / "texts").mkdir(exist_ok=True)
        (HERE / "texts" / name).write_bytes(content.encode())


if __name__ == "__main__":
    main()
