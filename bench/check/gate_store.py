"""A gate's folder: ``gate.json`` with the verdicts and every pair, the raw samples beside it, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from bench.check.private import scrub_gate
from bench.check.records import GATE_SCHEMA, GateResult
from bench.errors import UsageError
from bench.records import GroupRepetition
from bench.report import atomic, frame, scrub
from bench.report.store import to_json
from bench.report.table_files import write_parquet
from bench.report.versioned import read_versioned

GATE_FILE = "gate.json"
RAW_TABLES = {
    "samples": frame.samples_frame,
    "turns": frame.turns_frame,
    "processes": frame.processes_frame,
    "rounds": frame.rounds_frame,
}


def save_gate(folder: Path, result: GateResult, raw: Mapping[str, Sequence[GroupRepetition]]) -> None:
    """Write or replace the gate in ``folder``. ``raw``: the repetitions of each case, by its name.

    In the raw tables ``case_id`` is ``NAME [baseline]`` or ``NAME [head]`` and ``repetition`` the pair.
    """
    private = scrub.this_machine()
    named = [
        scrub.scrub_repetition(_named(repetition, name), private)
        for name, repetitions in raw.items()
        for repetition in repetitions
    ]
    frames = {table: make(named) for table, make in RAW_TABLES.items()}
    for table, data in frames.items():
        atomic.write_with(folder / f"{table}.parquet", partial(write_parquet, table=table, data=data))
    atomic.write_bytes(folder / GATE_FILE, to_json(scrub_gate(result, private)))


def load_gate(folder: Path) -> GateResult:
    """The gate in a folder. UsageError where there is none, or one that is damaged or too new for us."""
    path = folder / GATE_FILE
    if not path.is_file():
        there = "no such folder" if not folder.exists() else f"no {GATE_FILE} in it"
        raise UsageError(f"reading gate {folder}: {there}; `bench gate --out {folder} ...` makes one")
    return read_versioned(path, GateResult, GATE_SCHEMA, doing=f"reading gate {folder}", restore="Run the gate again")


def _named(repetition: GroupRepetition, name: str) -> GroupRepetition:
    cases = [msgspec.structs.replace(one, case_id=f"{name} [{one.case_id}]") for one in repetition.cases]
    return msgspec.structs.replace(repetition, cases=cases)
