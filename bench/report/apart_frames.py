"""What was measured of a case apart from its rounds, as typed DataFrames: where it ran, its memory over minutes.

Pure: no files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from bench.analysis.placement import node_shares, placement_of, time_shares
from bench.records import CaseRepetition, GroupRepetition, Placement, ProviderPart
from bench.report.columns import TABLES
from bench.report.frame import make_frame


def placement_frame(repetitions: Sequence[GroupRepetition]) -> pd.DataFrame:
    """Per case and account one row a provider: nodes at partitioning, kernels of the profiled run."""
    cases: dict[str, list[CaseRepetition]] = {}
    for case in (case for group in repetitions for case in group.cases):
        cases.setdefault(case.case_id, []).append(case)
    return _frame("placement", [row for case_id, tries in cases.items() for row in _accounts(case_id, tries)])


def soak_frame(repetitions: Sequence[GroupRepetition]) -> pd.DataFrame:
    """One row a look at the memory of each case that was soaked."""
    names = [column.name for column in TABLES["soak"][1:]]
    rows = [
        {"case_id": case.case_id} | {name: getattr(sample, name) for name in names}
        for group in repetitions
        for case in group.cases
        for sample in case.soak
    ]
    return _frame("soak", rows)


def operators_text(operators: Mapping[str, int]) -> str:
    """``Conv x27, Relu x27``, the most frequent first."""
    ordered = sorted(operators.items(), key=lambda one: -one[1])
    return ", ".join(f"{operator} x{count}" for operator, count in ordered)


def _accounts(case_id: str, tries: Sequence[CaseRepetition]) -> Iterator[dict[str, Any]]:
    opened = next((one.opened for one in tries if one.opened), None)
    placement = placement_of(tries) or Placement()
    reasons = {part.provider: part.reason for part in placement.parts}
    nodes = [part for part in opened.info.placement if part.nodes] if opened else []
    for account, parts, shares in (
        ("graph", nodes, node_shares(nodes)),
        ("kernels", placement.parts, time_shares(placement.parts)),
    ):
        for part in parts:
            is_graph = account == "graph"
            yield {
                "case_id": case_id,
                "account": account,
                "share": shares.get(part.provider),
                "calls": None if is_graph else placement.calls,
                **_told(part, reasons.get(part.provider)),
            }


def _told(part: ProviderPart, reason: str | None) -> dict[str, Any]:
    return {
        "provider": part.provider,
        "nodes": part.kernels if part.nodes is None else part.nodes,
        "time_ns": part.time_ns,
        "operators": operators_text(part.operators),
        "names": ", ".join(part.names),
        "reason": reason,
    }


def _frame(table: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return make_frame(table, {column.name: [row[column.name] for row in rows] for column in TABLES[table]})
