"""A report's folder: its parquet files, ``environment.json`` and ``report.md``, readable at any moment.

Each file is replaced whole, ``environment.json`` after the tables, so a folder that has one has them all. While a run
is unfinished there is a ``journal/`` beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from bench.errors import UsageError
from bench.records import Environment, GroupRepetition, Record
from bench.report import apart_frames, atomic, frame, notebook, scrub
from bench.report.columns import SCHEMA_VERSION, TABLES
from bench.report.journal import append_repetition, finish, has_journal, read_journal, read_plan, save_plan
from bench.report.not_reports import not_a_report
from bench.report.picture import Picture
from bench.report.plain import without_nan
from bench.report.render import render_markdown
from bench.report.table_files import RESTORE, check_table, read_column, read_parquet, write_parquet
from bench.report.versioned import read_versioned
from bench.rows import Row

__all__ = [
    "Report",
    "append_repetition",
    "finish",
    "has_journal",
    "load_report",
    "read_journal",
    "read_plan",
    "save_plan",
    "save_report",
]


@dataclass(frozen=True)
class Report:
    """A stored report; the columns of the frames are described in reports/README.md.

    All but ``results`` are read when they are first asked for, from what is in the folder then: samples are millions.
    """

    path: Path
    environment: Environment
    results: pd.DataFrame  # one row per case
    _folder: Path  # the path wherever the working folder is by then

    @cached_property
    def samples(self) -> pd.DataFrame:
        """One row per call."""
        return self._table("samples")

    def samples_column(self, name: str) -> Any:
        """One column of ``samples`` as an arrow array, words as a dictionary; not kept: the way for millions."""
        return read_column(self._folder, "samples", name, self.environment.schema_version)

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """One row per case and output."""
        return self._table("agreement")

    @cached_property
    def rounds(self) -> pd.DataFrame:
        """One row per round of a group."""
        return self._table("rounds")

    @cached_property
    def turns(self) -> pd.DataFrame:
        """One row per block of calls."""
        return self._table("turns")

    @cached_property
    def processes(self) -> pd.DataFrame:
        """One row per worker process."""
        return self._table("processes")

    @cached_property
    def placement(self) -> pd.DataFrame:
        """One row per case, account and provider; empty in a report older than this table."""
        return self._table("placement")

    @cached_property
    def soak(self) -> pd.DataFrame:
        """One row per look at the memory under --soak; empty likewise."""
        return self._table("soak")

    def rows(self) -> list[Row]:
        """The results as records."""
        return frame.rows_of_frame(self.results)

    @property
    def timed(self) -> pd.DataFrame:
        """One row per timed call that counts, with the model, runtime and batch of its case."""
        return notebook.timed_calls(self)

    def tidy(self) -> pd.DataFrame:
        """One row per case and number known of it: quantity, value, unit, better."""
        return notebook.tidy(self)

    def pictures(self) -> dict[str, Picture]:
        """The pictures of its page, by name; each shows itself in a notebook."""
        return notebook.pictures(self)

    def __repr__(self) -> str:
        return notebook.one_line(self)

    def _repr_html_(self) -> str:
        return notebook.report_html(self)

    def _table(self, table: str) -> pd.DataFrame:
        return read_parquet(self._folder, table, self.environment.schema_version)


def save_report(
    folder: str | Path,
    environment: Environment,
    rows: Sequence[Row],
    repetitions: Sequence[GroupRepetition],
    *,
    batches: Mapping[str, int] | None = None,
    private: scrub.Private | None = None,
) -> None:
    """Write or replace the report in ``folder``; home paths, user and host name are taken out first.

    ``batches``: pool batches by case_id, see ``frame.samples_frame``. Raises BenchError where it cannot be written.
    """
    folder = Path(folder)
    private = private or scrub.this_machine()
    rows = [scrub.scrub_row(row, private) for row in rows]
    repetitions = [scrub.scrub_repetition(repetition, private) for repetition in repetitions]
    environment = msgspec.structs.replace(scrub.scrub_environment(environment, private), schema_version=SCHEMA_VERSION)
    frames = {
        "samples": frame.samples_frame(repetitions, batches),
        "agreement": frame.agreement_frame(repetitions),
        "rounds": frame.rounds_frame(repetitions),
        "turns": frame.turns_frame(repetitions),
        "processes": frame.processes_frame(repetitions),
        "placement": apart_frames.placement_frame(repetitions),
        "soak": apart_frames.soak_frame(repetitions),
        "results": frame.results_frame(rows),
    }
    for table, data in frames.items():
        atomic.write_with(folder / f"{table}.parquet", partial(write_parquet, table=table, data=data))
    atomic.write_bytes(folder / "environment.json", to_json(environment))
    atomic.write_bytes(folder / "report.md", render_markdown(rows, environment).encode("utf-8", "backslashreplace"))


def load_report(path: str | Path) -> Report:
    """The report in a folder. Raises UsageError where there is none, or one that is damaged or too new for us.

    Of the tables that are read later only the end of the file is looked at, where parquet says what is in it.
    """
    folder = Path(path)
    environment = read_environment(folder)
    for table in (name for name in TABLES if name != "results"):
        check_table(folder, table, environment.schema_version)
    results = read_parquet(folder, "results", environment.schema_version)
    return Report(folder, environment, results, folder.absolute())


def read_environment(folder: Path) -> Environment:
    """What a report says of its run. UsageError where there is none in the folder, or it is damaged or too new."""
    path = folder / "environment.json"
    if not path.is_file():
        raise UsageError(f"reading report {folder}: {not_a_report(folder)}")
    return read_versioned(path, Environment, SCHEMA_VERSION, doing=f"reading report {folder}", restore=RESTORE)


def to_json(record: Record) -> bytes:
    """A record as JSON for people and machines: NaN and infinities as null."""
    plain = without_nan(msgspec.to_builtins(record))
    return (json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "backslashreplace")
