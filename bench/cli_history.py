"""The verb ``history``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli_shell import guarded, make_console, shown_progress

Places = Annotated[
    list[str], typer.Argument(metavar="DIR...", help="Reports, folders that hold some, or patterns of either.")
]
Metric = Annotated[
    str, typer.Option("--metric", metavar="latency|p50|memory|load|throughput|error", help="Which number.")
]
Case = Annotated[str, typer.Option("--case", metavar="TEXT", help="Only cases with this in their name.")]
Format = Annotated[
    str, typer.Option("--format", metavar="text|md|csv|json|html|png|svg", help="How to print or write it.")
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where it goes; for png and svg a folder.")
]
NoChanges = Annotated[bool, typer.Option("--no-changes", help="No change points: nothing is installed for them.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("history")(history)


@guarded
def history(
    place: Places,
    metric: Metric = "latency",
    case: Case = "",
    format: Format = "text",  # noqa: A002 (the flag's name)
    out: Out = None,
    no_changes: NoChanges = False,
) -> int:
    """Show many reports as trends: change points, versions that changed, what can't be compared and why."""
    from bench.commands.history import show_history

    with shown_progress() as progress:
        return show_history(
            place,
            metric=metric,
            case=case,
            format_name=format,
            out=out,
            changes=not no_changes,
            console=make_console(),
            progress=progress,
        )
