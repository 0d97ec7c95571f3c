from __future__ import annotations

import io
import threading

import pytest

from bench.progress import Estimate, PlainProgress, TerminalProgress, choose_progress, spell_seconds


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_time_left_is_the_pace_so_far() -> None:
    clock = Seconds()
    estimate = Estimate(clock)
    assert estimate.left_s() is None
    estimate.start(10)
    assert estimate.left_s() is None
    clock.now = 8
    estimate.advance(4)
    assert estimate.left_s() == 12
    assert estimate.text() == "4/10, about 12 s left"


def test_more_than_everything_is_everything() -> None:
    clock = Seconds()
    estimate = Estimate(clock)
    estimate.start(2)
    clock.now = 1
    estimate.advance(5)
    assert estimate.left_s() == 0
    assert estimate.text() == "2/2"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (89, "89 s"), (95, "2 min"), (600, "10 min"), (9000, "2.5 h")]
)
def test_seconds_in_words(seconds: float, text: str) -> None:
    assert spell_seconds(seconds) == text


def test_each_finished_unit_is_a_line_where_that_is_asked_for() -> None:
    clock, stream = Seconds(), io.StringIO()
    progress = PlainProgress(stream, every_s=5, each_unit=True, clock=clock)
    progress.start(3)
    for number in (1, 2, 3):
        progress.advance(0, "working")
        progress.advance(1, f"pair {number}")
    lines = [line for line in stream.getvalue().splitlines() if "pair" in line]
    assert [line.split(",")[0] for line in lines] == ["bench: pair 1", "bench: pair 2", "bench: pair 3"]
    assert stream.getvalue().count("working") == 1


def test_lines_for_a_log_come_at_most_every_few_seconds() -> None:
    clock, stream = Seconds(), io.StringIO()
    progress = PlainProgress(stream, every_s=5, clock=clock)
    progress.stage("preparing net")
    progress.start(4)
    progress.stage("net, batch 1: repetition 1")
    for moment in (1.0, 2.0, 6.0, 7.0, 12.0):
        clock.now = moment
        progress.advance(0.5, "onnxruntime-cpu")
    progress.done()
    assert stream.getvalue().splitlines() == [
        "bench: preparing net",
        "bench: net, batch 1: repetition 1, onnxruntime-cpu, 1.5/4, about 10 s left",
        "bench: net, batch 1: repetition 1, onnxruntime-cpu, 2.5/4, about 7 s left",
    ]


def test_a_note_is_always_a_line() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream, clock=Seconds())
    progress.note("waiting for another run")
    progress.note("it is over")
    assert stream.getvalue() == "bench: waiting for another run\nbench: it is over\n"


def test_a_terminal_gets_a_bar_and_anything_else_lines() -> None:
    assert isinstance(choose_progress(Terminal()), TerminalProgress)
    assert isinstance(choose_progress(io.StringIO()), PlainProgress)


def test_a_bar_is_drawn_only_when_called() -> None:
    before, stream = threading.active_count(), Terminal()
    progress = TerminalProgress(stream, clock=Seconds())
    progress.stage("preparing [net]")
    progress.start(2)
    progress.advance(1, "onnxruntime-cpu")
    assert threading.active_count() == before
    drawn = len(stream.getvalue())
    assert "preparing [net]" in stream.getvalue()
    assert "1/2" in stream.getvalue()
    progress.note("one [line]")
    assert "bench: one [line]" in stream.getvalue()
    progress.done()
    progress.done()
    progress.start(1)
    progress.done()
    assert len(stream.getvalue()) > drawn
