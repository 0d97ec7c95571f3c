"""One report by itself: its cases against the reference that they shared rounds with. Pure.

These are the only ratios with an interval: both numbers come from the same rounds of one run.
"""

from __future__ import annotations

import msgspec

from bench.check.comparability import case_differences
from bench.check.compare_join import Identity, group_of, identify, name_of, runtime_of
from bench.check.compare_records import Change, Compared, Side, Standing
from bench.check.standing import changes_of, standing_of
from bench.report import verdict
from bench.rows import Row, group_key

_MUST_BE_EQUAL = ("status", "boundary", "streams", "input_digest", "truth")  # the rest is what is compared


def compare_within(side: Side) -> list[Compared]:
    """Every case of the report, the references among them."""
    (rows,) = identify([side])
    return [_compare(key, row, _reference_of(row, side.rows), side.letter) for key, row in rows.items()]


def _compare(identity: Identity, row: Row, reference: Row | None, letter: str) -> Compared:
    standing, reason = _standing(row, reference)
    differences = case_differences(reference, row) if reference and standing != "failed" else ()
    differences = tuple(one for one in differences if one.field in _MUST_BE_EQUAL)
    return Compared(
        case=name_of(identity),
        group=group_of(identity),
        runtime=runtime_of(identity),
        report=letter,
        standing=standing,
        reason=reason,
        differences=differences,
        is_comparable=standing == "same" and not differences,
        changes=tuple(_with_bounds(change, row) for change in changes_of(reference, row)) if reference else (),
        reference=reference,
        other=row,
    )


def _standing(row: Row, reference: Row | None) -> tuple[Standing, str]:
    if row.agreement == "disagrees":
        return "disagrees", row.agreement_reason or "its outputs disagree with the truth"
    standing, reason = standing_of(reference or row, row)
    if standing != "same":
        return standing, reason
    if reference is None:
        return "unmeasured", "in no round together with a reference"
    return ("reference" if reference is row else "same"), ""


def _with_bounds(change: Change, row: Row) -> Change:
    """The latency's ratio is that of the rounds, not of the two numbers."""
    if change.metric != "latency" or row.ratio_to_reference is None:
        return change
    return msgspec.structs.replace(
        change, ratio=row.ratio_to_reference, low=row.ratio_low, high=row.ratio_high, level=row.interval_level
    )


def _reference_of(row: Row, rows: tuple[Row, ...]) -> Row | None:
    """The row that this one's ratio was taken to; itself where it is one."""
    if verdict.is_reference(row):
        return row
    return next((one for one in rows if group_key(one) == group_key(row) and _is_named(one, row)), None)


def _is_named(one: Row, row: Row) -> bool:
    return verdict.is_reference(one) and row.reference_runtime == one.reference_runtime
