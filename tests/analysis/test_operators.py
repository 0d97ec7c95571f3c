from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.operators import (
    OUTSIDE,
    costs_of,
    kinds_of,
    lines_of,
    main_layer,
    profiling_cost,
    short_name,
    unclaimed,
)
from bench.analysis.profile_times import typical
from bench.analysis.profiled import Reply, join_kernels
from bench.records import LayerCost, Operator, Profiled
from profile_fakes import CONV, LAYERS, MS, NORM, RELU, case, kernel

FUSED = kernel("conv1+bn", "FusedConv", (0, 1, 2), [6 * MS] * 5)
DENSE_KERNEL = kernel("dense", "Gemm", (3,), [1 * MS] * 5)
REORDER = kernel("reorder_7", "ReorderInput", (), [1 * MS] * 5)


def test_lines_and_what_is_outside_of_kernels_add_up_to_the_wall_time() -> None:
    lines = {line.name: line for line in lines_of(case([FUSED, DENSE_KERNEL, REORDER], [10 * MS] * 5))}
    assert {name: line.time.estimate for name, line in lines.items()} == {
        "conv1 + conv1_bn + relu1": 6 * MS,
        "dense": 1 * MS,
        "layout (ReorderInput)": 1 * MS,
        OUTSIDE: 2 * MS,
    }


@given(
    st.lists(st.lists(st.integers(0, 10**9), min_size=5, max_size=5), min_size=1, max_size=4),
    st.lists(st.integers(1, 10**9), min_size=5, max_size=5),
)
def test_lines_add_up_whatever_jitters(times: list[list[int]], walls: list[int]) -> None:
    kernels = [kernel(f"k{place}", "Conv", (place,), one) for place, one in enumerate(times)]
    lines = lines_of(case(kernels, walls))
    spent = sum(sorted(one)[2] for one in times)
    assert sum(line.time.estimate for line in lines) == pytest.approx(max(spent, sorted(walls)[2]), abs=1e-3)
    for line in lines:
        assert line.time.low is not None
        assert line.time.high is not None
        assert line.time.low <= line.time.estimate <= line.time.high


def test_what_disturbs_another_kernel_in_each_call_is_theirs_and_not_outside_of_kernels() -> None:
    calls = 8  # each of two kernels takes 1 ms, and in every other call 2 ms
    first = tuple(MS * (1 + place % 2) for place in range(calls))
    second = tuple(MS * (2 - place % 2) for place in range(calls))
    kernels = [
        kernel("a", "Conv", [0], [0], time_ns=(first,)),
        kernel("b", "Gemm", [3], [0], time_ns=(second,)),
    ]
    walls = tuple(one + two for one, two in zip(first, second, strict=True))
    lines = lines_of(case(kernels, [0], calls_ns=(walls,)))
    assert {line.name: line.time.estimate for line in lines} == {"conv1": 1.5 * MS, "dense": 1.5 * MS, OUTSIDE: 0.0}


def test_a_call_that_was_disturbed_as_a_whole_is_none_of_the_usual_ones() -> None:
    times, walls = (MS, MS, MS, 90 * MS), (2 * MS, 2 * MS, 2 * MS, 99 * MS)
    lines = lines_of(case([kernel("a", "Conv", [0], [0], time_ns=(times,))], [0], calls_ns=(walls,)))
    assert {line.name: line.time.estimate for line in lines} == {"conv1": MS, OUTSIDE: MS}


def test_of_five_repetitions_the_bounds_are_the_least_and_the_greatest_at_93_75_percent() -> None:
    found = typical([3.0, 1.0, 2.0, 50.0, 4.0])
    assert (found.estimate, found.low, found.high, found.level) == (3.0, 1.0, 50.0, 0.9375)


def test_a_single_repetition_has_no_bounds() -> None:
    found = typical([3.0])
    assert (found.estimate, found.low, found.high, found.level) == (3.0, None, None, None)


def test_kernels_that_share_a_layer_through_others_are_one_line_and_those_that_do_not_are_two() -> None:
    chained = [kernel("a", "Conv", (0, 1), [1] * 5), kernel("b", "Add", (1, 2), [1] * 5), DENSE_KERNEL]
    names = {line.name for line in lines_of(case(chained, [10 * MS] * 5))}
    assert names == {"conv1 + conv1_bn + relu1", "dense", OUTSIDE}


def test_a_kernel_that_did_not_run_in_a_repetition_took_no_time_there() -> None:
    once = kernel("late", "Conv", (0,), [5] * 3, time_ns=((), (5, 5, 5), (5, 5, 5)))
    line = next(line for line in lines_of(case([once], [10] * 3)) if line.name == "conv1")
    assert line.by_repetition == (0.0, 5.0, 5.0)


