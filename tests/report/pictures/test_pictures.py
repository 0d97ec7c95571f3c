"""The pictures of a report: what is drawn is what was measured, and what is not known is not drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.report.picture import Picture
from bench.report.pictures.agreement_map import agreement_map
from bench.report.pictures.cold_start import cold_start
from bench.report.pictures.error_and_speed import error_and_speed
from bench.report.pictures.every import pictures_of
from bench.report.pictures.latency_distribution import latency_distribution
from bench.report.pictures.memory_ledger import memory_ledger
from bench.report.pictures.placement import placement
from bench.report.pictures.samples_over_time import samples_over_time
from bench.report.pictures.soak import soak
from bench.report.pictures.speed import speed
from bench.report.pictures.throughput import throughput
from bench.rows import Row
from report_fakes import absent, case_repetition, check, group_repetition, reference, round_state, row
from report_pictures_fakes import HOSTILE, many, only_group, scene, whole

LEDGER = {"rss_start_bytes": 30 << 20, "rss_load_bytes": 90 << 20, "rss_first_bytes": 80 << 20}


def values(spec: Any) -> list[dict[str, Any]]:
    """Every row of data that a chart draws, whichever layer."""
    return [row for rows in spec["datasets"].values() for row in rows]


def names(pictures: tuple[Picture, ...]) -> list[str]:
    return [picture.name for picture in pictures]


# --- latency ----------------------------------------------------------------------------------------------------------


def test_every_timed_call_is_counted_and_no_other(tmp_path: Path) -> None:
    calls = [[11, 12, 13], [21, 22, 999]]
    group = only_group(tmp_path, [row()], [group_repetition(cases=[whole("net | onnxruntime-cpu", calls)])])
    (picture,) = latency_distribution(group)
    bars = [one for one in values(picture.spec) if "calls" in one]
    assert sum(one["calls"] for one in bars) == 6
    assert picture.cells[0][1:3] == ("6", "11 ns")
    assert picture.cells[0][-1] == "999 ns"


def test_calls_of_a_repetition_that_is_not_whole_do_not_count(tmp_path: Path) -> None:
    halves = [whole("net | onnxruntime-cpu", [[11, 12]], 0), whole("net | onnxruntime-cpu", [[5]], 1, complete=False)]
    group = only_group(tmp_path, [row()], [group_repetition(repetition=i, cases=[one]) for i, one in enumerate(halves)])
    (picture,) = latency_distribution(group)
    assert picture.cells[0][1:3] == ("2", "11 ns")
    (over_time,) = samples_over_time(group)
    assert [line[2] for line in over_time.cells] == ["yes", "no"]
    assert "did not run whole" in over_time.told


def test_percentiles_are_those_of_the_row_and_a_missing_one_has_no_mark(tmp_path: Path) -> None:
    (picture,) = latency_distribution(only_group(tmp_path))
    marks = {(one["name"], one["mark"]): one["x"] for one in values(picture.spec) if "mark" in one}
    assert {mark for _, mark in marks} == {"p50", "p90"}
    assert marks["tensorflow", "p50"] == pytest.approx(2 * marks["onnxruntime-cpu", "p50"], rel=0.02)


def test_nothing_is_drawn_of_a_group_in_which_nothing_was_called(tmp_path: Path) -> None:
    group = only_group(tmp_path, [absent()], [])
    for draw in (latency_distribution, samples_over_time, speed, memory_ledger, cold_start, error_and_speed, soak):
        assert list(draw(group)) == []
    assert list(agreement_map(group)) == []


# --- calls over time --------------------------------------------------------------------------------------------------


def test_rounds_of_all_runtimes_begin_at_the_same_place_also_where_one_made_fewer_calls(tmp_path: Path) -> None:
    cases = [whole("net | tensorflow", [[1, 2, 3], [4]]), whole("net | onnxruntime-cpu", [[7], [8]])]
    (picture,) = samples_over_time(only_group(tmp_path, None, [group_repetition(cases=cases)]))
    place = {one["y"]: one["x"] for one in values(picture.spec) if "of" in one and "y" in one}
    assert place[4.0] == place[8.0]
    assert place[1.0] == place[7.0]


def test_disturbed_rounds_are_shaded_and_others_are_not(tmp_path: Path) -> None:
    (picture,) = samples_over_time(only_group(tmp_path / "a"))
    assert "1 round in which" in picture.told
    quiet = [group_repetition(rounds=[round_state(0), round_state(1, disturbed=False)])]
    (calm,) = samples_over_time(only_group(tmp_path / "b", None, quiet))
    assert "Shaded" not in calm.told
    assert len([one for one in values(picture.spec) if "x2" in one]) == 1
    assert not [one for one in values(calm.spec) if "x2" in one]


def test_of_split_groups_nobody_says_which_rounds_were_disturbed(tmp_path: Path) -> None:
    rows = [reference(cautions="split: measured apart"), row()]
    (picture,) = samples_over_time(only_group(tmp_path, rows))
    assert "not known here" in picture.told
    assert {line[5] for line in picture.cells} == {"-"}


def test_two_hundred_thousand_calls_are_few_marks_and_all_of_the_numbers(tmp_path: Path) -> None:
    group = only_group(tmp_path, None, many(200_000))
    (picture,) = samples_over_time(group)
    marks = [one for one in values(picture.spec) if "of" in one and "y" in one]
    assert len(marks) < 4_600
    assert max(one.get("high", one["y"]) for one in marks) == 77.0
    assert "200,120 calls" in picture.told
    assert sum(int(line[4].replace(",", "")) for line in picture.cells) == 200_000
    assert len(json.dumps(picture.spec)) < 400_000
    (distribution,) = latency_distribution(group)
    assert sum(one["calls"] for one in values(distribution.spec) if "calls" in one) == 200_000


def test_more_than_four_runtimes_are_several_pictures(tmp_path: Path) -> None:
    ids = [f"net | r{number}" for number in range(6)]
    rows = [row(f"r{number}", case_id=case_id) for number, case_id in enumerate(ids)]
    group = only_group(tmp_path, rows, [group_repetition(cases=[case_repetition(one) for one in ids])])
    assert names(tuple(samples_over_time(group))) == ["samples_over_time_1_1", "samples_over_time_1_2"]


# --- what wins --------------------------------------------------------------------------------------------------------


def test_an_interval_a_range_and_a_row_that_cannot_win_look_different(tmp_path: Path) -> None:
    rows = [
        reference(),
        row(),
        row("openvino", 0.4, interval_level=0.75),
        row("litert", 0.3, agreement="disagrees"),
    ]
    (picture,) = speed(only_group(tmp_path, rows, []))
    assert [line[-1] for line in picture.cells] == ["reference", "interval", "only a range", "cannot win"]
    beside = {one["name"]: one["said"] for one in values(picture.spec) if "said" in one}
    assert beside["litert"] == "cannot win"
    assert beside["onnxruntime-cpu"].startswith("2.0x faster (")


def test_where_references_are_several_nothing_is_compared(tmp_path: Path) -> None:
    rows = [reference(cautions="split: measured apart"), row()]
    assert list(speed(only_group(tmp_path, rows, []))) == []


def test_rows_that_cannot_win_are_named_in_the_picture_of_errors(tmp_path: Path) -> None:
    rows = [reference(pareto=False), row(pareto=True), row("litert", 0.3, agreement="disagrees", relative_error=0.2)]
    (picture,) = error_and_speed(only_group(tmp_path, rows, []))
    assert [line[-1] for line in picture.cells] == ["off the front", "on the front", "cannot win"]
    assert "cannot win: litert" in picture.told


def test_a_front_of_ranges_is_told_to_decide_nothing(tmp_path: Path) -> None:
    sure = [reference(pareto=False), row(pareto=True)]
    (picture,) = error_and_speed(only_group(tmp_path / "a", sure, []))
    assert "decide nothing" not in picture.told
    quick = [reference(pareto=False), row(pareto=True, processes=3, interval_level=0.75)]
    (picture,) = error_and_speed(only_group(tmp_path / "b", quick, []))
    assert "Pareto front" in picture.told
    assert "By ranges over few processes, which decide nothing." in picture.told


def test_an_error_of_zero_is_drawn_where_the_axis_says_it_is(tmp_path: Path) -> None:
    (picture,) = error_and_speed(only_group(tmp_path, [reference(relative_error=0.0), row()], []))
    assert "0 stands at 6.0e-7" in json.dumps(picture.spec)
    (without,) = error_and_speed(only_group(tmp_path / "b", [reference(), row()], []))
    assert "0 stands at" not in json.dumps(without.spec)


def test_the_best_batch_is_of_a_runtime_that_was_verified_at_several(tmp_path: Path) -> None:
    rows = [
        row(case_id="1", throughput_items_per_s=100.0),
        row(case_id="8", batch_size=8, throughput_items_per_s=300.0),
        row("litert", case_id="l1", throughput_items_per_s=50.0),
        row("litert", case_id="l8", batch_size=8, throughput_items_per_s=900.0, agreement="disagrees"),
    ]
    (picture,) = throughput(scene(tmp_path, rows, []))
    assert [line[-1] for line in picture.cells] == ["", "", "best batch", "cannot win"]
    assert "litert" not in picture.told


def test_one_batch_is_no_picture_of_throughput(tmp_path: Path) -> None:
    assert list(throughput(scene(tmp_path))) == []


# --- costs ------------------------------------------------------------------------------------------------------------


def test_a_step_after_which_less_memory_is_there_adds_nothing(tmp_path: Path) -> None:
    (picture,) = memory_ledger(only_group(tmp_path, [row(**LEDGER)], []))
    sizes = {one["part"]: one["size"] for one in values(picture.spec) if "part" in one}
    assert sizes == {"start": 30.0, "import": 20.0, "load": 40.0, "peak while timed": 21.0}
    assert picture.cells[0][-2] == "80 MiB"


def test_a_bar_that_lacks_a_number_is_not_drawn_and_named(tmp_path: Path) -> None:
    (picture,) = memory_ledger(only_group(tmp_path, [row(**LEDGER), reference()], []))
    assert "Not drawn, for a number is missing: tensorflow" in picture.told
    assert {one["name"] for one in values(picture.spec) if "part" in one} == {"onnxruntime-cpu"}


def test_building_is_a_part_of_loading_and_not_counted_twice(tmp_path: Path) -> None:
    (picture,) = cold_start(only_group(tmp_path, [row(build_ns=30_000_000)], []))
    times = {one["part"]: one["size"] for one in values(picture.spec) if "part" in one}
    assert times == {"import": 100.0, "build": 30.0, "load": 10.0, "first call": 15.0}


# --- agreement --------------------------------------------------------------------------------------------------------


def test_each_output_has_its_verdict_and_what_was_not_checked_has_no_colour(tmp_path: Path) -> None:
    checks = [check("a"), check("b", 0.12), check("c", verdict="vacuous")]
    repetition = group_repetition(cases=[case_repetition("net | tensorflow", checks=checks)])
    (picture,) = agreement_map(only_group(tmp_path, [reference(), row()], [repetition]))
    said = {one["output"]: (one["said"], one["share"] is not None) for one in values(picture.spec) if "share" in one}
    assert said == {"a": ("agrees 6.0e-3", True), "b": ("disagrees 120", True), "c": ("vacuous 6.0e-3", False)}
    assert [line[2] for line in picture.cells] == ["agrees", "disagrees", "vacuous", "unchecked"]


def test_of_many_outputs_those_that_disagree_are_drawn(tmp_path: Path) -> None:
    checks = [check(f"o{number}", 0.5 if number == 19 else 6e-6) for number in range(20)]
    repetition = group_repetition(cases=[case_repetition("net | tensorflow", checks=checks)])
    (picture,) = agreement_map(only_group(tmp_path, [reference()], [repetition]))
    assert "8 worst of 20" in picture.told
    assert "o19" in {one.get("output") for one in values(picture.spec)}
    assert len(picture.cells) == 20


# --- all of them ------------------------------------------------------------------------------------------------------


def golden(version: int) -> Path:
    return Path(__file__).parents[1] / "golden" / f"v{version}"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_reports_of_every_schema_version_are_drawn(version: int) -> None:
    from bench.report.pictures.scene import Scene
    from bench.report.store import load_report

    pictures = pictures_of(Scene(load_report(golden(version))))
    assert len(set(names(pictures))) == len(pictures) > 8
    for picture in pictures:
        assert picture.told
        assert picture.cells
        assert all(len(line) == len(picture.header) for line in picture.cells)
    with_later_tables = {"placement_1", "soak_1"} & set(names(pictures))
    assert bool(with_later_tables) == (version > 1)


def test_names_are_data_and_never_part_of_an_expression(tmp_path: Path) -> None:
    rows: list[Row] = [row(name, case_id=f"c{number}", model="net") for number, name in enumerate(HOSTILE)]
    repetition = group_repetition(cases=[case_repetition(f"c{number}") for number in range(len(rows))])
    drawn = pictures_of(scene(tmp_path, rows, [repetition]))
    assert len(drawn) > 3
    for picture in drawn:
        for expression in expressions(picture.spec):
            assert "alert" not in expression
        assert "\u202e" not in json.dumps(picture.spec, ensure_ascii=False)


def expressions(spec: Any) -> list[str]:
    """What Vega would run."""
    if isinstance(spec, dict):
        own = [item for key, item in spec.items() if key in ("expr", "filter", "calculate", "test", "labelExpr")]
        return [str(one) for one in own] + [one for item in spec.values() for one in expressions(item)]
    return [one for item in spec for one in expressions(item)] if isinstance(spec, list) else []


def test_placement_is_drawn_only_where_something_ran_elsewhere(tmp_path: Path) -> None:
    from bench.report.pictures.scene import Scene
    from bench.report.store import load_report

    found = [picture for group in Scene(load_report(golden(3))).groups for picture in placement(group)]
    assert [line[2:4] for line in found[0].cells] == [("WebGpu", "99 %"), ("CPU", "1 %")]
    assert list(placement(only_group(tmp_path))) == []
