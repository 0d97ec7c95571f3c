"""A history as pictures, one a case: points by time, levels between change points, versions that changed, gaps."""

from __future__ import annotations

from bench.check.history_records import History
from bench.report.picture import Picture


def pictures_of(history: History) -> list[Picture]:
    return []