def test_kernels_at_the_same_time_leave_no_line_of_the_rest_and_shares_are_of_their_sum() -> None:
    found = case([FUSED, DENSE_KERNEL], [5 * MS] * 5)
    lines = lines_of(found)
    assert not any(line.is_outside for line in lines)
    assert {kind.name: kind.time_share for kind in kinds_of(found, lines) if kind.time_share} == {
        "Conv2D 1x1": pytest.approx(6 / 7),
        "Dense": pytest.approx(1 / 7),
    }


def test_a_layer_may_be_called_as_the_rest_is() -> None:
    layer = LayerCost(name=OUTSIDE, kind="Conv2D", multiply_adds=10)
    lines = lines_of(case([kernel("c", "Conv", (0,), [8 * MS] * 5)], [10 * MS] * 5, layers=(layer,)))
    assert [(line.name, line.is_outside) for line in lines] == [(OUTSIDE, False), (OUTSIDE, True)]


def test_time_stands_beside_multiply_adds_and_parameters_by_kind() -> None:
    found = case([FUSED, DENSE_KERNEL, REORDER], [10 * MS] * 5)
    kinds = {kind.name: kind for kind in kinds_of(found, lines_of(found))}
    conv, dense, norm = kinds["Conv2D 1x1"], kinds["Dense"], kinds["BatchNormalization"]
    assert (conv.time_share, conv.multiply_adds_share, conv.parameters_share) == (0.6, 0.25, 0.3)
    assert (dense.time_share, dense.multiply_adds_share, dense.parameters_share) == (0.1, 0.75, 0.6)
    assert (norm.time_ns, norm.multiply_adds_share, norm.parameters_share) == (None, 0.0, 0.1)  # folded into the conv
    assert kinds["layout"].multiply_adds_share is None
    assert sum(kind.time_share or 0.0 for kind in kinds.values()) == pytest.approx(1.0)
    assert "ReLU" not in kinds  # it takes no time of its own and costs nothing


def test_with_a_layer_that_can_not_be_counted_no_share_of_multiply_adds_is_told() -> None:
    lstm = LayerCost(name="lstm", kind="LSTM", multiply_adds=None, parameters=1000)
    unknown = case([kernel("l", "LSTM", (1,), [9 * MS] * 5)], [20 * MS] * 5, layers=(CONV, lstm))
    kinds = {kind.name: kind for kind in kinds_of(unknown, lines_of(unknown))}
    assert [kinds[name].multiply_adds_share for name in ("LSTM", "Conv2D 1x1", OUTSIDE)] == [None, None, None]
    assert kinds["LSTM"].parameters_share == pytest.approx(1000 / 1300)


@pytest.mark.parametrize(
    ("operator", "kind"),
    [
        *((name, "layout") for name in ("ReorderInput", "Transpose", "TRANSPOSE", "MemcpyFromHost", "Convert", "Cast")),
        *((name, "no layer") for name in ("ConvTranspose", "TRANSPOSE_CONV", "BroadcastTo", "Conv2DBackpropInput")),
        *((name, "no layer") for name in ("TransposeMatMul", "Input", "Conv")),
    ],
)
def test_layout_is_what_only_moves_or_converts(operator: str, kind: str) -> None:
    lines = lines_of(case([kernel("k", operator, (), [MS] * 5)], [2 * MS] * 5))
    assert f"{kind} ({operator})" in [line.name for line in lines]


def test_a_change_of_layout_stands_between_the_layers_around_it_and_takes_none_of_their_time() -> None:
    kernels = [
        FUSED,
        DENSE_KERNEL,
        kernel("r", "ReorderOutput", (), [2 * MS] * 5, between=((0, 1, 2), (3,))),
        kernel("r_1", "ReorderOutput", (), [1 * MS] * 5, between=((3,), ())),
        kernel("r_2", "ReorderInput", (), [1 * MS] * 5, between=((), (0, 1, 2))),
        kernel("r_3", "ReorderInput", (), [1 * MS] * 5),
    ]
    lines = {line.name: line.time.estimate / MS for line in lines_of(case(kernels, [20 * MS] * 5))}
    assert lines == {
        "conv1 + conv1_bn + relu1": 6,
        "dense": 1,
        "layout (ReorderOutput) between relu1 and dense": 2,
        "layout (ReorderOutput) after dense": 1,
        "layout (ReorderInput) before conv1": 1,
        "layout (ReorderInput)": 1,
        OUTSIDE: 8,
    }


