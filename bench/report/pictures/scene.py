"""A report as its pictures need it: groups of rows with the names to show, and each case's calls. Draws nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.report import text, verdict
from bench.rows import Row, groups_of

if TYPE_CHECKING:
    from bench.report.store import Report

_KINDS = ("timed", "tail", "warmup", "switch")
TIMED, TAIL, WARMUP, SWITCH = range(4)  # kinds of calls: their places in _KINDS


@dataclass(frozen=True)
class Calls:
    """The calls of one case: arrays of one length, in the order in which they ran."""

    repetition: Any
    round: Any  # -1 outside of rounds
    call: Any  # number within its round
    kind: Any  # TIMED, TAIL, WARMUP or SWITCH
    latency_ns: Any
    counts: Any  # whether its repetition is whole: only those are evidence

    def only(self, mask: Any) -> Calls:
        """Those that a mask picks."""
        fields = (self.repetition, self.round, self.call, self.kind, self.latency_ns, self.counts)
        return Calls(*(field[mask] for field in fields))

    @property
    def timed(self) -> Calls:
        """What the row's numbers are from: timed calls of whole repetitions, without those of --tail."""
        return self.only((self.kind == TIMED) & self.counts)

    def __len__(self) -> int:
        return len(self.latency_ns)


@dataclass(frozen=True)
class Group:
    """Cases that are compared with one another."""

    scene: Scene
    number: int  # from 0, in the order in which groups come in the report
    rows: Sequence[Row]
    names: Mapping[str, str]  # what a case is called in the pictures, by case_id; unique

    def name(self, picture: str) -> str:
        """A picture's, unique in the report."""
        return f"{picture}_{self.number + 1}"

    @property
    def title(self) -> str:
        """``net, batch 8``: the end of a picture's title, where a report has several groups."""
        if len(self.scene.groups) == 1:
            return ""
        return f": {text.visible(self.rows[0].model)}, batch {self.rows[0].batch_size}"

    def marked(self, row: Row) -> str:
        """The row's name, with a word behind it where the row is out of the contest."""
        return f"{self.names[row.case_id]} (cannot win)" if self.cannot_win(row) else self.names[row.case_id]

    def told_of_barred(self, rows: Sequence[Row]) -> str:
        """What the word means, where a row has it: the end of what a picture tells."""
        return " Cannot win: failed, not verified, or not comparable." * any(map(self.cannot_win, rows))

    def cannot_win(self, row: Row) -> bool:
        """Whether the row is out of the contest, for a reason that the table tells."""
        return verdict.why_not(row) is not None


class Scene:
    """A report, its groups, and the colours that its runtimes have in all of them."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.rows = report.rows()
        found = groups_of(self.rows)
        self.groups = [Group(self, number, rows, _names(rows)) for number, rows in enumerate(found)]
        self.names = list(dict.fromkeys(name for group in self.groups for name in group.names.values()))

    def calls(self, case_id: str) -> Calls | None:
        """The case's calls, or None where it made none."""
        names, codes = self._cases
        where = np.flatnonzero(codes == names.index(case_id)) if case_id in names else ()
        if not len(where):
            return None
        repetition = self._columns["repetition"][where]
        left_out = [number for number, is_whole in self._whole.get(case_id, {}).items() if not is_whole]
        counted = ~np.isin(repetition, left_out)
        return Calls(**{name: column[where] for name, column in self._columns.items()}, counts=counted)

    def disturbed(self, group: Group) -> set[tuple[int, int]] | None:
        """Repetition and round where other load is likely to have changed the numbers; None where it is not known.

        A report does not name the groups of its rounds: they come in the rows' order, unless one was split.
        """
        if any(verdict.is_split(one.rows) for one in self.groups):
            return None
        rounds = self.report.rounds[self.report.rounds["group"] == group.number]
        flagged = rounds[rounds["disturbed"].fillna(value=False)]
        return {(int(r), int(n)) for r, n in zip(flagged["repetition"], flagged["round"], strict=True)}

    @cached_property
    def _cases(self) -> tuple[list[str | None], Any]:
        """The case ids that have calls, and of each call which of them it is."""
        return _coded(self.report.samples_column("case_id"))

    @cached_property
    def _columns(self) -> dict[str, Any]:
        names, codes = _coded(self.report.samples_column("kind"))
        kinds = np.array([_KINDS.index(name) if name in _KINDS else -1 for name in (*names, "")], dtype=np.int8)
        numbers = {name: self.report.samples_column(name).fill_null(-1).to_numpy() for name in _NUMBERS}
        return numbers | {"kind": kinds[codes]}  # a null's code is -1, the last

    @cached_property
    def _whole(self) -> dict[str, dict[int, bool]]:
        processes, found = self.report.processes, dict[str, dict[int, bool]]()
        columns = (processes["case_id"], processes["repetition"], processes["complete"].fillna(value=False))
        for case_id, repetition, is_whole in zip(*columns, strict=True):
            found.setdefault(str(case_id), {})[int(repetition)] = bool(is_whole)
        return found


_NUMBERS = ("repetition", "round", "call", "latency_ns")


def _coded(words: Any) -> tuple[list[str | None], Any]:
    """Each word once, and of each element of the arrow array which of them it is; -1 of a null."""
    coded = words.dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.fill_null(-1).to_numpy()


def _names(rows: Sequence[Row]) -> dict[str, str]:
    """As in the table, hidden characters spelled out; a number behind what is still the same."""
    shown = {row.case_id: text.visible(verdict.name(row, rows)) for row in rows}
    seen: Counter[str] = Counter()
    for case_id, name in shown.items():
        seen[name] += 1
        if seen[name] > 1:
            shown[case_id] = f"{name} ({seen[name]})"
    return shown
