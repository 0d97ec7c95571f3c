"""A stored report as pytest-benchmark's JSON, which ``pytest-benchmark compare`` reads. Pure: returns text.

A benchmark is a case that is allowed to win: verified, and measured whole. The others are listed beside, each with its
reason: pytest-benchmark has no word for a number that must not be compared. Times are seconds there. A benchmark's
``extra_info`` holds the fields of its row under their own names, as those of the fixture ``runtime_benchmark`` do;
``pytest_benchmark_file.py`` reads both back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pandas as pd

from bench import __version__
from bench.analysis.summary import barred_rows
from bench.records import Machine
from bench.report.columns import SCHEMA_VERSION
from bench.report.store import Report
from bench.rows import Row

NS_PER_S = 1_000_000_000
OURS = "onnx_crossbench"  # our key of the file: what pytest-benchmark has no place for
VERSION_KEY = "bench_schema_version"  # in an extra_info: the fields of a row are there too
_PATH = "onnx-crossbench"  # stands for the file of a test in a benchmark's full name
_NO_SAMPLES = "no timed calls of it are stored"


def render_pytest_benchmark(report: Report) -> str:
    """The report as the text of such a file, every timed call in it. Nothing in it is of this machine or moment."""
    rows, data = report.rows(), timed_seconds(report)
    reasons = left_out(rows, data)
    content = {
        "machine_info": _machine_info(report.environment.machine),
        "commit_info": _commit_info(),
        "benchmarks": [_benchmark(row, data[row.case_id]) for row in rows if row.case_id not in reasons],
        "datetime": report.environment.started,
        "version": _format_version(),
        OURS: {
            "bench_version": report.environment.bench_version,
            "command": report.environment.command,
            "cases": [row.case_id for row in rows],
            "left_out": [
                {"reason": reasons[row.case_id], "extra_info": extra_info(row)}
                for row in rows
                if row.case_id in reasons
            ],
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def left_out(rows: Sequence[Row], data: Mapping[str, Sequence[float]]) -> dict[str, str]:
    """Why a case is not among the benchmarks, by case_id: it may not win, or has no timed calls."""
    reasons = {row.case_id: _NO_SAMPLES for row in rows if not data.get(row.case_id)}
    return reasons | {row.case_id: reason for row, reason in barred_rows(rows)}


def timed_seconds(report: Report) -> dict[str, list[float]]:
    """Seconds of every timed call that counts, by case_id: those of turns, in processes that measured to the end."""
    whole = report.processes.loc[report.processes["complete"].fillna(False), ["case_id", "repetition"]]
    timed = report.samples.loc[report.samples["kind"] == "timed", ["case_id", "repetition", "latency_ns"]]
    counted: pd.DataFrame = timed.merge(whole, on=["case_id", "repetition"])
    return {
        str(case_id): [int(ns) / NS_PER_S for ns in latencies]
        for case_id, latencies in counted.groupby("case_id", sort=False)["latency_ns"]
    }


def extra_info(row: Row) -> dict[str, Any]:
    """Every known field of a row under its own name, and the version of their meaning; infinities are unknown."""
    plain = msgspec.to_builtins(row)
    unsaid = {field.name: field.default for field in msgspec.structs.fields(Row)}
    known = {name: value for name, value in plain.items() if value != unsaid[name] and _is_json(value)}
    return {VERSION_KEY: SCHEMA_VERSION, "bench_version": __version__, **known}


def group_of(row: Row) -> str:
    """What belongs in one table: the cases of a model at one batch size and thread count."""
    return f"{row.model} | batch {row.batch_size} | threads {row.threads}"


def _benchmark(row: Row, seconds: Sequence[float]) -> dict[str, Any]:
    name = f"latency[{row.case_id}]"
    return {
        "group": group_of(row),
        "name": name,
        "fullname": f"{_PATH}::{name}",
        "params": {
            "bench_model": row.model,
            "bench_runtime": row.runtime_spec or row.runtime,
            "bench_batch": row.batch_size,
        },
        "param": row.case_id,
        "extra_info": extra_info(row),
        "options": {
            "disable_gc": True,
            "timer": "perf_counter_ns",
            "min_rounds": None,
            "max_time": None,
            "min_time": None,
            "precision": None,
            "confidence": None,
            "warmup": row.warmup_calls or False,
        },
        "stats": _stats(seconds),
    }


def _stats(seconds: Sequence[float]) -> dict[str, Any]:
    """By pytest-benchmark's own code: its quartiles and outliers are defined there."""
    from pytest_benchmark import stats

    made: Any = stats.Stats
    theirs = made()
    for duration in seconds:
        theirs.update(duration)
    return {**theirs.as_dict(), "data": list(seconds), "iterations": 1}


def _machine_info(machine: Machine) -> dict[str, Any]:
    """pytest-benchmark's fields as far as a report tells them; a report has no host name."""
    system, _, release = machine.system.partition(" ")
    return {
        "node": None,
        "processor": machine.cpu,
        "machine": None,
        "python_version": machine.python,
        "python_implementation": "CPython",
        "python_implementation_version": machine.python,
        "release": release,
        "system": system,
        "cpu": {"brand_raw": machine.cpu, "count": machine.logical_cpus, "flags": list(machine.isa)},
        "effective_cpus": machine.effective_cpus,
        "memory_bytes": machine.memory_bytes,
    }


def _commit_info() -> dict[str, Any]:
    """As pytest-benchmark says it where there is no repository: a report does not know one."""
    return {
        "id": "unversioned",
        "time": None,
        "author_time": None,
        "dirty": False,
        "project": _PATH,
        "branch": "(unknown)",
    }


def _format_version() -> str:
    import pytest_benchmark

    return str(pytest_benchmark.__version__)


def _is_json(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
