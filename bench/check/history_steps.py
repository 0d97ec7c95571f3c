"""Series of a history -> their steps, each with the versions that changed there. Pure but for whom it asks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from bench.analysis.history_steps import noticeable_step
from bench.check.history_otava import LEAST_REPORTS, MAX_P, ChangePoint
from bench.check.history_records import History, Series, Step
from bench.errors import UnavailableError

Ask = Callable[[Sequence[Sequence[float]]], list[list[ChangePoint]]]
_replace = msgspec.structs.replace


def with_steps(history: History, ask: Ask) -> History:
    """The history with the steps of every series that is long enough; others have a note.

    ``ask`` gives the change points of series of numbers; where it raises UnavailableError, ``unjudged`` says why.
    """
    every = [series for trend in history.trends for series in trend.series]
    notes = [_why_not(series) for series in every]
    asked = [series for series, note in zip(every, notes, strict=True) if not note]
    try:
        found = iter(ask([[point.value for point in series.points] for series in asked]) if asked else [])
    except UnavailableError as error:
        return _replace(history, unjudged=str(error))
    judged = iter(
        [_replace(s, note=note) if note else _judged(s, next(found)) for s, note in zip(every, notes, strict=True)]
    )
    return _replace(
        history,
        trends=tuple(_replace(trend, series=tuple(next(judged) for _ in trend.series)) for trend in history.trends),
    )


def _why_not(series: Series) -> str:
    if len(series.points) < LEAST_REPORTS:
        return f"too few reports: {len(series.points)} of at least {LEAST_REPORTS}"
    if any(point.value <= 0 for point in series.points):
        return "it has a 0, which is no ratio of anything"
    return ""


def _judged(series: Series, found: Sequence[ChangePoint]) -> Series:
    starts = [one.index for one in found]
    ends = [*starts, len(series.points)][1:]
    steps = tuple(_step(series, one, end) for one, end in zip(found, ends, strict=True))
    noticed = noticeable_step([point.value for point in series.points], starts, MAX_P)
    return _replace(series, steps=steps, noticed=noticed)


def _step(series: Series, found: ChangePoint, end: int) -> Step:
    """The change point in the number's unit, with the versions that changed there or at a neighbour of it."""
    reports = [point.report for point in series.points]
    at = reports[found.index]
    beside = {reports[i] for i in (found.index - 1, found.index + 1) if 0 < i < len(reports)}
    return Step(
        report=at,
        until=reports[end - 1],
        before=math.exp(found.before),
        after=math.exp(found.after),
        p=found.p,
        events=tuple(one for one in series.events if one.report == at),
        nearby=tuple(one for one in series.events if one.report in beside),
    )
