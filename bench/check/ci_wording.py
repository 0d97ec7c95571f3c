"""One verdict's numbers in words, alike in every place that CI shows them. Pure."""

from __future__ import annotations

from bench import units
from bench.check.records import Judged
from bench.check.wording import percent


def changed(judged: Judged) -> str:
    """``+4.8% (at least +3.9%)``: the estimate with the bound that the verdict rests on; "" where there is none."""
    if judged.change is None:
        return ""
    low, high = judged.change_low, judged.change_high
    if judged.answer == "REGRESSED" and low is not None:
        return f"{percent(judged.change)} (at least {percent(low)})"
    if judged.answer == "PASS" and high is not None:
        return f"{percent(judged.change)} (below {percent(high)})"
    bounds = [percent(one) if one is not None else "?" for one in (low, high)]
    return percent(judged.change) if low is high is None else f"{percent(judged.change)} ({' to '.join(bounds)})"


def value(judged: Judged, of_side: float | None) -> str:
    """A side's value with its unit; ``-`` where there is none."""
    return units.size(of_side) if judged.metric in ("rss_peak", "size") else units.duration(of_side)


def budget(judged: Judged) -> str:
    """What is allowed."""
    return "no change of verdict" if judged.metric == "agreement" else percent(judged.delta, sign=False)


def detectable(judged: Judged) -> str:
    """The smallest change that this gate would have caught in this noise; ``-`` where that is not known."""
    return units.UNKNOWN if judged.smallest_detectable is None else percent(judged.smallest_detectable, sign=False)
