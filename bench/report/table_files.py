"""The tables of a report as parquet files: written with our schema, checked against it, read as we know them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import UsageError, first_line
from bench.report import frame
from bench.report.columns import SCHEMA_VERSION, TABLE_SINCE, TABLES
from bench.rows import Row

RESTORE = "Take the folder from where it was copied, or measure again with `bench run`"
_VERSION_KEY = b"bench_schema_version"


def write_parquet(path: Path, table: str, data: pd.DataFrame) -> None:
    """One of our tables as a file, its schema's version in it."""
    schema = frame.arrow_schema(table).with_metadata({_VERSION_KEY: str(SCHEMA_VERSION).encode()})
    arrow = pa.Table.from_pandas(data, schema=schema, preserve_index=False).replace_schema_metadata(schema.metadata)
    pq.write_table(arrow, path, compression="zstd")


def check_table(folder: Path, table: str, version: int) -> list[str]:
    """The columns of ours that the table's file has; none where the schema's version is older than the table.

    UsageError where the file is missing, damaged as far as its end shows, or not of that version.
    """
    opened = _open(folder, table, version)
    if opened is None:
        return []
    opened.file.close()
    return opened.columns


def read_parquet(folder: Path, table: str, version: int) -> pd.DataFrame:
    """The table with exactly our columns: those that are younger than the file are null."""
    arrow = _read(folder, table, version)
    if arrow is None:
        return frame.frame_of_arrow(frame.arrow_schema(table).empty_table())
    there = set(arrow.column_names)
    nulls = {c.name: pa.nulls(len(arrow), frame.ARROW_TYPES[c.dtype]) for c in TABLES[table] if c.name not in there}
    columns = [nulls[c.name] if c.name in nulls else arrow.column(c.name) for c in TABLES[table]]
    return frame.frame_of_arrow(pa.Table.from_arrays(columns, schema=frame.arrow_schema(table)))


def read_column(folder: Path, table: str, name: str, version: int) -> Any:
    """One column that files of every version have, as an arrow array; words as a dictionary, each word once."""
    check_table(folder, table, version)
    path = folder / f"{table}.parquet"
    with _damage_told(folder, path), pq.ParquetFile(path, read_dictionary=[name]) as file:
        return file.read(columns=[name]).column(name).unify_dictionaries().combine_chunks()


def read_rows(folder: Path, version: int) -> list[Row]:
    """The results as records, without a frame between: the way for many reports."""
    lines: list[dict[str, Any]] = _read(folder, "results", version).to_pylist()
    return [Row(**{name: value for name, value in line.items() if value is not None}) for line in lines]


class _Opened(NamedTuple):
    file: Any  # pq.ParquetFile
    columns: list[str]  # ours that it has


def _open(folder: Path, table: str, version: int) -> _Opened | None:
    """The file, looked at; None where the schema's version is older than the table."""
    if TABLE_SINCE.get(table, 1) > version:
        return None
    path = folder / f"{table}.parquet"
    if not path.is_file():
        raise UsageError(f"reading report {folder}: {path.name} is missing. {RESTORE}")
    with _damage_told(folder, path):
        file = pq.ParquetFile(path)
    types = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
    known = {column.name: frame.ARROW_TYPES[column.dtype] for column in TABLES[table] if column.since <= version}
    missing = [name for name in known if name not in types]
    wrong = [name for name, kind in known.items() if name in types and types[name] != kind]
    if missing or wrong:
        file.close()
        raise UsageError(
            f"reading {path}: not a table of schema version {version}: missing columns {missing}, "
            f"columns of another type {wrong}. {RESTORE}"
        )
    return _Opened(file, list(known))


def _read(folder: Path, table: str, version: int) -> Any:
    """The arrow table of the columns that the file has, None as ``_open``."""
    opened = _open(folder, table, version)
    if opened is None:
        return None
    with _damage_told(folder, folder / f"{table}.parquet"), opened.file:
        return opened.file.read(columns=opened.columns)


@contextlib.contextmanager
def _damage_told(folder: Path, path: Path) -> Iterator[None]:
    """What reading a damaged file raises, as UsageError."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UsageError(f"reading report {folder}: {path.name} is damaged ({first_line(error)}). {RESTORE}") from error
