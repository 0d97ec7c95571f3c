from __future__ import annotations

import msgspec
import pytest

from analysis_fakes import AGREES, measured, together, turn, warmup
from bench.analysis import doubts
from bench.analysis.statistics import Interval
from bench.analysis.timing import Speed, summarise_speed
from bench.records import CaseRepetition, Caution, OutputCheck
from fakes import case

MS = 1_000_000
TIMED = Speed(latency_ns_p50=1.0, processes=5)
QUIET = [[10 * MS] * 3] * 40  # 120 calls a repetition


def cautions(repetitions: list[CaseRepetition], disturbed: int = 0) -> dict[str, str]:
    groups = [together(one.repetition, one, disturbed=disturbed) for one in repetitions]
    found = doubts.timing_cautions(case(), repetitions, groups, summarise_speed(repetitions, 1))
    return {caution.code: caution.text for caution in found}


def quiet(n: int = 5) -> list[CaseRepetition]:
    return [measured("c", repetition, QUIET) for repetition in range(n)]


def test_a_long_quiet_run_has_no_caution() -> None:
    assert cautions(quiet()) == {}


def test_nothing_measured_has_no_doubt_about_numbers() -> None:
    assert cautions([]) == {}
    assert doubts.agreement_cautions(Speed(), None) == []
    assert doubts.ratio_cautions(Speed(), None, "tensorflow") == []
    assert doubts.interrupted_cautions(Speed(), 1, 5) == []


def test_percentiles_without_enough_calls_are_named_with_what_they_need() -> None:
    text = cautions([measured("c", n, [[10 * MS] * 3] * 7) for n in range(5)])["few samples"]
    assert text == "p99 needs 500 calls, there are 105: see --tail and -r"
    few = cautions([measured("c", n, [[10 * MS]]) for n in range(5)])["few samples"]
    assert few.startswith("p90 needs 50, p95 needs 100, p99 needs 500 calls, there are 5")


def test_warm_up_that_ran_into_its_bound_is_told() -> None:
    cold = measured("c", 0, QUIET, turns=[warmup(steady=False), *(turn(i, [10 * MS] * 3) for i in range(200))])
    assert "in 1 of 5 repetitions" in cautions([cold, *quiet()[1:]])["not warmed up"]


def test_steady_warm_up_topped_up_for_the_others_is_fine() -> None:
    turns = [warmup(), warmup(steady=None), *(turn(i, [10 * MS] * 3) for i in range(40))]
    assert cautions([msgspec.structs.replace(one, turns=turns) for one in quiet()]) == {}


@pytest.mark.parametrize(("disturbed", "told"), [(4, False), (5, True)])
def test_more_than_a_tenth_of_disturbed_rounds_is_contended(disturbed: int, told: bool) -> None:
    assert ("contended" in cautions(quiet(), disturbed)) is told


def test_the_share_of_disturbed_rounds_is_told() -> None:
    assert "busy in 100 of 200 rounds" in cautions(quiet(), 20)["contended"]


@pytest.mark.parametrize(("switches", "share"), [(0, "0%"), (1, "33%"), (9, "100%")])
def test_preempted_calls_explain_contention(switches: int, share: str) -> None:
    turns = [warmup(), *(turn(i, [10 * MS] * 3, involuntary_switches=switches) for i in range(40))]
    found = cautions([msgspec.structs.replace(one, turns=turns) for one in quiet()], 20)
    assert f"up to {share} of timed calls were preempted" in found["contended"]


def test_preempted_calls_alone_accuse_nobody_since_a_runtimes_own_threads_do_it_too() -> None:
    turns = [warmup(), *(turn(i, [10 * MS] * 3, involuntary_switches=9) for i in range(40))]
    assert cautions([msgspec.structs.replace(one, turns=turns) for one in quiet()]) == {}


