"""The frame of a comparison: a row for every case and report, typed, names untouched."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bench
from bench.check.compare_frame import DTYPES, comparison_frame
from bench.check.render_compare import render_csv
from bench.errors import UsageError
from bench.report.store import save_report
from bench.rows import Row
from compare_fakes import compared, env, ort, tf
from report_fakes import ADA, absent, row

NASTY = ["NA", "null", "007", "1e3", "None", "n/a", "nan", "", "True", "2026-11-25"]


def save(folder: Path, rows: list[Row], started: str = "2026-11-25T08:00:00+00:00") -> Path:
    save_report(folder, env(started=started), rows, [], private=ADA)
    return folder


def test_stored_reports_are_one_row_for_every_case_and_report(tmp_path: Path) -> None:
    a = save(tmp_path / "a", [tf(), ort()])
    b = save(tmp_path / "b", [ort(latency_ns_best=8.4e6), absent()], "2026-11-25T09:00:00+00:00")
    frame = bench.compare_reports([a, str(b)])
    assert frame[["runtime", "report", "standing"]].values.tolist() == [
        ["tensorflow", "A", "reference"],
        ["tensorflow", "B", "gone"],
        ["onnxruntime-cpu", "A", "reference"],
        ["onnxruntime-cpu", "B", "same"],
        ["onnxruntime-cuda", "A", "absent"],
        ["onnxruntime-cuda", "B", "failed"],
    ]
    same = frame.iloc[3]
    assert (same["latency_ns_best"], same["latency_ratio"], same["rss_peak_ratio"]) == (8.4e6, 1.05, 1.0)
    assert (same["is_comparable"], same["differences"], same["path"]) == (True, "", str(b))
    assert frame["is_comparable"].isna().tolist() == [True, True, True, False, True, True]
    assert frame.iloc[1]["latency_ns_best"] is pd.NA
    assert frame.iloc[3]["ratio_low"] == 0.475  # of B's own run
    assert frame.iloc[5]["reason"].startswith("unavailable: asked for CUDAExecutionProvider")


@pytest.mark.parametrize("rows", [[], [tf(), ort()]])
def test_dtypes_are_those_of_the_table_whatever_is_in_it(rows: list[Row]) -> None:
    frame = comparison_frame(compared(rows, []))
    assert {str(name): str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES


def test_numbers_have_the_dtypes_of_results() -> None:
    assert (DTYPES["rss_peak_bytes"], DTYPES["latency_ns_best"], DTYPES["latency_ratio"]) == (
        "Int64",
        "Float64",
        "Float64",
    )


def test_one_report_alone_has_its_ratio_with_the_bounds_beside_it(tmp_path: Path) -> None:
    frame = bench.compare_reports([save(tmp_path, [tf(), ort()])])
    assert frame[["runtime", "report", "standing"]].values.tolist() == [
        ["tensorflow", "A", "reference"],
        ["onnxruntime-cpu", "A", "same"],
    ]
    assert frame.iloc[1][["latency_ratio", "ratio_low", "ratio_high"]].tolist() == [0.5, 0.475, 0.525]


def test_the_nastiest_names_stay_what_they_are_in_frame_and_csv(tmp_path: Path) -> None:
    rows = [row(case_id=str(i), model=name, runtime_spec="", label=name) for i, name in enumerate(NASTY)]
    frame = bench.compare_reports([save(tmp_path / "a", rows), save(tmp_path / "b", rows)])
    assert frame["model"].tolist() == [name for name in NASTY for _ in "AB"]
    assert (frame["standing"] == "same").sum() == len(NASTY)
    lines = render_csv(compared(rows, rows)).splitlines()
    assert len(lines) == 1 + 2 * len(NASTY)
    assert lines[1].startswith(
        '"NA | onnxruntime-cpu#NA | batch 1 | threads 2","A","reports/a","reference","",,"","NA",'
    )


@given(st.lists(st.tuples(st.sampled_from(NASTY), st.sampled_from(NASTY)), unique=True, max_size=5))
def test_no_key_is_multiplied(names: list[tuple[str, str]]) -> None:
    rows = [row(case_id=str(i), model=model, label=label) for i, (model, label) in enumerate(names)]
    frame = comparison_frame(compared(rows, rows, rows))
    assert len(frame) == 3 * len(rows)
    assert frame["latency_ratio"].dropna().tolist() == [1.0] * (2 * len(rows))


def test_no_report_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a report"):
        bench.compare_reports([tmp_path])
    with pytest.raises(UsageError, match="no report"):
        bench.compare_reports([])
