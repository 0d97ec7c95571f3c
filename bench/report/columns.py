"""The one table of columns: name, dtype, unit, meaning and direction of everything in a report's parquet files.

Pure data and the data dictionary made from it. Imports neither pandas nor pyarrow.
"""

from __future__ import annotations

from bench.report.column import Column, real, text, whole
from bench.report.results_columns import RESULTS

SCHEMA_VERSION = 3
HISTORY = {
    1: "The first: results, samples, agreement and rounds.",
    2: "Placement and soak; precision, streams, environment, build, placement and Pareto columns of results.",
    3: "Values of the worst element, margin of ties and denormal numbers in agreement.",
}

SAMPLES = (
    text("case_id", "The case that was called."),
    whole("repetition", "", "none", "Which fresh process of the case."),
    whole("round", "", "none", "Which round of the repetition; null in warm-up and tail, which are outside of rounds."),
    whole("turn", "", "none", "The case's place within the round, whose order is random."),
    whole("call", "", "none", "Number of the call within its round, warm-up and tail counted as one round."),
    whole(
        "stream",
        "",
        "none",
        "Which of the session's callers, from 0; null in warm-up and switch calls of several: the slowest one's.",
        since=2,
    ),
    text("kind", "warmup, switch (first call after a change of process; unused), timed or tail."),
    whole("latency_ns", "ns", "lower", "Duration of the call, host arrays in to host arrays out."),
    whole("input_index", "", "none", "Which batch of the input pool was fed."),
)

AGREEMENT = (
    text("case_id", "The case that was checked."),
    text("output", "Name of the output, as in the model."),
    text("verdict", "agrees, disagrees, vacuous (the output hardly depends on the input: cannot tell) or unchecked."),
    text("reason", "The verdict's reason, one sentence.", free=True),
    real("relative_error", "spread", "lower", "Largest distance from the truth in units of its spread over inputs."),
    real("precision_error", "spread", "lower", "Rms distance from the truth, of float16 and int8 rows.", since=2),
    real("conversion_error", "spread", "lower", "The same of the converted file itself, run exactly.", since=2),
    real("tolerance", "spread", "none", "The relative (float16, int8: precision) error up to which it agrees."),
    real("spread", "output's", "none", "Standard deviation of the truth over inputs, rms over elements."),
    real("yardstick", "spread", "none", "Relative error of the reference itself."),
    real("max_abs_error", "output's", "lower", "Largest absolute distance from the truth."),
    real("max_rel_error", "ratio", "lower", "Largest distance relative to the element of the truth."),
    real("cosine", "", "higher", "Cosine of the angle between output and truth."),
    real("top1_agreement", "share", "higher", "Share of inputs with the same largest element."),
    real("top5_agreement", "share", "higher", "Share of inputs whose largest element is among the truth's first five."),
    real(
        "tie_margin", "output's", "none", "Classes so near one another in the truth are ties in the two above.", since=3
    ),
    text("worst_index", "Index of the element that is furthest off, the input first, for example [3, 917]."),
    real("worst_value", "output's", "none", "The output there.", since=3),
    real("worst_truth", "output's", "none", "The truth there.", since=3),
    real("smallest_atol", "output's", "lower", "Smallest absolute tolerance that would pass, with rtol 0."),
    real("smallest_rtol", "ratio", "lower", "Smallest relative tolerance that would pass, with atol 0."),
    whole("nonfinite", "elements", "lower", "NaN and Inf in the output."),
    whole("nonfinite_truth", "elements", "lower", "NaN and Inf in the truth."),
    whole("denormals", "elements", "lower", "Below the least normal number of the output's type, and not 0.", since=3),
    whole("denormals_truth", "elements", "lower", "The same of the truth, in the output's type.", since=3),
)

ROUNDS = (
    whole("group", "", "none", "The group: cases that are measured together."),
    whole("repetition", "", "none", "Which repetition of the group."),
    whole("round", "", "none", "Which round of the repetition."),
    whole("wall_ns", "ns", "none", "Duration of the round."),
    real("load_1min", "processes", "lower", "Load average over one minute."),
    real("steal_share", "share", "lower", "Share of all CPU time that the hypervisor gave to others."),
    real("foreign_cpus", "CPUs", "lower", "CPUs that other processes kept busy."),
    real("frequency_mhz", "MHz", "none", "CPU frequency, where it can be read."),
    Column("disturbed", "boolean", "", "none", "Whether other load is likely to have changed the numbers."),
)

TURNS = (
    text("case_id", "The case whose turn it was."),
    whole("repetition", "", "none", "Which fresh process of the case."),
    text("kind", "warmup, turn or tail."),
    whole("number", "", "none", "Which block of its kind in the repetition; of turns, the round."),
    whole("calls", "calls", "none", "Calls of the block, the switch call apart."),
    whole("cpu_ns", "ns", "lower", "CPU time of the process over the timed calls; 0 in warm-up."),
    whole("wall_ns", "ns", "lower", "Wall time over the timed calls; 0 in warm-up."),
    whole(
        "extra_calls",
        "calls",
        "none",
        "Untimed calls that callers ended in that wall time while others still had timed ones to make.",
        since=2,
    ),
    whole("involuntary_switches", "switches", "lower", "How often the kernel took the CPU away while timed."),
    whole("thread_count", "threads", "none", "Threads that the process had after the block."),
)

PROCESSES = (
    text("case_id", "The case that the process ran."),
    whole("repetition", "", "none", "Which repetition."),
    text("status", "How the process ended: ok, or why not."),
    text("reason", "The status's reason, one sentence.", free=True),
    Column("complete", "boolean", "", "none", "Whether every round was measured; only then it counts as evidence."),
    whole("import_ns", "ns", "lower", "Time to import the runtime."),
    whole("load_ns", "ns", "lower", "Time to load or compile the model."),
    whole("first_call_ns", "ns", "lower", "Time of the first call."),
    whole("rss_start_bytes", "bytes", "lower", "Resident memory before the runtime is imported."),
    whole("rss_import_bytes", "bytes", "lower", "Resident memory after the import."),
    whole("rss_load_bytes", "bytes", "lower", "Resident memory after the model is loaded."),
    whole("rss_first_bytes", "bytes", "lower", "Resident memory after the first call."),
    whole("rss_peak_bytes", "bytes", "lower", "Peak resident memory while timed."),
)

PLACEMENT = (
    text("case_id", "The case whose nodes and kernels they are."),
    text("account", "graph: nodes at partitioning; kernels: executed in a profiled run of a session of its own."),
    text("provider", "Where they went."),
    whole("nodes", "nodes", "none", "Nodes of the graph, or executed kernels, of which fused ones count once."),
    real("share", "share", "none", "Of all of the account: of nodes for graph, of kernel time for kernels."),
    whole(
        "time_ns",
        "ns",
        "lower",
        "Time of the kernels over all profiled calls, the wait for their device included; null for graph.",
    ),
    whole("calls", "calls", "none", "Profiled calls; null for graph."),
    text("operators", "What they are and how many: Conv x27, Relu x27."),
    text("names", "The first few of them, by their names."),
    text("reason", "Why they are here and not on the provider asked for, where the runtime says so.", free=True),
)

SOAK = (
    text("case_id", "The case that was called on and on."),
    whole("elapsed_ns", "ns", "none", "Since the soak began."),
    whole("calls", "calls", "none", "Calls so far."),
    whole("rss_bytes", "bytes", "lower", "Resident memory, read between calls."),
    whole("private_bytes", "bytes", "lower", "What the process alone has written to."),
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
