"""``bench history``: folders -> the history of one number. Joins what finds, reads, sets in series and judges."""

from __future__ import annotations

from collections.abc import Sequence

from bench.check.history_find import find_reports
from bench.check.history_read import Stored, read_reports
from bench.check.history_records import TRACKED, History, LeftOut
from bench.check.history_series import facts_of, trends_of


def history_of(places: Sequence[str], metric: str, case: str = "") -> History:
    """The history of ``metric`` (a key of TRACKED) in the reports of ``places``, its steps not looked for yet.

    ``case``: only those with this text in their name. UsageError where a place holds nothing of ours.
    """
    found = find_reports(places)
    stored, left_out = read_reports(found.reports, TRACKED[metric])
    return history_of_stored(stored, metric, case, (*found.left_out, *left_out))


def history_of_stored(
    stored: Sequence[Stored], metric: str, case: str = "", left_out: Sequence[LeftOut] = ()
) -> History:
    """The same of reports that are read already, by time."""
    machines, trends = trends_of(stored, TRACKED[metric])
    return History(
        metric=metric,
        reports=facts_of(stored),
        machines=machines,
        left_out=tuple(left_out),
        trends=tuple(trend for trend in trends if case.casefold() in trend.case.casefold()),
    )
