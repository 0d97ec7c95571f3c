"""One row of ``results.parquet``: what is said of one case. Imports nothing of ours but records.

``report/columns.py`` documents each field; a test holds that the two name the same columns. Unknown is None.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.records import Boundary, Precision, Record, Status, Verdict


class Row(Record, frozen=True, kw_only=True):
    """One case in a report; samples, summary and row are different types so that they can't be mixed."""

    # who
    case_id: str
    model: str
    model_digest: str | None = None
    input_digest: str | None = None
    artifact_digest: str | None = None
    runtime: str  # its name in the table of runtimes
    runtime_spec: str = ""  # as asked for, with version, options and label: unique among the cases of a group
    runtime_version: str | None = None
    provider: str | None = None
    provider_requested: str | None = None
    runtime_options: str = ""
    label: str = ""
    call_path: str | None = None
    boundary: Boundary = "host"
    batch_size: int
    batch_axis: str | None = None  # "symbolic in the file, fixed by the runtime" or "fixed in the file"
    threads: int
    precision: Precision = "float32"
    streams: int = 1
    environment: str = ""  # key of the environment that was made for it; empty for our own
    # how it went
    status: Status = "ok"
    status_reason: str = ""
    reproduce: str = ""  # the command that runs this case alone
    # the same thing?
    agreement: Verdict = "unchecked"
    agreement_reason: str = ""
    max_abs_error: float | None = None
    relative_error: float | None = None
    precision_error: float | None = None
    tolerance: float | None = None
    top1_agreement: float | None = None
    truth: str | None = None
    yardstick: float | None = None
    conversion_error: float | None = None
    # how fast
    latency_ns_best: float | None = None
    ratio_to_reference: float | None = None  # latency of this case over that of the reference; below 1 is faster
    ratio_low: float | None = None
    ratio_high: float | None = None
    interval_level: float | None = None
    reference_runtime: str | None = None
    latency_ns_p50: float | None = None
    latency_ns_p50_low: float | None = None
    latency_ns_p50_high: float | None = None
    latency_ns_p90: float | None = None
    latency_ns_p95: float | None = None
    latency_ns_p99: float | None = None
    latency_ns_min: float | None = None
    latency_ns_mean: float | None = None
    percentile_block: str | None = None  # "turns" or "tail": which calls the percentiles are from
    calls: int = 0
    rounds: int = 0
    processes: int = 0
    throughput_items_per_s: float | None = None
    cpu_per_wall: float | None = None  # CPU time over wall time while timed
    warmup_calls: int | None = None
    # cold start, medians over processes
    import_ns: int | None = None
    load_ns: int | None = None
    build_ns: int | None = None
    build_cache: str | None = None
    first_call_ns: int | None = None
    page_cache: str | None = None
    # memory, medians over processes
    rss_start_bytes: int | None = None
    rss_import_bytes: int | None = None
    rss_load_bytes: int | None = None
    rss_first_bytes: int | None = None
    rss_peak_bytes: int | None = None
    private_load_bytes: int | None = None
    soak_verdict: str | None = None
    soak_slope_per_minute: float | None = None
    soak_slope_per_minute_low: float | None = None
    soak_slope_per_minute_high: float | None = None
    # where it ran
    node_share: float | None = None
    time_share: float | None = None
    isa: str | None = None
    thread_count: int | None = None
    # the model
    macs: int | None = None
    params: int | None = None
    artifact_bytes: int | None = None
    pareto: bool | None = None
    cautions: str = ""  # "code: text" joined by "; "


def group_key(row: Row) -> tuple[str, int, int, int, str]:
    """What rows share that are compared with one another; those of different boundaries or streams never are."""
    return row.model, row.batch_size, row.threads, row.streams, row.boundary


def groups_of(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows that are compared together, in the order in which their groups first come."""
    groups: dict[tuple[str, int, int, int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(group_key(row), []).append(row)
    return list(groups.values())
