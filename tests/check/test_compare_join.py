from __future__ import annotations

import pytest

from compare_fakes import compared, only, ort, standings, tf


def test_another_version_of_the_runtime_is_the_same_case() -> None:
    before, after = ort(runtime_spec="onnxruntime-cpu@1.30.0", runtime_version="1.30.0"), ort()
    one = only(compared([before], [after]))
    assert (one.standing, one.case) == ("same", "net | onnxruntime-cpu | batch 1 | threads 2")
    assert [(d.field, d.reference, d.other) for d in one.differences] == [("runtime_version", "1.30.0", "1.32.0")]


def test_two_versions_side_by_side_are_two_cases_and_meet_by_version() -> None:
    old = ort(case_id="old", runtime_spec="onnxruntime-cpu@1.30.0", runtime_version="1.30.0")
    new = ort(case_id="new", runtime_spec="onnxruntime-cpu@1.32.0", latency_ns_best=4e6)
    comparison = compared([old, new], [new, old])
    assert standings(comparison) == {"B onnxruntime-cpu@1.30.0": "same", "B onnxruntime-cpu@1.32.0": "same"}
    assert {one.changes[0].ratio for one in comparison.cases} == {1.0}
    assert standings(compared([ort()], [old, new])) == {
        "B onnxruntime-cpu@1.32.0": "same",  # nobody asked for it by version, and it is that one
        "B onnxruntime-cpu@1.30.0": "new",
    }


def test_labels_and_options_tell_cases_apart() -> None:
    a = ort(case_id="a", runtime_spec="onnxruntime-cpu#a", label="a")
    b = ort(case_id="b", runtime_spec="onnxruntime-cpu:arena=off#b", label="b", latency_ns_best=4e6)
    comparison = compared([a, b], [b, a])
    assert standings(comparison) == {"B onnxruntime-cpu#a": "same", "B onnxruntime-cpu:arena=off#b": "same"}
    assert {one.changes[0].ratio for one in comparison.cases} == {1.0}
    renamed = compared([a], [ort(runtime_spec="onnxruntime-cpu#z", label="z")])
    assert standings(renamed) == {"B onnxruntime-cpu#a": "gone", "B onnxruntime-cpu#z": "new"}


def test_a_case_with_other_options_is_joined_where_nothing_else_can_be_meant() -> None:
    before = ort(runtime_spec="onnxruntime-cpu:arena=on")
    after = ort(runtime_spec="onnxruntime-cpu:arena=off", runtime_options="arena=off")
    assert standings(compared([before], [after])) == {"B onnxruntime-cpu:arena=on": "same"}
    two = [after, ort(case_id="third", runtime_spec="onnxruntime-cpu:optimization=basic")]
    assert sorted(standings(compared([before], two)).values()) == ["gone", "new", "new"]


@pytest.mark.parametrize(("threads", "joined"), [((1,), 1), ((1, 4), 0)])
def test_another_number_of_threads_is_joined_unless_there_are_two(threads: tuple[int, ...], joined: int) -> None:
    comparison = compared([ort()], [ort(case_id=str(n), threads=n) for n in threads])
    assert sum(one.standing == "same" for one in comparison.cases) == joined
    assert comparison.exit_code == 5


def test_each_batch_meets_its_own_batch_on_another_number_of_threads() -> None:
    ours = [ort(case_id=f"a{n}", batch_size=n, latency_ns_best=n * 1e6) for n in (1, 8)]
    theirs = [ort(case_id=f"b{n}", batch_size=n, threads=1, latency_ns_best=n * 2e6) for n in (8, 1)]
    assert [one.changes[0].ratio for one in compared(ours, theirs).cases] == [2.0, 2.0]


def test_a_case_on_both_sides_is_never_given_to_a_neighbour() -> None:
    comparison = compared([ort()], [ort(), ort(case_id="more", threads=1)])
    assert [(one.standing, len(one.differences)) for one in comparison.cases] == [("same", 0), ("new", 0)]


def test_names_that_only_look_alike_are_two_cases() -> None:
    ours = [tf(model="a | b"), tf(case_id="2", model="a", label="b")]
    assert len({(one.case, one.group, one.runtime) for one in compared(ours, ours).cases}) == 2


def test_callers_at_the_same_time_are_other_cases_and_meet_by_their_number() -> None:
    ours = [ort(case_id=str(n), streams=n, latency_ns_best=n * 1e6) for n in (1, 4)]
    comparison = compared(ours, ours[::-1])
    assert [(one.case.rpartition(" | ")[2], one.group, one.changes[0].ratio) for one in comparison.cases] == [
        ("threads 2", "net, batch 1, 2 threads", 1.0),
        ("streams 4", "net, batch 1, 2 threads, 4 streams", 1.0),
    ]
    one = only(compared(ours[:1], ours[1:]))
    assert (one.standing, one.is_comparable, one.differences[0].field) == ("same", False, "streams")


@pytest.mark.parametrize(("field", "value"), [("precision", "int8"), ("boundary", "device")])
def test_what_was_asked_for_as_an_option_is_never_paired_with_what_was_not(field: str, value: str) -> None:
    plain = ort()
    other = ort(case_id="other", runtime_spec=f"onnxruntime-cpu:{field}={value}", **{field: value})
    assert sorted(standings(compared([plain], [other])).values()) == ["gone", "new"]
    both = compared([plain, other], [other, plain])
    assert standings(both) == {"B onnxruntime-cpu": "same", f"B onnxruntime-cpu:{field}={value}": "same"}
    assert [one.differences for one in both.cases] == [(), ()]


def test_precisions_share_a_heading_and_other_boundaries_do_not() -> None:
    rows = [
        ort(),
        ort(case_id="8", runtime_spec="onnxruntime-cpu:precision=int8", precision="int8"),
        ort(case_id="d", runtime_spec="onnxruntime-cpu:boundary=device", boundary="device"),
    ]
    assert [one.group for one in compared(rows, rows).cases] == [
        "net, batch 1, 2 threads",
        "net, batch 1, 2 threads",
        "net, batch 1, 2 threads, device boundary",
    ]
