"""pytest-benchmark's JSON -> frames, whoever wrote it, and rows where bench did. Reads one file, changes none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from bench.errors import UsageError
from bench.report.columns import SCHEMA_VERSION
from bench.report.pytest_benchmark import NS_PER_S, OURS, VERSION_KEY
from bench.rows import Row

_TIMES = {  # pytest-benchmark's name, in seconds -> ours
    "min": "latency_ns_min",
    "median": "latency_ns_p50",
    "mean": "latency_ns_mean",
    "max": "latency_ns_max",
    "stddev": "latency_ns_stddev",
    "q1": "latency_ns_p25",
    "q3": "latency_ns_p75",
}
_ROW_FIELDS = frozenset(Row.__struct_fields__)


class _Stats(msgspec.Struct, frozen=True, kw_only=True):
    min: float
    max: float
    mean: float
    stddev: float
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    rounds: int
    iterations: int = 1
    data: list[float] = []


class _Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    fullname: str
    group: str | None = None
    param: str | None = None
    params: dict[str, Any] | None = None
    extra_info: dict[str, Any] = {}
    stats: _Stats


class _LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    reason: str
    extra_info: dict[str, Any]


class _Ours(msgspec.Struct, frozen=True, kw_only=True):
    cases: list[str]
    left_out: list[_LeftOut]


class _File(msgspec.Struct, frozen=True, kw_only=True):
    benchmarks: list[_Benchmark]
    machine_info: dict[str, Any] | None = None
    commit_info: dict[str, Any] | None = None
    datetime: str = ""
    version: str = ""
    ours: _Ours | None = msgspec.field(default=None, name=OURS)


@dataclass(frozen=True)
class BenchmarkFile:
    """What a file of pytest-benchmark holds; durations in nanoseconds per call."""

    path: Path
    version: str  # of pytest-benchmark
    started: str  # as written there, ISO 8601
    machine: Mapping[str, Any]
    commit: Mapping[str, Any]
    rows: list[Row]  # of bench alone, in a report's order; those left out of the benchmarks too
    benchmarks: pd.DataFrame  # one row per benchmark of the file, whoever made it
    samples: pd.DataFrame  # one row per round, where the file has them: fullname, round, latency_ns


def read_pytest_benchmark(path: str | Path) -> BenchmarkFile:
    """The file at ``path``. UsageError where it is none, names a key that is wrong, or is too new for us."""
    path = Path(path)
    file = _decode(path)
    left_out = file.ours.left_out if file.ours else []
    found = [_row(one.extra_info, path, one.stats) for one in file.benchmarks]
    found += [_row(one.extra_info, path) for one in left_out]
    rows = [row for row in found if row is not None]
    if file.ours:
        place = {case_id: number for number, case_id in enumerate(file.ours.cases)}
        rows.sort(key=lambda row: place.get(row.case_id, len(place)))
    return BenchmarkFile(
        path=path,
        version=file.version,
        started=file.datetime,
        machine=file.machine_info or {},
        commit=file.commit_info or {},
        rows=rows,
        benchmarks=_benchmarks_frame(file.benchmarks),
        samples=_samples_frame(file.benchmarks),
    )


def _decode(path: Path) -> _File:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))  # Python's own: pytest-benchmark writes NaN as it does
        return msgspec.convert(content, _File)
    except OSError as error:
        raise UsageError(f"reading {path}: {error.strerror}") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise UsageError(
            f"reading {path}: expected a JSON file of pytest-benchmark (--benchmark-json, --benchmark-save): {error}"
        ) from error


def _row(extra_info: Mapping[str, Any], path: Path, stats: _Stats | None = None) -> Row | None:
    """The row that an extra_info of ours holds, with what the statistics add; None where it is not ours."""
    version = extra_info.get(VERSION_KEY)
    if version is None:
        return None
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise UsageError(
            f"reading {path}: {VERSION_KEY} is {version}, this bench reads up to {SCHEMA_VERSION}. "
            "Install a newer onnx-crossbench"
        )
    try:
        row = msgspec.convert({name: extra_info[name] for name in extra_info.keys() & _ROW_FIELDS}, Row)
    except msgspec.ValidationError as error:
        raise UsageError(f"reading {path}: an extra_info of bench is damaged: {error}") from error
    return row if stats is None or row.calls else with_stats(row, msgspec.structs.asdict(stats))


def with_stats(row: Row, stats: Any) -> Row:
    """The row with what pytest-benchmark timed; where a round is several calls only their mean is known.

    ``stats`` gives by ``stats[NAME]`` pytest-benchmark's ``min median mean`` in seconds, ``rounds`` and ``iterations``.
    """
    single = stats["iterations"] == 1
    return msgspec.structs.replace(
        row,
        calls=stats["rounds"] * stats["iterations"],
        latency_ns_mean=_ns(stats["mean"]),
        latency_ns_min=_ns(stats["min"]) if single else None,
        latency_ns_p50=_ns(stats["median"]) if single else None,
        throughput_items_per_s=row.batch_size / stats["mean"] if stats["mean"] else None,
    )


def _benchmarks_frame(benchmarks: Sequence[_Benchmark]) -> pd.DataFrame:
    texts = {
        name: pd.array([getattr(one, name) for one in benchmarks], dtype="string")
        for name in ("name", "fullname", "group", "param")
    }
    times = {ours: [_ns(getattr(one.stats, theirs)) for one in benchmarks] for theirs, ours in _TIMES.items()}
    counts = {name: [getattr(one.stats, name) for one in benchmarks] for name in ("rounds", "iterations")}
    objects = {name: [_text(getattr(one, name)) for one in benchmarks] for name in ("params", "extra_info")}
    return pd.DataFrame(
        texts
        | {name: pd.array(values, dtype="Float64") for name, values in times.items()}
        | {name: pd.array(values, dtype="Int64") for name, values in counts.items()}
        | {name: pd.array(values, dtype="string") for name, values in objects.items()}
    )


def _samples_frame(benchmarks: Sequence[_Benchmark]) -> pd.DataFrame:
    samples = [(one.fullname, i, _ns(value)) for one in benchmarks for i, value in enumerate(one.stats.data)]
    columns = list(zip(*samples, strict=True)) or [(), (), ()]
    return pd.DataFrame(
        {
            "fullname": pd.array(columns[0], dtype="string"),
            "round": pd.array(columns[1], dtype="Int64"),
            "latency_ns": pd.array(columns[2], dtype="Float64"),
        }
    )


def _ns(seconds: float | None) -> float | None:
    """Nanoseconds to a thousandth: what a float of seconds holds of them."""
    return None if seconds is None else round(seconds * NS_PER_S, 3)


def _text(value: Any) -> str | None:
    return json.dumps(value, sort_keys=True, default=str) if value else None
