"""The one table of columns: name, dtype, unit, meaning and direction of everything in a report's parquet files.

Pure data and the data dictionary made from it. Imports nothing of ours, neither pandas nor pyarrow.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

SCHEMA_VERSION = 2
HISTORY = {
    1: "The first: results, samples, agreement and rounds.",
    2: "Placement and soak; precision, streams, environment, build, placement and Pareto columns of results.",
}

Dtype = Literal["string", "Int64", "Float64", "boolean"]
Direction = Literal["lower", "higher", "none"]


class Column(NamedTuple):
    """One column. A file older than ``since`` lacks it and is read with nulls there."""

    name: str
    dtype: Dtype  # of pandas, each with a null of its own
    unit: str  # "" where there is none
    direction: Direction  # which way is better
    meaning: str
    free_text: bool = False  # sentences and commands: home paths, user and host names are taken out before writing
    since: int = 1


def _text(name: str, meaning: str, *, free: bool = False, since: int = 1) -> Column:
    return Column(name, "string", "", "none", meaning, free_text=free, since=since)


def _whole(name: str, unit: str, direction: Direction, meaning: str, *, since: int = 1) -> Column:
    return Column(name, "Int64", unit, direction, meaning, since=since)


def _real(name: str, unit: str, direction: Direction, meaning: str, *, since: int = 1) -> Column:
    return Column(name, "Float64", unit, direction, meaning, since=since)


RESULTS = (
    _text("case_id", "The case: unique in a report, stable between runs of the same suite."),
    _text("model", "The model as asked for, in canonical form."),
    _text("model_digest", "sha256 over architecture and weights."),
    _text("input_digest", "sha256 over the input pool: equal digests mean identical inputs."),
    _text("artifact_digest", "sha256 over the file that this runtime loaded, external data included."),
    _text("runtime", "The runtime's name, for example onnxruntime-cpu."),
    _text("runtime_spec", "The runtime as asked for: name, version, options and label.", free=True),
    _text("runtime_version", "The version that the worker reported."),
    _text("provider", "What ran, for example CPUExecutionProvider."),
    _text("provider_requested", "The provider that was asked for; null for a runtime without providers.", since=2),
    _text("runtime_options", "Every option in effect, our defaults included.", free=True),
    _text("label", "The user's name for this runtime in this run."),
    _text("call_path", "How the runtime was called, for example a concrete function."),
    _text("boundary", "What a timed call covers: host arrays in to host arrays out, or tensors on the device."),
    _whole("batch_size", "items", "none", "Items in one call."),
    _text("batch_axis", "Whether the batch was symbolic in the file and fixed by the runtime, or fixed in the file."),
    _whole("threads", "threads", "none", "The thread budget, the same for every runtime."),
    _text("precision", "Number format of the computation: float32, float16 or int8."),
    _whole("streams", "callers", "none", "Callers of the session at the same time.", since=2),
    _text("environment", "Key of the environment that was made for the runtime; empty for that of bench.", since=2),
    _text("status", "ok, unavailable, partial, unsupported, failed, crashed, timeout, oom or skipped."),
    _text("status_reason", "Why the status is not ok.", free=True),
    _text("reproduce", "The command that runs this case alone.", free=True),
    _text("agreement", "agrees, disagrees, vacuous (cannot tell) or unchecked: the worst over outputs."),
    _text("agreement_reason", "The verdict's reason, one sentence.", free=True),
    _real("max_abs_error", "output's", "lower", "Largest absolute distance from the truth, over elements and inputs."),
    _real("relative_error", "spread", "lower", "Largest distance from the truth in units of its spread over inputs."),
    _real("precision_error", "spread", "lower", "Rms distance from the truth, of float16 and int8 rows.", since=2),
    _real("tolerance", "spread", "none", "The relative (float16, int8: precision) error up to which it agrees."),
    _real("top1_agreement", "share", "higher", "Share of inputs with the same largest element as the truth."),
    _text("truth", "What the outputs were compared with: float64, or the reference used where there is none."),
    _real(
        "yardstick", "spread", "none", "Relative error of the reference itself; the tolerance is 8 times it, or 1e-3."
    ),
    _real("conversion_error", "spread", "lower", "Precision error of the converted file itself, run exactly.", since=2),
    _real("latency_ns_best", "ns", "lower", "Median over rounds of the fastest timed call of a turn, per call."),
    _real(
        "ratio_to_reference",
        "ratio",
        "lower",
        "Latency (of several callers wall time a call) over the reference's in the same round; below 1 faster.",
    ),
    _real("ratio_low", "ratio", "lower", "Lower end of the interval of the ratio."),
    _real("ratio_high", "ratio", "lower", "Upper end of the interval of the ratio."),
    _real(
        "interval_level",
        "share",
        "none",
        "Level of the interval: 0.9375 over 5 processes; below 0.9 a range, which decides nothing.",
    ),
    _text("reference_runtime", "The runtime that ratios are taken to."),
    _real("latency_ns_p50", "ns", "lower", "Median of the timed calls."),
    _real("latency_ns_p50_low", "ns", "lower", "Lower end of the interval of the median, over processes."),
    _real("latency_ns_p50_high", "ns", "lower", "Upper end of the interval of the median, over processes."),
    _real("latency_ns_p90", "ns", "lower", "90th percentile of the timed calls, see percentile_block; null below 50."),
    _real("latency_ns_p95", "ns", "lower", "95th percentile of the timed calls, see percentile_block; null below 100."),
    _real("latency_ns_p99", "ns", "lower", "99th percentile of the timed calls, see percentile_block; null below 500."),
    _real("latency_ns_min", "ns", "lower", "The fastest timed call."),
    _real("latency_ns_mean", "ns", "lower", "Mean of the timed calls."),
    _text("percentile_block", "turns, or turns; p99: tail where that percentile needs the calls of --tail."),
    _whole("calls", "calls", "none", "Timed calls of turns, over all processes, without those of --tail."),
    _whole("rounds", "rounds", "none", "Rounds, over all processes."),
    _whole("processes", "processes", "none", "Fresh processes that measured to the end: the units of evidence."),
    _real(
        "throughput_items_per_s",
        "items/s",
        "higher",
        "Items per second: one call after the other, or of all callers over wall time.",
    ),
    _real("cpu_per_wall", "CPUs", "none", "CPU time over wall time while timed: the CPUs kept busy."),
    _whole("warmup_calls", "calls", "none", "Warm-up calls per process, the same for all of a group."),
    _whole("import_ns", "ns", "lower", "Time to import the runtime; median over processes."),
    _whole("load_ns", "ns", "lower", "Time to load or compile the model; median over processes."),
    _whole("build_ns", "ns", "lower", "Of that, building an engine or compiling; median over processes.", since=2),
    _text("build_cache", "hit or miss of what was built before; null for a runtime that keeps nothing.", since=2),
    _whole("first_call_ns", "ns", "lower", "Time of the first call; median over processes."),
    _text("page_cache", "cold or warm, of the model's file: warm where it was read just before each repetition."),
    _whole("rss_start_bytes", "bytes", "lower", "Resident memory before the runtime is imported."),
    _whole("rss_import_bytes", "bytes", "lower", "Resident memory after the import."),
    _whole("rss_load_bytes", "bytes", "lower", "Resident memory after the model is loaded."),
    _whole("rss_first_bytes", "bytes", "lower", "Resident memory after the first call."),
    _whole(
        "rss_peak_bytes",
        "bytes",
        "lower",
        "Peak resident memory while timed, the greatest over processes; null where its reset is not allowed.",
    ),
    _whole(
        "private_load_bytes",
        "bytes",
        "lower",
        "What the process alone has written to, after loading.",
    ),
    _text("soak_verdict", "plateau, growing or cannot tell, of memory under --soak.", since=2),
    _real("soak_slope_per_minute", "bytes/min", "lower", "Slope of memory over the second half of the soak.", since=2),
    _real("soak_slope_per_minute_low", "bytes/min", "lower", "Lower end of its interval.", since=2),
    _real("soak_slope_per_minute_high", "bytes/min", "lower", "Upper end of its interval.", since=2),
    _real("node_share", "share", "higher", "Share of graph nodes on the provider asked for."),
    _real("time_share", "share", "higher", "Share of kernel time on the provider asked for, by a profiled run."),
    _text("isa", "Instruction sets of this CPU that change results or speed of int8 and float16.", since=2),
    _whole("thread_count", "threads", "none", "Threads of the process, as the kernel counts them."),
    _whole("macs", "operations", "none", "Multiply-adds of the model for one item."),
    _whole("params", "parameters", "none", "Trainable parameters."),
    _whole("artifact_bytes", "bytes", "lower", "Size of the file that was loaded, external data included."),
    Column(
        "pareto",
        "boolean",
        "",
        "none",
        "No other row of its group is as good in latency, peak memory and error, and better in one; null: cannot win.",
        since=2,
    ),
    _text("cautions", 'Doubts about this row: "code: sentence", joined by "; ".', free=True),
)

SAMPLES = (
    _text("case_id", "The case that was called."),
    _whole("repetition", "", "none", "Which fresh process of the case."),
    _whole(
        "round", "", "none", "Which round of the repetition; null in warm-up and tail, which are outside of rounds."
    ),
    _whole("turn", "", "none", "The case's place within the round, whose order is random."),
    _whole("call", "", "none", "Number of the call within its round, warm-up and tail counted as one round."),
    _whole(
        "stream",
        "",
        "none",
        "Which of the session's callers, from 0; null in warm-up and switch calls of several: the slowest one's.",
        since=2,
    ),
    _text("kind", "warmup, switch (first call after a change of process; unused), timed or tail."),
    _whole("latency_ns", "ns", "lower", "Duration of the call, host arrays in to host arrays out."),
    _whole("input_index", "", "none", "Which batch of the input pool was fed."),
)

AGREEMENT = (
    _text("case_id", "The case that was checked."),
    _text("output", "Name of the output, as in the model."),
    _text("verdict", "agrees, disagrees, vacuous (the output hardly depends on the input: cannot tell) or unchecked."),
    _text("reason", "The verdict's reason, one sentence.", free=True),
    _real("relative_error", "spread", "lower", "Largest distance from the truth in units of its spread over inputs."),
    _real("precision_error", "spread", "lower", "Rms distance from the truth, of float16 and int8 rows.", since=2),
    _real("conversion_error", "spread", "lower", "The same of the converted file itself, run exactly.", since=2),
    _real("tolerance", "spread", "none", "The relative (float16, int8: precision) error up to which it agrees."),
    _real("spread", "output's", "none", "Standard deviation of the truth over inputs, rms over elements."),
    _real("yardstick", "spread", "none", "Relative error of the reference itself."),
    _real("max_abs_error", "output's", "lower", "Largest absolute distance from the truth."),
    _real("max_rel_error", "ratio", "lower", "Largest distance relative to the element of the truth."),
    _real("cosine", "", "higher", "Cosine of the angle between output and truth."),
    _real("top1_agreement", "share", "higher", "Share of inputs with the same largest element."),
    _real(
        "top5_agreement", "share", "higher", "Share of inputs whose largest element is among the truth's first five."
    ),
    _text("worst_index", "Index of the element that is furthest off, the input first, for example [3, 917]."),
    _real("smallest_atol", "output's", "lower", "Smallest absolute tolerance that would pass, with rtol 0."),
    _real("smallest_rtol", "ratio", "lower", "Smallest relative tolerance that would pass, with atol 0."),
    _whole("nonfinite", "elements", "lower", "NaN and Inf in the output."),
    _whole("nonfinite_truth", "elements", "lower", "NaN and Inf in the truth."),
)

ROUNDS = (
    _whole("group", "", "none", "The group: cases that are measured together."),
    _whole("repetition", "", "none", "Which repetition of the group."),
    _whole("round", "", "none", "Which round of the repetition."),
    _whole("wall_ns", "ns", "none", "Duration of the round."),
    _real("load_1min", "processes", "lower", "Load average over one minute."),
    _real("steal_share", "share", "lower", "Share of all CPU time that the hypervisor gave to others."),
    _real("foreign_cpus", "CPUs", "lower", "CPUs that other processes kept busy."),
    _real("frequency_mhz", "MHz", "none", "CPU frequency, where it can be read."),
    Column("disturbed", "boolean", "", "none", "Whether other load is likely to have changed the numbers."),
)

TURNS = (
    _text("case_id", "The case whose turn it was."),
    _whole("repetition", "", "none", "Which fresh process of the case."),
    _text("kind", "warmup, turn or tail."),
    _whole("number", "", "none", "Which block of its kind in the repetition; of turns, the round."),
    _whole("calls", "calls", "none", "Calls of the block, the switch call apart."),
    _whole("cpu_ns", "ns", "lower", "CPU time of the process over the timed calls; 0 in warm-up."),
    _whole("wall_ns", "ns", "lower", "Wall time over the timed calls; 0 in warm-up."),
    _whole(
        "extra_calls",
        "calls",
        "none",
        "Untimed calls that callers ended in that wall time while others still had timed ones to make.",
        since=2,
    ),
    _whole("involuntary_switches", "switches", "lower", "How often the kernel took the CPU away while timed."),
    _whole("thread_count", "threads", "none", "Threads that the process had after the block."),
)

PROCESSES = (
    _text("case_id", "The case that the process ran."),
    _whole("repetition", "", "none", "Which repetition."),
    _text("status", "How the process ended: ok, or why not."),
    _text("reason", "The status's reason, one sentence.", free=True),
    Column("complete", "boolean", "", "none", "Whether every round was measured; only then it counts as evidence."),
    _whole("import_ns", "ns", "lower", "Time to import the runtime."),
    _whole("load_ns", "ns", "lower", "Time to load or compile the model."),
    _whole("first_call_ns", "ns", "lower", "Time of the first call."),
    _whole("rss_start_bytes", "bytes", "lower", "Resident memory before the runtime is imported."),
    _whole("rss_import_bytes", "bytes", "lower", "Resident memory after the import."),
    _whole("rss_load_bytes", "bytes", "lower", "Resident memory after the model is loaded."),
    _whole("rss_first_bytes", "bytes", "lower", "Resident memory after the first call."),
    _whole("rss_peak_bytes", "bytes", "lower", "Peak resident memory while timed."),
)

PLACEMENT = (
    _text("case_id", "The case whose nodes and kernels they are."),
    _text("account", "graph: nodes at partitioning; kernels: executed in a profiled run of a session of its own."),
    _text("provider", "Where they went."),
    _whole("nodes", "nodes", "none", "Nodes of the graph, or executed kernels, of which fused ones count once."),
    _real("share", "share", "none", "Of all of the account: of nodes for graph, of kernel time for kernels."),
    _whole(
        "time_ns",
        "ns",
        "lower",
        "Time of the kernels over all profiled calls, the wait for their device included; null for graph.",
    ),
    _whole("calls", "calls", "none", "Profiled calls; null for graph."),
    _text("operators", "What they are and how many: Conv x27, Relu x27."),
    _text("names", "The first few of them, by their names."),
    _text("reason", "Why they are here and not on the provider asked for, where the runtime says so.", free=True),
)

SOAK = (
    _text("case_id", "The case that was called on and on."),
    _whole("elapsed_ns", "ns", "none", "Since the soak began."),
    _whole("calls", "calls", "none", "Calls so far."),
    _whole("rss_bytes", "bytes", "lower", "Resident memory, read between calls."),
    _whole("private_bytes", "bytes", "lower", "What the process alone has written to."),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "results": RESULTS,
    "samples": SAMPLES,
    "turns": TURNS,
    "processes": PROCESSES,
    "agreement": AGREEMENT,
    "rounds": ROUNDS,
    "placement": PLACEMENT,
    "soak": SOAK,
}
TABLE_SINCE = {"placement": 2, "soak": 2}  # those that the first reports had not
KEYS: dict[str, tuple[str, ...]] = {  # what is unique in each table
    "results": ("case_id",),
    "samples": ("case_id", "repetition", "round", "call"),
    "turns": ("case_id", "repetition", "kind", "number"),
    "processes": ("case_id", "repetition"),
    "agreement": ("case_id", "output"),
    "rounds": ("group", "repetition", "round"),
    "placement": ("case_id", "account", "provider"),
    "soak": ("case_id", "elapsed_ns"),
}
_ROW_OF = {
    "results": "one row per case",
    "samples": "one row per call",
    "turns": "one row per block of calls",
    "processes": "one row per worker process",
    "agreement": "one row per case and output",
    "rounds": "one row per round, all cases of the group together",
    "placement": "one row per case, account and provider",
    "soak": "one row per look at the memory",
}


def data_dictionary() -> str:
    """Every column of every file as Markdown tables, one section per file."""
    return "\n".join(_section(name) for name in TABLES)


def _section(table: str) -> str:
    head = (
        f"### {table}.parquet: {_ROW_OF[table]}\n\n| column | type | unit | better | meaning |\n|---|---|---|---|---|\n"
    )
    return head + "".join(_line(column) for column in TABLES[table])


def _line(column: Column) -> str:
    better = "" if column.direction == "none" else column.direction
    return f"| `{column.name}` | {column.dtype} | {column.unit} | {better} | {column.meaning} |\n"
