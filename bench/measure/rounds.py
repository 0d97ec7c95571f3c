"""One repetition of a group: fresh workers, alive together, one turn at a time, in a fresh order every round."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from bench.measure import plan
from bench.measure.launch import Launcher, WorkerHandle
from bench.measure.machine import MachineWatch
from bench.measure.process import WorkerDiedError
from bench.prepare.digests import artifact_files
from bench.records import (
    ArrayFile,
    Case,
    CaseRepetition,
    FirstDone,
    FirstRequest,
    GroupRepetition,
    MeasureSettings,
    Opened,
    OpenRequest,
    OutputCheck,
    OutputsDone,
    OutputsRequest,
    Record,
    Request,
    RoundPlan,
    RoundState,
    Turn,
    TurnKind,
    TurnRequest,
    WarmRequest,
)

Check = Callable[[str, ArrayFile], list[OutputCheck]]  # case id, outputs -> one check an output
Merge = Callable[[Sequence[OutputCheck], Sequence[OutputCheck]], list[OutputCheck]]
R = TypeVar("R", bound=Record)
SLOWER_AT_MOST = 5  # a turn may take so many times what the warm calls promise before its time limit starts


class Watch(Protocol):
    """Tells who else used the machine while rounds ran."""

    states: list[RoundState]

    def end_round(self, number: int, wall_ns: int) -> None:
        """A round is over."""
        ...

    def finish(self) -> None:
        """The last round is over."""
        ...


class Arm(Record, frozen=True):
    """One case of the group with what its worker needs to open it."""

    case: Case
    request: OpenRequest
    environment: str | None = None  # prefix of its environment, None for our own


def environment_path(arm: Arm) -> Path | None:
    """Where the arm's interpreter is; None for our own."""
    return Path(arm.environment) if arm.environment else None


