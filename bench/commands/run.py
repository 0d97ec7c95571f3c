"""``bench run``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from bench.commands.asking import resolve_suite
from bench.commands.console import Console
from bench.commands.report_folder import claimed_folder
from bench.errors import UsageError
from bench.flags import Flags
from bench.progress import Progress
from bench.records import Suite

_LEAST_S = 0.1  # stages shorter than this are not told


def run_models(
    flags: Flags,
    *,
    suite_file: Path | None,
    out: Path | None,
    resume: Path | None,
    command: str,
    console: Console,
    progress: Progress,
    platform: str = sys.platform,
) -> int:
    """Run the suite, print its table and where the report is; returns the exit code of its rows."""
    refuse_other_system("bench run", platform)
    if resume is not None:
        if flags != Flags() or suite_file or out:
            raise UsageError(f"--resume {resume} goes on with what was asked for then; give it alone")
        suite = interrupted_suite(resume)
        claim: AbstractContextManager[Path] = nullcontext(resume)
    else:
        suite = resolve_suite(flags, suite_file, console)
        claim = claimed_folder(out, suite.models, datetime.now(UTC))

    from bench.pipeline import run_suite
    from bench.report.page_file import leave_page
    from bench.report.render import render_text

    with claim as folder:
        result = run_suite(suite, folder, resume=resume is not None, command=command, progress=progress)
    progress.done()
    text = render_text(result.rows, result.environment, width=console.width, colour=console.colour)
    console.say(text.rstrip("\n"))
    leave_page(folder, console.warn)
    if result.environment is not None:
        console.warn(stage_text(result.environment.stages_s))
    console.warn(f"report: {folder}")
    return result.exit_code


def stage_text(seconds: Mapping[str, float]) -> str:
    """Where the time went, stage by stage."""
    stages = [f"{name} {spent:.1f} s" for name, spent in seconds.items() if spent >= _LEAST_S]
    return f"time: {', '.join(stages)}; {sum(seconds.values()):.0f} s in all"


def refuse_other_system(verb: str, platform: str) -> None:
    """UsageError where nothing can be measured."""
    if not platform.startswith("linux"):
        raise UsageError(f"{verb} measures on Linux only, this is {platform}; bench verify and bench report work")


def interrupted_suite(folder: Path) -> Suite:
    """What the interrupted run in the folder was asked for; UsageError where a file of it is not there."""
    from bench.resume import interrupted_run

    suite = interrupted_run(folder).environment.suite
    asked = suite.prepare
    paths = [model.path for model in suite.models] + [asked.load_inputs, asked.onnx_file, asked.litert_file]
    if missing := [path for path in paths if path and not Path(path).exists()]:
        raise UsageError(
            f"--resume {folder}: {', '.join(missing)} is not there; resume from the folder in which the run was begun"
        )
    return suite
