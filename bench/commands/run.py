"""``bench run``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.commands.asking import resolve_suite
from bench.commands.console import Console
from bench.errors import UsageError
from bench.flags import Flags
from bench.progress import Progress
from bench.records import ModelSpec, Suite
from bench.report.journal import has_journal

_NAMED = 3  # models in the name of a report's folder


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
    if not platform.startswith("linux"):
        raise UsageError(f"bench run measures on Linux only, this is {platform}; bench verify and bench report work")
    if resume is not None:
        if flags != Flags() or suite_file or out:
            raise UsageError(f"--resume {resume} goes on with what was asked for then; give it alone")
        suite, folder = _interrupted_suite(resume), resume
    else:
        suite = resolve_suite(flags, suite_file, console)
        folder = fresh_folder(out, suite.models, datetime.now(UTC))

    from bench.pipeline import run_suite
    from bench.report.render import render_text

    result = run_suite(suite, folder, resume=resume is not None, command=command, progress=progress)
    progress.done()
    console.say(render_text(result.rows, width=console.width, colour=console.colour).rstrip("\n"))
    console.warn(f"report: {folder}")
    return result.exit_code


def fresh_folder(out: Path | None, models: Sequence[ModelSpec], now: datetime) -> Path:
    """Where the report goes; refused where something is already."""
    folder = out or Path("reports") / f"{now:%Y%m%dT%H%M%SZ}-{_slug(models)}"
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return folder
    way_out = "name another folder"
    if has_journal(folder):
        way_out += f", or go on with the interrupted run in it: bench run --resume {folder}"
    raise UsageError(f"-o {folder}: something is there already; {way_out}")


def _interrupted_suite(folder: Path) -> Suite:
    from bench.pipeline import interrupted_run

    suite = interrupted_run(folder).suite
    paths = [model.path for model in suite.models] + [suite.prepare.load_inputs, suite.prepare.onnx_file]
    if missing := [path for path in paths if path and not Path(path).exists()]:
        raise UsageError(
            f"--resume {folder}: {', '.join(missing)} is not there; resume from the folder in which the run was begun"
        )
    return suite


def _slug(models: Sequence[ModelSpec]) -> str:
    names = [re.sub(r"[^A-Za-z0-9._]+", "-", model.name).strip("-.") or "model" for model in models]
    names = list(dict.fromkeys(names))
    more = [f"and-{len(names) - _NAMED}-more"] if len(names) > _NAMED else []
    return "-".join([*names[:_NAMED], *more])
