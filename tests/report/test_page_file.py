"""``report.html``: written at the end of a run, and never at the cost of the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.report import page_file, report_page
from bench.report.page_file import leave_page
from report_pictures_fakes import stored


def test_the_page_is_beside_the_report_and_nothing_is_said(tmp_path: Path) -> None:
    stored(tmp_path)
    said: list[str] = []
    leave_page(tmp_path, said.append)
    assert said == []
    assert "2.0x faster than tensorflow" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_picture_that_fails_costs_one_line_and_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_report: object) -> None:
        raise ZeroDivisionError("float division\nby zero")

    stored(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    monkeypatch.setattr(report_page, "report_page", fail)
    said: list[str] = []
    leave_page(tmp_path, said.append)
    assert len(said) == 1
    assert "the report itself is whole" in said[0]
    assert "ZeroDivisionError: float division (test_page_file.py:" in said[0]
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_place_that_cannot_be_written_costs_one_line(tmp_path: Path) -> None:
    stored(tmp_path)
    (tmp_path / page_file.NAME).mkdir()
    said: list[str] = []
    leave_page(tmp_path, said.append)
    assert len(said) == 1
    assert "report.html was not written" in said[0]


def test_where_no_report_is_nothing_is_written_or_said(tmp_path: Path) -> None:
    said: list[str] = []
    leave_page(tmp_path, said.append)
    leave_page(tmp_path / "not there", said.append)
    assert said == []
    assert list(tmp_path.iterdir()) == []
