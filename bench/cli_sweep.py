"""The verb ``sweep``: flags that are none of ours are arguments of the model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from bench import cli_flags as f
from bench.cli_shell import asked_flags, guarded, make_console, shown_progress, typed_command

_SWEPT = "bench.swept"  # key of what was found among the words

Model = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="MODEL --ARGUMENT V1,V2...",
        help="One model, as in `bench run`, and any of its arguments with the values that it shall take, such as "
        "--alpha 0.25,0.5,1.0.",
    ),
]
Axis = Annotated[
    list[str] | None,
    typer.Option("--axis", metavar="NAME=V1,V2", help="An argument that has the name of a flag of ours; repeatable."),
]
Accuracy = Annotated[
    Path | None,
    typer.Option(
        "--accuracy",
        metavar="FILE",
        help="CSV of published accuracy: arguments of the model, columns published_..., and source.",
        show_default="the model's own, where it has one",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Measure more than 200 cases.")]
Resume = Annotated[Path | None, typer.Option("--resume", metavar="DIR", help="Go on with an interrupted sweep.")]
Stored = Annotated[
    Path | None, typer.Option("--from", metavar="DIR", help="Draw a stored sweep again; nothing is measured.")
]


class SweepCommand(TyperCommand):
    """A verb that takes flags nobody declared: those are arguments of the model."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Typer's, of the words that are ours."""
        from bench.sweep_axes import split_swept

        flags = {
            name: not getattr(one, "is_flag", False) for one in self.params for name in one.opts if name.startswith("-")
        }
        flags |= dict.fromkeys(ctx.help_option_names, False)
        rest, ctx.meta[_SWEPT] = split_swept(args, flags)
        return list(super().parse_args(ctx, rest))


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("sweep", cls=SweepCommand)(sweep)


@guarded
def sweep(
    ctx: typer.Context,
    model: Model = None,
    axis: Axis = None,
    runtime: f.Runtimes = None,
    batch: f.Batch = None,
    threads: f.Threads = None,
    accuracy: Accuracy = None,
    out: f.Out = None,
    quick: f.Quick = False,
    thorough: f.Thorough = False,
    seconds: f.Seconds = None,
    calls: f.Calls = None,
    time_limit: f.TimeLimit = None,
    min_placement: f.MinPlacement = None,
    require_placement: f.RequirePlacement = False,
    plugin: f.Plugin = None,
    seed: f.Seed = None,
    input_range: f.InputRange = None,
    rtol: f.Rtol = None,
    atol: f.Atol = None,
    opset: f.Opset = None,
    yes: Yes = False,
    resume: Resume = None,
    stored: Stored = None,
) -> int:
    """Measure a family of models: latency, memory and accuracy against multiply-adds and parameters."""
    flags = asked_flags(locals())
    from bench.commands.sweep import SweepAsked, sweep_models

    asked = SweepAsked(
        swept=tuple(ctx.meta.get(_SWEPT, ())),
        axes=tuple(axis or ()),
        accuracy=accuracy,
        yes=yes,
        out=out,
        resume=resume,
        stored=stored,
    )
    with shown_progress() as progress:
        return sweep_models(flags, asked, command=typed_command(), console=make_console(), progress=progress)
