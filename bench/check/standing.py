"""What became of a case, and its numbers on both sides. Pure."""

from __future__ import annotations

from bench.check.compare_records import METRICS, Change, Standing
from bench.errors import EXIT_CANNOT_TELL, EXIT_CASE_FAILED, EXIT_DISAGREE, EXIT_OK
from bench.report.plain import finite
from bench.rows import Row

RAN = ("ok", "partial")  # a case that ran in part elsewhere did run: the difference in status is named
EXITS: dict[Standing, int] = {
    "same": EXIT_OK,
    "new": EXIT_OK,
    "reference": EXIT_OK,
    "disagrees": EXIT_DISAGREE,
    "failed": EXIT_CASE_FAILED,
    "gone": EXIT_CANNOT_TELL,
    "unverified": EXIT_CANNOT_TELL,
    "unmeasured": EXIT_CANNOT_TELL,
    "recovered": EXIT_CANNOT_TELL,
}


def standing_of(reference: Row | None, other: Row | None, renamed: str = "") -> tuple[Standing, str]:
    """The standing with its reason; ``renamed`` is a case of the other side that may be the one that is gone."""
    if other is None:
        hint = f"; {renamed!r} is new there: renamed?" if renamed else ""
        return "gone", f"not in the other report{hint}"
    if reference is not None and reference.agreement == "agrees" and other.agreement == "disagrees":
        return "disagrees", f"agreed before: {other.agreement_reason or 'its outputs disagree with the truth'}"
    trouble = trouble_of(other)
    if trouble:
        return trouble
    if reference is None:
        return "new", "not in the reference"
    before = trouble_of(reference)
    return ("recovered", f"{before[0]} in the reference: {before[1]}") if before else ("same", "")


def trouble_of(row: Row) -> tuple[Standing, str] | None:
    """Why a row is no measurement of the right thing, None where it is."""
    if row.status not in RAN:
        return "failed", f"{row.status}: {row.status_reason}" if row.status_reason else row.status
    if row.agreement != "agrees":
        return "unverified", f"{row.agreement}: {row.agreement_reason}" if row.agreement_reason else row.agreement
    latency = finite(row.latency_ns_best)
    return None if latency is not None and latency > 0 else ("unmeasured", "it has no latency above 0")


def changes_of(reference: Row, other: Row) -> tuple[Change, ...]:
    """Every metric on both sides; a number that is not finite is unknown."""
    return tuple(
        change_of(metric.name, getattr(reference, metric.column), getattr(other, metric.column)) for metric in METRICS
    )


def change_of(metric: str, reference: float | None, other: float | None) -> Change:
    """Two numbers and their ratio, which takes two that are above 0."""
    ours, theirs = finite(reference), finite(other)
    ratio = theirs / ours if ours is not None and theirs is not None and ours > 0 and theirs > 0 else None
    return Change(metric=metric, reference=ours, other=theirs, ratio=ratio)