@pytest.mark.parametrize(("cpu_ns", "told"), [(10 * MS, False), (int(10.4 * MS), False), (11 * MS, True)])
def test_more_cpu_than_threads_asked_for_is_told(cpu_ns: int, told: bool) -> None:
    turns = [warmup(), *(turn(i, [10 * MS], cpu_ns=cpu_ns, wall_ns=10 * MS) for i in range(120))]
    found = cautions([msgspec.structs.replace(one, turns=turns) for one in quiet()])
    assert ("more threads" in found) is told
    if told:
        assert found["more threads"] == "kept 1.10 CPUs busy while timed, 1 asked for"


@pytest.mark.parametrize(("latency", "told"), [(5_999, True), (6_000, False)])
def test_calls_shorter_than_a_hundred_timer_reads_are_told(latency: int, told: bool) -> None:
    found = cautions([measured("c", n, [[latency] * 3] * 40) for n in range(5)])
    assert ("timer overhead" in found) is told


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (1, "one repetition has no bounds: nothing says how it would repeat"),
        (3, "over 3 repetitions the bounds are a range (75%), not an interval"),
        (4, "over 4 repetitions the bounds are a range (87.5%), not an interval"),
        (5, None),
        (8, None),
    ],
)
def test_few_repetitions_give_a_range_and_not_an_interval(n: int, text: str | None) -> None:
    assert cautions(quiet(n)).get("few repetitions") == text


@pytest.mark.parametrize(
    ("check", "code"),
    [
        (AGREES, None),
        (None, "unverified"),
        (OutputCheck(output="y", verdict="unchecked", reason=""), "unverified"),
        (OutputCheck(output="y", verdict="vacuous", reason=""), "vacuous"),
        (OutputCheck(output="y", verdict="disagrees", reason=""), "disagrees"),
    ],
)
def test_a_timed_row_without_agreement_is_marked_as_one_that_cannot_win(
    check: OutputCheck | None, code: str | None
) -> None:
    found = doubts.agreement_cautions(TIMED, check)
    assert [caution.code for caution in found] == ([] if code is None else [code])
    assert all(caution.text.endswith("cannot win") for caution in found)


def test_a_missing_ratio_and_one_over_fewer_repetitions_are_told() -> None:
    ratio = Interval(estimate=0.5, low=0.4, high=0.6, level=0.875, n=4)
    [none] = doubts.ratio_cautions(TIMED, None, "tensorflow")
    [fewer] = doubts.ratio_cautions(TIMED, ratio, "tensorflow")
    assert (none.code, fewer.code) == ("no ratio", "few pairs")
    assert fewer.text == "the ratio rests on 4 of 5 repetitions, the others lack tensorflow"
    assert doubts.ratio_cautions(TIMED, msgspec.structs.replace(ratio, n=5), "tensorflow") == []
    assert doubts.ratio_cautions(TIMED, None, None) == []


def test_an_interrupted_run_is_told_by_what_is_missing() -> None:
    [caution] = doubts.interrupted_cautions(TIMED, 2, 5)
    assert caution.text.startswith("2 of 5 repetitions were measured")
    assert doubts.interrupted_cautions(TIMED, 5, 5) == doubts.interrupted_cautions(TIMED, 2, None) == []


@pytest.mark.parametrize(
    ("ratio", "best", "p50", "told"),
    [
        (0.89, 11.0, 12.0, "best and p50 point the other way than speed"),
        (1.12, 11.0, 9.0, "p50 points the other way than speed"),
        (0.89, 9.0, 9.0, None),
        (1.001, 9.0, 9.0, None),
        (0.89, 10.01, 10.0, None),
        (None, 11.0, 12.0, None),
    ],
)
def test_medians_that_contradict_the_ratio_are_explained(
    ratio: float | None, best: float, p50: float, told: str | None
) -> None:
    ours, theirs = Speed(latency_ns_best=best, latency_ns_p50=p50), Speed(latency_ns_best=10.0, latency_ns_p50=10.0)
    found = doubts.direction_cautions(ratio, ours, theirs)
    assert [caution.text.partition(":")[0] for caution in found] == [told] * (told is not None)


