"""How a run stands: what is said of a whole group."""

from __future__ import annotations

import msgspec

from analysis_fakes import AGREES, measured, together
from bench.cases import Group
from bench.records import Failure, MeasureSettings, Memory, ModelSpec, OutputCheck, PrepareSettings, Suite
from bench.standing import measuring_order, rows_of
from fakes import case

FAST, SLOW = case("onnxruntime-cpu"), case("tensorflow")
WRONG = msgspec.structs.replace(AGREES, verdict="disagrees", reason="far off", relative_error=0.5)


def suite() -> Suite:
    model = ModelSpec(text="m", kind="zoo", name="m", display="m")
    return Suite(
        models=(model,),
        runtimes=(FAST.runtime, SLOW.runtime),
        batch_sizes={"m": (1,)},
        threads=1,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
    )


def places(check_of_fast: OutputCheck, peak_of_fast: int = 100) -> list[bool | None]:
    """The Pareto marks of a case that takes half the time of the other, whose peak is 200 bytes."""
    done = [
        together(
            number,
            measured(
                FAST.case_id,
                number,
                [[10], [10]],
                checks=[check_of_fast],
                memory_peak=Memory(rss_bytes=1, private_bytes=1, peak_rss_bytes=peak_of_fast),
            ),
            measured(
                SLOW.case_id,
                number,
                [[20], [20]],
                memory_peak=Memory(rss_bytes=1, private_bytes=1, peak_rss_bytes=200),
            ),
        )
        for number in range(5)
    ]
    group = Group(number=done[0].group, model="m", cases=(FAST, SLOW), arms=())
    failure = Failure(status="failed", reason="not prepared")
    return [row.pareto for row in rows_of([group], done, suite(), {"m": failure}, cpus=2, finished=True)]


def test_rows_that_can_win_are_on_the_front_or_beaten() -> None:
    assert places(AGREES) == [True, False]
    assert places(AGREES, peak_of_fast=300) == [True, True]  # memory pays for the time


def test_a_row_that_cannot_win_beats_nobody_and_has_no_mark() -> None:
    assert places(WRONG) == [None, None]  # the other is in no contest


def test_a_grid_is_measured_pass_by_pass_each_in_an_order_of_its_own() -> None:
    groups = [Group(number=n, model="m", cases=(), arms=()) for n in range(6)]
    plain = [(g.number, r) for g, r in measuring_order(groups, suite())]
    assert plain == [(n, r) for n in range(6) for r in range(5)]
    passes = [(g.number, r) for g, r in measuring_order(groups, msgspec.structs.replace(suite(), is_grid=True))]
    assert [r for _, r in passes] == [r for r in range(5) for _ in range(6)]
    orders = [[n for n, of in passes if of == r] for r in range(5)]
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert len({tuple(order) for order in orders}) > 1
