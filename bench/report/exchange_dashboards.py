"""A stored report for dashboards that follow numbers over commits. Pure: returns text.

github-action-benchmark's array for ``tool: customSmallerIsBetter``, and the Bencher Metric Format (``--adapter json``).
Neither has a word for a number that must not be compared: only rows that are allowed to win are in them, and
``left_out`` says why the others are not.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from bench import units
from bench.analysis.summary import barred_rows
from bench.report.plain import finite
from bench.report.text import visible
from bench.rows import Row

_NO_MEDIAN = "too few timed calls for a median"
_LONGEST_NAME = 1024  # characters of a benchmark's name at Bencher
_MARKED = re.compile(r" #[0-9a-f]{8}$")
_MEASURES = {  # Bencher's slug -> column, and those of its bounds; the first, second and last are built in there
    "latency": ("latency_ns_p50", "latency_ns_p50_low", "latency_ns_p50_high"),  # nanoseconds
    "throughput": ("throughput_items_per_s",),  # per second
    "peak-memory": ("rss_peak_bytes",),
    "file-size": ("artifact_bytes",),  # bytes
}


def left_out(rows: Sequence[Row]) -> dict[str, str]:
    """Why a case is not in the file, by case_id: it may not win, or has no median."""
    reasons = {row.case_id: _NO_MEDIAN for row in rows if finite(row.latency_ns_p50) is None}
    return reasons | {row.case_id: reason for row, reason in barred_rows(rows)}


def render_github_action_benchmark(rows: Sequence[Row]) -> str:
    """An entry for the median latency of each case, in milliseconds, and one for its peak memory; smaller is better."""
    kept = _kept(rows)
    entries = [entry for row in kept for entry in _entries(row, _table_name(row.case_id))]
    return json.dumps(entries, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def render_bencher(rows: Sequence[Row]) -> str:
    """Benchmark name -> measure -> value and bounds."""
    content = {_named(row.case_id, visible(row.case_id)): _measures(row) for row in _kept(rows)}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _kept(rows: Sequence[Row]) -> list[Row]:
    reasons = left_out(rows)
    return [row for row in rows if row.case_id not in reasons]


def _entries(row: Row, name: str) -> Iterator[dict[str, Any]]:
    assert row.latency_ns_p50 is not None
    yield {
        "name": f"{name} / latency",
        "unit": "ms",
        "value": row.latency_ns_p50 / 1e6,
        **_range(row),
        "extra": "\n".join(_facts(row)),
    }
    if row.rss_peak_bytes is not None:
        yield {"name": f"{name} / peak memory", "unit": "MiB", "value": row.rss_peak_bytes / 2**20}


def _range(row: Row) -> dict[str, str]:
    low, high = finite(row.latency_ns_p50_low), finite(row.latency_ns_p50_high)
    return {} if low is None or high is None else {"range": f"{units.duration(low)} to {units.duration(high)}"}


def _facts(row: Row) -> list[str]:
    said = {
        "median of": f"{row.calls} calls in {row.processes} processes",
        "best": units.duration(row.latency_ns_best),
        "runtime version": row.runtime_version,
        "agreement": f"agrees, error {units.error(row.relative_error)} of {units.error(row.tolerance)}",
        "cautions": row.cautions,
    }
    return [f"{name}: {visible(text)}" for name, text in said.items() if text]


def _table_name(case_id: str) -> str:
    """The action puts names into code spans of a Markdown table, unescaped: no pipe or backtick may be in them."""
    shown = visible(case_id).replace(" | ", " / ").replace("|", "\\x7c").replace("`", "\\x60")
    return _named(case_id, shown, read_back=shown.replace(" / ", " | "))


def _named(case_id: str, shown: str, *, read_back: str | None = None) -> str:
    """A series' name, the same whatever else a report has, and another for another case.

    It is what is shown of the case, with a mark where that could be shown of another case too, or is too long.
    """
    told_apart = case_id == (shown if read_back is None else read_back) and not _MARKED.search(shown)
    if told_apart and len(shown) <= _LONGEST_NAME:
        return shown
    mark = f" #{hashlib.sha256(case_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return shown[: _LONGEST_NAME - len(mark)] + mark


def _measures(row: Row) -> dict[str, dict[str, float]]:
    found = {slug: [finite(getattr(row, name)) for name in names] for slug, names in _MEASURES.items()}
    keys = ("value", "lower_value", "upper_value")
    return {
        slug: {key: value for key, value in zip(keys, values, strict=False) if value is not None}
        for slug, values in found.items()
        if values[0] is not None
    }
