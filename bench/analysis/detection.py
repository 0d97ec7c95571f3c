"""What the agreement check makes of wrong files of a model: how many it calls out, and which no check could. Pure.

A wrong file is *equivalent*, listed and not scored, where its outputs are bitwise those of the correct file, or each
differs from the truth by at most ``EQUIVALENT_WITHIN`` times the correct file's own largest error. A wrong file is
called out iff the check says "disagrees": vacuous does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bench.analysis.agreement import case_verdict, judged_error, worst_check
from bench.analysis.shares import exact_interval
from bench.errors import EXIT_CANNOT_TELL, EXIT_DISAGREE, EXIT_OK
from bench.records import OutputCheck, Record, Tolerance, Verdict

EQUIVALENT_WITHIN = 3.0

Outcome = Literal["called out", "missed", "equivalent", "not run"]


class JudgedFile(Record, frozen=True):
    """One file, run over the inputs and judged as a run judges."""

    kind: str  # of the fault; of a correct file how far it was optimised
    is_correct: bool
    verdict: Verdict
    reason: str = ""  # of the output that decides
    error: float | None = None  # the largest of its outputs; None where one has no number: NaN, another shape or type
    over_tolerance: float | None = None  # the largest error in tolerances; None where that is no one number
    is_same: bool = False  # bitwise the correct file as it is deployed
    problem: str = ""  # why it did not load or run


class Detection(Record, frozen=True):
    """All files of one model."""

    correct: tuple[JudgedFile, ...]
    wrong: tuple[JudgedFile, ...]


def judged_file(
    kind: str, checks: Sequence[OutputCheck], tolerance: Tolerance, *, is_correct: bool = False, is_same: bool = False
) -> JudgedFile:
    """The file behind the checks of all its outputs; ``tolerance`` is the user's own."""
    worst = worst_check(checks)
    errors = [judged_error(check) for check in checks]
    numbers = [error for error in errors if error is not None]
    shares = [share for check in checks if (share := _share_of_tolerance(check, tolerance)) is not None]
    return JudgedFile(
        kind=kind,
        is_correct=is_correct,
        verdict=case_verdict(checks),
        reason=f"{worst.output}: {worst.reason}" if worst else "",
        error=max(numbers) if numbers and len(numbers) == len(errors) else None,
        over_tolerance=max(shares, default=None),
        is_same=is_same,
    )


def outcome(file: JudgedFile, own: float) -> Outcome:
    """What came of a wrong file; ``own`` is the correct file's largest error."""
    if file.problem:
        return "not run"
    if file.is_same or (file.error is not None and file.error <= EQUIVALENT_WITHIN * own):
        return "equivalent"
    return "called out" if file.verdict == "disagrees" else "missed"


def own_error(detection: Detection) -> float:
    """Largest error of the correct file, whichever way it was optimised; 0 where it has no number."""
    return max((file.error for file in detection.correct if file.error is not None), default=0.0)


def outcomes(detection: Detection) -> list[tuple[JudgedFile, Outcome]]:
    """Every wrong file with what came of it."""
    own = own_error(detection)
    return [(file, outcome(file, own)) for file in detection.wrong]


def score(detection: Detection) -> tuple[int, int]:
    """How many wrong files were called out, of how many that a check could have."""
    found = [one for _, one in outcomes(detection)]
    return found.count("called out"), found.count("called out") + found.count("missed")


def correct_verdict(detection: Detection) -> Verdict:
    """The worst verdict of the correct file: disagrees, else vacuous, else agrees."""
    verdicts = {file.verdict for file in detection.correct}
    order: tuple[Verdict, ...] = ("disagrees", "vacuous", "unchecked")
    return next((verdict for verdict in order if verdict in verdicts), "agrees")


def room(detection: Detection) -> float | None:
    """How many times larger the correct file's error could be before it disagrees; None where that is no one number."""
    used = [file.over_tolerance for file in detection.correct]
    largest = max((share for share in used if share is not None), default=0.0)
    return 1 / largest if largest > 0 else None


def interval(detection: Detection) -> tuple[float, float]:
    """The exact 95 % interval of the share called out."""
    return exact_interval(*score(detection))


def exit_code(detection: Detection) -> int:
    """0 where all was right, 3 where the correct file disagrees, 5 where a wrong file passes or none could fail."""
    verdict = correct_verdict(detection)
    if verdict == "disagrees":
        return EXIT_DISAGREE
    called, scored = score(detection)
    return EXIT_OK if verdict == "agrees" and called == scored > 0 else EXIT_CANNOT_TELL


def _share_of_tolerance(check: OutputCheck, tolerance: Tolerance) -> float | None:
    """Error over tolerance; by the user's limits the smallest one that would pass over the one that was given."""
    error = judged_error(check)
    if check.tolerance:
        return None if error is None else error / check.tolerance
    rtol = tolerance.rtol.get(check.output, tolerance.rtol.get("", 0.0))
    atol = tolerance.atol.get(check.output, tolerance.atol.get("", 0.0))
    if rtol and not atol:
        return None if check.smallest_rtol is None else check.smallest_rtol / rtol
    if atol and not rtol:
        return None if check.smallest_atol is None else check.smallest_atol / atol
    return None
