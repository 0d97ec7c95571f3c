"""The tables of a report as parquet files: written with our schema, checked against it, read as we know them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import UsageError, first_line
from bench.report import frame
from bench.report.columns import SCHEMA_VERSION, TABLE_SINCE, TABLES

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
    if TABLE_SINCE.get(table, 1) > version:
        return []
    path = folder / f"{table}.parquet"
    if not path.is_file():
        raise UsageError(f"reading report {folder}: {path.name} is missing. {RESTORE}")
    with _damage_told(folder, path):
        schema = pq.read_schema(path)
    known = [column for column in TABLES[table] if column.since <= version]
    missing = [column.name for column in known if column.name not in schema.names]
    wrong = [
        column.name
        for column in known
        if column.name not in missing and schema.field(column.name).type != frame.ARROW_TYPES[column.dtype]
    ]
    if missing or wrong:
        raise UsageError(
            f"reading {path}: not a table of schema version {version}: missing columns {missing}, "
            f"columns of another type {wrong}. {RESTORE}"
        )
    return [column.name for column in known]


def read_parquet(folder: Path, table: str, version: int) -> pd.DataFrame:
    """The table with exactly our columns: those that are younger than the file are null."""
    path = folder / f"{table}.parquet"
    known = check_table(folder, table, version)
    if not known:
        return frame.frame_of_arrow(frame.arrow_schema(table).empty_table())
    with _damage_told(folder, path):
        arrow = pq.ParquetFile(path).read(columns=known)
    nulls = {c.name: pa.nulls(len(arrow), frame.ARROW_TYPES[c.dtype]) for c in TABLES[table] if c.name not in known}
    columns = [nulls[c.name] if c.name in nulls else arrow.column(c.name) for c in TABLES[table]]
    return frame.frame_of_arrow(pa.Table.from_arrays(columns, schema=frame.arrow_schema(table)))


@contextlib.contextmanager
def _damage_told(folder: Path, path: Path) -> Iterator[None]:
    """What reading a damaged file raises, as UsageError."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UsageError(f"reading report {folder}: {path.name} is damaged ({first_line(error)}). {RESTORE}") from error
