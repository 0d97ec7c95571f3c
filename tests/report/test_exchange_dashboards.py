"""A stored report as github-action-benchmark's and Bencher's JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.exchange_dashboards import left_out, render_bencher, render_github_action_benchmark
from bench.rows import Row
from ci_fakes import HOSTILE
from report_fakes import absent, reference, row

ACTION_KEYS: dict[str, Any] = {"name": str, "unit": str, "value": (int, float), "range": str, "extra": str}
BOUNDS = {"latency_ns_p50_low": 8_100_000.0, "latency_ns_p50_high": 8_300_000.0}
BARRED: dict[str, dict[str, Any]] = {
    "disagrees": {"agreement": "disagrees", "agreement_reason": "relative error 0.12"},
    "vacuous": {"agreement": "vacuous", "agreement_reason": "hardly depends"},
    "unchecked": {"agreement": "unchecked", "agreement_reason": "no truth"},
    "partial": {"status": "partial", "status_reason": "3 of 90 nodes"},
    "crashed": {"status": "crashed", "status_reason": "SIGSEGV"},
    "not timed": {"latency_ns_best": None},
    "not timed (NaN)": {"latency_ns_best": math.nan},
    "too few timed calls for a median": {"latency_ns_p50": None},
}


def entries_of(rows: list[Row]) -> list[dict[str, Any]]:
    """As the action reads them: an array of objects; unknown keys, and values that are no numbers, fail here."""
    entries: list[dict[str, Any]] = json.loads(render_github_action_benchmark(rows))
    for entry in entries:
        assert {"name", "unit", "value"} <= set(entry) <= set(ACTION_KEYS)
        assert all(isinstance(value, ACTION_KEYS[key]) for key, value in entry.items())
    return entries


def measures_of(rows: list[Row]) -> dict[str, Any]:
    """As ``bmf.json``, Bencher's schema, has it: objects of objects with a numeric value."""
    content: dict[str, Any] = json.loads(render_bencher(rows))
    for name, measures in content.items():
        assert 0 < len(name) <= 1024
        for slug, metric in measures.items():
            assert slug in {"latency", "throughput", "peak-memory", "file-size"}
            assert {"value"} <= set(metric) <= {"value", "lower_value", "upper_value"}
            assert all(isinstance(value, (int, float)) for value in metric.values())
    return content


def test_an_entry_is_the_median_with_its_interval() -> None:
    first, second = entries_of([row(**BOUNDS)])
    assert first == {
        "name": "net / onnxruntime-cpu / latency",
        "unit": "ms",
        "value": 8.2,
        "range": "8.1 ms to 8.3 ms",
        "extra": "median of: 150 calls in 5 processes\nbest: 8 ms\nagreement: agrees, error 6.0e-6 of 1.0e-3",
    }
    assert second == {"name": "net / onnxruntime-cpu / peak memory", "unit": "MiB", "value": 111.0}


def test_without_an_interval_none_is_said() -> None:
    assert "range" not in entries_of([row()])[0]
    assert measures_of([row()])["net | onnxruntime-cpu"]["latency"] == {"value": 8_200_000.0}


def test_bencher_has_nanoseconds_items_and_bytes() -> None:
    assert measures_of([row(**BOUNDS, artifact_bytes=4096)])["net | onnxruntime-cpu"] == {
        "latency": {"value": 8_200_000.0, "lower_value": 8_100_000.0, "upper_value": 8_300_000.0},
        "throughput": {"value": 121.9512},
        "peak-memory": {"value": 111 << 20},
        "file-size": {"value": 4096},
    }


@pytest.mark.parametrize("reason", BARRED)
def test_what_may_not_win_is_in_neither_and_has_its_reason(reason: str) -> None:
    rows = [reference(), row(**BARRED[reason])]
    assert list(measures_of(rows)) == ["net | tensorflow"]
    assert [entry["name"] for entry in entries_of(rows)] == [
        "net / tensorflow / latency",
        "net / tensorflow / peak memory",
    ]
    assert left_out(rows)["net | onnxruntime-cpu"].startswith(reason.partition(" (")[0])


def test_verified_rows_are_all_there() -> None:
    assert left_out([reference(), row()]) == {}
    assert list(measures_of([reference(), row()])) == ["net | tensorflow", "net | onnxruntime-cpu"]


def test_of_what_never_ran_nothing_is_there() -> None:
    assert entries_of([absent()]) == []
    assert measures_of([absent()]) == {}


def test_no_name_breaks_the_tables_in_which_the_action_puts_it() -> None:
    (name, _memory) = [entry["name"] for entry in entries_of([row(case_id=f"net | {HOSTILE}")])]
    assert name.startswith("net / a\\x7cb\\x60c\\x60<img src=x>\\n::error::")
    assert not set(name) & set("|`\n\x1b\ud800")


def test_names_that_look_alike_stay_two_and_do_not_depend_on_the_rows_beside_them() -> None:
    ids = ["a\nb", "a\\nb", "a\\nb (2)", "x" * 2000, "x" * 2001, "a | b", "a / b"]
    ids += [name for name in measures_of([row(case_id=one) for one in ids]) if name not in ids]  # one called as a mark
    rows = [row(case_id=one) for one in ids]
    assert len(measures_of(rows)) == len(ids)
    assert len({entry["name"] for entry in entries_of(rows)}) == 2 * len(ids)
    assert list(measures_of(rows[::-1])) == list(measures_of(rows))[::-1]
    assert {name for one in rows for name in measures_of([one])} == set(measures_of(rows))
    assert list(measures_of(rows))[1] == "a\\nb"


@given(st.lists(st.text(max_size=30), max_size=5, unique=True), st.floats())
def test_any_name_and_number_is_json_that_others_can_read(names: list[str], number: float) -> None:
    rows = [row(case_id=f"net | {name}", latency_ns_p50=number, latency_ns_p50_low=number) for name in names]
    kept = [] if not math.isfinite(number) else names
    assert len(measures_of(rows)) == len(kept)
    assert len(entries_of(rows)) == 2 * len(kept)
