"""The verb ``ci``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bench.cli_shell import guarded, make_console

Gates = Annotated[
    list[Path] | None, typer.Argument(metavar="GATE_DIR...", help="Folders that `bench gate --out` left.")
]
Summary = Annotated[
    Path | None,
    typer.Option(
        "--summary",
        metavar="FILE",
        help="Where the summary goes, as Markdown.",
        show_default="$GITHUB_STEP_SUMMARY, else the console",
    ),
]
Comment = Annotated[
    Path | None, typer.Option("--comment", metavar="FILE", help="Write a pull request's comment, as Markdown.")
]
Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.")]
Annotations = Annotated[bool, typer.Option("--annotations", help="Print a GitHub runner's annotations.")]
Title = Annotated[
    str, typer.Option("--title", metavar="TEXT", help="Of the summary and the comment; tells jobs of one run apart.")
]
Inconclusive = Annotated[
    str,
    typer.Option(
        "--inconclusive",
        metavar="warn|fail",
        help="Whether what can't be told is a warning, as its gate left it, or fails.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("ci")(ci)


@guarded
def ci(
    gates: Gates = None,
    summary: Summary = None,
    comment: Comment = None,
    junit: Junit = None,
    annotations: Annotations = False,
    title: Title = "gate",
    inconclusive: Inconclusive = "warn",
) -> int:
    """Show stored gates in CI: job summary, comment, JUnit, annotations; exits as the strongest of them."""
    from bench.commands.ci import Targets, show_gates

    own = os.environ.get("GITHUB_STEP_SUMMARY")
    targets = Targets(
        summary=summary,
        comment=comment,
        junit=junit,
        annotations=annotations,
        step_summary=Path(own) if own else None,
    )
    return show_gates(gates or [], targets, title=title, inconclusive=inconclusive, console=make_console())
