"""The invented reports of the scale benchmark are reports like any other, with the step that they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.check.history import history_of
from bench.report.store import load_report
from benchmarks.history_change_points import NOISES, made
from benchmarks.many_reports_make import CASES, LEAST_SAMPLES, main


def test_made_reports_are_read_as_any_other_and_left_alone_once_they_are_there(tmp_path: Path) -> None:
    main(str(tmp_path), "5", str(2 * LEAST_SAMPLES))
    report = load_report(tmp_path / "0004")
    assert (len(report.samples), len(report.results)) == (2 * LEAST_SAMPLES, len(CASES))
    before = (tmp_path / "0004" / "samples.parquet").stat().st_mtime_ns
    main(str(tmp_path), "5", str(2 * LEAST_SAMPLES))
    assert (tmp_path / "0004" / "samples.parquet").stat().st_mtime_ns == before


def test_one_case_is_slower_from_where_versions_change(tmp_path: Path) -> None:
    main(str(tmp_path), "20", str(LEAST_SAMPLES))
    trend = history_of([str(tmp_path)], "latency").trends[2]
    first = trend.series[0]
    assert [event.report for event in first.events] == [13]
    before, after = ([p.value for p in first.points if (p.report < 13) == is_before] for is_before in (True, False))
    assert 1.05 < np.mean(after) / np.mean(before) < 1.15
    assert len(trend.series) == 2


def test_made_series_have_their_spread_and_their_step() -> None:
    (series,) = made(NOISES["independent, normal"], 2000, 0.02, 1, seed=0, step=0.1)
    logs = np.log(series)
    assert 0.019 < logs[:1000].std() < 0.021
    assert 1.09 < np.exp(logs[1000:].mean() - logs[:1000].mean()) < 1.11
