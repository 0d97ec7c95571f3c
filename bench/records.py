"""Every frozen record that crosses a module or process border.

Unknown is ``None``, never 0, -1 or NaN. Durations are integer nanoseconds, sizes integer bytes. A record does not
print, format or judge itself. Imports nothing of ours.
"""

from __future__ import annotations

from typing import Literal

import msgspec

ModelKind = Literal["zoo", "keras", "builder", "keras_file", "h5", "saved_model", "onnx"]
ArtifactKind = Literal["saved_model", "onnx"]
Status = Literal["ok", "unavailable", "partial", "unsupported", "failed", "crashed", "timeout", "oom", "skipped"]
Verdict = Literal["agrees", "disagrees", "vacuous", "unchecked"]
TurnKind = Literal["warmup", "turn", "tail"]
Boundary = Literal["host"]
ProbeState = Literal["usable", "not installed", "no device", "other system", "broken"]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: immutable, keyword-only, strict when decoded."""


class Caution(Record, frozen=True):
    """A doubt about a row, with its reason."""

    code: str  # short stable word: "contended", "few samples", ...
    text: str  # one sentence for a person


# --- what people type ------------------------------------------------------------------------------------------------


class ModelSpec(Record, frozen=True):
    """A model as asked for: ``NAME[:key=value,...][#LABEL]``, already parsed."""

    text: str  # as typed
    kind: ModelKind
    name: str  # zoo name, application name, or the file's base name; never a folder
    display: str  # canonical text for tables and reports: no folder of this machine in it
    path: str | None = None  # file or folder, for the kinds that have one
    function: str | None = None  # builder's function name, kind "builder" only
    options: dict[str, str] = {}
    label: str | None = None


class RuntimeSpec(Record, frozen=True):
    """A runtime as asked for: ``NAME[@VERSION][:key=value,...][#LABEL]``, its name canonical."""

    text: str
    name: str  # a key of the runtimes' table, for example "onnxruntime-cpu"
    display: str  # canonical text, unique within a run
    version: str | None = None
    options: dict[str, str] = {}
    label: str | None = None


class Tolerance(Record, frozen=True):
    """What a user allows instead of our own rule: elementwise ``|y - truth| <= atol + rtol * |truth|``.

    Keys are output names; the key ``""`` is every output that is not named.
    """

    rtol: dict[str, float] = {}
    atol: dict[str, float] = {}


class PrepareSettings(Record, frozen=True):
    """Everything besides the model that decides what prepare makes."""

    seed: int = 0
    opset: int = 18
    pool_size: int = 8  # distinct inputs
    input_shapes: dict[str, tuple[int, ...]] = {}  # whole shapes, batch included, by input name
    input_ranges: dict[str, tuple[float, float]] = {}  # lo, hi by input name; "" is every other input
    load_inputs: str | None = None  # .npz, .npy, folder of images, or folder of ONNX .pb files
    onnx_file: str | None = None  # a user's own ONNX file to judge against the Keras model
    onnx_names: dict[str, str] = {}  # name in that file -> name in the model, inputs and outputs
    custom_objects: tuple[str, ...] = ()  # "module:Class"
    unsafe: bool = False  # allow Lambda layers and the like
    signature: str | None = None  # of a SavedModel


class MeasureSettings(Record, frozen=True):
    """How a group is measured; see the contract for the meaning of each."""

    repetitions: int = 5
    min_rounds: int = 10
    min_calls: int | None = None  # -r: timed calls per case over all repetitions
    min_seconds: float | None = None  # -t: timed seconds per case over all repetitions
    tail_calls: int = 0  # calls of the one uninterrupted block per repetition, 0 for none
    time_limit_s: float = 300.0  # bound on any one reply of a worker
    seed: int = 0  # of the order in which workers start and take turns


class Suite(Record, frozen=True):
    """One run as asked for: every model meets every runtime at every batch size."""

    models: tuple[ModelSpec, ...]
    runtimes: tuple[RuntimeSpec, ...]
    batch_sizes: dict[str, tuple[int, ...]]  # by ModelSpec.display
    threads: int
    prepare: PrepareSettings
    measure: MeasureSettings
    tolerance: Tolerance = Tolerance()
    defaulted_runtimes: bool = False  # nobody asked for these runtimes: an .onnx then runs on ONNX Runtime alone


# --- what prepare makes -----------------------------------------------------------------------------------------------


class Tensor(Record, frozen=True):
    """An input or output of a model."""

    name: str
    shape: tuple[int | None, ...]  # None where free; element 0 is the batch where ``batched``
    dtype: str  # numpy's name, or "bfloat16", "string"
    batched: bool = True


class Artifact(Record, frozen=True):
    """A model file or folder that a runtime can load."""

    kind: ArtifactKind
    path: str
    digest: str  # sha256 over the graph and every external file
    size_bytes: int
    inputs: tuple[Tensor, ...]  # names as in this artifact
    outputs: tuple[Tensor, ...]
    names: dict[str, str] = {}  # name in this artifact -> name in the model, where they differ
    opset: int | None = None
    ir_version: int | None = None


class ArrayFile(Record, frozen=True):
    """Arrays in an ``.npz``, written by us."""

    path: str
    digest: str  # sha256 over names, dtypes, shapes and bytes
    items: int  # leading axis of every array


class Failure(Record, frozen=True):
    """Why something is not there, and how to go on."""

    status: Status
    reason: str  # one line
    verdict: Verdict = "unchecked"  # "disagrees" where the numbers themselves were wrong
    relative_error: float | None = None


class Prepared(Record, frozen=True):
    """One model, ready for every runtime: the answer of the export child, kept in the cache."""

    model: str  # ModelSpec.display
    model_digest: str
    inputs: tuple[Tensor, ...]  # as in the model: the names that arrays and reports use
    outputs: tuple[Tensor, ...]
    output_paths: dict[str, str]  # output name -> where it came from in the model's own structure
    artifacts: dict[str, Artifact]  # by ArtifactKind
    failures: dict[str, Failure]  # by ArtifactKind, where there is no artifact
    pool: ArrayFile  # inputs: name -> array [items, ...]
    truth_file: ArrayFile  # outputs: name -> array [items, ...], float64 where the truth is
    truth: str  # "float64", "float32 (Conv2D, ...)", "tensorflow float32", "onnxruntime-cpu unoptimised"
    yardstick: dict[str, float | None]  # by output name, relative error
    parameters: int | None  # trainable
    multiply_adds: int | None  # of one item
    versions: dict[str, str]
    cautions: tuple[Caution, ...] = ()
    stages_ns: dict[str, int] = {}  # time per stage of this preparation; empty when it came from the cache


class ModelFacts(Record, frozen=True):
    """What a model is, before anything is exported: a line of ``bench models``."""

    model: str  # ModelSpec.display
    inputs: tuple[Tensor, ...] = ()
    parameters: int | None = None  # trainable
    multiply_adds: int | None = None  # of one item
    reason: str | None = None  # why it could not be built


# --- a case and its session -------------------------------------------------------------------------------------------


class Case(Record, frozen=True):
    """Model x runtime x batch x threads x precision."""

    case_id: str  # unique in a report, stable between runs of the same suite
    model: str  # ModelSpec.display
    runtime: RuntimeSpec
    batch_size: int
    threads: int
    precision: str = "float32"
    boundary: Boundary = "host"


class SessionSettings(Record, frozen=True):
    """What a runtime is told when it opens an artifact: nothing is left to a library's default."""

    threads: int
    batch_size: int
    inputs: tuple[Tensor, ...]  # names as in the artifact, every dimension fixed
    outputs: tuple[str, ...]  # names as in the artifact, in the order in which a call returns them
    options: dict[str, str] = {}


class SessionInfo(Record, frozen=True):
    """What a runtime says it really opened."""

    runtime_version: str
    runtime_file: str  # where its module was loaded from
    provider: str  # what ran, for example "CPUExecutionProvider"
    call_path: str  # for example "concrete function"
    effective_options: dict[str, str]  # everything that was set, defaults of ours included
    node_share: float | None = None  # share of graph nodes on the provider asked for
    status: Status = "ok"  # "partial" where some of the graph went elsewhere
    cautions: tuple[Caution, ...] = ()


class Probe(Record, frozen=True):
    """Whether a runtime can be used on this machine, and the line that would make it so."""

    name: str
    state: ProbeState
    detail: str  # version and devices, or what is missing
    install: str | None = None
    version: str | None = None


class Memory(Record, frozen=True):
    """A process's memory by the kernel's account."""

    rss_bytes: int
    private_bytes: int | None = None
    peak_rss_bytes: int | None = None  # VmHWM since its last reset


# --- worker messages --------------------------------------------------------------------------------------------------


class OpenRequest(Record, frozen=True, tag="open"):
    """Import the runtime, load the artifact, keep the inputs."""

    runtime: str
    expected_version: str | None
    artifact: Artifact
    settings: SessionSettings
    pool: ArrayFile
    prefix: str  # the environment that the runtime must come from
    cpus: tuple[int, ...] = ()  # that the process is held to; empty for all that it may use
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
    latencies_ns: list[int]
    cpu_ns: int  # process CPU time over the timed calls
    wall_ns: int
    involuntary_switches: int
    thread_count: int
    order: int = 0  # place within the round, filled in by the parent
    steady: bool | None = None  # warm-up only: ended by the steady-state rule, not by its bound


class OutputsDone(Record, frozen=True, tag="outputs_done"):
    file: ArrayFile
    memory: Memory  # its peak is that of the timed calls: reset before them, read before the outputs are made


class Failed(Record, frozen=True, tag="failed"):
    """An exception inside the worker."""

    status: Status
    reason: str


Request = OpenRequest | FirstRequest | WarmRequest | TurnRequest | OutputsRequest
Reply = Opened | FirstDone | Turn | OutputsDone | Failed


# --- what was measured ------------------------------------------------------------------------------------------------


class OutputCheck(Record, frozen=True):
    """One output of one case against the truth."""

    output: str
    verdict: Verdict
    reason: str  # one sentence
    relative_error: float | None = None
    tolerance: float | None = None
    spread: float | None = None  # rms over elements of the standard deviation over inputs
    yardstick: float | None = None
    max_abs_error: float | None = None
    max_rel_error: float | None = None
    cosine: float | None = None
    top1_agreement: float | None = None
    top5_agreement: float | None = None
    worst_index: tuple[int, ...] | None = None
    smallest_atol: float | None = None  # with rtol 0
    smallest_rtol: float | None = None  # with atol 0
    nonfinite: int = 0
    nonfinite_truth: int = 0


class RoundState(Record, frozen=True):
    """The machine during one round; nothing is deleted, a disturbed round is flagged."""

    round: int
    wall_ns: int
    load_1min: float | None
    steal_share: float | None  # of all CPU time
    foreign_cpus: float | None  # CPUs that other processes kept busy
    frequency_mhz: float | None
    disturbed: bool


class CaseRepetition(Record, frozen=True):
    """One fresh worker of one case: all that it brought before it ended or died."""

    case_id: str
    repetition: int
    status: Status
    reason: str = ""
    opened: Opened | None = None
    first: FirstDone | None = None
    turns: list[Turn] = []
    memory_peak: Memory | None = None
    checks: list[OutputCheck] = []  # worst of before and after the timed calls, one an output
    complete: bool = False  # every round was measured and the outputs were checked at the end


class RoundPlan(Record, frozen=True):
    """How many rounds of how many timed calls: the same for every case and repetition of a group."""

    rounds: int
    calls: int  # timed calls of one turn
    bounded: bool = False  # a bound was reached before what -t or -r asked for


class GroupRepetition(Record, frozen=True):
    """One repetition of a group: the unit that is saved, and the unit of evidence."""

    group: int
    repetition: int
    cases: list[CaseRepetition]
    rounds: list[RoundState]
    page_cache: str  # "warm": the artifact's files were read just before
    started: str  # ISO 8601, UTC
    plan: RoundPlan | None = None  # None where every worker died before there could be one, or nothing was timed


# --- the report -------------------------------------------------------------------------------------------------------


class Machine(Record, frozen=True):
    """What the numbers depend on. No host name, user or home path."""

    cpu: str
    isa: tuple[str, ...]  # the instruction sets that change results or speed
    logical_cpus: int
    effective_cpus: int  # least of affinity and cgroup quota
    memory_bytes: int
    system: str
    python: str


class Environment(Record, frozen=True):
    """``environment.json``: machine, versions, the suite as asked for, and how it went."""

    schema_version: int
    bench_version: str
    command: str
    started: str
    machine: Machine
    packages: dict[str, str]
    suite: Suite
    stages_s: dict[str, float]
    finished: bool
    models: dict[str, Prepared] = {}
    environments: dict[str, dict[str, str]] = {}  # RuntimeSpec.display of a pinned version -> what it runs beside
