"""Every call in the order in which it ran: warm-up, switch calls and rounds that others disturbed are seen as such."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import units
from bench.report.drawn import Envelope, envelope, shared_limits
from bench.report.picture import Picture
from bench.report.pictures import parts
from bench.report.pictures.scene import SWITCH, TAIL, TIMED, WARMUP, Calls, Group
from bench.report.pictures.slots import Slots, slots_of
from bench.rows import Row

_TOGETHER = 4  # runtimes in one picture: more hide one another
_HEIGHT = 300
_KINDS = {TIMED: (TIMED, TAIL), WARMUP: (WARMUP,), SWITCH: (SWITCH,)}  # by look
_LOOKS: dict[int, dict[str, Any]] = {
    TIMED: {"filled": True, "size": 16, "opacity": 0.75},
    WARMUP: {"filled": False, "size": 26, "strokeWidth": 1},
    SWITCH: {"filled": False, "size": 30, "strokeWidth": 1.2, "shape": "M-1,-1L1,1M-1,1L1,-1"},
}
_HEADER = (
    "runtime",
    "repetition",
    "counted",
    "calls",
    "timed",
    "disturbed rounds",
    "least",
    "median of timed",
    "greatest",
)


@dataclass(frozen=True)
class _Case:
    row: Row
    name: str  # as marked
    calls: Calls
    x: Any  # slot of each call


@dataclass(frozen=True)
class _Marks:
    """What is drawn of the calls of one look."""

    x: Any  # of each call
    envelope: Envelope

    @property
    def is_thinned(self) -> bool:
        return len(self.envelope) < len(self.x)

    def values(self, unit: float) -> list[dict[str, float]]:
        """A stretch at its middle: its median, and from least to greatest where it is more than one call."""
        shown = self.envelope
        return [
            {"of": 0, "x": int(self.x[(start + end) // 2]), "y": _shown(middle, unit)}
            | ({"low": _shown(low, unit), "high": _shown(high, unit)} if self.is_thinned else {})
            for start, end, low, middle, high in zip(
                shown.start, shown.end, shown.least, shown.middle, shown.greatest, strict=True
            )
        ]


def _shown(latency_ns: float, unit: float) -> float:
    return parts.rounded(max(float(latency_ns), 1.0) / unit)


def samples_over_time(group: Group) -> Iterator[Picture]:
    """One picture for every four runtimes; none where nothing was called."""
    found = [(row, group.scene.calls(row.case_id)) for row in group.rows]
    called = [(row, calls) for row, calls in found if calls is not None]
    if not called:
        return
    slots = slots_of([calls for _, calls in called])
    cases = [_Case(row, group.marked(row), calls, slots.place(calls)) for row, calls in called]
    disturbed = group.scene.disturbed(group)
    for first in range(0, len(cases), _TOGETHER):
        shown = cases[first : first + _TOGETHER]
        part = f"_{first // _TOGETHER + 1}" if len(cases) > _TOGETHER else ""
        drawn = _drawn(shown)
        yield Picture(
            name=f"{group.name('samples_over_time')}{part}",
            title=f"Every call in the order in which it ran{group.title}",
            told=_told(shown, drawn, disturbed, any(row.streams > 1 for row in group.rows))
            + group.told_of_barred([case.row for case in shown]),
            spec=_spec(group, shown, drawn, slots, disturbed or set()),
            header=_HEADER,
            cells=tuple(line for case in shown for line in _cells(case, disturbed)),
        )


def _told(
    cases: Sequence[_Case], drawn: Sequence[dict[int, _Marks]], disturbed: set[tuple[int, int]] | None, several: bool
) -> str:
    every, few = (sum(count(marks) for look in drawn for marks in look.values()) for count in (_calls, _stretches))
    said = [
        f"{every:,} calls of {parts.listed([case.name for case in cases])}: hollow is warm-up, a cross a switch call"
    ]
    said[0] += " (the first after a change of process), neither is counted."
    if few < every:
        said.append(
            f"So many are drawn as {few:,} stretches: the median of each, and a line from its least call to its"
        )
        said[-1] += " greatest; numbers are from all calls."
    if disturbed is None:
        said.append("Which rounds were disturbed is not known here: groups of this report were split.")
    elif disturbed:
        rounds = f"{len(disturbed)} round{'s' * (len(disturbed) > 1)}"
        said.append(f"Shaded and marked: {rounds} in which other load is likely to have changed times.")
    if not all(case.calls.counts.all() for case in cases):
        said.append("Repetitions that did not run whole are drawn and do not count.")
    if several:
        said.append("Calls of several callers stand one caller after the other, though they ran at the same time.")
    return " ".join(said)


def _calls(marks: _Marks) -> int:
    return len(marks.x)


def _stretches(marks: _Marks) -> int:
    return len(marks.envelope)


def _cells(case: _Case, disturbed: set[tuple[int, int]] | None) -> Iterator[tuple[str, ...]]:
    for repetition in np.unique(case.calls.repetition):
        calls = case.calls.only(case.calls.repetition == repetition)
        timed = calls.latency_ns[calls.kind == TIMED]
        rounds = len({n for r, n in disturbed if r == repetition}) if disturbed is not None else None
        middle = float(np.median(timed)) if len(timed) else None
        yield (
            case.name,
            str(repetition + 1),
            "yes" if calls.counts.all() else "no",
            f"{len(calls):,}",
            f"{len(timed):,}",
            units.UNKNOWN if rounds is None else str(rounds),
            units.duration(float(calls.latency_ns.min())),
            units.duration(middle),
            units.duration(float(calls.latency_ns.max())),
        )


def _drawn(cases: Sequence[_Case]) -> list[dict[int, _Marks]]:
    """By look, each for itself: no kind of call loses its extremes to another."""
    picked = [{look: np.isin(case.calls.kind, kinds) for look, kinds in _KINDS.items()} for case in cases]
    limits = iter(shared_limits([int(mask.sum()) for of_case in picked for mask in of_case.values()]))
    return [
        {
            look: _Marks(case.x[mask], envelope(case.calls.latency_ns[mask], next(limits)))
            for look, mask in masks.items()
        }
        for case, masks in zip(cases, picked, strict=True)
    ]


def _spec(
    group: Group,
    cases: Sequence[_Case],
    drawn: Sequence[dict[int, _Marks]],
    slots: Slots,
    disturbed: set[tuple[int, int]],
) -> dict[str, Any]:
    import altair as alt

    timed = [case.calls.latency_ns[case.calls.kind == TIMED] for case in cases]
    unit, unit_name = parts.time_axis([float(np.median(t)) for t in timed if len(t)] or [1.0])
    ends = [max(float(pick(case.calls.latency_ns)), 1.0) / unit for case in cases for pick in (np.min, np.max)]
    x = alt.X(
        "x:Q", title="calls, repetition after repetition", scale=alt.Scale(domain=[-0.5, slots.total - 0.5], nice=False)
    )
    x = x.axis(grid=False, format="d", tickMinStep=1)
    scale = parts.scale_of(ends, room=0.08)
    y, low = (alt.Y(f"{field}:Q", title=f"latency ({unit_name})", scale=scale) for field in ("y", "low"))
    names, shown = [group.names[case.row.case_id] for case in cases], [case.name for case in cases]
    scales = parts.series(names, group.scene.names, shown=shown)
    layers = [*_shading(slots, disturbed, x), *_borders(slots, x)]
    for case, marks in zip(cases, drawn, strict=True):
        layers += _points(case, marks, unit, (x, y, low), scales)
    return parts.finished(alt.layer(*layers), _HEIGHT)


def _points(
    case: _Case, drawn: dict[int, _Marks], unit: float, axes: Sequence[Any], scales: dict[str, Any]
) -> Iterator[Any]:
    """One layer for each look; a name is looked up, not repeated for thousands of points."""
    import altair as alt

    x, y, low = axes
    colour = alt.Color(f"{parts.NAME}:N", scale=scales["color"], legend=parts.legend())
    shape = alt.Shape(f"{parts.NAME}:N", scale=scales["shape"], legend=parts.legend())
    named = alt.LookupData(data=parts.data([{"of": 0, parts.NAME: case.name}]), key="of", fields=[parts.NAME])
    for look, marks in drawn.items():
        if not len(marks.envelope):
            continue
        chart = alt.Chart(parts.data(marks.values(unit))).transform_lookup(lookup="of", from_=named)
        encoded = chart.encode(x=x, y=y, color=colour)
        if marks.is_thinned:
            yield encoded.mark_rule(strokeWidth=1, opacity=0.45).encode(y=low, y2="high:Q")
        points = encoded.mark_point(**_LOOKS[look])
        yield points if look == SWITCH else points.encode(shape=shape)


def _shading(slots: Slots, disturbed: set[tuple[int, int]], x: Any) -> Iterator[Any]:
    import altair as alt

    spans = [{"x": start - 0.5, "x2": end - 0.5} for start, end in slots.spans(disturbed)]
    if not spans:
        return
    yield alt.Chart(parts.data(spans)).mark_rect(color="#8a8f98", opacity=0.3).encode(x=x, x2="x2")
    middles = [{"x": (span["x"] + span["x2"]) / 2} for span in spans]
    marks = alt.Chart(parts.data(middles)).mark_point(shape="triangle-down", filled=True, color="#8a8f98", size=40)
    yield marks.encode(x=x, y=alt.value(4))


def _borders(slots: Slots, x: Any) -> Iterator[Any]:
    """Where a repetition begins, and its number."""
    import altair as alt

    starts = [
        {"x": start - 0.5, "said": f"{'' if place else 'repetition '}{number + 1}"}
        for place, (number, start) in enumerate(slots.starts)
    ]
    if len(starts) > 1:
        yield alt.Chart(parts.data(starts)).mark_rule(strokeDash=[3, 3], opacity=0.6).encode(x=x)
    text = alt.Chart(parts.data(starts)).mark_text(align="left", baseline="bottom", dx=3, dy=-2, fontSize=11)
    yield text.encode(x=x, y=alt.value(0), text="said:N")
