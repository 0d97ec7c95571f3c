"""The verbs ``env list``, ``env build`` and ``env remove``."""

from __future__ import annotations

from typing import Annotated

import typer

from bench import cli_flags as f
from bench.cli_shell import guarded, make_console, shown_progress

env_app = typer.Typer(rich_markup_mode=None, help="The environments that runtimes live in, one for each.")
Named = Annotated[
    list[str], typer.Argument(metavar="RUNTIME[@VERSION]...", help="Runtimes, as in -e; `bench runtimes` lists them.")
]
Removed = Annotated[
    list[str],
    typer.Argument(metavar="NAME|KEY...", help="A runtime, RUNTIME@VERSION, the beginning of a key, or all."),
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(env_app, name="env")


@env_app.command("list")
@guarded
def env_list(json: f.Json = False) -> int:
    """List environments: the runtime, packages, size, age, and how long they took to make."""
    from bench.commands.env import list_environments

    return list_environments(as_json=json, console=make_console())


@env_app.command("build")
@guarded
def env_build(runtime: Named) -> int:
    """Make the environments of runtimes, so that no run has to; exit 6 where one can't be made."""
    from bench.commands.env import build_environments

    with shown_progress() as progress:
        return build_environments(runtime, console=make_console(), progress=progress)


@env_app.command("remove")
@guarded
def env_remove(name: Removed) -> int:
    """Delete environments; a run that measures is waited for."""
    from bench.commands.env import remove_environments

    return remove_environments(name, console=make_console())
