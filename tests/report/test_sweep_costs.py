"""The costs of a sweep's lines in words: one whose bounds hold 0 is unknown and is not told as a number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.analysis.sweep_points import Point, Swept, sweep_of
from bench.report.sweep_costs import along_text, memory_text
from bench.report.sweep_pictures import sweep_pictures
from bench.report.sweep_tables import lines_table
from bench.report.sweep_text import sentences
from sweep_fakes import plan, points, swept

UNKNOWN = "not told apart from 0"
WAVE = (0.02, -0.02, 0.01, -0.01, 0.0)  # of the largest sizes, by repetition


def tiny() -> Swept:
    """Multiply-adds that cost next to nothing beside 4 ms: the slope goes up and down with the repetition."""

    def waving(point: Point) -> dict[int, float]:
        return {r: c * (1 + WAVE[r] * (point.macs_millions or 0) / 500) for r, c in point.latencies_ns.items()}

    found = points(first=lambda _: 4e6, noise=0)
    return sweep_of(plan(), [replace(p, latencies_ns=waving(p)) for p in found])


def without_fixed_cost() -> Swept:
    """A thousandth of the slope, up and down with the repetition, is all that there is at size 0."""
    found = points(first=lambda size: 2e4 * size, noise=0)
    return sweep_of(
        plan(), [replace(p, latencies_ns={r: c + 5e5 * WAVE[r] for r, c in p.latencies_ns.items()}) for p in found]
    )


def test_a_cost_of_multiply_adds_whose_bounds_hold_0_is_not_told() -> None:
    told = sentences(tiny())[1]
    assert told.startswith(
        "tensorflow: 4 ms (4 ms to 4 ms); no cost per million multiply-adds can be told (-160 ns to 160 ns: "
    )
    assert f": {UNKNOWN}), over 9 points from 10.2 M to 500 M" in told
    fixed, slope = lines_table(tiny())[0][3:5]
    assert (fixed, slope) == ("4 ms (4 ms to 4 ms)", f"{UNKNOWN} (-160 ns to 160 ns)")


def test_a_fixed_cost_whose_bounds_hold_0_is_not_told() -> None:
    told = sentences(without_fixed_cost())[1]
    assert told.startswith("tensorflow: no fixed cost can be told (-10 us to 10 us: not told apart from 0); 20 us (")
    assert lines_table(without_fixed_cost())[0][3] == f"{UNKNOWN} (-10 us to 10 us)"


def test_costs_whose_bounds_are_above_0_are_told() -> None:
    told = sentences(swept())[1]
    assert told.startswith("tensorflow: 4 ms (3.92 ms to 4.08 ms) and 20 us (")
    assert UNKNOWN not in " ".join(cell for row in lines_table(swept()) for cell in row)


def test_one_repetition_has_no_bounds_to_hold_0() -> None:
    assert UNKNOWN not in " ".join(sentences(swept(repetitions=1)))


def test_lines_along_one_axis_say_the_same() -> None:
    found = [
        replace(p, latencies_ns={r: c * (1.3 if p.values["alpha"] == "1" else 1) for r, c in p.latencies_ns.items()})
        for p in tiny().points
    ]
    (told,) = [text for text in along_text(sweep_of(plan(), found)) if text.startswith("tensorflow")]
    assert "at alpha=0.25: 4 ms (4 ms to 4 ms); no cost per million can be told (" in told


@pytest.mark.parametrize("grows", [True, False])
def test_memory_that_is_not_seen_to_grow_has_no_cost_per_parameter(grows: bool) -> None:
    found = points()
    if not grows:
        waving = {r: 2**28 * (1 + wave) for r, wave in enumerate(WAVE)}
        found = [
            replace(p, peaks_bytes=waving if p.values["alpha"] == "1" else dict.fromkeys(waving, 2**28)) for p in found
        ]
    told = memory_text(sweep_of(plan(), found))[0]
    assert ("no memory per million parameters can be told (" in told) is not grows
    assert (" per million parameters (off by" in told) is grows


def test_the_picture_says_which_line_may_as_well_be_level() -> None:
    told, other = (next(p.told for p in sweep_pictures(of) if p.name == "sweep_latency") for of in (tiny(), swept()))
    assert told.endswith("Whether that of tensorflow rises is not told: its slope is not told apart from 0.")
    assert "rises" not in other
