"""Folders of reports -> what is stored of their cases, by time: one query of DuckDB over all of their results.

Samples are never read. A report that can't be read is left out with its reason, and the others go on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bench.check.compare_join import Identity, identify
from bench.check.compare_records import CASE_FIELDS, Side
from bench.check.history_records import LeftOut, Tracked
from bench.errors import UsageError, first_line
from bench.records import Environment
from bench.report.not_reports import way_on
from bench.report.store import has_journal, read_environment
from bench.report.table_files import check_table
from bench.rows import Row

_IDENTITY = ("model", "runtime", "runtime_spec", "label", "batch_size", "threads", "streams", "precision", "boundary")
_STATE = ("status", "status_reason", "agreement", "agreement_reason", "latency_ns_best", "environment", "cautions")
_NO_PATTERN = str.maketrans({"[": "[[]", "*": "[*]", "?": "[?]"})  # DuckDB takes a path for a pattern


class Stored(NamedTuple):
    """A report that can be read."""

    path: str
    environment: Environment
    cases: dict[Identity, Row]  # a row knows the columns that a history needs, no others


class _Opened(NamedTuple):
    path: Path
    environment: Environment
    columns: list[str]  # of results.parquet


def read_reports(folders: Sequence[Path], tracked: Tracked) -> tuple[list[Stored], list[LeftOut]]:
    """The reports by time of their start, and those that are left out."""
    left_out: list[LeftOut] = []
    opened = list(_opened(folders, left_out))
    rows = _rows_of(opened, _columns(tracked), left_out)
    stored = [one for one in (_stored(each, rows[each.path], left_out) for each in opened if each.path in rows) if one]
    stored.sort(key=lambda one: (datetime.fromisoformat(one.environment.started), one.path))
    return _without_copies(stored, left_out), left_out


def _opened(folders: Sequence[Path], left_out: list[LeftOut]) -> Iterator[_Opened]:
    """Those whose environment and end of results can be read, and whose run came to its end."""
    for folder in folders:
        try:
            environment = read_environment(folder)
            columns = check_table(folder, "results", environment.schema_version)
            _check_started(environment.started)
        except UsageError as error:
            left_out.append(LeftOut(str(folder), _reason(error, folder)))
            continue
        if environment.finished and not has_journal(folder):
            yield _Opened(folder, environment, columns)
        else:
            left_out.append(LeftOut(str(folder), f"its run is not finished; `{way_on(folder)}` goes on"))


def _check_started(started: str) -> None:
    """A time with its zone, as every report of ours has: by it they are ordered and drawn."""
    try:
        is_known = datetime.fromisoformat(started).tzinfo is not None
    except ValueError:
        is_known = False
    if not is_known:
        raise UsageError(f"environment.json is damaged (started is {started!r}, expected a time with its zone)")


def _columns(tracked: Tracked) -> list[str]:
    own = (tracked.column, tracked.low, tracked.high)
    return list(dict.fromkeys(filter(None, ("case_id", *_IDENTITY, *_STATE, *CASE_FIELDS, *own))))


def _rows_of(opened: Sequence[_Opened], wanted: Sequence[str], left_out: list[LeftOut]) -> dict[Path, list[Row]]:
    """The rows of each report by its path, in their order. Where a file spoils the query, its halves are asked."""
    import duckdb

    if not opened:
        return {}
    there = {name for one in opened for name in one.columns}
    names = [name for name in wanted if name in there]  # what no file has can't be asked for
    try:
        return _query(opened, names)
    except duckdb.Error as error:
        if len(opened) == 1:
            left_out.append(LeftOut(str(opened[0].path), f"results.parquet is damaged ({first_line(error)})"))
            return {}
    half = len(opened) // 2
    return _rows_of(opened[:half], wanted, left_out) | _rows_of(opened[half:], wanted, left_out)


def _query(opened: Sequence[_Opened], names: Sequence[str]) -> dict[Path, list[Row]]:
    import duckdb

    paths = {os.path.abspath(one.path / "results.parquet"): one.path for one in opened}
    rows: dict[Path, list[Row]] = {path: [] for path in paths.values()}
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        lines = connection.execute(_sql(names), [[file.translate(_NO_PATTERN) for file in paths]]).fetchall()
    for file, *values in lines:
        known = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        rows[paths[file]].append(Row(**known))
    return rows


def _sql(names: Sequence[str]) -> str:
    """Columns that are younger than a file are null there; a folder called ``a=b`` is no column."""
    columns = ", ".join(f'"{name}"' for name in names)
    return (
        f"select filename, {columns} from read_parquet($1, union_by_name = true, filename = true, "
        "file_row_number = true, hive_partitioning = false) order by filename, file_row_number"
    )


def _stored(opened: _Opened, rows: Sequence[Row], left_out: list[LeftOut]) -> Stored | None:
    path = str(opened.path)
    if not rows:
        left_out.append(LeftOut(path, "it has no cases"))
        return None
    side = Side(letter="", path=path, environment=opened.environment, rows=tuple(rows))
    try:
        return Stored(path, opened.environment, identify([side], only_asked=True)[0])
    except UsageError as error:
        left_out.append(LeftOut(path, _reason(error, opened.path)))
        return None


def _without_copies(stored: Sequence[Stored], left_out: list[LeftOut]) -> list[Stored]:
    """Each run once: a copy of a report would count as evidence of its own."""
    kept: dict[str, list[Stored]] = {}  # by start
    for one in stored:
        others = kept.setdefault(one.environment.started, [])
        same = [each for each in others if (each.environment, each.cases) == (one.environment, one.cases)]
        if same:
            left_out.append(LeftOut(one.path, f"a copy of {same[0].path}"))
        else:
            others.append(one)
    return [one for others in kept.values() for one in others]


def _reason(error: UsageError, folder: Path) -> str:
    """What is wrong, without the path that the line begins with anyway."""
    for begin in (f"reading report {folder}: ", f"comparing report  ({folder}): "):
        if str(error).startswith(begin):
            return str(error).removeprefix(begin)
    return str(error)
