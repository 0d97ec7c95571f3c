"""Where the work of a runtime ran: shares by provider, drawn only where something ran elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench import units
from bench.report import text
from bench.report.picture import Picture
from bench.report.pictures.scene import Group
from bench.report.pictures.stacks import Stack, stacked
from bench.rows import Row

_ACCOUNTS = {"kernels": "kernel time", "graph": "nodes"}  # the first that is known decides
_HEADER = ("runtime", "share of", "provider", "share", "nodes", "operators")


def placement(group: Group) -> Iterator[Picture]:
    """One bar a runtime whose parts went to several providers, or not to the one asked for."""
    found = {row.case_id: _parts(group, row) for row in group.rows}
    rows = [row for row in group.rows if _is_elsewhere(row, found[row.case_id])]
    if not rows:
        return
    stacks = [
        Stack(
            group.names[row.case_id],
            {_provider(part): 100 * part["share"] for part in found[row.case_id]},
            f"by {_ACCOUNTS[found[row.case_id][0]['account']]}",
        )
        for row in rows
    ]
    yield Picture(
        name=group.name("placement"),
        title=f"Where it ran{group.title}",
        told="Shares of the work by provider, of rows that did not run wholly on the one asked for: of kernel time in "
        "a profiled run, or of the graph's nodes where that is not known.",
        spec=stacked(
            stacks, list(dict.fromkeys(kind for stack in stacks for kind in stack.sizes)), "share (%)", whole=100
        ),
        header=_HEADER,
        cells=tuple(_cells(group.names[row.case_id], part) for row in rows for part in found[row.case_id]),
    )


def _parts(group: Group, row: Row) -> list[dict[str, Any]]:
    """Of the account that tells most, the provider asked for first."""
    table = group.scene.report.placement
    own = table[(table["case_id"] == row.case_id) & table["share"].notna()]
    for account in _ACCOUNTS:
        some: list[dict[str, Any]] = own[own["account"] == account].to_dict("records")  # type: ignore[assignment]
        if some:
            return sorted(some, key=lambda part: (part["provider"] != row.provider_requested, -part["share"]))
    return []


def _is_elsewhere(row: Row, found: list[dict[str, Any]]) -> bool:
    wanted = row.provider_requested or (row.provider if len(found) == 1 else None)
    return any(part["provider"] != wanted and part["share"] > 0 for part in found)


def _provider(part: dict[str, Any]) -> str:
    return text.visible(str(part["provider"]).removesuffix("ExecutionProvider"))


def _cells(name: str, part: dict[str, Any]) -> tuple[str, ...]:
    shares = (_ACCOUNTS[part["account"]], _provider(part), units.percent(part["share"]))
    counted = ("" if pd.isna(part[key]) else str(part[key]) for key in ("nodes", "operators"))
    return (name, *shares, *counted)