def test_only_a_kernel_of_no_layer_is_between_layers() -> None:
    told = [
        Operator(name="turn", operator="Transpose", provider="p", origins=("t",), between=((), ("c",)), time_ns=(1,)),
        Operator(name="conv", operator="Conv", provider="p", origins=("c",), between=(("t",), ()), time_ns=(1,)),
    ]
    reply = Reply(repetition=0, profiled=Profiled(parts=(), calls=1, operators=tuple(told), calls_ns=(3,)), plain_ns=3)
    turn, conv = join_kernels([reply], {("c",): (0, 1)})
    assert (turn.layers, turn.between) == ((), ((), (0, 1)))
    assert (conv.layers, conv.between) == ((0, 1), ((), ()))


def test_without_layers_the_operators_are_the_lines() -> None:
    loose = case([kernel("c", "Conv", (), [4] * 5), kernel("d", "Conv", (), [2] * 5)], [10] * 5, layers=())
    assert {line.name: line.time.estimate for line in lines_of(loose)} == {"no layer (Conv)": 6, OUTSIDE: 4}


def test_what_a_layer_gives_to_the_next_of_its_group_moves_nowhere() -> None:
    both = costs_of((0, 1, 2), LAYERS, 1)
    assert both.traffic_bytes == 1000 + 500 + 400
    assert costs_of((1,), LAYERS, 1).traffic_bytes == 1000
    assert (both.multiply_adds, both.parameters) == (1_000_000, 400)


def test_traffic_is_a_lower_bound_whoever_reads_whose_result() -> None:
    def layer(name: str, reads: int, writes: int) -> LayerCost:
        return LayerCost(name=name, kind="Add", multiply_adds=0, input_bytes=reads, output_bytes=writes)

    swish = (CONV, layer("sigmoid", 500, 500), layer("multiply", 1000, 500))  # the product reads both results within
    apart = (layer("a", 1000, 400), layer("b", 1000, 400))  # may read the same
    concatenated = (layer("first", 100, 50), layer("joined", 5050, 5050))  # reads 5000 that no other wrote
    assert costs_of((0, 1, 2), swish, 1).traffic_bytes == 1000 + 500 + 400
    assert costs_of((0, 1), apart, 1).traffic_bytes == 1000 + 400
    assert costs_of((0, 1), concatenated, 1).traffic_bytes == 5000 + 5050


def test_weights_are_read_once_whatever_the_batch_and_the_calls() -> None:
    add = LayerCost(name="add", kind="Add", multiply_adds=0, input_bytes=1000, output_bytes=500)
    assert costs_of((0, 1), (CONV, CONV), 1).traffic_bytes == 1000 + 500 + 400
    assert costs_of((0, 1), (CONV, add), 4).traffic_bytes == 4 * (1000 + 500) + 400
    assert costs_of((0, 1), (CONV, add), 4).multiply_adds == 4_000_000


def test_what_can_not_be_counted_is_unknown_and_never_nothing() -> None:
    odd = LayerCost(name="odd", kind="Lambda", input_bytes=None, output_bytes=4)
    found = costs_of((0, 1), (CONV, odd), 1)
    assert (found.multiply_adds, found.traffic_bytes) == (None, None)


def test_layers_without_a_kernel_are_named_and_a_line_by_its_dearest_layer() -> None:
    found = case([DENSE_KERNEL, FUSED], [10 * MS] * 5)
    lines = lines_of(found)
    assert unclaimed(found, lines) == []
    assert unclaimed(case([DENSE_KERNEL], [10 * MS] * 5), lines_of(case([DENSE_KERNEL], [10 * MS] * 5))) == [
        CONV,
        NORM,
        RELU,
    ]
    assert main_layer(found, next(line for line in lines if len(line.layers) == 3)) == "conv1"


def test_what_profiling_costs_is_told_where_something_was_timed_without() -> None:
    assert profiling_cost(case([FUSED], [10 * MS] * 5)) == pytest.approx(1 / 0.9)
    assert profiling_cost(case([FUSED], [10 * MS] * 5, plain_ns=(None,) * 5)) is None


def test_many_layers_have_a_short_name() -> None:
    assert short_name(["a", "b"]) == "a + b"
    assert short_name(["a", "b", "c", "d", "e"]) == "a + 3 more + e"


def test_replies_are_joined_by_name_with_their_owners() -> None:
    def reply(number: int, *names: str) -> Reply:
        operators = tuple(
            Operator(name=name, operator="Conv", provider="p", origins=(name,), time_ns=(number,)) for name in names
        )
        profiled = Profiled(parts=(), calls=1, operators=operators, calls_ns=(10,))
        return Reply(repetition=number, profiled=profiled, plain_ns=9.0)

    a, b = join_kernels([reply(1, "a"), reply(2, "a", "b")], {("a",): (2, 0)})
    assert (a.name, a.layers, a.time_ns) == ("a", (0, 2), ((1,), (2,)))
    assert (b.name, b.layers, b.time_ns) == ("b", (), ((), (2,)))
