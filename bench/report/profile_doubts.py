"""What the rows of a profile are doubted for, each with what to do. Pure."""

from __future__ import annotations

from dataclasses import replace

from bench.report.pages.page import Caution
from bench.report.report_cautions import row_doubts
from bench.rows import Row

# Of ratios and percentiles, which are not here; an interrupted profile says so first, and can't be gone on with.
_NOT_SHOWN = ("by rounds: ", "few pairs: ", "few samples: ", "no ratio: ", "interrupted: ")
_OF_A_REPORT = ("not warmed up: ", "placement: ")  # what advice sends to is in no profile


def doubts_of(row: Row, about: str) -> tuple[Caution, ...]:
    """Every caution of a case that is about what a profile shows; that it cannot win is said elsewhere."""
    found = [caution for caution in row_doubts([row]) if not caution.text.startswith(_NOT_SHOWN)]
    return tuple(
        replace(one, about=about, advice="" if one.text.startswith(_OF_A_REPORT) else one.advice) for one in found
    )


def doubt_sentences(row: Row, of: str = "") -> list[str]:
    """``"Doubt: contended: ... . Stop other work on this machine."``; ``of``: of which side, where there are two."""
    which = f" of {of}" if of else ""
    return [f"Doubt{which}: {one.text.rstrip('.')}. {one.advice}".rstrip() for one in doubts_of(row, of)]
