"""What a sweep leaves: the grid and the tidy table come back as they were written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from bench.errors import UsageError
from bench.records import SweepAxis
from bench.report.sweep_store import SWEEP, SWEEP_VERSION, read_plan, sweep_table, write_plan, write_table
from sweep_fakes import plan, points, swept


def test_the_grid_comes_back_as_it_was(tmp_path: Path) -> None:
    write_plan(tmp_path, plan())
    assert read_plan(tmp_path) == plan()


def test_a_folder_without_a_grid_is_no_sweep(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no sweep\.json in it, so it is no sweep"):
        read_plan(tmp_path)


def test_a_grid_of_a_newer_bench_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    write_plan(tmp_path, plan(schema_version=SWEEP_VERSION + 1))
    with pytest.raises(UsageError, match="Install a newer onnx-crossbench"):
        read_plan(tmp_path)
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(UsageError, match=r"sweep\.json is damaged"):
        read_plan(tmp_path)


def test_the_table_has_one_row_a_point_and_runtime(tmp_path: Path) -> None:
    write_table(tmp_path, swept())
    table = pd.read_parquet(tmp_path / "sweep.parquet")
    assert len(table) == 9 * 2
    assert list(table.columns) == [
        "alpha",
        "side",
        *(c.name for c in SWEEP),
        "published_top1",
        "published_top1_front",
    ]
    assert [str(table[name].dtype) for name in ("alpha", "side")] == ["float64", "int64"]
    first = table.iloc[1]
    assert (first["alpha"], first["side"], first["series"]) == (0.25, 128, "onnxruntime-cpu")
    assert first["latency_ns_best_low"] <= first["latency_ns_best"] <= first["latency_ns_best_high"]
    assert first["line_ns"] == pytest.approx(first["latency_ns_best"], rel=1e-6)
    assert first["interval_level"] == 0.9375
    assert (first["published_top1"], table["published_top1"].isna().sum()) == (41.5, 2 * 5)


def test_a_point_that_is_left_out_has_a_reason_and_no_numbers() -> None:
    found = points()
    bad = replace(found[1], row=msgspec.structs.replace(found[1].row, status="crashed", status_reason="SIGSEGV"))
    row = sweep_table(replace(swept(), points=(bad,))).to_pylist()[0]
    assert row["why_not"] == "crashed: SIGSEGV"
    measured = ("latency_ns_best", "line_ns", "throughput_items_per_s", "rss_peak_bytes", "ratio_to_reference")
    assert [row[name] for name in measured if name != "line_ns"] == [None] * 4
    assert row["published_top1_front"] is None
    assert row["repetitions"] == 0
    assert row["macs"] == found[1].row.macs


def test_no_line_is_stored_where_none_holds() -> None:
    bent = swept(second=lambda size: 1e5 + 4e4 * size * (2 if size > 200 else 1))
    rows = sweep_table(bent).to_pylist()
    assert all(row["line_ns"] is None for row in rows if row["series"] == "onnxruntime-cpu")
    assert all(row["line_ns"] is not None for row in rows if row["series"] == "tensorflow")


def test_an_axis_that_is_called_as_a_column_gets_a_name_of_its_own() -> None:
    axis = SweepAxis(name="model", values=("a", "b"))
    grid = plan(axes=(axis,), points=())
    point = replace(points()[0], values={"model": "b"}, published={})
    row = sweep_table(replace(swept(), plan=grid, points=(point,))).to_pylist()[0]
    assert (row["axis_model"], row["model"]) == ("b", "net:alpha=0.25,side=128")


def test_axes_whose_names_collide_keep_a_column_each() -> None:
    axes = tuple(SweepAxis(name=name, values=("a", "b")) for name in ("runtime", "axis_runtime", "model"))
    values = {"runtime": "a", "axis_runtime": "b", "model": "a"}
    of = replace(swept(), plan=plan(axes=axes, points=()), points=(replace(points()[0], values=values, published={}),))
    row = sweep_table(of).to_pylist()[0]
    assert (row["axis_axis_runtime"], row["axis_runtime"], row["axis_model"]) == ("a", "b", "a")
    assert row["runtime"] == points()[0].row.runtime


@pytest.mark.parametrize(
    ("values", "stored"), [(("1", str(2**63 - 1)), 2**63 - 1), (("1", str(2**63)), str(2**63)), (("1", "1e30"), 1e30)]
)
def test_whole_numbers_that_64_bits_do_not_hold_stay_what_they_are(values: tuple[str, ...], stored: object) -> None:
    of = replace(
        swept(),
        plan=plan(axes=(SweepAxis(name="seed", values=values),), points=()),
        points=(replace(points()[0], values={"seed": values[-1]}, published={}),),
    )
    assert sweep_table(of).to_pylist()[0]["seed"] == stored
