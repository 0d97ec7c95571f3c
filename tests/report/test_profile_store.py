from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from bench.errors import UsageError
from bench.report.profile_cells import views_of
from bench.report.profile_columns import PROFILE_TABLES
from bench.report.profile_pictures import panels, profile_pictures
from bench.report.profile_store import PROFILE_FILE, load_profile, save_profile, save_record
from profile_fakes import MS, case, kernel, profile
from report_fakes import ADA

CONV = kernel("conv", "FusedConv", (0, 1, 2), [6 * MS, 5 * MS, 7 * MS])
REORDER = kernel("r", "ReorderInput", (), [1 * MS] * 3)
MADE = profile(case([CONV, REORDER], [10 * MS] * 3), case([], [], "litert", reason="no times in /home/ada/x"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("profile")
    noted: list[str] = []
    save_profile(place, MADE, noted.append, ADA)
    assert noted == []
    return place


def test_the_folder_holds_everything(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        PROFILE_FILE,
        *(f"{table}.parquet" for table in PROFILE_TABLES),
        *("profile.md", "profile.html"),
        *(f"{name}.{kind}" for name in ("roofline", "shares") for kind in ("png", "svg")),
    }


def test_what_is_read_is_what_was_saved_without_private_paths(folder: Path) -> None:
    read = load_profile(folder)
    assert read.cases[0] == MADE.cases[0]
    assert read.roofs == MADE.roofs
    for path in folder.glob("*.[jmh]*"):
        text = path.read_text(encoding="utf-8")
        assert "/home/ada" not in text, path.name
        assert "analytical-engine" not in text, path.name


def test_tables_have_the_columns_that_are_told_of(folder: Path) -> None:
    for table, columns in PROFILE_TABLES.items():
        assert list(pd.read_parquet(folder / f"{table}.parquet").columns) == [column.name for column in columns]
    operators, layers = (pd.read_parquet(folder / f"{table}.parquet") for table in PROFILE_TABLES)
    assert list(operators["time_ns"]) == [6e6, 5e6, 7e6, 1e6, 1e6, 1e6]
    assert layers["time_share"].sum() == pytest.approx(1.0)


def test_roof_and_points_are_in_the_picture_of_a_file_and_not_lost_with_their_panel(folder: Path) -> None:
    svg = (folder / "roofline.svg").read_text()
    assert ">100 GFLOP/s<" in svg
    assert ">conv1<" in svg
    assert "10 GB/s" in svg


def test_a_case_that_is_not_verified_is_in_no_picture_and_a_verified_one_is() -> None:
    wrong = profile(case([CONV], [10 * MS] * 3, row={"agreement": "vacuous"}))
    assert profile_pictures(wrong, views_of(wrong)) == []
    pictures = profile_pictures(MADE, views_of(MADE))
    assert [picture.name for picture in pictures] == ["shares", "roofline_1"]


def test_without_roofs_there_is_no_roofline() -> None:
    bare = profile(case([CONV], [10 * MS] * 3), roofs=())
    assert [picture.name for picture in profile_pictures(bare, views_of(bare))] == ["shares"]


def test_every_runtime_is_a_panel_on_the_same_axes() -> None:
    both = profile(case([CONV], [10 * MS] * 3), case([CONV], [20 * MS] * 3, "tensorflow"))
    rooflines = profile_pictures(both, views_of(both))[1:]
    spec = json.loads(json.dumps(panels(rooflines, "roofline", "all").spec))
    domains = [layer["encoding"]["x"]["scale"]["domain"] for panel in spec["vconcat"] for layer in panel["layer"]]
    assert len(spec["vconcat"]) == 2
    assert all(domain == domains[0] for domain in domains)


def test_a_drawing_that_fails_costs_no_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no engine")

    monkeypatch.setattr("bench.report.profile_store.profile_pictures", broken)
    noted: list[str] = []
    save_profile(tmp_path, MADE, noted.append, ADA)
    assert noted == ["the profile is saved, its page and pictures are not: RuntimeError: no engine"]
    assert load_profile(tmp_path).cases[0] == MADE.cases[0]


def test_a_folder_that_is_none_damaged_or_too_new_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no profile\.json"):
        load_profile(tmp_path)
    save_record(tmp_path, MADE, ADA)
    content = json.loads((tmp_path / PROFILE_FILE).read_text())
    (tmp_path / PROFILE_FILE).write_text(json.dumps({**content, "schema_version": 99}))
    with pytest.raises(UsageError, match="schema version 99"):
        load_profile(tmp_path)
    (tmp_path / PROFILE_FILE).write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        load_profile(tmp_path)
