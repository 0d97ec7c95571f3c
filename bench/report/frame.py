"""Rows, samples and checks as typed DataFrames, and rows back from one.

Built column by column against the table in ``columns``: no type is ever guessed, an empty frame has the same dtypes as
a full one, and NaN becomes null. Pure: no files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bench.analysis.agreement import worst_check
from bench.records import GroupRepetition, OutputCheck, RoundState, Turn
from bench.report.column import Column
from bench.report.columns import KEYS, TABLES
from bench.rows import Row

_HAD_A_PROCESS = ("crashed", "timeout", "oom")
ARROW_TYPES = {"string": pa.string(), "Int64": pa.int64(), "Float64": pa.float64(), "boolean": pa.bool_()}
_PANDAS_TYPES = {
    pa.string(): pd.StringDtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def results_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """One row per case, in the given order. Raises ValueError where a case_id comes twice."""
    return _frame_of_records("results", rows)


def samples_frame(repetitions: Sequence[GroupRepetition], batches: Mapping[str, int] | None = None) -> pd.DataFrame:
    """One row per call: every warm-up, switch, timed and tail call of every worker, in the order in which it ran.

    ``batches`` is the number of pool batches by case_id; where it is known, ``input_index`` is taken modulo it.
    Raises ValueError where a case was called twice in one repetition; one that was never called may come again, as a
    case refused before measuring does in each repetition of its group.
    """
    cases = [case for group in repetitions for case in group.cases if case.turns]
    _refuse_twice("samples", [(case.case_id, case.repetition) for case in cases])
    blocks = _Blocks()
    for i, case in enumerate(cases):
        done: dict[int | None, int] = {}
        for turn in case.turns:
            number = turn.round if turn.kind == "turn" else None
            first_call = done.get(number, 0)
            done[number] = first_call + blocks.add(i, number, first_call, turn)
    names = [case.case_id for case in cases]
    return blocks.frame(names, [case.repetition for case in cases], [(batches or {}).get(name) for name in names])


def turns_frame(repetitions: Sequence[GroupRepetition]) -> pd.DataFrame:
    """One row per block of calls of every worker: what its calls cost besides their time."""
    blocks = [
        (case, number, turn)
        for group in repetitions
        for case in group.cases
        for kind in ("warmup", "turn", "tail")
        for number, turn in enumerate(turn for turn in case.turns if turn.kind == kind)
    ]
    own = ("kind", "cpu_ns", "wall_ns", "involuntary_switches", "thread_count", "extra_calls")
    columns: dict[str, list[Any]] = {name: [getattr(turn, name) for _, _, turn in blocks] for name in own}
    columns |= {
        "case_id": [case.case_id for case, _, _ in blocks],
        "repetition": [case.repetition for case, _, _ in blocks],
        "number": [turn.round if turn.kind == "turn" else number for _, number, turn in blocks],
        "calls": [len(turn.latencies_ns) for _, _, turn in blocks],
    }
    return make_frame("turns", columns)


def processes_frame(repetitions: Sequence[GroupRepetition]) -> pd.DataFrame:
    """One row per worker process: how it ended, its cold start and its memory. Refused cases had none."""
    cases = [case for group in repetitions for case in group.cases if case.opened or case.status in _HAD_A_PROCESS]
    opened, first = [case.opened for case in cases], [case.first for case in cases]
    columns: dict[str, list[Any]] = {
        name: [getattr(case, name) for case in cases]
        for name in ("case_id", "repetition", "status", "reason", "complete")
    }
    columns |= {
        "import_ns": [one.import_ns if one else None for one in opened],
        "load_ns": [one.load_ns if one else None for one in opened],
        "first_call_ns": [one.first_call_ns if one else None for one in first],
        "rss_start_bytes": [one.memory_start.rss_bytes if one else None for one in opened],
        "rss_import_bytes": [one.memory_import.rss_bytes if one else None for one in opened],
        "rss_load_bytes": [one.memory_load.rss_bytes if one else None for one in opened],
        "rss_first_bytes": [one.memory.rss_bytes if one else None for one in first],
        "rss_peak_bytes": [case.memory_peak.peak_rss_bytes if case.memory_peak else None for case in cases],
    }
    return make_frame("processes", columns)


def agreement_frame(repetitions: Sequence[GroupRepetition]) -> pd.DataFrame:
    """One row per case and output: the worst check over repetitions."""
    checks: dict[tuple[str, str], list[OutputCheck]] = {}
    for group in repetitions:
        for case in group.cases:
            for check in case.checks:
                checks.setdefault((case.case_id, check.output), []).append(check)
    worst = [(case_id, worst_check(found)) for (case_id, _), found in checks.items()]
    columns = _columns_of_records("agreement", [check for _, check in worst], skip=("case_id",))
    return make_frame("agreement", {"case_id": [case_id for case_id, _ in worst], **columns})


def rounds_frame(repetitions: Sequence[GroupRepetition]) -> pd.DataFrame:
    """One row per round of every group and repetition: the state of the machine."""
    states: list[tuple[GroupRepetition, RoundState]] = [
        (group, state) for group in repetitions for state in group.rounds
    ]
    columns = _columns_of_records("rounds", [state for _, state in states], skip=("group", "repetition"))
    where = {"group": [group.group for group, _ in states], "repetition": [group.repetition for group, _ in states]}
    return make_frame("rounds", {**where, **columns})


def make_frame(table: str, columns: Mapping[str, Any]) -> pd.DataFrame:
    """A frame with exactly the columns, order and dtypes of ``table``; its key is checked to be unique."""
    arrays = [_arrow_array(column, columns[column.name]) for column in TABLES[table]]
    frame = frame_of_arrow(pa.Table.from_arrays(arrays, schema=arrow_schema(table)))
    if table != "samples":  # theirs is unique by construction, and they are millions
        _refuse_twice(table, list(frame[list(KEYS[table])].itertuples(index=False, name=None)))
    return frame


def arrow_schema(table: str) -> Any:
    """The schema of a parquet file."""
    return pa.schema([(column.name, ARROW_TYPES[column.dtype]) for column in TABLES[table]])


def frame_of_arrow(table: Any) -> pd.DataFrame:
    """An arrow table with pandas' nullable dtypes; nothing is guessed."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_PANDAS_TYPES.get, ignore_metadata=True)
    return frame


