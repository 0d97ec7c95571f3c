"""``bench verify --power``: could the check have failed on this very model and these very inputs?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bench import units
from bench.analysis import detection as power
from bench.analysis.detection import Detection, JudgedFile
from bench.commands.asking import resolve_suite
from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.errors import EXIT_CASE_FAILED, EXIT_DISAGREE, UsageError, strongest_exit
from bench.flags import Flags
from bench.progress import Progress
from bench.records import Failure

RUNTIME = "onnxruntime-cpu"
_HEADER = ("fault", "error", "over tolerance", "")
_LONG = 100  # letters of a reason in the table


def measure_power(flags: Flags, *, suite_file: Path | None, as_json: bool, console: Console, progress: Progress) -> int:
    """Print how many wrong files of each model the check calls out.

    Returns 0 where it calls out all and lets the correct one pass, 3 where that one disagrees, 5 where a wrong file
    passes or nothing could have failed, 6 for a model without an ONNX file.
    """
    if flags.runtime:
        raise UsageError(f"--power runs on {RUNTIME} alone, as wrong files do not depend on a runtime: leave -e out")
    suite = resolve_suite(msgspec.structs.replace(flags, runtime=(RUNTIME,)), suite_file, console)

    from bench.powering import measure_models

    found = measure_models(suite, progress)
    progress.done()
    if as_json:
        console.say(json.dumps([as_record(name, one) for name, one in found.items()], indent=2))
    else:
        console.say("\n\n".join(power_text(name, one) for name, one in found.items()))
    return strongest_exit([_exit_code(one) for one in found.values()])


def power_text(model: str, found: Detection | Failure) -> str:
    """One sentence, then what came of every wrong file."""
    lines = [f"{model}: {sentence(found)}"]
    if isinstance(found, Detection) and power.correct_verdict(found) != "disagrees":
        lines += _tables(found)
    return "\n".join(lines)


def sentence(found: Detection | Failure) -> str:
    """What a person should know first."""
    if isinstance(found, Failure):
        return f"there is no ONNX file to plant faults in: {found.reason}"
    verdict = power.correct_verdict(found)
    if verdict == "disagrees":
        return f"the correct file itself disagrees, so that its faults tell nothing: {_deciding(found)}"
    called, scored = power.score(found)
    if not scored:
        return "no fault that a check could see has a place in this model: its power is unknown"
    low, high = (round(100 * bound) for bound in power.interval(found))
    share = f"calls out {called} of {scored} wrong files of this model"
    if verdict != "agrees":
        why = _deciding(found)
        return f"the check could not have failed: {why}. It {share}, but cannot tell the correct one from a wrong one"
    room = power.room(found)
    by = f" with {_times(room)} room" if room else "" if power.own_error(found) else " exactly"
    agrees = f"the correct file agrees{by}"
    missed = "" if called == scored else f"; {scored - called} would pass for correct"
    return f"the check {share} (exact 95 % interval {low} to {high} %), on these very inputs; {agrees}{missed}"


def as_record(model: str, found: Detection | Failure) -> Mapping[str, Any]:
    """The same for a program; numbers that are unknown are null."""
    record: dict[str, Any] = {"model": model, "sentence": sentence(found), "exit_code": _exit_code(found)}
    if isinstance(found, Failure):
        return record | {"status": found.status, "reason": found.reason}
    called, scored = power.score(found)
    return record | {
        "correct": power.correct_verdict(found),
        "called_out": called,
        "scored": scored,
        "interval": list(power.interval(found)) if scored else None,
        "room": power.room(found),
        "files": [_file_record(file, "correct") for file in found.correct]
        + [_file_record(file, outcome) for file, outcome in power.outcomes(found)],
    }


def _exit_code(found: Detection | Failure) -> int:
    if isinstance(found, Failure):
        return EXIT_DISAGREE if found.verdict == "disagrees" else EXIT_CASE_FAILED
    return power.exit_code(found)


def _tables(found: Detection) -> list[str]:
    """Scored files, the missed ones first; then equivalent ones and those that did not run."""
    judged = power.outcomes(found)
    scored = [(file, outcome) for file, outcome in judged if outcome in ("missed", "called out")]
    scored.sort(key=lambda pair: pair[1] != "missed")
    rows = [_row(file, f"correct: {file.verdict}") for file in found.correct]
    lines = [draw_table(_HEADER, [*rows, *(_row(*pair) for pair in scored)], numeric=(1, 2))]
    own = units.error(power.own_error(found))
    same = [file for file, outcome in judged if outcome == "equivalent"]
    if same:
        said = (f"{file.kind} ({'bitwise equal' if file.is_same else units.error(file.error)})" for file in same)
        lines.append(f"Not scored, as right as the correct file, which is off by {own}: {', '.join(said)}.")
    lines += [f"Not scored: {file.kind}: {_short(file.problem)}" for file, outcome in judged if outcome == "not run"]
    return lines


def _row(file: JudgedFile, outcome: str) -> tuple[str, ...]:
    share = units.UNKNOWN if file.over_tolerance is None else units.error(file.over_tolerance)
    if file.error is None or outcome == "missed":
        outcome = f"{outcome}: {_short(file.reason)}"
    kind = f"(none, {file.kind})" if file.is_correct else file.kind
    return kind, units.error(file.error), share, outcome


def _file_record(file: JudgedFile, outcome: str) -> dict[str, Any]:
    return {
        "fault": None if file.is_correct else file.kind,
        "file": file.kind,
        "outcome": outcome,
        "verdict": file.verdict,
        "error": file.error,
        "over_tolerance": file.over_tolerance,
        "bitwise_equal": file.is_same,
        "reason": file.problem or file.reason,
    }


def _deciding(found: Detection) -> str:
    verdict = power.correct_verdict(found)
    return next(file.reason for file in found.correct if file.verdict == verdict)


def _times(ratio: float) -> str:
    return f"{ratio:.0f}x" if ratio >= 10 else f"{ratio:.1f}x"


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."
