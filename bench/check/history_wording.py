"""The words of a history: numbers, times, events, steps; the same on a terminal, in a picture and on a page. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench import units
from bench.check.compare_records import ReportFacts
from bench.check.history_records import Event, History, Step, Tracked, Trend

_NAMES = {"bench_version": "bench", "python": "Python", "system": "the system", "tolerance": "the allowed tolerance"}
_MOST_EVENTS = 3  # in one sentence


def number_text(value: float | None, tracked: Tracked) -> str:
    """A number in the unit of what is followed."""
    if tracked.unit == "ns":
        return units.duration(value)
    if tracked.unit == "bytes":
        return units.size(value)
    return units.error(value) if tracked.unit == "spread" else _items(value)


def _items(value: float | None) -> str:
    return units.UNKNOWN if value is None else f"{value:.4g} items/s"


def share_text(share: float) -> str:
    """``0.123`` -> ``12.3 %``; more than tenfold as a factor."""
    return f"{1 + share:.3g}x" if share > 9 else f"{100 * share:.3g} %"


def change_text(before: float, after: float) -> str:
    """``+12.3 %`` of the number itself."""
    share = after / before - 1
    return share_text(share) if share > 9 else f"{'+' if share >= 0 else '-'}{share_text(abs(share))}"


def dates_of(reports: Sequence[ReportFacts]) -> dict[int, str]:
    """When each report was started, by number: its day; to the minute or second where that is what tells them apart."""
    lengths = (len("2026-11-25"), len("2026-11-25T08:00"))
    started = [facts.started[:19] for facts in reports]
    length = next((n for n in lengths if len({one[:n] for one in started}) == len(started)), 19)
    return {number: one[:length].replace("T", " ") for number, one in enumerate(started, 1)}


def event_text(event: Event, runtime: str) -> str:
    """``onnxruntime went 1.30.0 -> 1.32.0``; ``runtime`` is the name of the case's."""
    if event.field == "artifact_digest":
        return f"the model's file changed ({event.before} -> {event.after})"
    if event.field == "runtime_version":
        name = runtime
    else:
        name = _NAMES.get(event.field, event.field.removeprefix("package "))
    return f"{name} went {event.before} -> {event.after}"


def events_text(events: Sequence[Event], runtime: str) -> str:
    """The first few of them."""
    said = [event_text(event, runtime) for event in events[:_MOST_EVENTS]]
    more = [f"{len(events) - _MOST_EVENTS} more"] if len(events) > _MOST_EVENTS else []
    return "; ".join([*said, *more])


def step_words(step: Step, tracked: Tracked) -> str:
    """``12 % slower``."""
    share = step.after / step.before - 1
    return f"{share_text(abs(share))} {tracked.more if share > 0 else tracked.less}"


def step_text(step: Step, trend: Trend, tracked: Tracked, dates: Mapping[int, str], *, is_last: bool) -> str:
    """``12 % slower since 2026-11-03 (3.04 ms -> 3.41 ms), when onnxruntime-cpu went 1.30.0 -> 1.32.0``."""
    when = f"since {dates[step.report]}" if is_last else f"from {dates[step.report]} to {dates[step.until]}"
    numbers = f"{number_text(step.before, tracked)} -> {number_text(step.after, tracked)}"
    said = f"{step_words(step, tracked)} {when} ({numbers}"
    said += f", p {step.p:.1g})"
    name = runtime_name(trend)
    if step.events:
        return f"{said}, when {events_text(step.events, name)}"
    if step.nearby:
        return f"{said}; one report away {events_text(step.nearby, name)}"
    return said


def runtime_name(trend: Trend) -> str:
    """The runtime without version, options and label."""
    return trend.runtime.split("@")[0].split(":")[0].split("#")[0]


def is_worse(step: Step, tracked: Tracked) -> bool:
    """Whether the step is for the worse."""
    return (step.after > step.before) != tracked.is_higher_better


def steps_by_size(history: History) -> list[tuple[Trend, int, Step, bool]]:
    """Every step with its trend, its series' number and whether it is the series' last; the largest first."""
    found = [
        (trend, series.number, step, step is (series.steps or ())[-1])
        for trend in history.trends
        for series in trend.series
        for step in series.steps or ()
    ]
    return sorted(found, key=lambda one: -max(one[2].after / one[2].before, one[2].before / one[2].after))
