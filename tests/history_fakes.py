"""Stored reports for the tests of ``bench history``: a case a day, with invented noise from a fixed seed."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.check.compare_join import identify
from bench.check.compare_records import Side
from bench.check.history import history_of_stored
from bench.check.history_otava import ChangePoint
from bench.check.history_read import Stored
from bench.check.history_records import History, Series
from bench.check.history_steps import with_steps
from bench.report.store import save_report
from bench.rows import Row
from compare_fakes import env, ort
from report_fakes import ADA


def started(day: int) -> str:
    """The start of the run of that day, from 0."""
    return (datetime(2026, 10, 1, 8, tzinfo=UTC) + timedelta(days=day)).isoformat()


def stored(day: int, rows: Sequence[Row], **changes: Any) -> Stored:
    """The report of a day, as it is after reading; ``changes`` as those of ``compare_fakes.env``."""
    environment = env(started=started(day), **changes)
    side = Side(letter="", path=f"reports/{day:03d}", environment=environment, rows=tuple(rows))
    return Stored(side.path, environment, identify([side], only_asked=True)[0])


def save(folder: Path, day: int, rows: Sequence[Row], **changes: Any) -> Path:
    """The same on disk."""
    path = folder / f"{day:03d}"
    save_report(path, env(started=started(day), **changes), rows, [], private=ADA)
    return path


def noise(count: int, spread: float, seed: int = 1) -> list[float]:
    """Latencies about 8 ms, in ns: ``spread`` is the standard deviation of their logarithms."""
    random_ = random.Random(seed)
    return [8e6 * math.exp(random_.gauss(0, spread)) for _ in range(count)]


def history(*days: Stored, metric: str = "latency", case: str = "") -> History:
    return history_of_stored(days, metric, case)


def only_series(found: History) -> Series:
    """The one series of the one case that there is."""
    (trend,) = found.trends
    (series,) = trend.series
    return series


def daily(latencies: Sequence[float], **changes: Any) -> list[Stored]:
    """ONNX Runtime on one machine, a latency a day."""
    return [stored(day, [ort(latency_ns_best=one)], **changes) for day, one in enumerate(latencies)]


def at(index: int, before: float, after: float, p: float = 1e-9) -> ChangePoint:
    """A change point as Otava gives it."""
    return ChangePoint(index=index, before=math.log(before), after=math.log(after), p=p)


def judged(found: History, *points: ChangePoint) -> History:
    """The history in each of whose series Otava found these."""
    return with_steps(found, lambda series: [list(points) for _ in series])
