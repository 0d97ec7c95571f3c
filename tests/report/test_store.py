"""A report on disk: whole, typed, readable at any moment, and clear about what is wrong with it."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pandas.testing
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bench
from bench.errors import BenchError, UsageError
from bench.records import GroupRepetition
from bench.report import apart_frames, atomic, frame, scrub, store
from bench.report.columns import SCHEMA_VERSION, TABLES
from bench.report.results_columns import RESULTS
from bench.report.store import load_report, save_report
from bench.rows import Row
from report_fakes import ADA, absent, case_repetition, check, environment, group_repetition, reference, row

FILES = sorted(["environment.json", "report.md", *(f"{table}.parquet" for table in TABLES)])
NASTY = [
    "NA",
    "null",
    "007",
    "1e3",
    "None",
    "n/a",
    "nan",
    "",
    "-0",
    "True",
    "2026-11-25",
    'a "b"',
    "a\nb,c;d",
    "ünï ☃ 🜁",
]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "report"
    save_report(folder, environment(), [reference(), row(), absent()], [group_repetition()], private=ADA)
    return folder


def test_a_report_is_these_files_and_nothing_else(saved: Path) -> None:
    assert names_in(saved) == FILES


def test_a_loaded_report_has_what_was_saved(saved: Path) -> None:
    report = bench.load_report(saved)
    assert report.path == saved
    assert report.rows() == [reference(), row(), absent()]
    assert report.environment.machine.cpu == "Invented CPU"
    assert len(report.samples) == 26
    assert report.agreement["verdict"].tolist() == ["agrees", "agrees"]
    assert report.rounds["wall_ns"].tolist() == [1000, 1001]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("rows", [[], [reference(), row(), absent()]])
def test_loaded_frames_have_the_dtypes_of_the_table(tmp_path: Path, rows: list[Row], table: str) -> None:
    save_report(tmp_path, environment(), rows, [group_repetition()] if rows else [], private=ADA)
    loaded: pd.DataFrame = getattr(load_report(tmp_path), table)
    assert [(str(n), str(d)) for n, d in loaded.dtypes.items()] == [(c.name, c.dtype) for c in TABLES[table]]


def test_saving_again_replaces_the_report(saved: Path) -> None:
    save_report(saved, environment(), [reference()], [], private=ADA)
    assert [r.runtime for r in load_report(saved).rows()] == ["tensorflow"]
    assert names_in(saved) == FILES


def test_a_failed_write_leaves_the_old_report_and_no_rubbish(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(BenchError, match=r"samples.parquet: No space left on device.*--resume"):
        save_report(saved, environment(), [], [], private=ADA)
    assert names_in(saved) == FILES
    assert len(load_report(saved).rows()) == 3


def test_environment_comes_after_the_tables_so_that_a_new_report_is_whole_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    write_with = atomic.write_with

    def noted(path: Path, write: Any) -> None:
        order.append(path.name)
        write_with(path, write)

    monkeypatch.setattr(atomic, "write_with", noted)
    save_report(tmp_path, environment(), [row()], [group_repetition()], private=ADA)
    tables = [f"{table}.parquet" for table in TABLES]
    assert sorted(order[: len(tables)]) == sorted(tables)
    assert order[len(tables) - 1] == "results.parquet"
    assert order[len(tables) :] == ["environment.json", "report.md"]


def test_pool_batches_are_applied_to_the_samples(tmp_path: Path) -> None:
    group = group_repetition(cases=[case_repetition("a")])
    save_report(tmp_path, environment(), [], [group], batches={"a": 2}, private=ADA)
    assert set(load_report(tmp_path).samples["input_index"]) == {0, 1}


# --- privacy and JSON -------------------------------------------------------------------------------------------------


def test_no_file_of_a_report_tells_who_ran_it(tmp_path: Path) -> None:
    private = "/home/ada/net.onnx on analytical-engine"
    rows = [row(reproduce=f"bench run {private}", cautions=f"x: {private}", status_reason=private)]
    group = group_repetition(cases=[case_repetition(checks=[check(reason=private)])])
    save_report(tmp_path, environment(), rows, [group], private=ADA)
    report = load_report(tmp_path)
    texts = [(tmp_path / name).read_text() for name in ("environment.json", "report.md")]
    texts += [getattr(report, table).to_csv() for table in TABLES]
    for text in texts:
        assert "/home" not in text
        assert "analytical-engine" not in text
        assert "/ada/" not in text


def test_this_machine_s_own_home_is_scrubbed_without_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/odd/place/of/eve")
    save_report(tmp_path, environment(), [row(reproduce="bench run /odd/place/of/eve/x.onnx")], [])
    assert load_report(tmp_path).results["reproduce"].tolist() == ["bench run ~/x.onnx"]


def test_nan_is_never_in_the_json(tmp_path: Path) -> None:
    env = environment()
    odd = msgspec.structs.replace(env.models["net.py:build:width=2"], yardstick={"y": math.nan, "z": math.inf})
    save_report(
        tmp_path, msgspec.structs.replace(env, models={"m": odd}), [row(relative_error=math.nan)], [], private=ADA
    )
    text = (tmp_path / "environment.json").read_text()

    def refuse(word: str) -> None:
        raise AssertionError(word)

    assert json.loads(text, parse_constant=refuse)["models"]["m"]["yardstick"] == {"y": None, "z": None}
    assert load_report(tmp_path).environment.models["m"].yardstick == {"y": None, "z": None}


# --- the round trip ---------------------------------------------------------------------------------------------------

names = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.none() | st.floats(allow_nan=False) | st.sampled_from([0.1 + 0.2, 5e-324, 1e308, -0.0])
counts = st.none() | st.integers(-(2**63), 2**63 - 1)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    return Row(
        case_id=draw(names),
        model=draw(names),
        runtime=draw(names),
        batch_size=draw(st.integers(1, 2**40)),
        threads=2,
        label=draw(names),
        status_reason=draw(names),
        provider=draw(st.none() | names),
        latency_ns_best=draw(numbers),
        relative_error=draw(numbers),
        rss_peak_bytes=draw(counts),
        macs=draw(counts),
        cautions=draw(names),
    )


def checks_of(texts: list[str]) -> list[GroupRepetition]:
    cases = [case_repetition(text, checks=[check(output=text)]) for text in texts]
    return [group_repetition(cases=cases)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows(), max_size=5, unique_by=lambda r: r.case_id), st.lists(names, unique=True, max_size=5))
def test_report_to_file_to_report_is_the_identity(tmp_path: Path, made: list[Row], texts: list[str]) -> None:
    nobody = scrub.Private(home="", user="", host="")
    before = [scrub.scrub_row(one, nobody) for one in made]  # random text may look like a home folder
    groups = checks_of(texts)
    save_report(tmp_path, environment(), made, groups, private=nobody)
    report = load_report(tmp_path)
    assert report.rows() == before
    for table, expected in {
        "results": frame.results_frame(before),
        "samples": frame.samples_frame(groups),
        "agreement": frame.agreement_frame(groups),
        "rounds": frame.rounds_frame(groups),
        "turns": frame.turns_frame(groups),
        "processes": frame.processes_frame(groups),
        "placement": apart_frames.placement_frame(groups),
        "soak": apart_frames.soak_frame(groups),
    }.items():
        pandas.testing.assert_frame_equal(getattr(report, table), expected)


def test_the_nastiest_names_stay_what_they_are(tmp_path: Path) -> None:
    made = [row(case_id=f"{i} {name}", model=name, runtime=name, label=name) for i, name in enumerate(NASTY)]
    save_report(tmp_path, environment(), made, checks_of(NASTY), private=ADA)
    report = load_report(tmp_path)
    assert report.results["model"].tolist() == NASTY
    assert report.agreement["output"].tolist() == NASTY
    assert report.results["model"].isna().sum() == 0


def test_saving_what_was_loaded_changes_no_byte_of_the_tables(saved: Path, tmp_path: Path) -> None:
    report = load_report(saved)
    save_report(tmp_path / "again", report.environment, report.rows(), [group_repetition()], private=ADA)
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes(), name


# --- what is wrong with a report --------------------------------------------------------------------------------------


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: no such folder"):
        load_report(tmp_path / "nowhere")


def test_a_file_of_the_report_instead_of_its_folder(saved: Path) -> None:
    with pytest.raises(UsageError, match="a file, but a report is a folder"):
        load_report(saved / "results.parquet")


def test_a_folder_that_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no environment\.json in it, so it is not a report"):
        load_report(tmp_path)


def test_a_run_that_ended_before_its_first_save_says_how_to_go_on(tmp_path: Path) -> None:
    store.append_repetition(tmp_path, group_repetition())
    with pytest.raises(UsageError, match="bench run --resume"):
        load_report(tmp_path)


def test_a_report_of_version_1_has_neither_placement_nor_soak(saved: Path) -> None:
    path = saved / "environment.json"
    path.write_text(path.read_text().replace(f'"schema_version": {SCHEMA_VERSION}', '"schema_version": 1', 1))
    for table in ("placement", "soak"):
        (saved / f"{table}.parquet").unlink()
        empty: pd.DataFrame = getattr(load_report(saved), table)
        assert [(str(n), str(d)) for n, d in empty.dtypes.items()] == [(c.name, c.dtype) for c in TABLES[table]]
        assert len(empty) == 0


def test_what_is_saved_is_of_todays_version_whatever_it_was_resumed_from(tmp_path: Path) -> None:
    save_report(tmp_path, environment(schema_version=1), [row()], [], private=ADA)
    assert load_report(tmp_path).environment.schema_version == SCHEMA_VERSION


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_table_is_named(saved: Path, table: str) -> None:
    (saved / f"{table}.parquet").unlink()
    with pytest.raises(UsageError, match=rf"{table}\.parquet is missing"):
        load_report(saved)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("damage", ["empty", "half", "text"])
def test_a_damaged_table_is_named(saved: Path, table: str, damage: str) -> None:
    path = saved / f"{table}.parquet"
    content = path.read_bytes()
    path.write_bytes({"empty": b"", "half": content[: len(content) // 2], "text": b"<html>not found</html>"}[damage])
    with pytest.raises(UsageError, match=rf"{table}\.parquet is damaged"):
        load_report(saved)


def test_samples_are_read_when_they_are_asked_for_and_once(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(saved.name)
    monkeypatch.chdir(saved.parent)
    report = load_report(folder)
    monkeypatch.chdir("/")
    samples = report.samples
    (saved / "samples.parquet").write_bytes(b"gone")
    assert report.samples is samples
    assert len(samples) > 0
    with pytest.raises(UsageError, match=r"samples\.parquet is damaged"):
        load_report(saved)


@pytest.mark.parametrize("name", [column.name for column in TABLES["samples"]])
def test_a_column_of_samples_is_that_of_the_frame_without_reading_it(saved: Path, name: str) -> None:
    report = load_report(saved)
    column = report.samples_column(name)
    assert "samples" not in vars(report)
    assert column.to_pylist() == [None if value is pd.NA else value for value in report.samples[name]]


def test_pictures_need_no_frame_of_samples_which_are_millions(saved: Path) -> None:
    report = load_report(saved)
    assert any(name.startswith("samples_over_time") for name in report.pictures())
    assert "samples" not in vars(report)


def test_damage_within_a_table_is_told_when_it_is_read(saved: Path) -> None:
    path = saved / "samples.parquet"
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)
    report = load_report(saved)
    assert len(report.turns) > 0
    with pytest.raises(UsageError, match=r"samples\.parquet is damaged"):
        report.samples  # noqa: B018 (reading it is what is tested)
    with pytest.raises(UsageError, match=r"samples\.parquet is damaged"):
        report.samples_column("case_id")


def test_every_truncation_of_a_table_is_noticed(saved: Path) -> None:
    path = saved / "results.parquet"
    content = path.read_bytes()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        with pytest.raises(UsageError, match="damaged"):
            load_report(saved)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"schema_version": 1}', '{"schema_version": "x"}', "\xff"])
def test_a_damaged_environment_is_named(saved: Path, content: str) -> None:
    (saved / "environment.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(UsageError, match=r"environment\.json is damaged"):
        load_report(saved)


def test_a_newer_report_says_what_to_do(saved: Path) -> None:
    path = saved / "environment.json"
    path.write_text(json.dumps({"schema_version": 7, "something": "new"}))
    with pytest.raises(UsageError, match=r"schema version 7, this bench reads up to 3\. Install a newer"):
        load_report(saved)


def test_a_table_without_one_of_its_columns_is_not_read(saved: Path) -> None:
    path = saved / "results.parquet"
    pq.write_table(pq.read_table(path).drop(["runtime"]), path)
    with pytest.raises(UsageError, match=r"missing columns \['runtime'\]"):
        load_report(saved)


def test_a_table_with_a_column_of_another_type_is_not_read(saved: Path) -> None:
    path = saved / "results.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("model")
    pq.write_table(table.set_column(place, "model", table.column("calls")), path)
    with pytest.raises(UsageError, match=r"columns of another type \['model'\]"):
        load_report(saved)


def test_an_older_report_has_nulls_in_columns_that_came_later(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = TABLES["results"][-1]._replace(name="energy_j", dtype="Float64", since=SCHEMA_VERSION + 1)
    monkeypatch.setitem(TABLES, "results", (*RESULTS, later))
    results = load_report(saved).results
    assert results["energy_j"].isna().all()
    assert str(results["energy_j"].dtype) == "Float64"


def test_other_files_in_the_folder_do_no_harm(saved: Path) -> None:
    (saved / "notes.txt").write_text("mine")
    assert len(load_report(saved).rows()) == 3


def test_a_report_can_be_moved(saved: Path, tmp_path: Path) -> None:
    shutil.move(saved, tmp_path / "moved")
    assert len(load_report(str(tmp_path / "moved")).rows()) == 3
