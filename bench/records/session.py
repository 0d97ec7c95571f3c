"""A case, and what its runtime says of the session that it opened."""

from __future__ import annotations

from bench.records.asked import RuntimeSpec
from bench.records.base import Boundary, BuildCache, Caution, Precision, ProbeState, Record
from bench.records.prepared import Tensor


class Case(Record, frozen=True):
    """Model x runtime x batch x threads x precision."""

    case_id: str  # unique in a report, stable between runs of the same suite
    model: str  # ModelSpec.display
    runtime: RuntimeSpec
    batch_size: int
    threads: int
    precision: Precision = "float32"
    boundary: Boundary = "host"
    streams: int = 1  # concurrent callers of its session


class SessionSettings(Record, frozen=True):
    """What a runtime is told when it opens an artifact: nothing is left to a library's default."""

    threads: int
    batch_size: int
    inputs: tuple[Tensor, ...]  # names as in the artifact, every dimension fixed
    outputs: tuple[str, ...]  # names as in the artifact, in the order in which a call returns them
    options: dict[str, str] = {}  # as typed, precision and boundary included
    precision: Precision = "float32"
    boundary: Boundary = "host"
    plugin: str | None = None  # file of the provider's plugin library, in place of the package's
    profiled_apart: bool = (
        False  # a profiled run of its own follows: a session that can't tell its placement says nothing
    )
    cache: str | None = None  # folder for what the runtime builds from this artifact; None: it keeps nothing


class ProviderPart(Record, frozen=True):
    """What of a graph went to one provider: its nodes at partitioning, or the kernels of a profiled run."""

    provider: str
    nodes: int | None = None  # of the graph, at partitioning
    kernels: int | None = None  # that a profiled call executed, fused ones counted once
    time_ns: int | None = None  # of those over all profiled calls, the wait for their device included
    operators: dict[str, int] = {}  # operator -> how many of them
    names: tuple[str, ...] = ()  # of nodes, the first few
    reason: str | None = None  # why they are here, where the runtime says so


class SessionInfo(Record, frozen=True):
    """What a runtime says it really opened."""

    runtime_version: str
    runtime_file: str  # where its module was loaded from
    provider: str  # what ran, for example "CPUExecutionProvider"
    call_path: str  # for example "concrete function"
    effective_options: dict[str, str]  # everything that was set, defaults of ours included
    node_share: float | None = None  # share of graph nodes on the provider asked for
    placement: tuple[ProviderPart, ...] = ()  # nodes at partitioning, by provider; empty where it is not told
    build_ns: int | None = None  # of load time, what building an engine or compiling took, where that is told
    build_cache: BuildCache | None = None  # whether that came from a cache; None for a runtime without one
    concurrent: bool = False  # several threads may call at once
    cautions: tuple[Caution, ...] = ()


class Probe(Record, frozen=True):
    """Whether a runtime can be used on this machine, and the line that would make it so."""

    name: str
    state: ProbeState
    detail: str  # version and devices, or what is missing
    install: str | None = None
    version: str | None = None
    devices: tuple[str, ...] = ()  # that the runtime lists
    environment: str | None = None  # key of the one that was made for it; None: it is looked for in that of bench
    requirements: tuple[str, ...] = ()  # of an environment of its own
    evidence: dict[str, str] = {}  # what the state is read from, a word for each


class Memory(Record, frozen=True):
    """A process's memory by the kernel's account."""

    rss_bytes: int
    private_bytes: int | None = None
    peak_rss_bytes: int | None = None  # VmHWM since its last reset
