"""The verb ``profile``; ``cli.py`` registers it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench import cli_flags as f
from bench.cli_shell import asked_flags, guarded, make_console, shown_progress, typed_command
from bench.errors import UsageError

Models = Annotated[
    list[str], typer.Argument(metavar="MODEL...", help="The model, as in `bench run`; with --diff alone two folders.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="DIR", help="Folder of the profile.", show_default="reports/profile-TIME-MODEL"
    ),
]
Diff = Annotated[
    bool,
    typer.Option(
        "--diff",
        help="Which operators explain the change: of two folders, or with -e of two cases measured in turns.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("profile")(profile)


@guarded
def profile(
    model: Models,
    runtime: f.Runtimes = None,
    batch: f.Batch = None,
    threads: f.Threads = None,
    out: Out = None,
    diff: Diff = False,
    quick: f.Quick = False,
    thorough: f.Thorough = False,
    time_limit: f.TimeLimit = None,
    min_placement: f.MinPlacement = None,
    plugin: f.Plugin = None,
    seed: f.Seed = None,
    input_shapes: f.InputShapes = None,
    input_range: f.InputRange = None,
    load_inputs: f.LoadInputs = None,
    rtol: f.Rtol = None,
    atol: f.Atol = None,
    onnx: f.Onnx = None,
    onnx_names: f.OnnxNames = None,
    litert: f.LiteRt = None,
    litert_names: f.LiteRtNames = None,
    custom_objects: f.CustomObjects = None,
    unsafe: f.Unsafe = False,
    signature: f.Signature = None,
    opset: f.Opset = None,
    json: f.Json = False,
) -> int:
    """Where the time goes, by layer and operator, against this machine's roofs; --diff: what explains a change."""
    flags = asked_flags(locals())
    if diff and runtime is None:
        from bench.commands.profile_diff import diff_folders

        if out is not None or batch is not None or threads is not None:
            raise UsageError(
                "--diff of two folders measures nothing: leave -o, -b and -x out, or name runtimes with -e"
            )
        return diff_folders(model, as_json=json, console=make_console())
    from bench.commands.profile import profile_models

    with shown_progress() as progress:
        return profile_models(
            flags,
            diff=diff,
            out=out,
            as_json=json,
            command=typed_command(),
            console=make_console(),
            progress=progress,
        )
