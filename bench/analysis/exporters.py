"""Files of several exporters at several operator sets -> which is right, which is fastest, one exit code. Pure.

Ratios are to one file of ours, so several intervals are read at once: a difference is only called one where the whole
interval is more than ``TOLD`` away from 1, which equal graphs do not reach.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench import errors
from bench.records import Record, Verdict

TOLD = 0.03  # of the reference's latency


class ExporterRow(Record, frozen=True):
    """What is said of one file. Unknown is None."""

    exporter: str
    opset: int
    is_ours: bool  # made as bench itself exports
    loads: bool
    agreement: Verdict = "unchecked"
    reason: str = ""  # why it was not made, does not load, or does not agree
    size_bytes: int | None = None
    nodes: int | None = None
    operators: tuple[str, ...] = ()
    paired: str = ""  # how its tensors were paired with the model's
    relative_error: float | None = None
    tolerance: float | None = None
    latency_ns_best: float | None = None
    ratio_to_reference: float | None = None  # latency over that of the reference; below 1 is faster
    ratio_low: float | None = None
    ratio_high: float | None = None
    interval_level: float | None = None
    is_reference: bool = False
    file: str = ""  # where it was kept

    @property
    def called(self) -> str:
        """``"Keras export, opset 18"``."""
        return f"{self.exporter}, opset {self.opset}"


def choose_reference(rows: Sequence[ExporterRow]) -> ExporterRow | None:
    """What ratios are to: ours of the latest operator set that agrees, else any that agrees, else any that loads."""
    ranked = [row for row in rows if row.loads]
    return max(ranked, key=lambda row: (row.agreement == "agrees", row.is_ours, row.opset), default=None)


def exit_code_of(rows: Sequence[ExporterRow]) -> int:
    """3 where a file disagrees, 6 where none of ours agrees and none is vacuous, 5 where all of ours are, else 0.

    A row of another exporter that was not made or does not load is told and changes nothing.
    """
    if any(row.agreement == "disagrees" for row in rows):
        return errors.EXIT_DISAGREE
    ours = {row.agreement for row in rows if row.is_ours}
    if "agrees" in ours:
        return errors.EXIT_OK
    return errors.EXIT_CANNOT_TELL if "vacuous" in ours else errors.EXIT_CASE_FAILED


def headline(rows: Sequence[ExporterRow]) -> str:
    """One sentence: what is wrong if anything is, how many agree, which is fastest."""
    agreeing = [row for row in rows if row.agreement == "agrees"]
    wrong = [row for row in rows if row.agreement == "disagrees"]
    unused = [row for row in rows if not row.loads]
    if not agreeing:
        return _without_any(rows, wrong, unused)
    parts = [f"all {len(rows)} files agree with the model"]
    if len(agreeing) < len(rows):
        parts = [f"{len(agreeing)} of {len(rows)} files {'agrees' if len(agreeing) == 1 else 'agree'} with the model"]
    if wrong:
        parts.append(f"{named(wrong)} {_verb('compute', wrong)} something else")
    if unused:
        parts.append(f"{named(unused)} {_verb('give', unused)} no file that loads")
    said = "; ".join([*parts, _fastest(agreeing)])
    return said[0].upper() + said[1:]


def _without_any(rows: Sequence[ExporterRow], wrong: Sequence[ExporterRow], unused: Sequence[ExporterRow]) -> str:
    if len(unused) == len(rows):
        return "No exporter makes a file that loads"
    if wrong:
        return f"No file agrees with the model: {named(wrong)} {_verb('compute', wrong)} something else"
    return "No file is known to agree: the check could not have failed"


def _fastest(agreeing: Sequence[ExporterRow]) -> str:
    """Who is faster than the reference, or that nobody is told to be."""
    reference = next((row for row in agreeing if row.is_reference), None)
    if reference is None or reference.latency_ns_best is None:
        return "none was timed"
    others = [row for row in agreeing if row is not reference and row.ratio_to_reference is not None]
    if not others:
        return "only one was timed"
    faster = [row for row in others if row.ratio_high is not None and row.ratio_high < 1 - TOLD]
    if faster:
        best = min(faster, key=lambda row: row.ratio_to_reference or 1.0)
        return f"{best.called} is fastest, {best.ratio_to_reference:.2f} of the time of {reference.called}"
    slower = [row for row in others if row.ratio_low is not None and row.ratio_low > 1 + TOLD]
    if len(slower) == len(others):
        return f"{reference.called} is fastest"
    also = f", {named(slower)} is slower" if slower else ""
    return f"none is faster than {reference.called}{also}"


def named(rows: Sequence[ExporterRow]) -> str:
    """``"Keras export (opset 13, 15)"``: rows of one exporter together."""
    opsets: dict[str, list[str]] = {}
    for row in rows:
        opsets.setdefault(row.exporter, []).append(str(row.opset))
    return " and ".join(f"{exporter} (opset {', '.join(numbers)})" for exporter, numbers in opsets.items())


def _verb(word: str, rows: Sequence[ExporterRow]) -> str:
    return word if len({row.exporter for row in rows}) > 1 else f"{word}s"
