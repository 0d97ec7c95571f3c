from __future__ import annotations

from analysis_fakes import died, measured, opened
from bench.analysis.outcome import repetition_status, status_of

ROUNDS = [[10], [10]]


def test_a_case_is_ok_only_if_every_repetition_is() -> None:
    whole = [measured("c", repetition, ROUNDS) for repetition in range(3)]
    assert status_of(whole, 3) == ("ok", "")
    assert status_of([*whole[:2], died("c", 2)], 3)[0] == "crashed"


def test_a_worker_that_died_once_tells_when_and_how_many_measured() -> None:
    tries = [measured("c", n, ROUNDS) if n != 1 else died("c", n) for n in range(5)]
    assert status_of(tries, 5) == ("crashed", "in repetition 2 of 5; 4 measured: it died of SIGKILL")


def test_several_deaths_are_listed_and_the_worst_decides() -> None:
    tries = [measured("c", 0, ROUNDS), died("c", 1), died("c", 2, "timeout", "no reply"), died("c", 3), died("c", 4)]
    assert status_of(tries, 5) == ("crashed", "in repetitions 2, 4 and 5 of 5; 1 measured: it died of SIGKILL")


def test_a_case_that_never_measured_gives_its_reason_alone() -> None:
    tries = [died("c", n, "unavailable", "CUDAExecutionProvider is not in this build") for n in range(2)]
    assert status_of(tries, 5) == ("unavailable", "CUDAExecutionProvider is not in this build")


def test_a_case_that_no_repetition_has_was_skipped() -> None:
    assert status_of([], 5) == ("skipped", "not measured: the run ended before its turn")


def test_a_session_that_ran_elsewhere_in_part_is_partial_with_its_share() -> None:
    info = opened(status="partial", node_share=0.4, provider="CUDAExecutionProvider")
    tries = [measured("c", n, ROUNDS, opened=info) for n in range(2)]
    assert repetition_status(tries[0]) == "partial"
    assert status_of(tries, 2) == (
        "partial",
        "40% of the graph's nodes on CUDAExecutionProvider, the rest elsewhere",
    )
    assert status_of([tries[0], died("c", 1)], 2)[0] == "crashed"
