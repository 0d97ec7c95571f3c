"""An invented page with something of everything, and names that try to be more than text."""

from __future__ import annotations

import random
from typing import Any

from bench.report import theme
from bench.report.pages.page import Caution, Cell, Page, Part, Table
from bench.report.picture import Picture

RUNTIMES = ("onnxruntime-cpu", "openvino", "litert:threads=2", "tensorflow-xla")
HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=http://localhost:1/x onerror=alert(2)>',
    "right\u202eto left\u200b",
    "a.b[0]['c']\\n",
    "<!-- {{ 7 * 7 }} ${alert(3)}",
    "עברית & 日本",
)


def made_page(names: tuple[str, ...] = RUNTIMES, *, samples: int = 400) -> Page:
    """One of each: painted and built charts, a chart of its own width, both kinds of table, a folded part."""
    return Page(
        title=f"A model on {names[0]}",
        verdict=(f"{names[0]} is the fastest verified runtime: 3.94 ms.", "At batch 32 none is told apart."),
        facts=(("Machine", "two cores"), ("Model", names[-1])),
        parts=(
            Part("latency", "Latency", ("Each point is a call.",), (points(names, samples),)),
            Part("agreement", names[0], (), (map_of(names),)),
            Part("results", "All results", (), (), (results(names),)),
            Part("cautions", "Cautions", (), (), (), tuple(_cautions(names))),
            Part(
                "about", "Versions", ("As measured.",), (points(names, 40, "again"),), (versions(names),), folded=True
            ),
        ),
    )


def points(names: tuple[str, ...], samples: int, name: str = "calls") -> Picture:
    """Samples as points over a line, with a legend and a tooltip; painted where there are many."""
    import altair as alt

    rng = random.Random(samples)
    values = [
        {"runtime": names[call % len(names)], "call": call, "ms": round(3 + rng.lognormvariate(0, 0.4), 3)}
        for call in range(samples)
    ]
    scales = theme.series(list(names))
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_point(filled=True)
        .encode(
            x=alt.X("call:Q"),
            y=alt.Y("ms:Q", title="latency (ms)"),
            color=alt.Color("runtime:N", title=None, scale=alt.Scale(**scales["color"])),
            shape=alt.Shape("runtime:N", title=None, scale=alt.Scale(**scales["shape"])),
            tooltip=["runtime:N", "ms:Q"],
        )
    )
    line = alt.Chart(alt.InlineData(values=[{"ms": 4.0}])).mark_rule().encode(y="ms:Q")
    spec = alt.layer(line, chart).properties(width="container", height=200).to_dict()
    return _picture(name, f"Every call of {names[0]}", spec, names)


def map_of(names: tuple[str, ...]) -> Picture:
    """A chart that is wider than a phone, names on both of its axes."""
    import altair as alt

    values = [{"one": one, "other": other, "apart": len(one) - len(other)} for one in names for other in names]
    chart = alt.Chart(alt.InlineData(values=values)).mark_rect().encode(x="one:N", y="other:N", color="apart:Q")
    return _picture("map", "Who agrees", chart.properties(width=500, height=200).to_dict(), names)


def results(names: tuple[str, ...]) -> Table:
    """Sorts by key: 10 after 9, the unknown last; its texts would sort otherwise. More columns than a screen has."""
    figures = ((9.5, "9.5 ms"), (10.25, "10.25 ms"), (None, "-"), (9.5, "9.50 ms"), (100.0, "100 ms"), (1.0, "1 ms"))
    states = ("good", "bad", "doubt", "", "good", "")
    rows = tuple(
        (
            Cell(names[place % len(names)]),
            Cell(text, key),
            Cell(states[place] or "-", state=states[place]),
            *(Cell(f"{place * column} MiB of memory", place * column) for column in range(8)),
        )
        for place, (key, text) in enumerate(figures)
    )
    header = ("runtime", "p50", "agreement", *(f"memory {column}" for column in range(8)))
    return Table("results", "Every case", header, rows, numeric=frozenset({1, *range(3, 11)}))


def versions(names: tuple[str, ...]) -> Table:
    rows = tuple((Cell(name), Cell("1.0")) for name in names)
    return Table("versions", "Versions", ("what", "version"), rows, has_controls=False)


def _cautions(names: tuple[str, ...]) -> list[Caution]:
    return [
        Caution(names[0], "The clock frequency changed.", "Measure again.", f"bench run model --runtime '{names[0]}'"),
        Caution(names[-1], f"{names[-1]} had 80 calls."),
    ]


def _picture(name: str, title: str, spec: dict[str, Any], names: tuple[str, ...]) -> Picture:
    cells = tuple((each, f"{place} ms") for place, each in enumerate(names))
    return Picture(name, title, f"{names[0]} is fastest.", spec, ("runtime", "p50"), cells)
