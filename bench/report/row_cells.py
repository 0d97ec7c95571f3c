"""One row -> the text of its cells. Pure; what a group has to do with it is in ``cells.py``."""

from __future__ import annotations

from bench import units
from bench.report import verdict
from bench.rows import Row


def agreement(row: Row) -> str:
    """``agrees 6.0e-6``; of a row in fewer bits the error that it is judged by, ``agrees 0.05 rms``."""
    if row.precision_error is not None:
        return f"{row.agreement} {units.error(row.precision_error)} rms"
    if row.relative_error is None:
        return row.agreement if row.latency_ns_best is not None or row.agreement != "unchecked" else units.UNKNOWN
    return f"{row.agreement} {units.error(row.relative_error)}"


def state(row: Row) -> str:
    """``good``, ``bad`` or ``doubt``."""
    if row.status not in ("ok", "partial") or row.agreement == "disagrees":
        return "bad"
    return "good" if row.status == "ok" and row.agreement == "agrees" else "doubt"


def placement(row: Row) -> str:
    """``73 % on WebGpu``, of nodes where the time is not known; never rounded up to the whole."""
    share = row.node_share if row.time_share is None else row.time_share
    if share is None:
        return units.UNKNOWN
    whole = "100 %" if share == 1 else f"{min(int(share * 1000) / 10, 99.9):g} %"
    nodes = " of nodes" if row.time_share is None else ""
    name = (row.provider_requested or row.provider or "").removesuffix("ExecutionProvider")
    return f"{whole}{nodes} on {name}" if verdict.is_elsewhere(row) and name else f"{whole}{nodes}"


def memory(row: Row) -> str:
    """The peak over what the import took."""
    peak, base = row.rss_peak_bytes, row.rss_import_bytes
    return units.size(None if peak is None or base is None else peak - base)


def cold_start(row: Row) -> str:
    """``3.02 s (build 2.9 s, miss)``; the brackets only where something is built."""
    steps = (row.import_ns, row.load_ns, row.first_call_ns)
    known = [step for step in steps if step is not None]
    text = units.duration(sum(known) if len(known) == len(steps) else None)
    built = [f"build {units.duration(row.build_ns)}"] if row.build_ns is not None else []
    if row.build_cache is not None:
        built.append(row.build_cache if built else f"cache {row.build_cache}")
    return f"{text} ({', '.join(built)})" if built else text


def soak(row: Row) -> str:
    """``plateau``, or the slope: ``growing 1.2 MiB/min (0.9 to 1.5)``."""
    if row.soak_verdict is None:
        return units.UNKNOWN
    slope, low, high = row.soak_slope_per_minute, row.soak_slope_per_minute_low, row.soak_slope_per_minute_high
    if row.soak_verdict == "plateau" or slope is None:
        return row.soak_verdict
    bounds = "" if low is None or high is None else f" ({_slope(low)} to {_slope(high)})"
    return f"{row.soak_verdict} {_slope(slope)}/min{bounds}"


def own_notes(row: Row) -> list[str]:
    """What is known of a row of reduced precision besides its doubts."""
    if row.precision == "float32" or row.agreement == "unchecked":
        return []
    said = [f"isa: {row.precision} ran on a CPU with {row.isa}"] * bool(row.isa and row.latency_ns_best is not None)
    if row.conversion_error is not None and "lossy: " not in row.cautions:
        error = units.error(row.conversion_error)
        said.append(f"conversion: the {row.precision} file itself, run exactly, is {error} off the truth")
    return said


def _slope(value: float) -> str:
    return f"-{units.size(-value)}" if value < 0 else units.size(value)
