"""``bench history``: its exit codes, its formats, and that it goes on without change points."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from bench.commands.history import show_history
from bench.errors import EXIT_CANNOT_TELL, EXIT_OK, UsageError
from bench.progress import Silent
from command_fakes import Heard
from compare_fakes import ort, tf
from history_fakes import noise, save
from uv_fakes import install_fake_uv


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    for day, latency in enumerate(noise(9, 0.01)):
        save(tmp_path / "runs", day, [tf(), ort(latency_ns_best=latency)])
    return tmp_path / "runs"


def show(place: Path, heard: Heard, **settings: Any) -> int:
    return show_history([str(place)], console=heard.console, progress=Silent(), **({"changes": False} | settings))


def test_a_history_is_printed_and_its_exit_code_is_0(reports: Path) -> None:
    heard = Heard()
    assert show(reports, heard) == EXIT_OK
    assert "9 reports from 2026-10-01 to 2026-10-09, 2 cases: latency." in heard.text
    assert "Change points were not computed: --no-changes was given." in heard.text


def test_every_point_and_gap_is_a_line_of_csv(reports: Path) -> None:
    heard = Heard()
    save(reports, 20, [ort(status="crashed", status_reason='a "b", c')])
    show(reports, heard, format_name="csv", case="onnx")
    lines = list(csv.DictReader(io.StringIO(heard.text)))
    assert [line["standing"] for line in lines] == ["measured"] * 9 + ["failed"]
    assert (lines[-1]["value"], lines[-1]["reason"]) == ("", 'crashed: a "b", c')
    assert float(lines[0]["value"]) == noise(9, 0.01)[0]


def test_what_is_left_out_is_said_beside_csv_and_within_the_others(reports: Path) -> None:
    (reports / "003" / "environment.json").write_text("{")
    heard = Heard()
    show(reports, heard, format_name="csv")
    assert len(heard.err) == 1
    assert "003: environment.json is damaged" in heard.err[0]
    heard = Heard()
    show(reports, heard, format_name="md")
    assert heard.err == []
    assert "environment.json is damaged" in heard.text


def test_json_is_whole(reports: Path) -> None:
    heard = Heard()
    show(reports, heard, format_name="json", metric="memory")
    found = json.loads(heard.text)
    assert (found["metric"], len(found["reports"]), len(found["trends"])) == ("memory", 9, 2)
    assert found["numbers"] == "different runs: not a verdict"


def test_a_page_and_pictures_are_written_where_it_is_said(reports: Path, tmp_path: Path) -> None:
    heard = Heard()
    assert show(reports, heard, format_name="html", out=tmp_path / "h.html") == EXIT_OK
    assert (tmp_path / "h.html").read_text().startswith("<!DOCTYPE html>")
    show(reports, heard, format_name="svg", out=tmp_path / "pictures")
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["trend_1.svg", "trend_2.svg"]
    assert heard.out[0] == str(tmp_path / "h.html")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"metric": "speed"}, "--metric speed: expected one of latency, p50"),
        ({"format_name": "pdf"}, "--format pdf: expected one of text"),
        ({"format_name": "html"}, "say where, as in -o history.html"),
        ({"format_name": "csv", "out": Path("/")}, "name the file"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(reports: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        show(reports, Heard(), **settings)


def test_nothing_that_can_be_read_cannot_be_told_and_every_reason_is(reports: Path) -> None:
    heard = Heard()
    for path in reports.glob("*/results.parquet"):
        path.write_bytes(b"")
    assert show(reports, heard) == EXIT_CANNOT_TELL
    assert len(heard.err) == 10
    assert heard.out == []


def test_no_case_of_that_name_cannot_be_told(reports: Path) -> None:
    heard = Heard()
    assert show(reports, heard, case="mnn") == EXIT_CANNOT_TELL
    assert heard.err == ["--case mnn: none of the cases of 9 reports has this in its name"]


def test_without_a_network_the_history_is_there_and_says_why(
    reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_fake_uv(tmp_path, monkeypatch).fails("compile", 2, "error: Failed to fetch: `https://index.invalid/`")
    heard = Heard()
    assert show(reports, heard, changes=True) == EXIT_OK
    said = " ".join(heard.text.split())
    assert "Change points were not computed: making an environment with apache-otava 0.8.0: Failed to fetch" in said
    assert "tensorflow 9 16 ms 16 ms not computed" in said


def test_nothing_is_installed_for_too_few_reports(
    reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = install_fake_uv(tmp_path, monkeypatch)
    heard = Heard()
    show_history([str(reports / "00[1-4]")], console=heard.console, progress=Silent())
    assert fake.asked() == []
    assert "2 of 2 series have too few reports" in heard.text
