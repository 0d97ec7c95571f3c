"""Who is faster at which size, and which points are a sensible choice: told only where intervals tell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from bench.analysis.sweep_compare import ALPHA, contests, crossing_of, front_of, least_wins
from bench.analysis.sweep_points import Point, sweep_of
from report_fakes import row
from sweep_fakes import onnxruntime, plan, points, swept, tensorflow


def test_each_wins_on_its_side_of_the_crossing() -> None:
    one = contests(swept())[0]
    assert (one.first, one.second, one.compared) == ("tensorflow", "onnxruntime-cpu", 9)
    assert one.is_by_size
    assert all((p.macs_millions or 0) > 195 for p in one.first_wins)
    assert all((p.macs_millions or 0) < 195 for p in one.second_wins)
    assert len(one.first_wins) + len(one.second_wins) == 9
    assert one.crossing is not None
    assert one.crossing.low is not None
    assert one.crossing.high is not None
    assert one.crossing.low - 1e-6 <= 195 <= one.crossing.high + 1e-6
    assert one.crossing.estimate == pytest.approx(195, rel=0.05)


def test_lines_that_cross_beyond_the_sizes_measured_do_not_cross() -> None:
    one = contests(swept(second=lambda size: 1e5 + 1e4 * size))[0]
    assert one.crossing is None
    assert (len(one.first_wins), len(one.second_wins)) == (0, 9)
    assert not one.is_by_size


def test_equal_runtimes_are_not_told_apart() -> None:
    one = contests(swept(second=tensorflow))[0]
    assert (one.first_wins, one.second_wins, one.crossing) == ((), (), None)


def outcomes(points: int, chance: float) -> Iterator[tuple[int, int, float]]:
    """How many points like runtimes are told apart at, one ahead and the other ahead, with the exact probability."""
    for first in range(points + 1):
        for second in range(points + 1 - first):
            ways = math.comb(points, first) * math.comb(points - first, second)
            yield first, second, ways * chance ** (first + second) * (1 - 2 * chance) ** (points - first - second)


def is_told(first: int, second: int, points: int, level: float, alpha: float) -> bool:
    return first >= least_wins(points - second, level, alpha / 2) or second >= least_wins(
        points - first, level, alpha / 2
    )


@pytest.mark.parametrize("level", [0.75, 0.9375, 121 / 128])
@pytest.mark.parametrize("points", [1, 2, 3, 5, 9, 16, 30])
@pytest.mark.parametrize("pairs", [1, 6])
def test_like_runtimes_are_told_apart_in_no_more_sweeps_than_is_said(points: int, level: float, pairs: int) -> None:
    chances = list(outcomes(points, (1 - level) / 2))
    assert sum(chance for *_, chance in chances) == pytest.approx(1)
    wrong = sum(chance for a, b, chance in chances if is_told(a, b, points, level, ALPHA / pairs))
    assert wrong * pairs <= ALPHA


def test_without_looking_at_how_many_points_there_are_it_would_be_almost_every_other_sweep() -> None:
    assert sum(chance for a, b, chance in outcomes(9, 1 / 32) if a or b) == pytest.approx(0.44, abs=0.01)


@pytest.mark.parametrize(("points", "least"), [(1, 2), (2, 2), (3, 2), (6, 2), (7, 3), (9, 3), (30, 4)])
def test_what_it_takes_grows_with_the_points_and_stays_within_reach(points: int, least: int) -> None:
    assert least_wins(points, 0.9375, ALPHA / 2) == least  # of a single point none is enough


def test_two_of_nine_points_are_chance_and_two_of_the_two_that_are_left_are_not() -> None:
    assert is_told(0, 3, 9, 0.9375, ALPHA)
    assert not is_told(0, 2, 9, 0.9375, ALPHA)
    assert least_wins(9 - 7, 0.9375, ALPHA / 2) == 2  # told where the other one is ahead at all the rest


def test_points_of_unknown_size_win_and_tell_nothing_of_sizes() -> None:
    found = [replace(p, row=msgspec.structs.replace(p.row, macs=None)) for p in points()]
    one = contests(sweep_of(plan(), found))[0]
    assert (len(one.first_wins), len(one.second_wins)) == (2, 7)
    assert not one.is_by_size
    assert one.crossing is None


def test_a_crossing_of_the_lines_that_is_not_between_the_wins_is_not_told() -> None:
    assert contests(swept())[0].crossing is not None
    moved = [
        replace(p, latencies_ns={r: tensorflow(2 * size) * (1 + r / 1e4) for r in p.latencies_ns})
        if p.series == "tensorflow" and (size := p.macs_millions)
        else p
        for p in points()
    ]
    both = sweep_of(plan(), moved)
    assert crossing_of(both.latency["tensorflow"], both.latency["onnxruntime-cpu"]) is None
    assert contests(both)[0].is_by_size


def test_wins_that_size_does_not_explain_are_not_called_a_size() -> None:
    def by_turns(size: float) -> float:
        return tensorflow(size) * (0.5 if 30 < size < 80 else 1.5)

    one = contests(swept(second=by_turns))[0]
    assert one.first_wins
    assert one.second_wins
    assert not one.is_by_size


def test_three_repetitions_are_ranges() -> None:
    assert contests(swept(repetitions=3))[0].is_range
    assert not contests(swept(repetitions=5))[0].is_range


def test_no_crossing_where_a_line_does_not_hold() -> None:
    bent = swept(second=lambda size: 1e5 + 4e4 * size * (2 if size > 200 else 1))
    assert not bent.latency["onnxruntime-cpu"].holds
    assert crossing_of(bent.latency["tensorflow"], bent.latency["onnxruntime-cpu"]) is None


def test_a_repetition_in_which_lines_do_not_cross_leaves_no_crossing() -> None:
    found = points()
    slow = [
        replace(p, latencies_ns=dict(p.latencies_ns) | {4: p.latencies_ns[4] * 10}) if p.series == "tensorflow" else p
        for p in found
    ]
    both = sweep_of(plan(), slow)
    assert crossing_of(both.latency["tensorflow"], both.latency["onnxruntime-cpu"]) is None


def test_a_point_that_disagrees_is_in_nothing_and_keeps_its_reason() -> None:
    found = points()
    bad = replace(
        found[1], row=msgspec.structs.replace(found[1].row, agreement="disagrees", agreement_reason="0.3 off")
    )
    both = sweep_of(plan(), [found[0], bad, *found[2:]])
    assert both.points[1].why_not == "disagrees: 0.3 off"
    assert both.points[1].latency is None
    assert len(both.of("onnxruntime-cpu")) == 8
    assert contests(both)[0].compared == 8
    line = both.latency["onnxruntime-cpu"].line
    assert line is not None
    assert bad.name not in line.misses
    assert all(p.row.agreement == "agrees" for s in both.strands for p in s.points)


def one_point(name: str, ms: float, accuracy: float | None, *, wide: float = 0.01) -> Point:
    return Point(
        row=row("cpu", 1.0, case_id=name, model=name, latency_ns_best=ms * 1e6),
        values={"alpha": name},
        series="cpu",
        published={} if accuracy is None else {"top1": accuracy},
        latencies_ns={r: ms * 1e6 * (1 + wide * (r - 2)) for r in range(5)},
        peaks_bytes={},
    )


def test_the_front_is_of_points_that_nothing_beats() -> None:
    good, dear, slow = one_point("good", 1, 50), one_point("dear", 2, 60), one_point("slow", 3, 55)
    assert front_of([good, dear, slow], "top1") == {"good", "dear"}


def test_a_faster_point_is_preferable_only_where_it_is_told_to_be_faster() -> None:
    first, near, far = one_point("a", 1.0, 50), one_point("b", 1.01, 50), one_point("c", 2.0, 50)
    assert front_of([first, near], "top1") == {"a", "b"}
    assert front_of([first, far], "top1") == {"a"}


def test_more_accuracy_at_a_latency_that_is_not_told_apart_is_preferable() -> None:
    assert front_of([one_point("a", 1.0, 50), one_point("b", 1.01, 51)], "top1") == {"b"}
    assert front_of([one_point("a", 1.0, 50), one_point("b", 2.0, 51)], "top1") == {"a", "b"}


def test_only_points_on_the_front_rule_others_out() -> None:
    most, near, fast = one_point("most", 1.4, 72), one_point("near", 1.22, 71, wide=0.08), one_point("fast", 1.1, 70)
    assert front_of([near, most], "top1") == {"most"}  # not told to be faster than what is more accurate
    assert front_of([fast, near], "top1") == {"near"}
    assert front_of([fast, near, most], "top1") == {"most", "fast"}  # told to be faster than all that is left


def test_a_point_without_accuracy_is_on_no_front() -> None:
    assert front_of([one_point("a", 1.0, None), one_point("b", 2.0, 51)], "top1") == {"b"}


def test_strands_follow_the_axis_with_most_values_the_last_of_equals() -> None:
    found = swept()
    assert found.along.name == "side"
    assert [s.fixed for s in found.strands if s.series == "tensorflow"] == ["alpha=0.25", "alpha=0.5", "alpha=1"]
    assert [p.values["side"] for p in found.strands[0].points] == ["128", "160", "224"]
    assert onnxruntime(0) < tensorflow(0)


@pytest.mark.parametrize("repetitions", [1, 2, 3])
def test_ranges_make_no_front(repetitions: int) -> None:
    good, slow = one_point("good", 1.0, 60), one_point("slow", 2.0, 50)
    few = [replace(one, latencies_ns={r: one.latencies_ns[r] for r in range(repetitions)}) for one in (good, slow)]
    assert front_of([good, slow], "top1") == {"good"}
    assert front_of(few, "top1") == set()
