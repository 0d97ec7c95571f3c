from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bench.analysis.agreement import merge_checks
from bench.measure.process import WorkerDiedError
from bench.measure.rounds import Arm, Repetition
from bench.records import ArrayFile, MeasureSettings, OutputCheck, Request, RoundPlan, WarmRequest
from fakes import FakeLauncher, FakeWatch, agreeing, case, open_request

ARMS = [Arm(case=case("tensorflow"), request=open_request()), Arm(case=case(), request=open_request())]
MS = 1_000_000


def steady(_name: str) -> Iterator[int]:
    return itertools.repeat(10 * MS)


def keep_last(_before: Sequence[OutputCheck], after: Sequence[OutputCheck]) -> list[OutputCheck]:
    return list(after)


def make(launcher: FakeLauncher, tmp_path: Path, **settings: object) -> Repetition:
    return Repetition(
        ARMS,
        launcher,
        MeasureSettings(**settings),  # type: ignore[arg-type]
        tmp_path,
        agreeing,
        keep_last,
        lambda _detail: None,
        FakeWatch,
    )


def test_every_case_takes_one_turn_in_every_round(tmp_path: Path) -> None:
    launcher = FakeLauncher(steady)
    result = make(launcher, tmp_path).run(0, 0, RoundPlan(rounds=10, calls=3))
    assert result.plan == RoundPlan(rounds=10, calls=3)
    for measured in result.cases:
        turns = [turn for turn in measured.turns if turn.kind == "turn"]
        assert [turn.round for turn in turns] == list(range(10))
        assert all(len(turn.latencies_ns) == 3 and turn.switch_ns is not None for turn in turns)
        assert measured.complete
        assert measured.status == "ok"


def test_the_order_within_rounds_varies_and_is_kept(tmp_path: Path) -> None:
    result = make(FakeLauncher(steady), tmp_path).run(0, 0, RoundPlan(rounds=20, calls=3))
    first = [turn.order for turn in result.cases[0].turns if turn.kind == "turn"]
    second = [turn.order for turn in result.cases[1].turns if turn.kind == "turn"]
    assert set(first) == {0, 1}
    assert [a + b for a, b in zip(first, second, strict=True)] == [1] * 20


def test_all_workers_are_open_before_the_first_is_warmed(tmp_path: Path) -> None:
    launcher = FakeLauncher(steady)
    make(launcher, tmp_path).run(0, 0, None)
    kinds = [kind for _, kind in launcher.log]
    assert kinds.index("warm") > len(kinds) - 1 - kinds[::-1].index("open")


def test_all_cases_get_the_same_number_of_warm_up_calls(tmp_path: Path) -> None:
    class Longer(FakeLauncher):
        def start(self, prefix: Path | None):  # type: ignore[no-untyped-def]
            worker = super().start(prefix)
            if worker.name == "worker1":
                ask = worker.ask

                def more(request: Request, limit_s: float):  # type: ignore[no-untyped-def]
                    if isinstance(request, WarmRequest) and request.calls is None:
                        request = WarmRequest(calls=30)
                    return ask(request, limit_s)

                worker.ask = more  # type: ignore[method-assign]
            return worker

    result = make(Longer(steady), tmp_path).run(0, 0, RoundPlan(rounds=1, calls=3))
    counts = [sum(len(t.latencies_ns) for t in c.turns if t.kind == "warmup") for c in result.cases]
    assert counts == [30, 30]


@pytest.mark.parametrize("request_kind", ["open", "first", "outputs", "warm", "turn"])
def test_a_worker_that_dies_is_told_and_the_others_go_on(tmp_path: Path, request_kind: str) -> None:
    launcher = FakeLauncher(steady, dies_at={0: request_kind})
    result = make(launcher, tmp_path).run(0, 3, RoundPlan(rounds=4, calls=3))
    by_status = {measured.status: measured for measured in result.cases}
    assert by_status["crashed"].reason == "the worker died of SIGKILL"
    assert not by_status["crashed"].complete
    assert by_status["ok"].complete
    assert len([turn for turn in by_status["ok"].turns if turn.kind == "turn"]) == 4
    assert all(worker.closed for worker in launcher.workers)


def test_every_worker_is_ended_when_the_run_is_interrupted(tmp_path: Path) -> None:
    launcher = FakeLauncher(steady)
    repetition = make(launcher, tmp_path)
    seen = itertools.count()

    def interrupt(_detail: str) -> None:
        if next(seen) == 6:
            raise KeyboardInterrupt

    repetition._on_turn = interrupt
    with pytest.raises(KeyboardInterrupt):
        repetition.run(0, 0, RoundPlan(rounds=10, calls=3))
    assert len(launcher.workers) == 2
    assert all(worker.closed for worker in launcher.workers)


def test_outputs_are_checked_before_and_after_the_timed_calls(tmp_path: Path) -> None:
    launcher = FakeLauncher(steady)
    make(launcher, tmp_path).run(0, 0, RoundPlan(rounds=2, calls=3))
    mine = [kind for name, kind in launcher.log if name == "worker0"]
    assert mine == ["open", "first", "outputs", "warm", "turn", "turn", "outputs"]


