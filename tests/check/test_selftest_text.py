"""The self-test's table, and what its numbers of trials show."""

from __future__ import annotations

from bench.check.selftest_counts import count_rows
from bench.check.selftest_text import HEADER, cells, conclusion, demonstrated, plant_text, subject
from selftest_fakes import IDENTITY, honest, key, plant, trial, trials_of


def test_a_line_of_the_table() -> None:
    same, nodes = count_rows(trials_of(honest, {"same": 300, "nodes": 60}))
    assert cells(nodes) == (
        "extra nodes +5%", "quiet", "60", "60 of 60", "94% to 100%", "0", "0", "0", "+6.0%", "5.0", "4.0",
    )  # fmt: skip
    assert cells(same)[2:8] == ("300", "0 of 300", "0% to 1.22%", "300", "0", "0")
    assert len(cells(same)) == len(HEADER)


def test_it_says_what_the_trials_show_and_how_many_would_show_the_promise() -> None:
    many = count_rows(trials_of(honest, {"same": 300, "nodes": 60, "wrong": 3}))
    assert demonstrated(many, alpha=0.01, beta=0.05) == [
        "identical, quiet: 0 of 300 accused: the rate is below 1.22%, one-sided below 0.994%",
        "extra nodes +5%, quiet: 60 of 60 caught: the power is above 94%, one-sided above 95.1%",
    ]
    few = count_rows([trial(key("same")), trial(key("busy"), "REGRESSED")])
    assert demonstrated(few, alpha=0.01, beta=0.05) == [
        "identical, quiet: 0 of 1 accused: the rate is below 97.5%, one-sided below 95%; "
        "299 without an error would show one below 1%",
        "busy wait +5%, quiet: 1 of 1 caught: the power is above 2.5%, one-sided above 5%; "
        "59 without an error would show one above 95%",
    ]


def test_a_plant_is_told_with_its_measured_effect() -> None:
    assert plant_text(plant()) == (
        "extra nodes +5%: 9 nodes, 5.9% of the multiply-adds; measured +6.10% (+5.70% to +6.60%, 95%, 16 pairs)"
    )


def test_the_subject_is_one_line() -> None:
    assert subject(IDENTITY) == (
        "net on onnxruntime-cpu 1.32.0, 1 thread; delta 5%, alpha 1%, at most 16 pairs; Invented CPU, 2 CPUs"
    )


def test_the_last_line_is_the_verdict() -> None:
    assert conclusion([], 0)[-1].startswith("SELF-TEST PASSED")
    assert conclusion([], 5)[-1].startswith("SELF-TEST INCOMPLETE")
    assert conclusion(["fires falsely"], 4) == [
        "- fires falsely",
        "SELF-TEST FAILED: this gate is not to be believed here",
    ]
