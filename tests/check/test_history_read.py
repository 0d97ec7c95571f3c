"""Reports are found and read together, whatever version or state each is in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.check import history_find
from bench.check.history import history_of
from bench.check.history_find import find_reports
from bench.check.history_records import History
from bench.errors import UsageError
from compare_fakes import ort, tf
from history_fakes import save

GOLDEN = Path(__file__).parent.parent / "report" / "golden"


def reasons(found: History) -> dict[str, str]:
    return {Path(one.path).name: one.reason for one in found.left_out}


def test_stored_reports_of_every_schema_version_are_one_history() -> None:
    found = history_of([str(GOLDEN)], "latency")
    assert [Path(one.path).name for one in found.reports] == ["v1", "v2", "v3"]
    counts = {(trend.group, trend.runtime): [len(s.points) for s in trend.series] for trend in found.trends}
    assert counts["net, batch 1, 2 threads", "onnxruntime-cpu"] == [3]
    assert counts["net, batch 8, 2 threads", "tensorflow"] == [3]
    assert counts["net, batch 1, 2 threads", "openvino"] == []  # it disagrees
    assert found.left_out == ()


def test_reports_are_in_the_order_of_their_start_whatever_their_folders_are_called(tmp_path: Path) -> None:
    save(tmp_path / "a", 5, [ort()])
    save(tmp_path / "b", 2, [ort()])
    assert [one.started[:10] for one in history_of([str(tmp_path)], "latency").reports] == ["2026-10-03", "2026-10-06"]


def test_a_row_that_cannot_win_is_no_point_as_it_is_read_from_disk(tmp_path: Path) -> None:
    save(tmp_path, 0, [ort(cautions="placement unknown: no proof"), tf()])
    ours, theirs = history_of([str(tmp_path)], "latency").trends
    assert (ours.series, [gap.reason for gap in ours.gaps]) == ((), ["placement unknown: no proof"])
    assert ([len(one.points) for one in theirs.series], theirs.gaps) == ([1], ())


def test_damaged_unfinished_too_new_and_foreign_folders_are_left_out_with_their_reason(tmp_path: Path) -> None:
    for day in range(6):
        save(tmp_path, day, [ort(), tf()])
    damaged = bytearray((tmp_path / "001" / "results.parquet").read_bytes())
    damaged[4:6000] = bytes(5996)
    (tmp_path / "001" / "results.parquet").write_bytes(damaged)
    (tmp_path / "002" / "results.parquet").write_bytes(b"half")
    newer = (
        (tmp_path / "003" / "environment.json").read_text().replace('"schema_version": 3', '"schema_version": 99', 1)
    )
    (tmp_path / "003" / "environment.json").write_text(newer)
    (tmp_path / "004" / "environment.json").unlink()
    save(tmp_path, 6, [ort()], finished=False)
    shutil.copytree(tmp_path / "005", tmp_path / "copied")
    (tmp_path / "gated").mkdir()
    (tmp_path / "gated" / "gate.json").write_text("{}")
    (tmp_path / "bundled").mkdir()
    (tmp_path / "bundled" / "bundle.json").write_text("{}")
    found = history_of([str(tmp_path)], "latency")
    assert [Path(one.path).name for one in found.reports] == ["000", "005"]
    said = reasons(found)
    assert said["001"].startswith("results.parquet is damaged")
    assert said["002"].startswith("results.parquet is damaged")
    assert said["003"].startswith("it has schema version 99")
    assert "no environment.json" in said["004"]
    assert "not finished" in said["006"]
    assert said["copied"] == f"a copy of {tmp_path / '005'}"
    assert "gate" in said["gated"]
    assert "bundle" in said["bundled"]


def test_a_report_whose_start_is_no_time_is_left_out(tmp_path: Path) -> None:
    for day in range(3):
        save(tmp_path, day, [ort()])
    for day, started in enumerate(("yesterday", "2026-10-02T08:00:00")):
        path = tmp_path / f"00{day}" / "environment.json"
        path.write_text(path.read_text().replace(f"2026-10-0{day + 1}T08:00:00+00:00", started))
    said = reasons(history_of([str(tmp_path)], "latency"))
    assert sorted(said) == ["000", "001"]
    assert "expected a time with its zone" in said["000"]


def test_two_runs_of_equal_numbers_or_of_one_moment_are_no_copies(tmp_path: Path) -> None:
    save(tmp_path / "a", 0, [ort()])
    save(tmp_path / "b", 1, [ort()])
    save(tmp_path / "c", 0, [ort(latency_ns_best=9e6)])  # the same moment, on another machine of the same kind
    shutil.copytree(tmp_path / "a", tmp_path / "d")
    found = history_of([str(tmp_path)], "latency")
    assert [Path(one.path).parent.name for one in found.reports] == ["a", "c", "b"]
    assert [Path(one.path).parent.name for one in found.left_out] == ["d"]


def test_samples_are_never_read(tmp_path: Path) -> None:
    folder = save(tmp_path, 0, [ort()])
    for path in folder.glob("*.parquet"):
        if path.stem != "results":
            path.unlink()
    assert len(history_of([str(folder)], "latency").reports) == 1


def test_a_case_that_is_twice_in_a_report_leaves_that_report_out_alone(tmp_path: Path) -> None:
    save(tmp_path, 0, [ort()])
    save(tmp_path, 1, [ort(), ort(case_id="again")])
    found = history_of([str(tmp_path)], "latency")
    assert len(found.reports) == 1
    assert "is in it more than once" in reasons(found)["001"]


def test_folders_with_the_characters_of_patterns_are_read_as_they_are(tmp_path: Path) -> None:
    save(tmp_path / "a[1]*?=x", 0, [ort()])
    save(tmp_path / "a1", 1, [ort()])
    assert len(history_of([str(tmp_path / "a[1]*?=x")], "latency").reports) == 1
    assert len(history_of([str(tmp_path)], "latency").reports) == 2


def test_a_place_is_a_report_a_folder_above_or_a_pattern_and_each_report_counts_once(tmp_path: Path) -> None:
    one = save(tmp_path / "x" / "y", 0, [ort()])
    save(tmp_path / "x" / "z", 1, [ort()])
    places = [str(one), str(tmp_path), str(tmp_path / "*" / "z"), f"{tmp_path}/**/000"]
    assert len(find_reports(places).reports) == 2


def test_what_is_not_there_or_holds_nothing_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no report in it"):
        find_reports([str(tmp_path / "empty")])
    with pytest.raises(UsageError, match="not a folder"):
        find_reports([str(tmp_path / "file")])
    with pytest.raises(UsageError, match="no such folder"):
        find_reports([str(tmp_path / "none*")])


def test_the_search_is_bounded_in_depth_and_follows_no_link(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*"abcdef")
    save(deep.parent, 0, [ort()])
    save(deep / "g", 1, [ort()])
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert [path.name for path in find_reports([str(tmp_path)]).reports] == ["000"]


def test_the_search_is_bounded_in_number_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 0, [ort()])
    for number in range(9):
        (tmp_path / f"other{number}" / "x").mkdir(parents=True)
    monkeypatch.setattr(history_find, "MOST_FOLDERS", 12)
    found = find_reports([str(tmp_path)])
    assert len(found.reports) == 1
    assert "the search ended" in found.left_out[0].reason
