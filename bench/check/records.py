"""The records of bundles and gates. Ratios are head over baseline; ``change`` 0.05 is 5 % slower or larger."""

from __future__ import annotations

from typing import Literal

from bench.analysis.sequential import ALPHA, BETA, DELTA, MAX_PAIRS, Design
from bench.records import Case, Failure, Machine, Prepared, Record, SessionInfo, Tolerance, Verdict

BUNDLE_SCHEMA = 1
GATE_SCHEMA = 1

Side = Literal["baseline", "head"]
SIDES: tuple[Side, Side] = ("baseline", "head")
Metric = Literal["latency", "load", "rss_peak", "size", "agreement"]
METRICS: tuple[Metric, ...] = ("latency", "load", "rss_peak", "size", "agreement")
STATISTICAL: tuple[Metric, ...] = ("latency", "load")  # those that share alpha
GateAnswer = Literal["REGRESSED", "PASS", "INCONCLUSIVE", "NOT COMPARABLE", "DISAGREES", "FAILED"]
Inconclusive = Literal["exit 5", "pass", "fail"]


# --- bundles ----------------------------------------------------------------------------------------------------------


class BundledCase(Record, frozen=True):
    """One case of a bundle: everything that its worker is started with besides the model's files."""

    name: str  # what pairs it with the other side's: model, runtime without version, batch, threads
    case: Case
    info: SessionInfo  # what the runtime said it opened when the bundle was made
    verdict: Verdict  # of its outputs then
    relative_error: float | None = None
    artifact_bytes: int = 0  # of the files that its runtime loads
    pins: dict[str, str] = {}  # distribution -> version of everything in its environment that it may import
    lock: str | None = None  # file in the bundle with those pins and their hashes; None: the environment of bench
    busy: float = 0.0  # planted by the self-test: this share of every call is waited once more


class Bundle(Record, frozen=True):
    """``bundle.json``: a side of a gate that can be run again anywhere; paths in it are relative to its folder."""

    schema_version: int
    bench_version: str
    made: str  # ISO 8601, UTC
    machine: Machine
    origin: str  # what it was made from, for a person: "mobilenet_v1", "net.onnx at git 1a2b3c4"
    seed: int
    models: dict[str, Prepared]  # by Case.model
    cases: tuple[BundledCase, ...]
    missing: dict[str, Failure] = {}  # by name, cases that could not be had: only in a gate's own, never one to keep
    tolerance: Tolerance = Tolerance()  # the user's own, where our rule is not the one


# --- a gate -----------------------------------------------------------------------------------------------------------


class GateSettings(Record, frozen=True):
    """What is asked of a gate; shares, not percent."""

    delta: float = DELTA
    alpha: float = ALPHA
    beta: float = BETA
    max_pairs: int = MAX_PAIRS
    metrics: tuple[Metric, ...] = ("latency", "agreement")
    budgets: dict[str, float] = {}  # delta by BundledCase.name, where it is not the general one
    time_limit_s: float | None = None  # of the whole gate
    answer_limit_s: float = 300.0  # of any one answer of a worker
    min_rounds: int = 10
    seed: int = 0  # of slots and orders; 0: drawn when the gate starts, and then it is here
    inconclusive: Inconclusive = "exit 5"


class SideOfPair(Record, frozen=True):
    """What one process of a pair brought; numbers are None where it died or could not tell."""

    status: str  # records.Status
    reason: str = ""
    best_ns: float | None = None  # median over rounds of the least timed call of a turn
    p95_ns: float | None = None
    load_ns: int | None = None
    rss_peak_bytes: int | None = None
    cpu_ns_per_call: float | None = None
    cpu_per_wall: float | None = None
    preempted: float | None = None  # involuntary switches per timed call, at most 1
    steady: bool | None = None  # its warm-up ended by the rule, not by its bound
    verdict: Verdict = "unchecked"  # against its own truth
    against_baseline: Verdict = "unchecked"  # against the baseline's truth
    disagreement: str = ""  # the reason of a verdict that is not agrees


class Pair(Record, frozen=True):
    """One fresh process of either side, interleaved. Values are log(head / baseline), None where there is none."""

    case: str
    number: int
    started: str
    first: Side  # whose worker was started first
    slot_of_baseline: int
    baseline: SideOfPair
    head: SideOfPair
    rounds: int
    calls: int  # timed calls of a turn
    latency: float | None = None  # median over rounds of the difference of log least calls
    median: float | None = None  # the same of median calls
    p95: float | None = None
    load: float | None = None
    cpu: float | None = None
    load_1min: float | None = None
    steal_share: float | None = None
    foreign_cpus: float | None = None


class Judged(Record, frozen=True):
    """The verdict of one case by one metric. Changes are head over baseline less 1."""

    case: str
    metric: Metric
    answer: GateAnswer
    reason: str  # one sentence
    delta: float
    pairs: int = 0  # that the verdict rests on
    change: float | None = None
    change_low: float | None = None  # one-sided bounds at the sizes of the deciding look
    change_high: float | None = None
    low_level: float | None = None  # the confidence of either bound
    high_level: float | None = None
    smallest_detectable: float | None = None  # at 95 % power, in this noise and with all pairs
    sd: float | None = None  # of the pairs' log ratios
    baseline_value: float | None = None  # ns, bytes: median over pairs
    head_value: float | None = None
    is_improved: bool = False
    notes: tuple[str, ...] = ()  # cautions and explanations, one sentence each


class SideFacts(Record, frozen=True):
    """What a side was, for the result's reader."""

    origin: str
    made: str
    bench_version: str
    machine: Machine
    versions: dict[str, str]  # runtime version by case name


class GateResult(Record, frozen=True):
    """``gate.json``: everything that a gate found; its pairs' raw samples lie beside it."""

    schema_version: int
    settings: GateSettings
    design: Design | None  # None where no metric is statistical
    command: str
    bench_version: str
    started: str
    seconds: float
    threads: int
    cpus: tuple[int, ...]  # that both sides' workers were held to
    machine: Machine
    baseline: SideFacts
    head: SideFacts
    judged: tuple[Judged, ...]  # the baseline's cases in their order, each by every metric; then head's new ones
    pairs: tuple[Pair, ...]
    family_bound: float  # chance of any false REGRESSED, at most
    notes: tuple[str, ...] = ()  # hygiene: an old or stale baseline, pins that differ
    new_cases: tuple[str, ...] = ()  # in head alone: not gated
    exit_code: int = 0
