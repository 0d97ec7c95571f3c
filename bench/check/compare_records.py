"""The records of ``bench compare``, and the two tables of what is compared: metrics, and fields that must be equal.

A ratio is other over reference; ``change`` 0.05 is 5 % more of the metric, whichever way is better.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from bench.records import Environment, Machine, Record
from bench.rows import Row

COMPARE_SCHEMA = 1
NOT_A_VERDICT = "different runs: not a verdict"

Standing = Literal["same", "disagrees", "failed", "gone", "unverified", "unmeasured", "recovered", "new", "reference"]
Answer = Literal["within", "over", "suspicious", "cannot tell"]
Unit = Literal["ns", "bytes", "items/s", "spread"]


class Metric(NamedTuple):
    """A number of a row that is set side by side."""

    name: str  # as in --fail-on
    column: str  # field of Row
    unit: Unit
    heading: str
    is_higher_better: bool = False


METRICS = (  # the first are the last to leave a narrow table
    Metric("latency", "latency_ns_best", "ns", "latency"),
    Metric("p50", "latency_ns_p50", "ns", "p50"),
    Metric("p95", "latency_ns_p95", "ns", "p95"),
    Metric("rss_peak", "rss_peak_bytes", "bytes", "memory"),
    Metric("load", "load_ns", "ns", "load"),
    Metric("p90", "latency_ns_p90", "ns", "p90"),
    Metric("p99", "latency_ns_p99", "ns", "p99"),
    Metric("throughput", "throughput_items_per_s", "items/s", "items/s", is_higher_better=True),
    Metric("first", "first_call_ns", "ns", "first"),
    Metric("import", "import_ns", "ns", "import"),
    Metric("relative_error", "relative_error", "spread", "error"),
)
BUDGETED = tuple(metric.name for metric in METRICS if metric.unit != "spread")

RUN_FIELDS = (
    "cpu", "isa", "effective_cpus", "memory", "system", "python", "bench_version", "package", "seed", "tolerance",
    "finished",
)  # fmt: skip
CASE_FIELDS = (
    "status", "runtime_version", "provider", "runtime_options", "call_path", "boundary", "batch_size", "batch_axis",
    "threads", "streams", "precision", "node_share", "time_share", "model_digest", "artifact_digest", "input_digest",
    "truth", "percentile_block", "page_cache",
)  # fmt: skip


class Side(Record, frozen=True):
    """One stored report, loaded: what is put in."""

    letter: str  # "A" is the reference
    path: str
    environment: Environment
    rows: tuple[Row, ...]


class Difference(Record, frozen=True):
    """A field in which two runs or two cases differ, so that their numbers can't be compared."""

    field: str  # one of RUN_FIELDS or CASE_FIELDS; "package numpy" for a package
    reference: str
    other: str
    is_allowed: bool = False  # by --allow: it is meant, and numbers are compared in spite of it


class Change(Record, frozen=True):
    """One metric of one case on both sides, in the units of ``report/columns.py``."""

    metric: str
    reference: float | None
    other: float | None
    ratio: float | None = None  # None where a side has no number above 0
    low: float | None = None  # bounds and level only within one run
    high: float | None = None
    level: float | None = None


class Compared(Record, frozen=True):
    """One case of one report against the reference."""

    case: str  # unique among those of a report
    group: str  # model, batch and threads, for a heading
    runtime: str  # with options and label, for a row beneath it
    report: str  # letter of the other report
    standing: Standing
    reason: str = ""  # of a standing that is not same, one sentence
    differences: tuple[Difference, ...] = ()  # of the case itself
    is_comparable: bool = False  # same, and no field of case or run differs that is not allowed
    changes: tuple[Change, ...] = ()  # every metric; empty where a side is absent
    reference: Row | None = None
    other: Row | None = None


class RunPair(Record, frozen=True):
    """What can be said of two whole runs."""

    report: str  # letter of the other report
    is_one_run: bool  # both sides come from one run
    differences: tuple[Difference, ...] = ()


class ReportFacts(Record, frozen=True):
    """Which report a letter stands for."""

    letter: str
    path: str
    started: str
    bench_version: str
    machine: Machine
    finished: bool
    cases: int


class Judgement(Record, frozen=True):
    """What ``--fail-on`` says of one metric of one case."""

    case: str
    report: str
    metric: str
    budget: float  # allowed change for the worse, a share
    answer: Answer
    reason: str
    change: float | None = None  # for the worse, a share


class Comparison(Record, frozen=True):
    """Everything that was found, each case of each report in it."""

    reports: tuple[ReportFacts, ...]
    runs: tuple[RunPair, ...]
    cases: tuple[Compared, ...]  # by report, then the reference's cases in their order, then new ones
    budgets: dict[str, float]  # of --fail-on, by metric
    exit_code: int
    judged: tuple[Judgement, ...] = ()
