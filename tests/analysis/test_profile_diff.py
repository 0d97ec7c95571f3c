from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.kernel_match import match_kernels
from bench.analysis.operators import OUTSIDE
from bench.analysis.profile_diff import LEFT_OVER, ProfileDiff, dearest, diff_profiles
from bench.analysis.profiled import Kernel, ProfiledCase
from bench.records import LayerCost
from profile_fakes import MS, case, kernel

STEADY = [10 * MS, 10 * MS + 1, 10 * MS + 2, 10 * MS + 3, 10 * MS + 4]
CONV = kernel("conv", "Conv", (0,), [5 * MS] * 5)
DENSE = kernel("dense", "Gemm", (3,), [2 * MS] * 5)
TRANSPOSE = kernel("to_nchw", "Transpose", (2,), [3 * MS] * 5)


def slower(by: int, walls: Sequence[int] = STEADY) -> list[int]:
    return [wall + by for wall in walls]


def diff(a: ProfiledCase, b: ProfiledCase, *, is_paired: bool = True) -> ProfileDiff:
    return diff_profiles(a, b, is_paired=is_paired)


def line(found: ProfileDiff, name: str) -> float:
    return next(one.change.estimate for one in found.changes if one.name == name)


@pytest.mark.parametrize("is_paired", [True, False])
def test_an_operator_that_only_one_side_has_is_named_first_with_its_share(is_paired: bool) -> None:
    found = diff(case([CONV, DENSE], STEADY), case([CONV, TRANSPOSE, DENSE], slower(4 * MS)), is_paired=is_paired)
    first = dearest(found)
    assert found.is_told
    assert first is not None
    assert (first.name, first.presence) == ("Transpose relu1", "only in B")
    assert first.explains == pytest.approx(0.75)
    assert found.total.estimate == 4 * MS
    assert found.changes[0] == first
    assert line(found, OUTSIDE) == 1 * MS


@pytest.mark.parametrize("is_paired", [True, False])
def test_the_same_twice_is_not_told_apart_and_explains_nothing(is_paired: bool) -> None:
    found = diff(case([CONV, DENSE], STEADY), case([CONV, DENSE], STEADY[::-1]), is_paired=is_paired)
    assert not found.is_told
    assert "not told apart from noise" in found.doubt
    assert dearest(found) is None
    assert all(one.explains is None for one in found.changes)


def test_a_change_that_took_time_away_is_explained_likewise() -> None:
    found = diff(case([CONV, TRANSPOSE, DENSE], slower(4 * MS)), case([CONV, DENSE], STEADY))
    first = dearest(found)
    assert first is not None
    assert (first.name, first.presence) == ("Transpose relu1", "only in A")
    assert first.explains == pytest.approx(0.75)
    assert found.total.estimate == -4 * MS


def test_a_change_that_is_spread_has_no_name() -> None:
    many = [kernel(f"k{n}", f"Op{n}", (), [100_000] * 5) for n in range(40)]
    more = [kernel(f"k{n}", f"Op{n}", (), [200_000] * 5) for n in range(40)]
    found = diff(case(many, STEADY), case(more, slower(4 * MS)))
    assert found.is_told
    assert dearest(found) is None


def test_what_runs_outside_of_kernels_can_be_what_explains_most() -> None:
    found = diff(case([CONV, DENSE], STEADY), case([CONV, DENSE], slower(4 * MS)))
    first = dearest(found)
    assert first is not None
    assert first.name == OUTSIDE
    assert first.explains == pytest.approx(1.0)


@pytest.mark.parametrize("cut_ns", [3 * MS, 5 * MS])
def test_what_runs_outside_explains_nothing_that_rounding_of_kernels_could_be(cut_ns: int) -> None:
    found = diff(case([CONV, DENSE], STEADY), case([CONV, DENSE], slower(4 * MS), rounding_ns=cut_ns))
    outside = next(change for change in found.changes if change.name == OUTSIDE)
    assert outside.change.estimate == 4 * MS
    assert outside.is_told is (cut_ns < 4 * MS)
    assert (dearest(found) is None) is (cut_ns > 4 * MS)