def test_a_fault_that_only_shows_at_the_end_is_kept(tmp_path: Path) -> None:
    calls = itertools.count()

    def check(_case_id: str, _file: ArrayFile) -> list[OutputCheck]:
        verdict = "agrees" if next(calls) < 2 else "disagrees"
        return [OutputCheck(output="y", verdict=verdict, reason="")]  # type: ignore[arg-type]

    repetition = make(FakeLauncher(steady), tmp_path)
    repetition._check = check
    result = repetition.run(0, 0, RoundPlan(rounds=1, calls=3))
    assert [c.checks[0].verdict for c in result.cases] == ["disagrees", "disagrees"]


def test_a_fault_that_only_shows_at_the_start_is_kept(tmp_path: Path) -> None:
    calls = itertools.count()

    def check(_case_id: str, _file: ArrayFile) -> list[OutputCheck]:
        verdict = "disagrees" if next(calls) < 2 else "agrees"
        return [OutputCheck(output="y", verdict=verdict, reason="")]  # type: ignore[arg-type]

    repetition = make(FakeLauncher(steady), tmp_path)
    repetition._check = check
    repetition._merge = merge_checks
    result = repetition.run(0, 0, RoundPlan(rounds=1, calls=3))
    assert [c.checks[0].verdict for c in result.cases] == ["disagrees", "disagrees"]


def test_the_tail_is_one_block_a_case(tmp_path: Path) -> None:
    result = make(FakeLauncher(steady), tmp_path, tail_calls=50).run(0, 0, RoundPlan(rounds=1, calls=3))
    tails = [[len(t.latencies_ns) for t in c.turns if t.kind == "tail"] for c in result.cases]
    assert tails == [[50], [50]]


def test_a_plan_is_made_where_there_was_none_and_kept(tmp_path: Path) -> None:
    result = make(FakeLauncher(steady), tmp_path).run(0, 0, None)
    assert result.plan is not None
    assert result.plan.calls == 3
    assert 10 <= result.plan.rounds <= 20


def test_a_worker_that_dies_among_its_rounds_does_not_shorten_the_plan(tmp_path: Path) -> None:
    class FourthTurn(FakeLauncher):
        def start(self, prefix: Path | None):  # type: ignore[no-untyped-def]
            worker = super().start(prefix)
            ask, turns = worker.ask, itertools.count()

            def dies(request: Request, limit_s: float):  # type: ignore[no-untyped-def]
                if type(request).__name__ == "TurnRequest" and next(turns) == 3:
                    raise WorkerDiedError("crashed", "gone")
                return ask(request, limit_s)

            worker.ask = dies  # type: ignore[method-assign]
            return worker

    result = make(FourthTurn(steady), tmp_path).run(0, 0, RoundPlan(rounds=10, calls=3))
    assert [c.status for c in result.cases] == ["crashed", "crashed"]
    assert result.plan == RoundPlan(rounds=10, calls=3)


def test_there_is_no_plan_where_nobody_lived_to_be_timed(tmp_path: Path) -> None:
    result = make(FakeLauncher(steady, dies_at={0: "open", 1: "open"}), tmp_path).run(0, 0, None)
    assert (result.plan, result.rounds) == (None, [])


def test_a_worker_that_cannot_be_started_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    class NoInterpreter(FakeLauncher):
        def start(self, prefix: Path | None):  # type: ignore[no-untyped-def]
            if not self.workers:
                super().start(prefix)
                raise WorkerDiedError("failed", "starting the worker: No such file or directory")
            return super().start(prefix)

    result = make(NoInterpreter(steady), tmp_path).run(0, 0, RoundPlan(rounds=2, calls=3))
    assert sorted(c.status for c in result.cases) == ["failed", "ok"]


def test_every_file_of_an_artifact_is_read_before_a_worker_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr("bench.measure.rounds.artifact_files", lambda path: [path, path.with_name("weights.bin")])
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name))
    make(FakeLauncher(steady), tmp_path).run(0, 0, RoundPlan(rounds=1, calls=3))
    assert read == ["model.onnx", "weights.bin"]


def test_a_slow_case_is_not_warmed_beyond_its_bound_for_the_sake_of_the_others(tmp_path: Path) -> None:
    def slow_and_fast(name: str) -> Iterator[int]:
        return itertools.repeat({"worker0": 3_000_000_000, "worker1": MS}[name])

    class Restless(FakeLauncher):
        def start(self, prefix: Path | None):  # type: ignore[no-untyped-def]
            worker = super().start(prefix)
            ask, count = worker.ask, {"worker0": 2, "worker1": 50}[worker.name]

            def warm(request: Request, limit_s: float):  # type: ignore[no-untyped-def]
                if isinstance(request, WarmRequest) and request.calls is None:
                    request = WarmRequest(calls=count)
                return ask(request, limit_s)

            worker.ask = warm  # type: ignore[method-assign]
            return worker

    result = make(Restless(slow_and_fast), tmp_path).run(0, 0, RoundPlan(rounds=1, calls=1))
    counts = [sum(len(t.latencies_ns) for t in c.turns if t.kind == "warmup") for c in result.cases]
    assert sorted(counts) == [3, 50]


def test_verification_opens_judges_and_closes_without_timing(tmp_path: Path) -> None:
    launcher = FakeLauncher(steady)
    result = make(launcher, tmp_path).verify(0)
    assert [kind for _, kind in launcher.log] == ["open", "first", "outputs"] * 2
    assert [c.checks[0].verdict for c in result.cases] == ["agrees", "agrees"]
    assert all(worker.closed for worker in launcher.workers)
