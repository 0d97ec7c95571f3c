"""A history as one page that needs no network: what changed first, then trends, every case, and what is not in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench import units
from bench.check import history_view as view
from bench.check import history_wording as words
from bench.check.compare_records import NOT_A_VERDICT
from bench.check.history_pictures import MOST_DRAWN, drawn_first, pictures_of
from bench.check.history_records import TRACKED, History, Series, Step, Tracked, Trend
from bench.report.pages.html import render_page
from bench.report.pages.page import Cell, Page, Part, Table

_FIRST = 3  # changes that the top of the page tells
_READING = (
    "A point is a report's number, verified. A line joins neighbours of one series and is broken at every cross. A "
    "dashed rule is a change point, with the change of the mean on both sides, the thick lines. On the lower edge a "
    "triangle is a version that changed, a cross a report that has no number of the case that can be believed. Reports "
    "of other models, and of machines that never had the case, are passed over."
)


def render_history_page(history: History) -> str:
    """The whole document."""
    return render_page(page_of(history))


def page_of(history: History) -> Page:
    """The page's records."""
    tracked, dates = TRACKED[history.metric], words.dates_of(history.reports)
    found = (
        _changes(history, tracked, dates),
        _trends(history),
        _cases(history, tracked, dates),
        *_lists(history, dates),
    )
    return Page(
        title=f"History: {tracked.heading}",
        verdict=tuple(_verdict(history, tracked, dates)),
        parts=tuple(part for part in found if part.texts or part.tables or part.pictures),
        facts=tuple(_facts(history, dates)),
    )


def _verdict(history: History, tracked: Tracked, dates: Mapping[int, str]) -> Iterator[str]:
    lines = view.step_lines(history, tracked, dates)
    yield from lines[:_FIRST]
    if len(lines) > _FIRST:
        yield f"Of {len(lines)} change points these are the largest."
    if history.unjudged:
        yield f"Change points were not computed: {history.unjudged}."
    elif not lines:
        judged = sum(one.steps is not None for trend in history.trends for one in trend.series)
        yield from [f"No change point in {judged} series."] if judged else view.judged_lines(history)


def _facts(history: History, dates: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    yield "Reports", f"{len(history.reports)}, from {dates[1]} to {dates[len(history.reports)]}"
    yield "Cases", str(len(history.trends))
    yield from ((f"Machine {number}", name) for number, name in enumerate(history.machines, 1))
    yield "Numbers", NOT_A_VERDICT


def _changes(history: History, tracked: Tracked, dates: Mapping[int, str]) -> Part:
    steps = words.steps_by_size(history)
    rows = tuple(
        (
            Cell(trend.case),
            Cell(str(number), number),
            Cell(words.change_text(step.before, step.after), step.after / step.before, _state(step, tracked)),
            Cell(words.number_text(step.before, tracked), step.before),
            Cell(words.number_text(step.after, tracked), step.after),
            Cell(dates[step.report], step.report),
            Cell("" if is_last else dates[step.until], step.until),
            Cell(f"{step.p:.1g}", step.p),
            Cell(words.events_text((*step.events, *step.nearby), words.runtime_name(trend))),
        )
        for trend, number, step, is_last in steps
    )
    header = ("case", "series", "change", "before", "after", "since", "until", "p", "versions that changed there")
    table = Table("steps", "Change points, the largest first", header, rows, frozenset({1, 2, 3, 4, 7}))
    return Part("changes", "Changes", tuple(view.judged_lines(history)), tables=(table,) if rows else ())


def _state(step: Step, tracked: Tracked) -> str:
    return "bad" if words.is_worse(step, tracked) else "good"


def _trends(history: History) -> Part:
    there = len(drawn_first(history))
    texts = [_READING]
    if there > MOST_DRAWN:
        texts.append(f"{MOST_DRAWN} of {there} cases are drawn, those that changed most first; the table has all.")
    return Part("trends", "Trends", tuple(texts), tuple(pictures_of(history)))


def _cases(history: History, tracked: Tracked, dates: Mapping[int, str]) -> Part:
    rows = [row for trend in history.trends for row in _case_rows(trend, tracked, dates)]
    header = (
        "case", "runtime", "series", "machine", "reports", "gaps", "first", "last", "latest change", "since",
        "noticed from",
    )  # fmt: skip
    table = Table("cases", f"Every case: {tracked.heading}", header, tuple(rows), frozenset({2, 3, 4, 5, 6, 7, 8, 10}))
    text = "Noticed from: a step of this size in the middle of the series would be found one time in two."
    return Part("cases", "Every case", (text,), tables=(table,))


def _case_rows(trend: Trend, tracked: Tracked, dates: Mapping[int, str]) -> Iterator[tuple[Cell, ...]]:
    gaps = Cell(str(len(trend.gaps)), len(trend.gaps), "doubt" if trend.gaps else "")
    if not trend.series:
        none = Cell(units.UNKNOWN)
        yield (Cell(trend.group), Cell(trend.runtime), none, none, Cell("0", 0), gaps, *(none,) * 5)
    for one in trend.series:
        first, last = one.points[0].value, one.points[-1].value
        yield (
            Cell(trend.group),
            Cell(trend.runtime),
            Cell(str(one.number), one.number),
            Cell(str(one.machine), one.machine),
            Cell(str(len(one.points)), len(one.points)),
            gaps,
            Cell(words.number_text(first, tracked), first),
            Cell(words.number_text(last, tracked), last),
            *_step_cells(one, tracked, dates),
        )


def _step_cells(one: Series, tracked: Tracked, dates: Mapping[int, str]) -> Sequence[Cell]:
    noticed = Cell(units.UNKNOWN if one.noticed is None else f"+{words.share_text(one.noticed)}", one.noticed)
    if one.steps is None:
        return Cell(one.note or "not computed"), Cell(units.UNKNOWN), noticed
    if not one.steps:
        return Cell("none"), Cell(units.UNKNOWN), noticed
    last = one.steps[-1]
    change = Cell(words.change_text(last.before, last.after), last.after / last.before, _state(last, tracked))
    return change, Cell(dates[last.report], last.report), noticed


def _lists(history: History, dates: Mapping[int, str]) -> Iterator[Part]:
    """What is beside the numbers; details that few look for are folded."""
    yield Part("versions", "Versions that changed", tuple(view.version_lines(history, dates)), folded=True)
    yield Part("splits", "Series that can't be set in one line", tuple(view.split_lines(history)), folded=True)
    yield Part("gaps", view.GAPS, tuple(view.gap_lines(history, dates)))
    yield Part("left_out", "Left out", tuple(f"{one.path}: {one.reason}" for one in history.left_out))
    rows = tuple(
        (
            Cell(one.letter, int(one.letter)),
            Cell(one.started),
            Cell(one.path),
            Cell(one.bench_version),
            Cell(str(one.cases), one.cases),
        )
        for one in history.reports
    )
    header = ("report", "started", "path", "bench", "cases")
    yield Part(
        "reports", "Reports", tables=(Table("reports", "By time", header, rows, frozenset({0, 4})),), folded=True
    )
