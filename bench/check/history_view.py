"""A history as blocks of words and tables, the same for text and Markdown. Pure; knows no output format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bench import units
from bench.check import history_wording as words
from bench.check.comparability import spell_difference
from bench.check.compare_records import NOT_A_VERDICT
from bench.check.compare_view import Block, Line, with_headings
from bench.check.history_otava import LEAST_REPORTS, MAX_P
from bench.check.history_records import TRACKED, History, Series, Tracked, Trend
from bench.units import counted

FALSE_ALARMS = (
    "of series of 30 reports without a change 1 in 500 shows one all the same where noise is independent from run to "
    "run, 1 in 50 where it has outliers, and 1 in 8 where it drifts"
)  # benchmarks/history_change_points.md
GAPS = "Gone, not measured, or not verified"
_MOST = 20  # lines of one kind; what is left is counted
_HEADER = ("runtime", "reports", "first", "last", "latest step", "since", "noticed from")


def blocks_of(history: History) -> list[Block]:
    """The page from its top: what changed comes first."""
    tracked, dates = TRACKED[history.metric], words.dates_of(history.reports)
    blocks = [_about(history, tracked, dates), _steps(history, tracked, dates), _levels(history, tracked, dates)]
    lists = (
        ("Versions that changed", version_lines(history, dates)),
        ("Series that can't be set in one line", split_lines(history)),
        (GAPS, gap_lines(history, dates)),
        ("Left out", [f"{one.path}: {one.reason}" for one in history.left_out]),
    )
    return [*blocks, *(Block(title, tuple(_first(lines))) for title, lines in lists if lines)]


def about_lines(history: History, tracked: Tracked, dates: Mapping[int, str]) -> list[str]:
    """How many reports of which time and machines, and what the numbers are."""
    reports = history.reports
    between = f" from {dates[1]} to {dates[len(reports)]}" if len(reports) > 1 else f" of {dates[1]}"
    lines = [f"{counted(len(reports), 'report')}{between}, {counted(len(history.trends), 'case')}: {tracked.heading}."]
    if len(history.machines) > 1:
        lines += [f"Machine {number}: {name}." for number, name in enumerate(history.machines, 1)]
    return lines


def step_lines(history: History, tracked: Tracked, dates: Mapping[int, str]) -> list[str]:
    """A sentence for every step, the largest first."""
    several = {trend.case for trend in history.trends if len(trend.series) > 1}
    return [
        f"{trend.case}{f' (series {number})' if trend.case in several else ''}: "
        f"{words.step_text(step, trend, tracked, dates, is_last=is_last)}."
        for trend, number, step, is_last in words.steps_by_size(history)
    ]


def judged_lines(history: History) -> list[str]:
    """What was and what was not looked for, and how often that is wrong."""
    if history.unjudged:
        return [f"Change points were not computed: {history.unjudged}."]
    every = [series for trend in history.trends for series in trend.series]
    judged = [one for one in every if one.steps is not None]
    few = sum(len(one.points) < LEAST_REPORTS for one in every)
    lines = []
    if not every:
        lines.append("No case has a number in any report, so that there is no change to look for.")
    if judged:
        found = sum(bool(one.steps) for one in judged)
        lines.append(f"{found} of {len(judged)} series have a change point (Otava, p below {MAX_P:g}); {FALSE_ALARMS}.")
    if few:
        lines.append(f"{few} of {len(every)} series have too few reports for change points: at least {LEAST_REPORTS}.")
    others = Counter(one.note for one in every if one.note and len(one.points) >= LEAST_REPORTS)
    return lines + [f"{n} of {len(every)} series can't be judged: {note}." for note, n in others.items()]


def version_lines(history: History, dates: Mapping[int, str]) -> list[str]:
    """Each event once, with how many cases it is of."""
    found: dict[tuple[int, str], int] = {}
    for trend in history.trends:
        name = words.runtime_name(trend)
        for event in (event for series in trend.series for event in series.events):
            key = (event.report, words.event_text(event, name))
            found[key] = found.get(key, 0) + 1
    return [f"{dates[report]}: {text} ({counted(n, 'case')})" for (report, text), n in sorted(found.items())]


def split_lines(history: History) -> list[str]:
    """Why a case has several series; equal reasons of several cases are one line."""
    found: dict[str, list[str]] = {}
    for trend in history.trends:
        for series in trend.series[1:]:
            reason = "; ".join(map(spell_difference, series.differs))
            found.setdefault(f"series {series.number}: {reason}", []).append(trend.case)
    return [
        f"{cases[0] if len(cases) == 1 else counted(len(cases), 'case')}, {reason}" for reason, cases in found.items()
    ]


def gap_lines(history: History, dates: Mapping[int, str]) -> list[str]:
    """Rows that are no points, with the reason; equal ones of a case are one line."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for trend in history.trends:
        for gap in trend.gaps:
            found.setdefault((trend.case, gap.standing, gap.reason), []).append(gap.report)
    return [
        f"{case}: {_span(reports, dates)}: {standing}: {reason}" for (case, standing, reason), reports in found.items()
    ]


def _span(reports: Sequence[int], dates: Mapping[int, str]) -> str:
    if len(reports) == 1:
        return dates[reports[0]]
    return f"{len(reports)} reports from {dates[reports[0]]} to {dates[reports[-1]]}"


def series_name(trend: Trend, series: Series) -> str:
    """The runtime, and which of its series where it has several."""
    return f"{trend.runtime} ({series.number})" if len(trend.series) > 1 else trend.runtime


def _about(history: History, tracked: Tracked, dates: Mapping[int, str]) -> Block:
    return Block(f"History ({NOT_A_VERDICT})", tuple(about_lines(history, tracked, dates)))


def _steps(history: History, tracked: Tracked, dates: Mapping[int, str]) -> Block:
    return Block("Changes", (*_first(step_lines(history, tracked, dates)), *judged_lines(history)))


def _levels(history: History, tracked: Tracked, dates: Mapping[int, str]) -> Block:
    lines = [(trend.group, Line(line)) for trend in history.trends for line in _cells(trend, tracked, dates)]
    return Block(f"Every case: {tracked.heading}", header=_HEADER, lines=tuple(with_headings(lines)), least=3)


def _cells(trend: Trend, tracked: Tracked, dates: Mapping[int, str]) -> Iterator[tuple[str, ...]]:
    if not trend.series:
        yield (trend.runtime, "0", *(units.UNKNOWN,) * (len(_HEADER) - 2))
    for series in trend.series:
        first, last = (words.number_text(point.value, tracked) for point in (series.points[0], series.points[-1]))
        yield (series_name(trend, series), str(len(series.points)), first, last, *_step_cells(series, dates))


def _step_cells(series: Series, dates: Mapping[int, str]) -> tuple[str, str, str]:
    """The last step, since when, and from which change on one would be noticed."""
    noticed = units.UNKNOWN if series.noticed is None else f"+{words.share_text(series.noticed)}"
    if series.steps is None:
        return "too few reports" if len(series.points) < LEAST_REPORTS else "not computed", units.UNKNOWN, noticed
    if not series.steps:
        return "none", units.UNKNOWN, noticed
    last = series.steps[-1]
    return words.change_text(last.before, last.after), dates[last.report], noticed


def _first(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _MOST
    return [*lines[:_MOST], f"and {more} more: --format json has all"] if more > 0 else list(lines)
