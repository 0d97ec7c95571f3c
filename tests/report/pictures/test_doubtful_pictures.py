"""Pictures of rows that cannot win, of holes, and of numbers at the ends of what a row may hold."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bench.records import GroupRepetition, SoakSample
from bench.report.picture import Picture
from bench.report.pictures.error_and_speed import error_and_speed
from bench.report.pictures.every import OF_GROUP
from bench.report.pictures.latency_distribution import latency_distribution
from bench.report.pictures.throughput import throughput
from bench.rows import Row
from report.pictures.test_pictures import LEDGER, values
from report_fakes import absent, group_repetition, reference, row
from report_pictures_fakes import only_group, scene, whole


def every_kind(folder: Path, **changes: Any) -> dict[str, Picture]:
    """All pictures of a group whose second row is as the changes make it."""
    rows = [reference(**LEDGER), row(latency_ns_best=1e6, **LEDGER, **changes)]
    ids = ("net | tensorflow", "net | onnxruntime-cpu")
    looks = [
        SoakSample(elapsed_ns=int(minute * 60e9), calls=minute * 100, rss_bytes=50 << 20) for minute in range(1, 9)
    ]
    cases = [whole(one, [[16, 17, 18]], soak=looks) for one in ids]
    group = only_group(folder, rows, [group_repetition(cases=cases)])
    return {picture.name: picture for draw in OF_GROUP for picture in draw(group)}


ALIKE = ("latency_distribution_1", "samples_over_time_1", "memory_ledger_1", "cold_start_1", "soak_1")


@pytest.mark.parametrize("name", ALIKE)
def test_a_row_that_cannot_win_is_seen_as_such_and_one_that_can_is_not(name: str, tmp_path: Path) -> None:
    barred = every_kind(tmp_path / "a", agreement="disagrees", agreement_reason="wrong by 3")[name]
    assert {line[0] for line in barred.cells} == {"tensorflow", "onnxruntime-cpu (cannot win)"}
    assert "Cannot win: failed, not verified, or not comparable." in barred.told
    drawn = json.dumps(barred.spec)
    assert "onnxruntime-cpu (cannot win)" in drawn or '"said": "cannot win' in drawn
    assert "cannot win" not in json.dumps(asdict(every_kind(tmp_path / "b")[name])).lower()


def test_bars_of_calls_that_all_took_the_same_time_can_be_seen(tmp_path: Path) -> None:
    group = only_group(tmp_path, [row(latency_ns_p50=5.0, latency_ns_p90=None)], [same_calls()])
    (picture,) = latency_distribution(group)
    (bar,) = [one for one in values(picture.spec) if "calls" in one]
    assert bar["x"] < 5 < bar["x2"]
    assert bar["calls"] == 3


def same_calls() -> GroupRepetition:
    return group_repetition(cases=[whole("net | onnxruntime-cpu", [[5, 5, 5]])])


@pytest.mark.parametrize("error", [float("inf"), 1e300, 5e-324, 0.0])
def test_any_error_that_a_row_may_hold_can_be_drawn_or_is_named(error: float, tmp_path: Path) -> None:
    rows = [reference(), row(), row("litert", 0.3, agreement="disagrees", relative_error=error)]
    (picture,) = error_and_speed(only_group(tmp_path, rows, []))
    json.dumps(picture.spec, allow_nan=False)
    assert ("without a finite error: litert" in picture.told) == (error == float("inf"))


def batches(folder: Path, *, between: Row | None) -> Picture:
    """Of a runtime at 1, 8 and, as given, at 4, beside a reference at all three."""
    rows = [reference(case_id=f"t{n}", batch_size=n, throughput_items_per_s=50.0 * n) for n in (8, 1, 4)]
    rows += [row(case_id=f"n{n}", batch_size=n, throughput_items_per_s=100.0 * n) for n in (8, 1)]
    (picture,) = throughput(scene(folder, [*rows, *([between] if between else [])], []))
    return picture


def stretches(picture: Picture) -> dict[str, int]:
    """How many lines each runtime has."""
    points = [one for one in values(picture.spec) if one.get("standing") in ("best", "other")]
    return {
        name: len({one["stretch"] for one in points if one["name"] == name}) for name in {p["name"] for p in points}
    }


def test_no_line_of_throughput_goes_across_a_batch_without_a_verified_number(tmp_path: Path) -> None:
    out = row(case_id="n4", batch_size=4, agreement="disagrees")
    killed = absent("onnxruntime-cpu", case_id="n4", batch_size=4, status="oom", status_reason="killed")
    for number, between in enumerate((out, killed, None)):
        picture = batches(tmp_path / str(number), between=between)
        assert stretches(picture) == {"tensorflow": 1, "onnxruntime-cpu": 2}
        assert "A line ends where the next batch has no verified number." in picture.told
    good = batches(tmp_path / "good", between=row(case_id="n4", batch_size=4))
    assert stretches(good) == {"tensorflow": 1, "onnxruntime-cpu": 1}
    assert "A line ends" not in good.told


def test_a_batch_that_was_not_measured_is_named_and_in_the_table(tmp_path: Path) -> None:
    killed = absent("onnxruntime-cpu", case_id="n4", batch_size=4, status="oom", status_reason="killed")
    picture = batches(tmp_path, between=killed)
    assert "Without a number: onnxruntime-cpu at 4 (oom)." in picture.told
    assert ("onnxruntime-cpu", "4", "-", "-", "oom") in picture.cells


def test_of_batches_that_are_equally_good_the_smaller_is_the_best(tmp_path: Path) -> None:
    rows = [row(case_id=f"n{n}", batch_size=n, throughput_items_per_s=100.0) for n in (8, 1)]
    (picture,) = throughput(scene(tmp_path, rows, []))
    assert [line[-1] for line in picture.cells] == ["", "best batch"]