class Repetition:
    """Drives one repetition. ``run`` returns what was measured, whatever happened to single workers.

    ``check`` judges a file of outputs; ``merge`` joins the judgements before and after the timed calls.
    ``on_turn`` is called between turns only, never while a worker runs.
    """

    def __init__(
        self,
        arms: Sequence[Arm],
        launcher: Launcher,
        settings: MeasureSettings,
        folder: Path,
        check: Check,
        merge: Merge,
        on_turn: Callable[[str], None],
        watch: Callable[[Sequence[int], int], Watch] = MachineWatch,
    ) -> None:
        self._arms = {arm.case.case_id: arm for arm in arms}
        self._launcher = launcher
        self._settings = settings
        self._folder = folder
        self._check = check
        self._merge = merge
        self._on_turn = on_turn
        self._watch = watch
        self._alive: dict[str, WorkerHandle] = {}
        self._results: dict[str, CaseRepetition] = {}
        self._turns: dict[str, list[Turn]] = {}
        self.order: list[str] = []  # in which the workers of the last run were started

    def run(self, group: int, repetition: int, rounds: RoundPlan | None) -> GroupRepetition:
        """One repetition; ``rounds`` is that of an earlier repetition, made here where there was none.

        Every worker is ended on every way out.
        """
        started = self._begin(repetition)
        seed = (self._settings.seed, group, repetition)
        states: list[RoundState] = []
        try:
            self.order = plan.shuffled(list(self._arms), *seed)
            startup_ns = self._start_all(self.order)
            self._warm_all()
            if self._alive:
                rounds = rounds or self._plan(startup_ns)
                states = self._run_rounds(rounds, seed)
            self._tail(plan.shuffled(list(self._alive), *seed, -1))
            self._end_all()
        finally:
            self._kill_all()
        return self._result(group, repetition, started, states, rounds)

    def verify(self, group: int) -> GroupRepetition:
        """Outputs alone: each case's worker is opened, judged and closed; nothing is timed."""
        started = self._begin(0)
        try:
            for case_id in self._arms:
                self._open(case_id)
                self._end(case_id)
        finally:
            self._kill_all()
        return self._result(group, 0, started, [], None)

    def _begin(self, repetition: int) -> str:
        """Forget what was before, and read every artifact, so that each worker finds its files in the page cache."""
        self._results = {
            case_id: CaseRepetition(case_id=case_id, repetition=repetition, status="ok") for case_id in self._arms
        }
        self._turns = {case_id: [] for case_id in self._arms}
        for path in {arm.request.artifact.path for arm in self._arms.values()}:
            for file in artifact_files(Path(path)):
                file.read_bytes()
        return datetime.now(UTC).isoformat(timespec="seconds")

    def _result(
        self, group: int, repetition: int, started: str, states: list[RoundState], rounds: RoundPlan | None
    ) -> GroupRepetition:
        return GroupRepetition(
            group=group,
            repetition=repetition,
            cases=[msgspec.structs.replace(r, turns=self._turns[c]) for c, r in self._results.items()],
            rounds=states,
            page_cache="warm",
            started=started,
            plan=rounds,
        )

    def _kill_all(self) -> None:
        for worker in self._alive.values():
            worker.close(kill=True)

    def _start_all(self, order: Sequence[str]) -> int:
        """Start, open and first-call each worker with the others stopped: its cold start is its own."""
        start = time.monotonic_ns()
        for case_id in order:
            self._open(case_id)
        return time.monotonic_ns() - start

    def _open(self, case_id: str) -> None:
        arm = self._arms[case_id]
        self._on_turn(f"starting {arm.case.runtime.display}")
        try:
            self._alive[case_id] = self._launcher.start(Path(arm.environment) if arm.environment else None)
        except WorkerDiedError as death:
            self._update(case_id, status=death.status, reason=death.reason)
            return
        opened = self._ask(case_id, arm.request, Opened)
        first = self._ask(case_id, FirstRequest(), FirstDone)
        self._update(case_id, opened=opened, first=first)
        self._check_outputs(case_id, "before")

    def _warm_all(self) -> None:
        """Warm each until steady, then give all the same count: the largest."""
        for case_id in list(self._alive):
            self._on_turn(f"warming {self._arms[case_id].case.runtime.display}")
            self._keep(case_id, self._ask(case_id, WarmRequest(), Turn), 0)
        most = max((self._warm_calls(case_id) for case_id in self._alive), default=0)
        for case_id in list(self._alive):
            best = min(self._warm_latencies(case_id))
            room = (plan.WARMUP_MAX_NS - sum(self._warm_latencies(case_id))) // max(1, best)
            missing = min(most - self._warm_calls(case_id), room)  # a slow case stays within the bound
            if missing > 0:
                request = WarmRequest(calls=missing)
                self._keep(case_id, self._ask(case_id, request, Turn, missing * best / 1e9 * SLOWER_AT_MOST), 0)

    def _plan(self, startup_ns: int) -> RoundPlan:
        best = [min(self._warm_latencies(case_id)) for case_id in self._alive]
        streams = max(arm.case.streams for arm in self._arms.values())
        return plan.plan_rounds(self._settings, min(best, default=1), max(best, default=1), startup_ns, streams)

    def _run_rounds(self, rounds: RoundPlan, seed: tuple[int, ...]) -> list[RoundState]:
        threads = max(arm.case.threads * arm.case.streams for arm in self._arms.values())
        watch = self._watch([worker.pid for worker in self._alive.values()], threads)
        for number in range(rounds.rounds):
            start = time.monotonic_ns()
            for place, case_id in enumerate(plan.shuffled(list(self._alive), *seed, number)):
                self._take_turn(case_id, number, rounds.calls, "turn", place)
            watch.end_round(number, time.monotonic_ns() - start)
            self._on_turn(f"round {number + 1} of {rounds.rounds}")
        watch.finish()
        return watch.states

    def _tail(self, order: Sequence[str]) -> None:
        """One uninterrupted block per case, for percentiles that need many calls."""
        for case_id in order if self._settings.tail_calls else ():
            self._on_turn(f"tail of {self._arms[case_id].case.runtime.display}")
            self._take_turn(case_id, 0, self._settings.tail_calls, "tail", 0)

    def _end_all(self) -> None:
        for case_id in list(self._alive):
            if self._check_outputs(case_id, "after"):
                self._update(case_id, complete=True)
                self._end(case_id)

    def _end(self, case_id: str) -> None:
        worker = self._alive.pop(case_id, None)
        if worker is not None:
            worker.close()

    def _take_turn(self, case_id: str, number: int, calls: int, kind: TurnKind, place: int) -> None:
        expected_s = calls * min(self._warm_latencies(case_id), default=0) / 1e9
        request = TurnRequest(round=number, calls=calls, kind=kind)
        self._keep(case_id, self._ask(case_id, request, Turn, expected_s * SLOWER_AT_MOST), place)

    def _check_outputs(self, case_id: str, when: str) -> bool:
        path = self._folder / f"outputs-{list(self._arms).index(case_id)}-{when}.npz"
        done = self._ask(case_id, OutputsRequest(path=str(path)), OutputsDone)
        if done is None:
            return False
        result = self._results[case_id]
        checks = self._check(case_id, done.file)
        path.unlink(missing_ok=True)
        self._update(
            case_id,
            checks=self._merge(result.checks, checks) if result.checks else checks,
            memory_peak=done.memory if when == "after" else None,
        )
        return True

    def _ask(self, case_id: str, request: Request, kind: type[R], extra_s: float = 0.0) -> R | None:
        """The worker's reply, or None where it is dead; its death is kept in the result and the others go on.

        ``extra_s`` is added to the time limit.
        """
        worker = self._alive.get(case_id)
        if worker is None:
            return None
        try:
            reply = worker.ask(request, self._settings.time_limit_s + extra_s)
        except WorkerDiedError as death:
            self._alive.pop(case_id).close()
            self._update(case_id, status=death.status, reason=death.reason)
            return None
        assert isinstance(reply, kind)
        return reply

    def _keep(self, case_id: str, turn: Turn | None, place: int) -> None:
        if turn is not None:
            self._turns[case_id].append(msgspec.structs.replace(turn, order=place))

    def _update(self, case_id: str, **changes: object) -> None:
        self._results[case_id] = msgspec.structs.replace(self._results[case_id], **changes)

    def _warm_latencies(self, case_id: str) -> list[int]:
        return [latency for turn in self._turns[case_id] if turn.kind == "warmup" for latency in turn.latencies_ns]

    def _warm_calls(self, case_id: str) -> int:
        return len(self._warm_latencies(case_id))
