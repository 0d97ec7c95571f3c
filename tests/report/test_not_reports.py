"""A folder that is no report is told for what it is, with what shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.check.gate_store import GATE_FILE
from bench.errors import UsageError
from bench.report import store
from bench.report.profile_store import PROFILE_FILE
from bench.report.store import load_report
from bench.report.sweep_store import PLAN_FILE
from report_fakes import group_repetition


def said(path: Path) -> str:
    with pytest.raises(UsageError) as error:
        load_report(path)
    return str(error.value)


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


def test_a_profile_says_where_its_page_is_and_what_compares_it(tmp_path: Path) -> None:
    assert said(put(tmp_path, PROFILE_FILE, "profile.html", "profile.md")) == (
        f"reading report {tmp_path}: this is a profile, not a report. Open {tmp_path}/profile.html or "
        f"{tmp_path}/profile.md; `bench profile --diff A B` compares two"
    )


def test_a_profile_that_was_killed_names_no_page_that_is_not_there(tmp_path: Path) -> None:
    assert "Open" not in said(put(tmp_path, PROFILE_FILE))


def test_a_sweep_is_gone_on_with_as_a_sweep_and_a_run_as_a_run(tmp_path: Path) -> None:
    store.append_repetition(tmp_path, group_repetition())
    assert f"`bench run --resume {tmp_path}`" in said(tmp_path)
    assert f"`bench sweep --resume {tmp_path}`" in said(put(tmp_path, PLAN_FILE))


def test_a_sweep_without_its_tables_and_a_gate_are_told(tmp_path: Path) -> None:
    assert "a sweep whose report is gone" in said(put(tmp_path / "a", PLAN_FILE))
    assert "`bench gate` has left" in said(put(tmp_path / "b", GATE_FILE))


def test_a_folder_of_reports_names_what_shows_them_together(tmp_path: Path) -> None:
    put(tmp_path, "monday/environment.json")
    assert said(tmp_path).endswith(f"no report, but one is in it: name {tmp_path}/monday")
    put(tmp_path, "tuesday/environment.json")
    assert f"`bench history {tmp_path}`" in said(tmp_path)


def test_pages_and_pictures_of_a_history_are_to_be_opened(tmp_path: Path) -> None:
    put(tmp_path, "history.html", "pictures/trend_1.png", "empty/notes.txt")
    assert "a page, not a report. Open it in a browser" in said(tmp_path / "history.html")
    assert "It holds pictures" in said(tmp_path / "pictures")
    assert "pictures" not in said(tmp_path / "empty").removeprefix(f"reading report {tmp_path}")