def rows_of_frame(results: pd.DataFrame) -> list[Row]:
    """The rows that ``results_frame`` was made from."""
    names = [column.name for column in TABLES["results"]]
    values = [[None if value is pd.NA else value for value in results[name].tolist()] for name in names]
    return [
        Row(**{n: v for n, v in zip(names, row, strict=True) if v is not None}) for row in zip(*values, strict=True)
    ]


class _Blocks:
    """Turns side by side, one array element each, until ``frame`` spreads them to one element per call."""

    def __init__(self) -> None:
        # case, round, order, first call, input, switches, callers, timed calls of each
        self._starts: list[tuple[int, ...]] = []
        self._kinds: list[int] = []
        self._latencies: list[list[int]] = []
        self._counts: list[int] = []

    def add(self, case: int, number: int | None, first_call: int, turn: Turn) -> int:
        """Take one block; the number of its calls."""
        switch = [] if turn.switch_ns is None else [turn.switch_ns]
        count = len(switch) + len(turn.latencies_ns)
        outside = -1 if number is None else number
        each = max(1, len(turn.latencies_ns) // turn.streams)
        self._starts.append((case, outside, turn.order, first_call, turn.input_index, len(switch), turn.streams, each))
        self._kinds.append(_KINDS.index("timed" if turn.kind == "turn" else turn.kind))
        self._latencies += [switch, turn.latencies_ns]
        self._counts.append(count)
        return count

    def frame(self, names: list[str], repetitions: list[int], batches: list[int | None]) -> pd.DataFrame:
        """One row per call."""
        counts = np.array(self._counts, dtype=np.int64)
        starts = np.array(self._starts, dtype=np.int64).reshape(-1, 8)
        case, number, order, first_call, first_input, n_switch, callers, each = np.repeat(starts, counts, axis=0).T
        offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        kind = np.where(offset < n_switch, _KINDS.index("switch"), np.repeat(np.array(self._kinds, np.int64), counts))
        of_slowest = (callers > 1) & ((kind == _KINDS.index("warmup")) | (kind == _KINDS.index("switch")))
        modulo = np.array([count or np.iinfo(np.int64).max for count in batches], dtype=np.int64)
        latencies = np.fromiter(chain.from_iterable(self._latencies), np.int64, int(counts.sum()))
        columns = {
            "case_id": _spread(names, case),
            "repetition": np.array(repetitions, dtype=np.int64)[case],
            "round": pa.array(number, mask=number < 0),
            "turn": order,
            "call": first_call + offset,
            "stream": pa.array(np.where(callers > 1, (offset - n_switch) // each, 0), mask=of_slowest),
            "kind": _spread(_KINDS, kind),
            "latency_ns": latencies,
            "input_index": (first_input + offset) % modulo[case],
        }
        return make_frame("samples", columns)


_KINDS = ("warmup", "switch", "timed", "tail")


def _spread(words: Sequence[str], codes: Any) -> Any:
    """``words[code]`` for millions of codes."""
    dictionary = pa.array([storable(word) for word in words], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), dictionary).cast(pa.string())


def _frame_of_records(table: str, records: Sequence[Row]) -> pd.DataFrame:
    return make_frame(table, _columns_of_records(table, records))


def _columns_of_records(table: str, records: Sequence[Any], skip: Iterable[str] = ()) -> dict[str, list[Any]]:
    names = [column.name for column in TABLES[table] if column.name not in skip]
    return {name: [_scalar(getattr(record, name)) for record in records] for name in names}


def _scalar(value: Any) -> Any:
    return str(list(value)) if isinstance(value, tuple) else value


def _arrow_array(column: Column, values: Any) -> Any:
    kind = ARROW_TYPES[column.dtype]
    if isinstance(values, (pa.Array, np.ndarray)):
        return pa.array(values, kind) if isinstance(values, np.ndarray) else values
    if column.dtype == "string":
        values = [None if value is None else storable(value) for value in values]
    return pa.array(values, kind, from_pandas=True)  # from_pandas: NaN is null


def storable(text: str) -> str:
    """The text itself, unless it holds a lone surrogate (a file name that is not UTF-8): that is then spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _refuse_twice(table: str, keys: Sequence[Any]) -> None:
    twice = sorted({str(key) for key in _repeated(keys)})
    if twice:
        raise ValueError(f"building {table}: {', '.join(KEYS[table])} must be unique, but these come twice: {twice}")


def _repeated(keys: Sequence[Any]) -> Iterator[Any]:
    seen: set[Any] = set()
    for key in keys:
        if key in seen:
            yield key
        seen.add(key)
