"""What parent and worker tell one another."""

from __future__ import annotations

from bench.records.base import Record, Status, TurnKind
from bench.records.prepared import ArrayFile, Artifact
from bench.records.profile import Operator, Roofs
from bench.records.session import Memory, ProviderPart, SessionInfo, SessionSettings


class OpenRequest(Record, frozen=True, tag="open"):
    """Import the runtime, load the artifact, keep the inputs."""

    runtime: str
    expected_version: str | None
    artifact: Artifact
    settings: SessionSettings
    pool: ArrayFile
    prefix: str  # the environment that the runtime must come from
    cpus: tuple[int, ...] = ()  # that the process is held to; empty for all that it may use
    streams: int = 1  # concurrent callers of the session
    busy: float = 0.0  # a planted slowdown: this share of every call is waited once more (the gate's self-test)


class FirstRequest(Record, frozen=True, tag="first"):
    """Make the first call."""


class WarmRequest(Record, frozen=True, tag="warm"):
    """Make warm-up calls: ``calls`` of them, or until steady when None."""

    calls: int | None = None


class TurnRequest(Record, frozen=True, tag="turn"):
    """One switch call, then ``calls`` timed calls."""

    round: int
    calls: int
    kind: TurnKind = "turn"


class OutputsRequest(Record, frozen=True, tag="outputs"):
    """Run the whole pool and write the outputs, one row an item, under the model's names."""

    path: str


class ProfileRequest(Record, frozen=True, tag="profile"):
    """In a worker of its own: open with profiling on, and tell which provider ran which kernels for how long."""

    open: OpenRequest
    calls: int
    with_operators: bool = False  # every kernel with its time in each call, too: ``bench profile``


class RoofsRequest(Record, frozen=True, tag="roofs"):
    """In a worker of its own: how fast a matrix product and a copy are with so many threads; answered by ``Roofs``."""

    threads: int
    cpus: tuple[int, ...] = ()  # as in OpenRequest


class SoakRequest(Record, frozen=True, tag="soak"):
    """Call on for so many seconds and watch the memory."""

    seconds: float


class Opened(Record, frozen=True, tag="opened"):
    import_ns: int
    load_ns: int
    info: SessionInfo
    memory_start: Memory  # before the runtime is imported
    memory_import: Memory
    memory_load: Memory
    thread_count: int


class FirstDone(Record, frozen=True, tag="first_done"):
    first_call_ns: int
    memory: Memory


class Turn(Record, frozen=True, tag="turn_done"):
    """What one turn of a worker brought."""

    round: int
    kind: TurnKind
    input_index: int  # pool batch of the first call, the switch call included
    switch_ns: int | None  # None where the block has no switch call
    latencies_ns: list[int]  # of several callers those of one after the other; in warm-up the slowest one's
    cpu_ns: int  # process CPU time over the timed calls
    wall_ns: int  # of several callers, until the last of them had made its timed calls
    involuntary_switches: int
    thread_count: int
    order: int = 0  # place within the round, filled in by the parent
    steady: bool | None = None  # warm-up only: ended by the steady-state rule, not by its bound
    streams: int = 1  # callers
    extra_calls: int = 0  # that callers ended in the same wall time on top of those timed: they wait for no other


class OutputsDone(Record, frozen=True, tag="outputs_done"):
    file: ArrayFile
    memory: Memory  # its peak is that of the timed calls: reset before them, read before the outputs are made


class Profiled(Record, frozen=True, tag="profiled"):
    parts: tuple[ProviderPart, ...]  # by provider, kernels and their time; empty for a runtime without providers
    calls: int
    operators: tuple[Operator, ...] = ()  # in the order in which they run; empty where they were not asked for
    calls_ns: tuple[int, ...] = ()  # wall time of each profiled call, likewise
    rounding_ns: int = (
        0  # by which a call's operators may have taken longer together than told: their times are cut off
    )


class SoakSample(Record, frozen=True):
    """Memory at one moment of a soak, read between calls."""

    elapsed_ns: int
    calls: int  # so far
    rss_bytes: int
    private_bytes: int | None = None


class SoakDone(Record, frozen=True, tag="soak_done"):
    samples: list[SoakSample]


class Failed(Record, frozen=True, tag="failed"):
    """An exception inside the worker."""

    status: Status
    reason: str


Request = (
    OpenRequest
    | FirstRequest
    | WarmRequest
    | TurnRequest
    | OutputsRequest
    | ProfileRequest
    | SoakRequest
    | RoofsRequest
)
Reply = Opened | FirstDone | Turn | OutputsDone | Profiled | SoakDone | Roofs | Failed
