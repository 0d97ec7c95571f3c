"""``bench ci``: what gates found, put where CI shows it. Reads gates, measures nothing, hides no verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.check import ci_annotations, ci_junit, ci_markdown
from bench.check.ci_gates import FoundGate, WhenInconclusive, exit_code
from bench.check.gate_store import load_gate
from bench.commands.console import Console
from bench.errors import EXIT_USAGE, BenchError, UsageError, strongest_exit
from bench.report.scrub import scrub_text, this_machine

INCONCLUSIVE: tuple[WhenInconclusive, ...] = ("warn", "fail")


@dataclass(frozen=True)
class Targets:
    """Where to write what; None is nowhere, but a summary without a file goes to the console."""

    summary: Path | None = None
    comment: Path | None = None
    junit: Path | None = None
    annotations: bool = False  # on the console, where a GitHub runner reads them
    step_summary: Path | None = None  # the runner's own file: shared by a job's steps, so it is appended to


def show_gates(
    folders: Sequence[Path], targets: Targets, *, title: str = "gate", inconclusive: str = "warn", console: Console
) -> int:
    """Write everything that was asked for, and return the strongest exit code of the gates.

    A folder that holds no gate, or no folder at all, is 2 and is in everything that is written: NOT MEASURED.
    """
    when = next((one for one in INCONCLUSIVE if one == inconclusive), None)
    if when is None:
        raise UsageError(f"--inconclusive {inconclusive}: expected one of {', '.join(INCONCLUSIVE)}")
    gates = [_find(folder) for folder in folders]
    for problem in [gate.problem for gate in gates if gate.problem] or ([] if gates else [_NONE]):
        console.warn(problem)
    jobs: list[tuple[Path | None, Callable[[], str]]] = [
        (targets.comment, lambda: ci_markdown.comment_markdown(gates, title)),
        (targets.junit, lambda: ci_junit.junit_xml(gates, when)),
        (targets.summary or targets.step_summary, lambda: ci_markdown.summary_markdown(gates, title)),
    ]
    codes = [exit_code(gates, when)]
    codes += [_write(path, make(), targets.step_summary, console) for path, make in jobs if path is not None]
    if jobs[-1][0] is None:
        console.say(ci_markdown.summary_markdown(gates, title).rstrip("\n"))
    if targets.annotations:
        console.say("\n".join(ci_annotations.annotation_lines(gates, when)))
    return strongest_exit(codes)


_NONE = "no gate was given, so nothing was measured: bench ci GATE_DIR... with what `bench gate --out GATE_DIR` left"


def _find(folder: Path) -> FoundGate:
    """The gate in a folder; what is shown of its path is nobody's: it goes into comments that everybody reads."""
    private = this_machine()
    shown = scrub_text(str(folder), private)
    try:
        return FoundGate(folder=shown, result=load_gate(folder))
    except BenchError as error:
        return FoundGate(folder=shown, problem=scrub_text(str(error), private))


def _write(path: Path, text: str, step_summary: Path | None, console: Console) -> int:
    """0, or 2 where it can't be written: the other files are written all the same."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        appended = step_summary is not None and path.absolute() == step_summary.absolute()
        with path.open("a" if appended else "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        console.warn(f"writing {path}: {error.strerror or error}; name another file")
        return EXIT_USAGE
    return 0
