"""A stored report as pytest-benchmark's JSON, read by pytest-benchmark itself, and back."""

from __future__ import annotations

import csv
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.records import CaseRepetition
from bench.report.pytest_benchmark import extra_info, left_out, render_pytest_benchmark, timed_seconds
from bench.report.pytest_benchmark_file import read_pytest_benchmark
from bench.report.store import load_report, save_report
from bench.rows import Row
from fakes import ScriptedWorker
from report_fakes import ADA, absent, case_repetition, environment, group_repetition, reference, row

OPENED = ScriptedWorker("worker", iter(()), [], None)._opened()
ROWS = [
    reference(calls=12),
    row("onnxruntime-cpu", 0.5, calls=6),
    row("openvino", 0.4, agreement="disagrees", agreement_reason="relative error 0.12 is above the tolerance 0.001"),
    row("litert", 0.4, agreement="vacuous", agreement_reason="outputs hardly depend on the inputs"),
    absent(),
    row("mnn", 0.4),
]


def measured(name: str, repetition: int, **changes: Any) -> CaseRepetition:
    return case_repetition(f"net | {name}", repetition, opened=OPENED, **changes)


def stored(folder: Path, rows: list[Row] = ROWS) -> Path:
    """Two repetitions, the second of ONNX Runtime cut short."""
    repetitions = [
        group_repetition(
            repetition=number,
            cases=[
                measured("tensorflow", number),
                measured("onnxruntime-cpu", number, complete=number == 0, status="crashed" if number else "ok"),
                measured("openvino", number),
            ],
        )
        for number in (0, 1)
    ]
    save_report(folder, environment(), rows, repetitions, private=ADA)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return stored(tmp_path / "report")


def written(folder: Path, path: Path) -> Path:
    path.write_text(render_pytest_benchmark(load_report(folder)), encoding="utf-8")
    return path


def content_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(render_pytest_benchmark(load_report(folder)))
    return content


def compare(*words: str, at: Path) -> str:
    command = [sys.executable, "-m", "pytest_benchmark", "--storage", str(at / "storage"), "compare", *words]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=at)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


# --- out


def test_a_verified_case_is_a_benchmark_in_seconds_with_all_calls_that_count(folder: Path) -> None:
    content = content_of(folder)
    first, second = content["benchmarks"]
    assert first["stats"]["data"] == [ns / 1e9 for ns in (11, 12, 13, 21, 22, 23) * 2]
    assert second["stats"]["data"] == [ns / 1e9 for ns in (11, 12, 13, 21, 22, 23)]  # the cut repetition is no evidence
    assert first["stats"]["rounds"] == 12
    assert first["stats"]["iterations"] == 1
    assert first["stats"]["min"] == 11e-9
    assert first["stats"]["median"] == pytest.approx(17e-9)
    assert first["stats"]["stddev"] == statistics.stdev(first["stats"]["data"])
    assert (first["group"], first["name"]) == ("net | batch 1 | threads 2", "latency[net | tensorflow]")
    assert first["params"] == {"bench_model": "net", "bench_runtime": "tensorflow", "bench_batch": 1}
    assert first["extra_info"]["agreement"] == "agrees"


def test_it_has_every_field_that_pytest_benchmark_writes(folder: Path) -> None:
    content = content_of(folder)
    assert list(content) == ["machine_info", "commit_info", "benchmarks", "datetime", "version", "onnx_crossbench"]
    assert (content["version"], content["datetime"]) == ("5.3.1", "2026-11-25T08:00:00+00:00")
    assert content["machine_info"]["node"] is None  # a report has no host name
    assert content["machine_info"]["cpu"] == {"brand_raw": "Invented CPU", "count": 4, "flags": ["avx2"]}
    one = content["benchmarks"][0]
    assert list(one) == ["group", "name", "fullname", "params", "param", "extra_info", "options", "stats"]
    assert set(one["stats"]) == {
        *("min", "max", "mean", "stddev", "rounds", "median", "iqr", "q1", "q3", "iqr_outliers", "stddev_outliers"),
        *("outliers", "ld15iqr", "hd15iqr", "ops", "total", "data", "iterations"),
    }


def test_a_case_that_may_not_win_is_beside_the_benchmarks_with_its_reason(folder: Path) -> None:
    ours = content_of(folder)["onnx_crossbench"]
    assert ours["cases"] == [one.case_id for one in ROWS]
    assert {one["extra_info"]["case_id"]: one["reason"].partition(":")[0] for one in ours["left_out"]} == {
        "net | openvino": "disagrees",
        "net | litert": "vacuous",
        "net | onnxruntime-cuda": "unavailable",
        "net | mnn": "no timed calls of it are stored",
    }


def test_the_same_case_is_a_benchmark_once_it_agrees(tmp_path: Path) -> None:
    folder = stored(tmp_path / "report", [row("openvino", 0.4)])
    report = load_report(folder)
    assert left_out(report.rows(), timed_seconds(report)) == {}
    assert [one["param"] for one in content_of(folder)["benchmarks"]] == ["net | openvino"]


