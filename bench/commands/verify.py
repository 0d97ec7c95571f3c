"""``bench verify``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.commands.asking import resolve_suite
from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.flags import Flags
from bench.progress import Progress
from bench.records import Tolerance
from bench.rows import Row
from bench.units import UNKNOWN

_HEADER = ("model", "runtime", "batch", "agreement", "error", "tolerance", "max abs", "truth")


def verify_models(flags: Flags, *, suite_file: Path | None, console: Console, progress: Progress) -> int:
    """Print what each case's outputs are worth; returns 0 agrees, 3 disagrees, 5 cannot tell, 6 a case failed."""
    suite = resolve_suite(flags, suite_file, console)

    from bench.verifying import verify_suite

    result = verify_suite(suite, progress=progress)
    progress.done()
    console.say(agreement_text(result.rows, suite.tolerance))
    return result.exit_code


def agreement_text(rows: Sequence[Row], tolerance: Tolerance | None = None) -> str:
    """A table of verdicts, then the reason of everything that does not agree; ``tolerance`` is the user's own."""
    own = _spell_tolerance(tolerance or Tolerance())
    lines = [draw_table(_HEADER, [_cells(row, own) for row in rows], numeric=(2, 4, 5, 6))]
    for row in rows:
        reason = row.status_reason if row.status != "ok" else row.agreement_reason
        if row.status != "ok" or row.agreement != "agrees":
            lines.append(f"{row.model}, {_runtime(row)}, batch {row.batch_size}: {reason or row.agreement}")
    return "\n".join(lines)


def _cells(row: Row, own: str) -> tuple[str, ...]:
    verdict = row.agreement if row.status == "ok" else f"{row.agreement} ({row.status})"
    judged = row.relative_error if row.precision_error is None else row.precision_error
    error, tolerance, largest = (
        UNKNOWN if number is None else f"{number:.1e}" for number in (judged, row.tolerance, row.max_abs_error)
    )
    if row.tolerance is None and row.max_abs_error is not None:  # judged by the user's, which is no one number
        tolerance = own
    return (row.model, _runtime(row), str(row.batch_size), verdict, error, tolerance, largest, row.truth or UNKNOWN)


def _spell_tolerance(tolerance: Tolerance) -> str:
    """``rtol 0.001, atol logits:1e-06``."""
    both = (("rtol", tolerance.rtol), ("atol", tolerance.atol))
    said = [f"{flag} {f'{name}:' * bool(name)}{value:g}" for flag, named in both for name, value in named.items()]
    return ", ".join(said) or UNKNOWN


def _runtime(row: Row) -> str:
    return row.runtime_spec or row.runtime
