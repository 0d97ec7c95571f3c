"""The records of ``bench history``, and the table of numbers that it follows.

A report is known by its number in the order in which runs were started, from 1.
"""

from __future__ import annotations

from typing import NamedTuple

from bench.check.compare_records import Difference, ReportFacts, Standing, Unit
from bench.records import Record

HISTORY_SCHEMA = 1


class Tracked(NamedTuple):
    """A number of a row that is followed from report to report, and the words for its change."""

    name: str  # as in --metric
    column: str  # field of Row
    unit: Unit
    heading: str
    more: str  # what a case is where the number has grown
    less: str
    is_higher_better: bool = False
    low: str = ""  # fields of its interval; "" where the row has none
    high: str = ""


TRACKED = {
    one.name: one
    for one in (
        Tracked("latency", "latency_ns_best", "ns", "latency", "slower", "faster"),
        Tracked(
            "p50", "latency_ns_p50", "ns", "p50", "slower", "faster",
            low="latency_ns_p50_low", high="latency_ns_p50_high",
        ),
        Tracked("memory", "rss_peak_bytes", "bytes", "peak memory", "more memory", "less memory"),
        Tracked("load", "load_ns", "ns", "load time", "slower to load", "faster to load"),
        Tracked("throughput", "throughput_items_per_s", "items/s", "throughput", "more items/s", "fewer items/s", True),
        Tracked("error", "relative_error", "spread", "error", "more error", "less error"),
    )
}  # fmt: skip


class Point(Record, frozen=True):
    """A measured and verified number of one report."""

    report: int
    value: float
    low: float | None = None
    high: float | None = None


class Gap(Record, frozen=True):
    """A report whose row of this case cannot win, has not this number, or is gone."""

    report: int
    standing: Standing
    reason: str


class Event(Record, frozen=True):
    """A version or setting that is another one than in the series' report before; numbers go on."""

    report: int  # the first with ``after``
    field: str  # one of compare's RUN_FIELDS or CASE_FIELDS; "package numpy" for a package
    before: str
    after: str


class Step(Record, frozen=True):
    """A change point: the numbers from this report on have another level than those before it."""

    report: int  # the first of the new level
    until: int  # the last of it
    before: float  # geometric mean of the level before, in the number's unit
    after: float
    p: float  # of Otava's t-test between both levels, on logarithms
    events: tuple[Event, ...] = ()  # at this very report
    nearby: tuple[Event, ...] = ()  # at the series' report before or after it: the place of a step is not exact


class Series(Record, frozen=True):
    """The reports of one case whose numbers can be set in one line: one machine, one model, the same inputs."""

    number: int  # from 1 within its case, by first report
    machine: int  # from 1 in the history, by first report
    differs: tuple[Difference, ...]  # why it is not the case's first series; empty for that
    points: tuple[Point, ...]
    events: tuple[Event, ...] = ()
    steps: tuple[Step, ...] | None = None  # None: not looked for
    note: str = ""  # why they were not looked for
    noticed: float | None = None  # a step in its middle by this share is as likely noticed as not


class Trend(Record, frozen=True):
    """One case through all reports."""

    case: str  # unique in a history
    group: str  # model, batch and threads, for a heading
    runtime: str  # with options and label, for a row beneath it
    series: tuple[Series, ...]
    gaps: tuple[Gap, ...] = ()


class LeftOut(Record, frozen=True):
    """A folder that was found and is not in the history."""

    path: str
    reason: str  # one sentence


class History(Record, frozen=True):
    """Everything that was found."""

    metric: str
    reports: tuple[ReportFacts, ...]  # by time; their letter is their number
    machines: tuple[str, ...]  # in words, by number
    left_out: tuple[LeftOut, ...]
    trends: tuple[Trend, ...]
    unjudged: str = ""  # why no change points were computed at all; "" where they were