def test_pytest_benchmark_compares_two_reports(folder: Path, tmp_path: Path) -> None:
    files = [str(written(folder, tmp_path / name)) for name in ("first.json", "second.json")]
    text = compare(*files, "--columns=min,median,rounds", at=tmp_path)
    assert "benchmark 'net | batch 1 | threads 2': 4 tests" in text
    lines = [line.split() for line in text.splitlines() if line.startswith("latency[net | tensorflow]")]
    assert [(line[4:6], line[-1]) for line in lines] == [(["11.0000", "(1.0)"], "12")] * 2
    assert "openvino" not in text
    by_name = compare(*files, "--group-by=fullname", "--columns=min", at=tmp_path)
    assert "benchmark 'onnx-crossbench::latency[net | onnxruntime-cpu]': 2 tests" in by_name
    between = compare(*files, "--between=min", at=tmp_path)
    assert "+0.0%" in between


def test_pytest_benchmark_makes_a_table_of_it_with_our_parameters(folder: Path, tmp_path: Path) -> None:
    compare(str(written(folder, tmp_path / "first.json")), f"--csv={tmp_path / 'out.csv'}", at=tmp_path)
    table = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert {one["param:bench_runtime"]: float(one["min"]) for one in table} == {
        "tensorflow": 11e-9,
        "onnxruntime-cpu": 11e-9,
    }


# --- and back


def test_rows_come_back_as_they_were_in_their_order(folder: Path, tmp_path: Path) -> None:
    assert read_pytest_benchmark(written(folder, tmp_path / "first.json")).rows == load_report(folder).rows()


def test_every_timed_call_comes_back_to_the_nanosecond(folder: Path, tmp_path: Path) -> None:
    samples = read_pytest_benchmark(written(folder, tmp_path / "first.json")).samples
    ours = samples[samples["fullname"] == "onnx-crossbench::latency[net | onnxruntime-cpu]"]
    assert ours["latency_ns"].tolist() == [11, 12, 13, 21, 22, 23]
    assert ours["round"].tolist() == [0, 1, 2, 3, 4, 5]


NUMBERS = st.one_of(st.none(), st.floats(0, 1e12, allow_nan=False))


@given(best=NUMBERS, share=NUMBERS, calls=st.integers(0, 10**9), text=st.text(max_size=9))
def test_an_extra_info_is_the_row(best: float | None, share: float | None, calls: int, text: str) -> None:
    one = row(latency_ns_best=best, node_share=share, calls=calls, status_reason=text)
    told = json.loads(json.dumps(extra_info(one)))
    fields = {name: told[name] for name in Row.__struct_fields__ if name in told}
    assert msgspec.convert(fields, Row) == one


def test_what_json_cannot_hold_is_unknown() -> None:
    assert "relative_error" not in extra_info(row(relative_error=math.inf))


def foreign(path: Path, **changes: Any) -> Path:
    stats = {"min": 0.001, "max": 0.004, "mean": 0.002, "stddev": 0.0005, "median": 0.0015, "rounds": 10}
    one = {"name": "test_it", "fullname": "test_a.py::test_it", "group": None, "params": None, "stats": stats}
    path.write_text(json.dumps({"benchmarks": [one | changes], "version": "4.0.0", "machine_info": {"node": "x"}}))
    return path


def test_a_file_of_others_is_a_frame_of_what_there_is(tmp_path: Path) -> None:
    file = read_pytest_benchmark(foreign(tmp_path / "theirs.json"))
    assert file.rows == []
    assert (file.version, dict(file.machine)) == ("4.0.0", {"node": "x"})
    (one,) = file.benchmarks.to_dict("records")
    assert (one["fullname"], one["latency_ns_min"], one["latency_ns_p50"]) == ("test_a.py::test_it", 1e6, 1.5e6)
    assert (one["rounds"], one["iterations"]) == (10, 1)
    assert file.benchmarks[["group", "param", "latency_ns_p25", "extra_info"]].isna().all(axis=None)
    assert len(file.samples) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "expected a JSON file of pytest-benchmark"),
        ("{}", "missing required field `benchmarks`"),
        ('{"benchmarks": [{"name": "a", "fullname": "b"}]}', r"`stats` - at `\$\.benchmarks\[0\]`"),
    ],
)
def test_a_file_that_is_none_names_what_is_missing(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "no.json").write_text(content)
    with pytest.raises(UsageError, match=rf"reading .*no.json: .*{words}"):
        read_pytest_benchmark(tmp_path / "no.json")


def test_a_file_that_is_not_there_or_too_new_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_pytest_benchmark(tmp_path / "gone.json")
    path = foreign(tmp_path / "new.json", extra_info={"bench_schema_version": 99})
    with pytest.raises(UsageError, match="bench_schema_version is 99, this bench reads up to 3"):
        read_pytest_benchmark(path)
    path = foreign(tmp_path / "bad.json", extra_info={"bench_schema_version": 1, "case_id": 3})
    with pytest.raises(UsageError, match="an extra_info of bench is damaged"):
        read_pytest_benchmark(path)
