"""The verb ``compare``; ``cli.py`` registers it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.check.false_alarms import FAIL_ON_FALSE_ALARMS
from bench.cli_shell import guarded, make_console

Folders = Annotated[
    list[Path], typer.Argument(metavar="DIR...", help="Folders of reports; the first is the reference.")
]
FailOn = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="METRIC:PERCENT",
        help="Exit 4 where a number is worse by more, such as latency:5%; repeatable. Plain numbers of two runs: "
        f"{FAIL_ON_FALSE_ALARMS}.",
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow", metavar="FIELD,...", help="Compare although these differ, such as model_digest,artifact_digest."
    ),
]
Format = Annotated[str, typer.Option("--format", metavar="text|md|csv|json", help="How to print it.")]


@guarded
def compare(folder: Folders, fail_on: FailOn = None, allow: Allow = None, format: Format = "text") -> int:  # noqa: A002 (the flag's name)
    """Show stored reports side by side: every case, what can't be compared and why, the numbers."""
    from bench.commands.compare import compare_folders

    return compare_folders(folder, fail_on=fail_on or (), allow=allow or (), format_name=format, console=make_console())