@pytest.mark.parametrize(("cpus", "told"), [(1, None), (None, None), (0, "1 asked for, 0 CPUs may be used")])
def test_more_threads_than_cpus_are_told(cpus: int | None, told: str | None) -> None:
    found = doubts.thread_cautions(case(), TIMED, cpus)
    assert [caution.text for caution in found] == [told] * (told is not None)
    assert doubts.thread_cautions(case(), Speed(), 0) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ("predict", "concrete function", "predict includes Keras's call overhead, the reference (concrete function)"),
        ("eager call", "InferenceSession.run", "eager call includes Keras's call overhead, the reference"),
        ("InferenceSession.run", "predict", "the reference (predict) includes Keras's call overhead"),
        ("SavedModel signature", "concrete function", None),
        ("predict", "eager call", None),
        (None, "predict", None),
    ],
)
def test_only_one_side_called_through_keras_is_told(ours: str | None, theirs: str | None, told: str | None) -> None:
    found = doubts.call_path_cautions(ours, theirs)
    assert [caution.text.startswith(told or "") for caution in found] == [True] * (told is not None)
    assert all(caution.text.endswith("compare runtimes by path=function") for caution in found)


def test_cautions_are_joined_in_order_and_each_is_told_once() -> None:
    a, b = Caution(code="a", text="first."), Caution(code="b", text="second")
    assert doubts.joined([a, b, a]) == "a: first; b: second"
    assert doubts.joined([Caution(code="c", text="one; two")]) == "c: one, two"
    assert doubts.joined([]) == ""


def of_callers(latency: int, throughput: float, cpu: float = 1.0, streams: int = 2) -> dict[str, str]:
    speed = Speed(
        latency_ns_p50=latency, throughput_items_per_s=throughput, cpu_per_wall=cpu, calls=1000, interval_level=0.95,
        latency_ns_p90=latency, latency_ns_p95=latency, latency_ns_p99=latency,
    )  # fmt: skip
    asked = msgspec.structs.replace(case(), streams=streams)
    return {one.code: one.text for one in doubts.timing_cautions(asked, quiet(1), [], speed)}


@pytest.mark.parametrize(("cpu", "told"), [(2.0, None), (2.2, "2 callers with 1 each")])
def test_callers_may_keep_a_cpu_busy_for_each_of_their_threads(cpu: float, told: str | None) -> None:
    text = of_callers(10 * MS, 200, cpu).get("more threads")
    assert text == (told and f"kept 2.20 CPUs busy while timed, {told} asked for")


def test_callers_and_their_threads_beyond_the_cpus_are_told() -> None:
    two = msgspec.structs.replace(case(), streams=2)
    assert doubts.thread_cautions(two, TIMED, 2) == []
    (caution,) = doubts.thread_cautions(two, TIMED, 1)
    assert caution.text == "2 callers with 1 each asked for, 1 CPU may be used"


def test_callers_of_whom_some_wait_are_told_where_the_median_call_hides_it() -> None:
    assert "uneven callers" not in of_callers(10 * MS, 200)  # 2 callers, 10 ms a call
    assert "uneven callers" not in of_callers(20 * MS, 100)  # a lock that is fair: each call waits, and shows it
    assert "20 ms, half of them took less than 10 ms" in of_callers(10 * MS, 100)["uneven callers"]
    assert "uneven callers" not in of_callers(10 * MS, 100, streams=1)


@pytest.mark.parametrize(("latency", "streams", "told"), [(90_000, 2, True), (110_000, 2, False), (90_000, 1, False)])
def test_short_calls_by_pythons_threads_tell_of_its_lock(latency: int, streams: int, told: bool) -> None:
    assert ("short calls" in of_callers(latency, streams * 1e9 / latency, streams=streams)) is told


def test_what_several_callers_are_compared_by_is_named() -> None:
    ours, theirs = (Speed(latency_ns_best=best, latency_ns_p50=best) for best in (10.0, 20.0))
    (alone,) = doubts.direction_cautions(1.5, ours, theirs)
    (several,) = doubts.direction_cautions(1.5, ours, theirs, 2)
    assert "speed compares the fastest calls of the same round" in alone.text
    assert "speed compares wall time a call of the same round" in several.text
