from __future__ import annotations

import json

import pytest

from bench.analysis.operators import OUTSIDE
from bench.analysis.profile_diff import LEFT_OVER, ProfileDiff, diff_profiles
from bench.analysis.profiled import ProfiledCase
from bench.records import LayerCost, Roofs
from bench.report.profile_cells import case_sentences, line_cells, percent, views_of
from bench.report.profile_diff_text import diff_cells, diff_legend, diff_sentence, diff_sentences
from bench.report.profile_pictures import profile_pictures
from bench.report.profile_reading import legend, roof_sentences
from bench.report.profile_text import render_markdown
from profile_fakes import DENSE as FAKE_DENSE
from profile_fakes import MS, ROOFS, case, kernel, profile

CONV = kernel("conv", "FusedConv", (0, 1, 2), [6 * MS] * 5)
FAST = kernel("conv", "FusedConv", (0, 1, 2), [MS // 10] * 5)
DENSE = kernel("dense", "Gemm", (3,), [1 * MS] * 5)
TRANSPOSE = kernel("to_nchw", "Transpose", (2,), [3 * MS] * 5)
STEADY = [10 * MS, 10 * MS + 1, 10 * MS + 2, 10 * MS + 3, 10 * MS + 4]
SLOWER = [wall + 4 * MS for wall in STEADY]


def diff(b_walls: list[int], *kernels: object, a_walls: list[int] = STEADY) -> ProfileDiff:
    b = case([CONV, DENSE, *kernels], b_walls)  # type: ignore[list-item]
    return diff_profiles(case([CONV, DENSE], a_walls), b, is_paired=True)


def test_the_sentence_of_the_paper_stands_first() -> None:
    (view,) = views_of(profile(case([CONV, DENSE], STEADY)))
    said = case_sentences(view)
    assert "Conv2D 1x1 60 % of a profiled call, 25 % of multiply-adds; outside kernels 30 %" in said[0]
    assert "1.11x the plain latency" in said[1]


def test_what_can_not_be_counted_is_never_shown_as_nothing_of_the_multiply_adds() -> None:
    lstm = LayerCost(name="lstm", kind="LSTM", multiply_adds=None, parameters=1000)
    unknown = case([kernel("l", "LSTM", (0,), [9 * MS] * 5)], STEADY, layers=(lstm, FAKE_DENSE))
    (view,), known = views_of(profile(unknown)), views_of(made := profile(case([CONV, DENSE], STEADY)))
    said = case_sentences(view)
    assert "LSTM 90 % of a profiled call; outside kernels" in said[0]
    assert "Multiply-adds of 1 layer (lstm) can't be counted, so that no shares of them are told." in said
    assert "No kernel was found for 3 M multiply-adds: 1 layer (dense)." in said
    assert not any("can't be counted" in line for line in case_sentences(known[0]))
    (shares, *_), (whole, *_) = profile_pictures(profile(unknown), [view]), profile_pictures(made, known)
    assert "of multiply-adds" not in shares.told
    assert "multiply-adds" not in json.dumps(shares.spec)
    assert "multiply-adds" in json.dumps(whole.spec)


def test_what_layout_means_is_told_where_there_is_some_and_only_there() -> None:
    reorder = kernel("r", "ReorderInput", (), [MS] * 5, between=((0, 1, 2), (3,)))
    (with_it, without) = (profile(case([CONV, DENSE, *more], STEADY)) for more in ([reorder], []))
    assert any(line.startswith("Layout: ") for line in legend(with_it, views_of(with_it)))
    assert not any(line.startswith("Layout: ") for line in legend(without, views_of(without)))
    assert "layout (ReorderInput) between relu1 and dense" in render_markdown(with_it, views_of(with_it))


def test_kernels_at_the_same_time_are_told_and_no_share_is_impossible() -> None:
    parallel = profile(case([CONV, DENSE], [5 * MS] * 5))
    (view,), (alone,) = views_of(parallel), views_of(profile(case([CONV, DENSE], STEADY)))
    told = "Its kernels take 7 ms together, more than the wall time: some ran at the same time, or medians"
    assert any(line.startswith(told) for line in case_sentences(view))
    assert not any(line.startswith("Its kernels take") for line in case_sentences(alone))
    assert "Conv2D 1x1 86 % of a profiled call, 25 % of multiply-adds (of its kernels)" in case_sentences(view)[0]
    assert [row[3] for row in line_cells(view)] == ["86 %", "14 %"]
    shares, under = profile_pictures(parallel, [view])
    assert max(row["x2"] for rows in shares.spec["datasets"].values() for row in rows if "x2" in row) <= 1.0 + 1e-6
    assert "Drawn are 100 % of the time" in under.told


def test_a_layer_called_as_the_rest_is_stands_under_the_roofs() -> None:
    layer = LayerCost(name=OUTSIDE, kind="Conv2D", multiply_adds=10, input_bytes=4, output_bytes=4)
    (view,) = views_of(profile(case([kernel("c", "Conv", (0,), [8 * MS] * 5)], STEADY, layers=(layer,))))
    assert [row[:2] for row in line_cells(view)] == [(OUTSIDE, "Conv"), (OUTSIDE, "")]
    assert "outside kernels 20 %" in case_sentences(view)[0]


@pytest.mark.parametrize(
    ("cut_ns", "said"),
    [
        (0, "outside kernels 20 %."),
        (40_000, "outside kernels 20 %."),
        (500_000, "outside kernels 20 %, up to 500 us of it rounding (1 kernel, times cut off)."),
        (3 * MS, "outside kernels 20 %, all of which may be rounding (1 kernel, times cut off)."),
    ],
)
def test_what_is_outside_of_kernels_is_told_with_what_of_it_may_be_their_rounding(cut_ns: int, said: str) -> None:
    made = profile(case([kernel("c", "Conv", (0,), [8 * MS] * 5)], STEADY, rounding_ns=cut_ns))
    views = views_of(made)
    assert case_sentences(views[0])[0].endswith(said)
    assert any("whole microseconds" in line for line in legend(made, views)) is (cut_ns > 0)


def test_a_case_that_disagrees_is_marked_and_one_that_agrees_is_not() -> None:
    wrong = case([CONV], STEADY, row={"agreement": "disagrees", "agreement_reason": "y: far off"})
    right = case([CONV], STEADY)
    of_wrong, of_right = ("\n".join(case_sentences(view)) for view in views_of(profile(wrong, right)))
    assert "No speed without agreement" in of_wrong
    assert "agreement" not in of_right


def test_a_case_that_cannot_win_says_so_and_one_that_can_does_not() -> None:
    partly = case([CONV], STEADY, row={"status": "partial", "status_reason": "60 % on the CPU"})
    of_partly, of_whole = (case_sentences(view) for view in views_of(profile(partly, case([CONV], STEADY))))
    assert "It cannot win: partial: 60 % on the CPU." in of_partly
    assert not any("cannot win" in line for line in of_whole)


def test_a_case_without_operators_says_why_and_the_others_stay() -> None:
    bare = case([], [], "litert", reason="litert tells no operator times")
    first, second = views_of(profile(bare, case([CONV], STEADY)))
    assert case_sentences(first) == ["net, litert, batch 1: not profiled: litert tells no operator times."]
    assert second.lines


def test_roofs_that_moved_are_told_and_steady_ones_are_not() -> None:
    slower = Roofs(threads=1, flops_per_s=(50e9,), bytes_per_s=(10e9,))
    assert len(roof_sentences(profile(case([CONV], STEADY)))) == 1
    moved = roof_sentences(profile(case([CONV], STEADY), roofs=(ROOFS, slower)))
    assert "the matrix product differs by 50 %" in moved[1]
    once = roof_sentences(profile(case([CONV], STEADY), roofs=(ROOFS,), roofs_reason="killed"))
    assert "before and after" not in once[0]
    assert once[1] == "They were measured once (killed): whether the machine stayed as fast is not known."
    (missing,) = roof_sentences(profile(case([CONV], STEADY), roofs=(), roofs_reason="no numpy"))
    assert missing == "The roofs of this machine were not measured: no numpy."


@pytest.mark.parametrize("speed", [1e9, 1e12])
def test_a_point_above_the_roof_may_be_due_to_roofs_measured_too_low_and_one_below_needs_no_reason(
    speed: float,
) -> None:
    roofs = Roofs(threads=1, flops_per_s=(speed,), bytes_per_s=(speed,))
    made = profile(case([FAST], STEADY), roofs=(roofs, roofs))
    views = views_of(made)
    (under,) = profile_pictures(made, views)[1:]
    assert ("1 above the roof" in under.told) is (speed < 1e10)
    assert ("roofs measured too low, as on a machine that was busy" in under.told) is (speed < 1e10)
    assert any("above the roof: data that stay in caches" in line and "too low" in line for line in legend(made, views))


def test_brackets_of_several_levels_are_told_with_their_cases() -> None:
    three = case([kernel("c", "Conv", (0,), [5 * MS] * 3)], [10 * MS] * 3, "openvino")
    both, one = profile(case([CONV], STEADY), three), profile(case([CONV], STEADY))
    assert (
        "In brackets: intervals of 93.75 % (net, onnxruntime-cpu, batch 1), ranges of 75 % (net, openvino, batch 1) "
        "over repetitions."
    ) in legend(both, views_of(both))
    assert "In brackets: intervals of 93.75 % over repetitions." in legend(one, views_of(one))


@pytest.mark.parametrize(
    ("share", "text"),
    [
        *((0.0, "0 %"), (0.001, "<1 %"), (0.5, "50 %"), (0.999, ">99 %"), (1 - 1e-12, "100 %"), (1.2, "120 %")),
        *((-0.001, "-<1 %"), (-0.5, "-50 %"), (None, "-")),
    ],
)
def test_a_part_is_never_shown_as_nothing_or_as_all(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_one_kernel_is_not_called_kernels() -> None:
    one, two = views_of(profile(case([CONV], STEADY), case([CONV, DENSE], STEADY)))
    assert "; 1 kernel in 5 repetitions of 3 calls." in case_sentences(one)[1]
    assert "; 2 kernels in 5 repetitions" in case_sentences(two)[1]


def test_a_line_tells_rate_roof_and_what_would_be_saved() -> None:
    (view,) = views_of(profile(case([DENSE], [2 * MS] * 5)))
    cells = line_cells(view)[0]
    assert cells[:2] == ("dense", "Gemm")
    assert cells[4:] == ("3 M", "1.31 KiB", "6", "0.00134", "4.48e+03", "6 %", "overhead", "940 us")


def test_names_of_models_stay_text_in_markdown() -> None:
    text = render_markdown(made := profile(case([CONV], STEADY, row={"model": "<script>|*x*"})), views_of(made))
    assert "<script>" not in text


def test_the_difference_names_what_explains_most() -> None:
    assert diff_sentence(diff(SLOWER, TRANSPOSE)) == "Transpose relu1 (only in B) explains 75 % of +4 ms"


def test_the_difference_says_when_it_can_not_tell() -> None:
    assert diff_sentence(diff(STEADY[::-1])) == (
        "+0 ns (-4 ns to +4 ns) from A to B: the profiled times are not told apart from noise"
    )


def test_the_difference_says_that_it_is_outside_of_kernels() -> None:
    assert diff_sentence(diff(SLOWER)).startswith(
        "what runs outside kernels (Python, dispatch, waiting) explains 100 %"
    )


def jumping(big: list[int], small: int) -> ProfileDiff:
    """Five pairs: Conv slower by each of ``big``, Gemm by ``small``; calls are slower by 755 us in every one."""
    a = case([kernel("c", "Conv", (0,), [4 * MS] * 5), kernel("d", "Gemm", (3,), [2 * MS] * 5)], STEADY)
    slow = [kernel("c", "Conv", (0,), [4 * MS + by for by in big]), kernel("d", "Gemm", (3,), [2 * MS + small] * 5)]
    return diff_profiles(a, case(slow, [wall + 755_000 for wall in STEADY]), is_paired=True)


def test_a_change_is_not_called_spread_where_its_largest_line_is_not_told_apart() -> None:
    made = jumping([700_000, 720_000, 690_000, 710_000, -10_000], 50_000)
    assert diff_sentence(made) == (
        "no operator that is told apart from noise explains 10 % of +755 us: together they explain 7 %; "
        "Conv conv1 (+700 us) is not told apart"
    )


def test_a_named_line_stands_beside_a_larger_one_that_is_not_told_apart_and_alone_else() -> None:
    beside = jumping([500_000, 520_000, 490_000, 510_000, -10_000], 200_000)
    assert diff_sentence(beside) == (
        "Gemm dense explains 26 % of +755 us; Conv conv1 (+500 us) is more, and not told apart from noise"
    )
    assert diff_sentence(jumping([-10_000, 0, 10_000, 0, 0], 600_000)) == "Gemm dense explains 79 % of +755 us"


def test_a_change_is_called_spread_where_lines_that_are_told_apart_make_up_most_of_it() -> None:
    def side(each: int, walls: list[int]) -> ProfiledCase:
        return case([kernel(f"k{n}", f"Op{n}", (), [each] * 5) for n in range(40)], walls)

    made = diff_profiles(side(100_000, STEADY), side(200_000, SLOWER), is_paired=True)
    assert diff_sentence(made) == "no operator explains 10 % of +4 ms: it is spread over 40 lines"


def test_what_medians_leave_over_is_told_where_it_is_much_and_else_not() -> None:
    def side(more: int, walls: list[int]) -> ProfiledCase:
        times = [[2 * MS + (more if number == place else 0) for number in range(5)] for place in range(5)]
        return case([kernel(f"k{n}", f"Op{n}", (), one) for n, one in enumerate(times)], walls)

    apart = diff_profiles(side(MS, SLOWER), side(0, [wall - 9 * MS // 10 for wall in SLOWER]), is_paired=True)
    assert diff_sentence(apart) == "no operator explains -900 us: none that went with it is told apart from noise"
    assert "Medians of the lines do not add up to the change: -1 ms is left over." in diff_sentences(apart)
    assert diff_cells(apart)[-1][0] == LEFT_OVER
    together = diff(SLOWER, TRANSPOSE)
    assert not any("left over" in line for line in diff_sentences(together))
    assert LEFT_OVER not in [row[0] for row in diff_cells(together)]


def test_a_share_beyond_all_is_not_called_a_share() -> None:
    dear = kernel("to_nchw", "Transpose", (2,), [9 * MS] * 5)
    assert diff_sentence(diff(SLOWER, dear)) == (
        "Transpose relu1 (only in B) explains more than all of +4 ms: +9 ms, others went against it"
    )


@pytest.mark.parametrize(("is_paired", "is_said"), [(True, False), (False, True)])
def test_two_runs_are_warned_of_what_lay_between_them(is_paired: bool, is_said: bool) -> None:
    made = diff_profiles(case([CONV], STEADY), case([CONV], SLOWER), is_paired=is_paired)
    assert any("two runs" in line for line in diff_sentences(made)) is is_said


@pytest.mark.parametrize(
    ("is_paired", "how"),
    [(True, "in each pair of repetitions"), (False, "of every repetition of B with every one of A")],
)
def test_it_is_said_that_a_change_is_not_the_difference_of_its_row_and_what_it_is(is_paired: bool, how: str) -> None:
    b = [9 * MS, 9 * MS, 9 * MS, 20 * MS, 20 * MS]
    made = diff_profiles(case([CONV], [10 * MS] * 5), case([CONV], b), is_paired=is_paired)
    assert (made.b_ns - made.a_ns, made.total.estimate) == (-1 * MS, 4.5 * MS if is_paired else -1 * MS)
    (said,) = [line for line in diff_legend(made) if "Hodges-Lehmann" in line]
    assert "Columns A and B are each the median of that side's repetitions. Change is not their difference" in said
    assert how in said
    assert "even in sign" in said


def test_a_long_table_ends_in_the_sum_of_the_rest() -> None:
    rows = diff_cells(diff(SLOWER, TRANSPOSE), most=1)
    assert [row[0] for row in rows] == ["Transpose relu1 (only in B)", "3 more"]
    assert rows[1][3] == "+1 ms"
