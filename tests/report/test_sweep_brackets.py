"""What stands in brackets in a sweep's words: of points and of lines, and which points a line is through."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from bench.analysis.sweep_points import Swept, sweep_of
from bench.report.sweep_costs import memory_text
from bench.report.sweep_tables import lines_table
from bench.report.sweep_text import doubts, sentences
from sweep_fakes import plan, points, swept


def with_fewer(*, every: bool) -> Swept:
    """ONNX Runtime lacks one repetition of six, at each point another one, or has a single one at the largest point."""
    found = []
    for place, p in enumerate(points(repetitions=6)):
        gone = {place // 2 % 3} if every else ({1, 2, 3, 4, 5} if (p.macs_millions or 0) > 400 else set())
        kept = {r: cost for r, cost in p.latencies_ns.items() if r not in gone}
        found.append(replace(p, latencies_ns=kept) if p.series == "onnxruntime-cpu" else p)
    return sweep_of(plan(), found)


def test_brackets_of_a_line_are_called_what_its_own_repetitions_make_them() -> None:
    of = with_fewer(every=True)
    told = sentences(of)
    assert told[2].endswith("; in brackets 75 % ranges over 3 repetitions, which decide nothing.")
    assert "in brackets" not in told[1]
    assert [cells[2] for cells in lines_table(of)[:2]] == ["6 (93.75 % intervals)", "3 (75 % ranges)"]
    assert "93.75 % intervals over 6 repetitions (9 points); 93.75 % intervals over 5 repetitions (9 points)." in (
        " ".join(doubts(of))
    )


def test_a_point_with_a_single_repetition_takes_no_intervals_from_the_others() -> None:
    of = with_fewer(every=False)
    assert "over 8 of 9 points from 10.2 M to 255 M" in sentences(of)[2]
    said = " ".join(doubts(of))
    assert "93.75 % intervals over 6 repetitions (17 points); nothing over one repetition (1 point)." in said
    assert "Not in the line of onnxruntime-cpu (fewer repetitions than the others): alpha=1, side=224." in said
    assert "Not in the line" not in " ".join(doubts(swept()))


def test_a_single_repetition_has_no_brackets_and_none_are_spoken_of() -> None:
    once = swept(repetitions=1)
    assert "In brackets behind a point's latency: nothing over one repetition." in doubts(once)
    assert "behind a line's costs" not in " ".join(doubts(once))
    assert sentences(once)[1].endswith("; one repetition has no intervals.")
    assert "behind a line's costs" in " ".join(doubts(swept()))


def test_points_that_are_in_no_line_are_not_counted_into_it() -> None:
    found = [
        replace(p, row=msgspec.structs.replace(p.row, macs=None)) if (p.macs_millions or 0) < 35 else p
        for p in points()
    ]
    assert "over 6 of 9 points from 40.8 M to 500 M" in sentences(sweep_of(plan(), found))[1]


def test_a_runtime_without_a_usable_point_is_said_to_have_none() -> None:
    bad = {"agreement": "disagrees", "agreement_reason": "0.3 off"}
    of = sweep_of(plan(), [replace(p, row=msgspec.structs.replace(p.row, **bad)) for p in points()])
    none = "none of its points ran whole and was verified."
    assert sentences(of)[0] == f"tensorflow: no line over all sizes: {none}"
    assert memory_text(of)[0] == f"Peak memory, tensorflow: no line: {none}"
