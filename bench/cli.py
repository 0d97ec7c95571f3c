"""The command line: its verbs. With ``cli_shell.py`` the only place that prints and that turns errors into exit codes.

A verb's work is a plain function of ``commands/``, imported when it is called: help loads neither pandas nor numpy.
"""

from __future__ import annotations

import io
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from bench import (
    __version__,
    cli_agreement,
    cli_ci,
    cli_compare,
    cli_env,
    cli_gate,
    cli_history,
    cli_profile,
    cli_sweep,
)
from bench import cli_flags as f
from bench.cli_shell import (
    asked_flags,
    guarded,
    make_console,
    open_closed_streams,
    say,
    shown_progress,
    typed_command,
    warn,
    written_stdout,
)
from bench.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_TERMINATED, EXIT_USAGE, BenchError, Terminated

app = typer.Typer(
    cls=cli_gate.Verbs,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Which runtime should this Keras or ONNX model be deployed on, and does it still compute the same thing?",
    epilog="Exit codes: 0 fine, 2 usage, 3 outputs disagree, 4 over budget, 5 cannot tell, 6 a case failed, "
    "130 interrupted, 143 ended by SIGTERM.",
)
cache_app = typer.Typer(rich_markup_mode=None, help="What prepare keeps between runs.")
app.add_typer(cache_app, name="cache")


def main() -> NoReturn:
    """Entry point of the ``bench`` command."""
    signal.signal(signal.SIGTERM, _terminate)
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):  # a file's name need not be text, a terminal need not know every letter
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run_cli(sys.argv[1:]))


def run_cli(arguments: list[str]) -> int:
    """The exit code of one command line."""
    code: int | None = EXIT_OK
    try:
        with written_stdout():  # help is printed by nobody of ours
            code = app(args=arguments or ["--help"], prog_name="bench", standalone_mode=False)
    except typer.TyperException as error:
        warn(f"{error.format_message()} (bench --help lists what there is)")
        return EXIT_USAGE
    except BenchError as error:
        warn(str(error))
        return error.exit_code
    except Terminated:  # before a verb had begun
        warn("ended by SIGTERM")
        return EXIT_TERMINATED
    except KeyboardInterrupt:
        warn("interrupted")
        return EXIT_INTERRUPTED
    return (code or EXIT_OK) if arguments else EXIT_USAGE


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Options of no verb."""
    if version:
        say(__version__)
        raise typer.Exit


@app.command("run")
@guarded
def run(
    model: f.Models = None,
    runtime: f.Runtimes = None,
    batch: f.Batch = None,
    threads: f.Threads = None,
    out: f.Out = None,
    quick: f.Quick = False,
    thorough: f.Thorough = False,
    seconds: f.Seconds = None,
    calls: f.Calls = None,
    tail: f.Tail = False,
    time_limit: f.TimeLimit = None,
    streams: f.Streams = None,
    soak: f.Soak = None,
    min_placement: f.MinPlacement = None,
    require_placement: f.RequirePlacement = False,
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
    suite: f.SuiteFile = None,
    resume: f.Resume = None,
) -> int:
    """Measure and verify models on runtimes; leaves a report."""
    flags = asked_flags(locals())
    from bench.commands.run import run_models

    with shown_progress() as progress:
        return run_models(
            flags,
            suite_file=suite,
            out=out,
            resume=resume,
            command=typed_command(),
            console=make_console(),
            progress=progress,
        )


cli_agreement.register(app)


@app.command("models")
@guarded
def models(model: f.Models = None, json: f.Json = False) -> int:
    """List models with input, parameters and multiply-adds: the zoo, or those named."""
    from bench.commands.models import list_models

    return list_models(model or [], as_json=json, console=make_console())


@app.command("runtimes")
@guarded
def runtimes(json: f.Json = False, why: f.Why = None) -> int:
    """List runtimes: usable, not installed (and what installs them), or without a device."""
    from bench.commands.runtimes import list_runtimes

    return list_runtimes(as_json=json, why=why, console=make_console())


@app.command("report")
@guarded
def report(folder: f.Folder, format: f.Format = "text", out: f.ReportOut = None) -> int:  # noqa: A002 (the flag's name)
    """Print a stored report, or draw it."""
    from bench.commands.report import print_report

    return print_report(folder, format, console=make_console(), out=out)


@cache_app.command("list")
@guarded
def cache_list() -> int:
    """List what is kept, with its size."""
    from bench.commands.cache import list_cache

    return list_cache(console=make_console())


@cache_app.command("clear")
@guarded
def cache_clear() -> int:
    """Delete all of it; the next run prepares anew."""
    from bench.commands.cache import clear_cache

    return clear_cache(console=make_console())


cli_gate.register(app)
cli_ci.register(app)
cli_profile.register(app)
cli_env.register(app)
cli_sweep.register(app)
cli_history.register(app)
app.command("compare")(cli_compare.compare)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


if __name__ == "__main__":
    main()
