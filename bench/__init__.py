"""Which runtime should this model be deployed on, and does it still compute the same thing?"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "compare_reports", "load_report"]


def __getattr__(name: str) -> Any:
    """``bench.load_report``, imported on first use: ``bench --help`` must not load pandas."""
    if name == "load_report":
        from bench.report.store import load_report

        return load_report
    if name == "compare_reports":
        from bench.check.compare_frame import compare_reports

        return compare_reports
    raise AttributeError(f"module 'bench' has no attribute {name!r}")
