from __future__ import annotations

from typing import Any

import pytest

from bench.report import row_cells
from report_fakes import row


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ({}, "-"),
        ({"time_share": 1.0}, "100 %"),
        ({"time_share": 0.73, "node_share": 0.9}, "73 % on WebGpu"),
        ({"node_share": 0.9}, "90 % of nodes on WebGpu"),
        ({"time_share": 0.99999}, "99.9 % on WebGpu"),  # never rounded up to the whole
        ({"time_share": 0.0}, "0 % on WebGpu"),
        ({"time_share": 1.0, "node_share": 0.9}, "100 % on WebGpu"),  # a node without any time
    ],
)
def test_placement_is_by_time_where_it_is_known(known: dict[str, Any], text: str) -> None:
    assert row_cells.placement(row(provider_requested="WebGpuExecutionProvider", **known)) == text


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ({}, "155 ms"),
        ({"build_ns": 30_000_000}, "155 ms (build 30 ms)"),
        ({"build_ns": 30_000_000, "build_cache": "miss"}, "155 ms (build 30 ms, miss)"),
        ({"build_cache": "hit"}, "155 ms (cache hit)"),
        ({"import_ns": None, "build_ns": 30_000_000}, "- (build 30 ms)"),
    ],
)
def test_what_is_built_once_is_in_the_cold_start(known: dict[str, Any], text: str) -> None:
    assert row_cells.cold_start(row(**known)) == text


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (None, "-"),
        ("plateau", "plateau"),
        ("growing", "growing 1.5 MiB/min (1 MiB to 2 MiB)"),
        ("cannot tell", "cannot tell 1.5 MiB/min (1 MiB to 2 MiB)"),
    ],
)
def test_a_soak_tells_its_slope_unless_it_is_a_plateau(verdict: str | None, text: str) -> None:
    slopes = {
        "soak_slope_per_minute": 1.5 * 2**20,
        "soak_slope_per_minute_low": 1.0 * 2**20,
        "soak_slope_per_minute_high": 2.0 * 2**20,
    }
    assert row_cells.soak(row(soak_verdict=verdict, **slopes)) == text


def test_a_slope_downwards_has_its_sign() -> None:
    assert row_cells.soak(row(soak_verdict="cannot tell", soak_slope_per_minute=-(2.0**20))) == "cannot tell -1 MiB/min"


def test_a_row_that_did_not_run_does_not_say_on_what_it_ran() -> None:
    assert row_cells.own_notes(row(precision="int8", isa="avx2", latency_ns_best=None)) == []


def test_notes_of_reduced_precision_are_none_of_float32() -> None:
    known = {"isa": "avx2", "conversion_error": 0.019, "latency_ns_best": 1.0}
    assert row_cells.own_notes(row(**known)) == []
    assert row_cells.own_notes(row(precision="int8")) == []
    assert row_cells.own_notes(row(precision="int8", **known)) == [
        "isa: int8 ran on a CPU with avx2",
        "conversion: the int8 file itself, run exactly, is 0.019 off the truth",
    ]
