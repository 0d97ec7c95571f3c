"""Fakes that invent what the machine would bring: exact numbers, in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.measure.process import WorkerDiedError
from bench.records import (
    ArrayFile,
    Artifact,
    Case,
    FirstDone,
    FirstRequest,
    Memory,
    Opened,
    OpenRequest,
    OutputCheck,
    OutputsDone,
    OutputsRequest,
    Reply,
    Request,
    RoundState,
    RuntimeSpec,
    SessionInfo,
    SessionSettings,
    Tensor,
    Turn,
    TurnRequest,
    WarmRequest,
)


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def advance(self, ns: int) -> None:
        self.now += ns


def memory(rss: int = 100) -> Memory:
    return Memory(rss_bytes=rss, private_bytes=rss // 2, peak_rss_bytes=rss)


def artifact(**changes: object) -> Artifact:
    fields: dict[str, object] = {
        "kind": "onnx",
        "path": "nowhere/model.onnx",
        "digest": "d",
        "size_bytes": 1000,
        "inputs": (Tensor(name="x", shape=(None, 4), dtype="float32"),),
        "outputs": (Tensor(name="y", shape=(None, 2), dtype="float32"),),
    }
    return Artifact(**(fields | changes))  # type: ignore[arg-type]


def runtime(name: str = "onnxruntime-cpu", label: str | None = None) -> RuntimeSpec:
    display = f"{name}#{label}" if label else name
    return RuntimeSpec(text=display, name=name, display=display, label=label)


def case(name: str = "onnxruntime-cpu", label: str | None = None, model: str = "m") -> Case:
    spec = runtime(name, label)
    return Case(case_id=f"{model} | {spec.display}", model=model, runtime=spec, batch_size=1, threads=1)


def open_request(runtime_name: str = "onnxruntime-cpu") -> OpenRequest:
    return OpenRequest(
        runtime=runtime_name,
        expected_version=None,
        artifact=artifact(),
        settings=SessionSettings(
            threads=1, batch_size=1, inputs=(Tensor(name="x", shape=(1, 4), dtype="float32"),), outputs=("y",)
        ),
        pool=ArrayFile(path="pool.npz", digest="p", items=8),
        prefix="/",
    )


class ScriptedWorker:
    """A worker whose calls take the latencies of a script; dies where it is told to.

    ``log`` is shared by all workers of a launcher: (worker's name, request's name) in the order asked.
    """

    def __init__(self, name: str, latencies: Iterator[int], log: list[tuple[str, str]], dies_at: str | None) -> None:
        self.name = name
        self.pid = 0
        self.closed = 0
        self._latencies = latencies
        self._log = log
        self._dies_at = dies_at

    def ask(self, request: Request, limit_s: float) -> Reply:
        kind = type(request).__name__.removesuffix("Request").lower()
        self._log.append((self.name, kind))
        if kind == self._dies_at:
            raise WorkerDiedError("crashed", "the worker died of SIGKILL")
        if isinstance(request, OpenRequest):
            return self._opened()
        if isinstance(request, FirstRequest):
            return FirstDone(first_call_ns=next(self._latencies), memory=memory(300))
        if isinstance(request, WarmRequest):
            return self._turn(0, "warmup", None, request.calls or 6)
        if isinstance(request, TurnRequest):
            return self._turn(request.round, request.kind, next(self._latencies), request.calls)
        assert isinstance(request, OutputsRequest)
        file = ArrayFile(path=request.path, digest=self.name, items=8)
        return OutputsDone(file=file, memory=memory(400))

    def close(self, kill: bool = False) -> None:
        self.closed += 1

    def _opened(self) -> Opened:
        info = SessionInfo(
            runtime_version="1.0",
            runtime_file="r.py",
            provider="CPUExecutionProvider",
            call_path="run",
            effective_options={},
        )
        return Opened(
            import_ns=10,
            load_ns=20,
            info=info,
            memory_start=memory(50),
            memory_import=memory(100),
            memory_load=memory(200),
            thread_count=1,
        )

    def _turn(self, number: int, kind: str, switch: int | None, calls: int) -> Turn:
        latencies = [next(self._latencies) for _ in range(calls)]
        return Turn(
            round=number,
            kind=kind,  # type: ignore[arg-type]
            input_index=0,
            switch_ns=switch,
            latencies_ns=latencies,
            cpu_ns=sum(latencies),
            wall_ns=sum(latencies),
            involuntary_switches=0,
            thread_count=1,
        )


class FakeLauncher:
    """Starts scripted workers: the n-th started gets the n-th script, in the order of starting."""

    def __init__(self, script: Callable[[str], Iterator[int]], dies_at: dict[int, str] | None = None) -> None:
        self.log: list[tuple[str, str]] = []
        self.workers: list[ScriptedWorker] = []
        self._script = script
        self._dies_at = dies_at or {}

    def start(self, prefix: Path | None) -> ScriptedWorker:
        name = f"worker{len(self.workers)}"
        worker = ScriptedWorker(name, self._script(name), self.log, self._dies_at.get(len(self.workers)))
        self.workers.append(worker)
        return worker


class FakeWatch:
    """A quiet machine."""

    def __init__(self, pids: Sequence[int], threads: int) -> None:
        self.states: list[RoundState] = []

    def end_round(self, number: int, wall_ns: int) -> None:
        self.states.append(
            RoundState(
                round=number,
                wall_ns=1,
                load_1min=0.0,
                steal_share=0.0,
                foreign_cpus=0.0,
                frequency_mhz=None,
                disturbed=False,
            )
        )

    def finish(self) -> None:
        pass


def agreeing(_case_id: str, _file: ArrayFile) -> list[OutputCheck]:
    return [OutputCheck(output="y", verdict="agrees", reason="fine", relative_error=1e-6)]
