"""A history -> text, Markdown, CSV or JSON. Pure: returns strings, prints nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from bench.check.compare_records import NOT_A_VERDICT
from bench.check.history_records import HISTORY_SCHEMA, TRACKED, Gap, History, Point, Series, Trend
from bench.check.history_view import blocks_of
from bench.check.render_compare import block_markdown, block_text
from bench.report.plain import csv_field

_COLUMNS = (
    "case", "group", "runtime", "series", "machine", "report", "path", "started", "metric", "unit", "standing",
    "reason", "value", "low", "high", "step_ratio", "step_p", "events",
)  # fmt: skip


def render_text(history: History, width: int = 100) -> str:
    """For a terminal of ``width`` columns."""
    return "\n\n".join(block_text(block, width) for block in blocks_of(history)) + "\n"


def render_markdown(history: History) -> str:
    """The same with every column."""
    return "\n\n".join(["# History", *map(block_markdown, blocks_of(history))]) + "\n"


def render_csv(history: History) -> str:
    """One line for every case and report, by time: strings in quotes, numbers bare, nothing where unknown."""
    lines = [",".join(_COLUMNS)]
    for trend in history.trends:
        found = [*_points(history, trend), *(_line(history, trend, gap) for gap in trend.gaps)]
        found.sort(key=lambda line: line["report"])
        lines += [",".join(csv_field(line.get(name)) for name in _COLUMNS) for line in found]
    return "\n".join(lines) + "\n"


def render_json(history: History) -> str:
    """Reports, trends with their series, and what was left out; null where unknown."""
    about = {"schema_version": HISTORY_SCHEMA, "numbers": NOT_A_VERDICT}
    return json.dumps({**about, **msgspec.to_builtins(history)}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _points(history: History, trend: Trend) -> Iterator[dict[str, Any]]:
    for series in trend.series:
        steps = {step.report: step for step in series.steps or ()}
        for point in series.points:
            step = steps.get(point.report)
            own = {"series": series.number, "machine": series.machine, "standing": "measured", "value": point.value}
            own |= {"low": point.low, "high": point.high, "events": _events(series, point)}
            if step:
                own |= {"step_ratio": step.after / step.before, "step_p": step.p}
            yield _line(history, trend, point) | own


def _line(history: History, trend: Trend, one: Point | Gap) -> dict[str, Any]:
    facts = history.reports[one.report - 1]
    line: dict[str, Any] = {"case": trend.case, "group": trend.group, "runtime": trend.runtime, "report": one.report}
    line |= {"path": facts.path, "started": facts.started, "metric": history.metric}
    line["unit"] = TRACKED[history.metric].unit
    return line | ({"standing": one.standing, "reason": one.reason} if isinstance(one, Gap) else {})


def _events(series: Series, point: Point) -> str | None:
    said = [f"{one.field}: {one.before} -> {one.after}" for one in series.events if one.report == point.report]
    return "; ".join(said) or None
