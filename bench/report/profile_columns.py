"""The columns of a profile's tables, as ``columns`` has those of a report. Pure data."""

from __future__ import annotations

from bench.report.column import Column, real, text, whole

OPERATORS: tuple[Column, ...] = (
    text("case_id", "The case whose kernel it is."),
    whole("repetition", "", "none", "Which profiled process of the case."),
    text("kernel", "The runtime's name of the step of its own graph, unique in a session."),
    text("operator", "Its kind in the runtime's words, for example Conv."),
    text("provider", "Where it ran."),
    text("layers", "The layers (of a bare file: nodes) whose work it does, joined by ' + '; null where unknown."),
    whole("calls", "", "none", "Profiled calls in this repetition."),
    real(
        "time_ns",
        "ns",
        "lower",
        "Own time in a profiled call: the mean over the usual ones, the middle half by wall time, of three the middle.",
    ),
    whole("output_bytes", "bytes", "none", "What one call of it writes, where the runtime tells."),
)

LAYERS: tuple[Column, ...] = (
    text("case_id", "The case whose time it is."),
    text(
        "line", "Layers that the same kernels do, joined by ' + '; or kernels of no layer; or what is outside of them."
    ),
    text("kind", "Kind of the layer with most multiply-adds, for example Conv2D 1x1."),
    text("operators", "Kinds of its kernels in the runtime's words."),
    real(
        "time_ns",
        "ns",
        "lower",
        "Time in a profiled call: the median over repetitions of the mean over the usual calls.",
    ),
    real("time_ns_low", "ns", "lower", "Lower bound of it over repetitions."),
    real("time_ns_high", "ns", "lower", "Upper bound."),
    real("interval_level", "", "none", "Probability that the bounds hold the value sought."),
    real("time_share", "share", "none", "Of all lines: the wall time, or the kernels' where they take more together."),
    whole("multiply_adds", "", "none", "Of the layers in one call of the batch; null where one can't be counted."),
    whole("parameters", "", "none", "Trainable parameters of the layers."),
    whole("traffic_bytes", "bytes", "none", "Activations into and out of the layers, and weights: a lower bound."),
    real("flops_per_s", "flop/s", "higher", "Achieved: two operations a multiply-add, over the time."),
    real("bytes_per_s", "bytes/s", "higher", "Achieved, of the lower bound."),
    real("intensity", "flop/byte", "none", "Operations a byte."),
    real(
        "roof_share", "share", "higher", "Time at this machine's roofs over the time taken; above 1 is above the roof."
    ),
    text("bound", "compute, memory, overhead (far below both), above the roof, or unknown."),
    real("headroom_ns", "ns", "lower", "Time that would be saved at the roof."),
)

PROFILE_TABLES: dict[str, tuple[Column, ...]] = {"operators": OPERATORS, "layers": LAYERS}
