"""Doubts about a gate's baseline, and when head may take its place. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bench.check.records import Judged, Metric
from bench.check.wording import percent

OLD = timedelta(days=30)  # a baseline of this age is told
_FOR_REFRESH: tuple[Metric, ...] = ("latency", "agreement")


def hygiene(made: str, now: datetime, judged: Sequence[Judged]) -> tuple[str, ...]:
    """Doubts about the baseline itself: its age, and that head has left it behind."""
    notes = []
    age = now - datetime.fromisoformat(made)
    if age > OLD:
        notes.append(f"the baseline is {age.days} days old: refresh it once head passes (--refresh)")
    notes += [
        f"{one.case}: head is {percent(gain, sign=False)} faster than the baseline, so a later slowdown "
        "of that much would pass unseen; refresh the baseline (--refresh)"
        for one in judged
        if one.metric == "latency" and (gain := _gain(one)) > one.delta
    ]
    return tuple(notes)


def _gain(one: Judged) -> float:
    """How much faster head is, 0 unless the bound that a pass rests on says that it is faster at all."""
    return -one.change if one.change is not None and one.change_high is not None and one.change_high < 0 else 0.0


def may_refresh(judged: Sequence[Judged]) -> bool:
    """Whether head may take the baseline's place: everything passed, latency and agreement of every case among it."""
    seen = {(one.case, one.metric) for one in judged}
    needed = {(one.case, metric) for one in judged for metric in _FOR_REFRESH}
    return bool(judged) and needed <= seen and all(one.answer == "PASS" for one in judged)