def test_what_medians_leave_over_is_a_line_of_its_own_and_is_never_named() -> None:
    names = ("Conv", "Gemm", "Relu", "Add", "Mul")

    def kernels(more: int) -> list[Kernel]:
        """Each is slower in another one of the five repetitions."""
        times = [[2 * MS + (more if number == place else 0) for number in range(5)] for place in range(5)]
        return [kernel(name, name, (), one) for name, one in zip(names, times, strict=True)]

    found = diff(case(kernels(MS), slower(3 * MS)), case(kernels(0), slower(2 * MS + MS // 10)))
    lines = {one.name: one for one in found.changes}
    assert found.is_told
    assert found.total.estimate == -0.9 * MS
    assert lines[OUTSIDE].change.estimate == 0.1 * MS  # by repetition: 2 ms and 2.1 ms
    assert lines[LEFT_OVER].change.estimate == -MS
    assert found.changes[-1].name == LEFT_OVER
    assert dearest(found) is None


def test_a_change_that_only_the_profiler_sees_is_no_change() -> None:
    b = case([CONV, TRANSPOSE, DENSE], slower(4 * MS), plain_ns=tuple(wall * 0.9 for wall in STEADY[::-1]))
    assert "latency without profile is not told apart" in diff(case([CONV, DENSE], STEADY), b).doubt
    other_way = case([CONV, TRANSPOSE, DENSE], slower(4 * MS), plain_ns=tuple(wall * 0.5 for wall in STEADY))
    assert "the other way" in diff(case([CONV, DENSE], STEADY), other_way).doubt
    unknown = case([CONV, TRANSPOSE, DENSE], slower(4 * MS), plain_ns=(None,) * 5)
    assert "no plain latency" in diff(case([CONV, DENSE], STEADY), unknown).doubt


def test_a_single_repetition_tells_nothing() -> None:
    a = case([kernel("conv", "Conv", (0,), [5])], [10])
    b = case([kernel("conv", "Conv", (0,), [50])], [100])
    assert "single repetition" in diff(a, b).doubt


@pytest.mark.parametrize(("repetitions", "level"), [(2, "50 %"), (3, "75 %"), (4, "87.5 %")])
def test_a_range_decides_nothing_and_five_pairs_do(repetitions: int, level: str) -> None:
    few = STEADY[:repetitions]
    conv, transpose = (kernel(name, name, (0,), [5 * MS] * repetitions) for name in ("Conv", "Transpose"))
    found = diff(case([conv], few), case([conv, transpose], slower(5 * MS, few)))
    assert not found.is_told
    assert found.doubt.startswith(f"a range ({level} over {repetitions} pairs of repetitions) decides nothing")
    assert dearest(found) is None
    assert not any(one.is_told for one in found.changes)
    assert diff(case([CONV], STEADY), case([CONV, TRANSPOSE], slower(5 * MS))).is_told


@pytest.mark.parametrize(("a", "b", "level"), [(3, 3, "90 %"), (5, 2, "90.48 %"), (2, 9, "92.73 %")])
def test_two_runs_decide_nothing_where_one_has_few_repetitions(a: int, b: int, level: str) -> None:
    def side(repetitions: int, by: int) -> ProfiledCase:
        walls = [10 * MS + by + step for step in range(repetitions)]
        return case([kernel("conv", "Conv", (0,), walls)], walls)

    found = diff(side(a, 0), side(b, 90 * MS), is_paired=False)
    assert found.doubt.startswith(f"a range ({level} over {min(a, b)} repetitions of a side) decides nothing")
    assert not any(one.is_told for one in found.changes)
    assert "a range" not in diff(side(5, 0), side(5, 90 * MS), is_paired=False).doubt


def test_pairs_see_through_what_hit_both_sides_and_apart_they_do_not() -> None:
    drift = [10 * MS, 20 * MS, 30 * MS, 40 * MS, 50 * MS]
    a, b = case([CONV], drift), case([CONV], slower(1 * MS, drift))
    assert diff(a, b).is_told
    assert not diff(a, b, is_paired=False).is_told


def test_one_line_of_many_that_only_jitters_is_not_told() -> None:
    jitter = kernel("dense", "Gemm", (3,), [2 * MS, 1 * MS, 3 * MS, 2 * MS, 1 * MS])
    found = diff(case([CONV, DENSE], STEADY), case([CONV, jitter, TRANSPOSE], slower(4 * MS)))
    told = {one.name: one.is_told for one in found.changes}
    assert told["Transpose relu1"]
    assert not told["Gemm dense"]


@given(
    st.lists(st.lists(st.integers(0, 10**8), min_size=3, max_size=3), min_size=1, max_size=4),
    st.lists(st.lists(st.integers(0, 10**8), min_size=3, max_size=3), min_size=1, max_size=4),
    st.lists(st.integers(1, 10**9), min_size=6, max_size=6),
    st.booleans(),
)
def test_all_lines_add_up_to_the_total_change(
    a: list[list[int]], b: list[list[int]], walls: list[int], is_paired: bool
) -> None:
    operators = ("Conv", "Gemm", "Relu", "Add")

    def kernels(times: list[list[int]]) -> list[Kernel]:
        return [kernel(f"k{n}", operators[n], (n,), one) for n, one in enumerate(times)]

    found = diff(case(kernels(a), walls[:3]), case(kernels(b), walls[3:]), is_paired=is_paired)
    assert sum(one.change.estimate for one in found.changes) == pytest.approx(found.total.estimate, abs=1e-3)
    assert sum(one.a_ns for one in found.changes) == pytest.approx(found.a_ns, abs=1e-3)
    assert sum(one.b_ns for one in found.changes) == pytest.approx(found.b_ns, abs=1e-3)


# --- matching ---------------------------------------------------------------------------------------------------------


def names(a: list[Kernel], b: list[Kernel]) -> dict[str, tuple[int, int]]:
    """Each line with how many kernels of either side are in it."""
    found = match_kernels(case(a, STEADY), case(b, STEADY))
    return {name: (len(ours), len(theirs)) for name, ours, theirs in found}


def test_kernels_of_one_layer_and_operator_are_one_line_whatever_they_are_called() -> None:
    renamed = kernel("conv_token_12", "Conv", (0,), [5] * 5)
    assert names([CONV], [renamed]) == {"Conv conv1": (1, 1)}


def test_what_is_fused_on_the_other_side_is_one_line() -> None:
    relu = kernel("relu", "Relu", (2,), [1] * 5)
    fused = kernel("both", "FusedConv", (0, 2), [5] * 5)
    assert names([CONV, relu, DENSE], [fused, DENSE]) == {
        "Gemm dense": (1, 1),
        "Conv, Relu -> FusedConv conv1 + relu1": (2, 1),
    }


def numbered(times: Sequence[int]) -> ProfiledCase:
    """Convolutions that take so many ms, named as Keras does; the more time, the more work."""
    layers = [
        LayerCost(name=f"conv2d_{n}".removesuffix("_0"), kind="Conv2D", multiply_adds=time * 10**6, weight_bytes=4)
        for n, time in enumerate(times)
    ]
    kernels = [kernel(one.name, "Conv", (n,), [times[n] * MS] * 5) for n, one in enumerate(layers)]
    return case(kernels, slower((sum(times) - 9) * MS), layers=tuple(layers))


def test_a_new_layer_that_moves_the_numbers_of_all_others_is_what_is_named() -> None:
    found = diff(numbered([8, 1]), numbered([2, 8, 1]))
    first = dearest(found)
    assert first is not None
    assert (first.name, first.presence, first.explains) == ("Conv conv2d", "only in B", 1.0)
    assert {one.name: one.change.estimate for one in found.changes[1:3]} == {
        "Conv conv2d (in B conv2d_1)": 0,
        "Conv conv2d_1 (in B conv2d_2)": 0,
    }


def test_a_layer_of_one_name_and_other_work_is_said_to_be_that() -> None:
    first = dearest(diff(numbered([8, 1]), numbered([8, 3])))
    assert first is not None
    assert first.name == "Conv conv2d_1 (other work in B)"


def test_two_new_kernels_of_one_layer_are_two_lines() -> None:
    pad, cast = kernel("p", "Pad", (0,), [1] * 5), kernel("c", "Cast", (0,), [1] * 5)
    assert names([CONV], [CONV, pad, cast]) == {"Conv conv1": (1, 1), "Pad conv1": (0, 1), "Cast conv1": (0, 1)}


def test_kernels_of_no_layer_are_one_line_an_operator() -> None:
    a, b, c = (kernel(f"reorder_{n}", "ReorderInput", (), [1] * 5) for n in range(3))
    assert names([a], [b, c]) == {"ReorderInput (no layer)": (1, 2)}


def put_in(after: Sequence[int], before: Sequence[int], operator: str = "ReorderOutput") -> Kernel:
    """A change of layout of no layer, between the layers at these places."""
    return kernel(f"{operator}_{after}", operator, (), [1] * 5, between=(tuple(after), tuple(before)))


def test_a_change_of_layout_is_named_by_the_layers_that_it_stands_between() -> None:
    first = put_in((), (0, 1))
    assert names([CONV, DENSE, first], [CONV, DENSE, first, put_in((0, 1), (3,)), put_in((3,), ())]) == {
        "Conv conv1": (1, 1),
        "Gemm dense": (1, 1),
        "ReorderOutput before conv1": (1, 1),
        "ReorderOutput between conv1_bn and dense": (0, 1),
        "ReorderOutput after dense": (0, 1),
    }


def test_a_change_of_layout_after_the_same_layer_is_one_line_whatever_comes_next() -> None:
    assert names([put_in((0,), (3,))], [put_in((0,), (2,))]) == {"ReorderOutput after conv1": (1, 1)}
    assert names([put_in((0,), (1,))], [put_in((2,), (3,))]) == {
        "ReorderOutput between conv1 and conv1_bn": (1, 0),
        "ReorderOutput between relu1 and dense": (0, 1),
    }


def test_where_one_of_an_operator_tells_no_place_all_of_it_are_one_line() -> None:
    assert names([put_in((0,), (3,))], [put_in((), ()), put_in((0,), (2,))]) == {"ReorderOutput (no layer)": (1, 2)}
    assert names([put_in((0,), (0,), "Cast")], [put_in((), ())]) == {
        "Cast within conv1": (1, 0),
        "ReorderOutput (no layer)": (0, 1),
    }
