"""One gated case -> its lines for a terminal or a log: answer, values, evidence and notes of each metric. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from bench import units
from bench.analysis.power import POWER
from bench.check.gate_summary import GatedCase, mean_load, mean_preempted
from bench.check.records import STATISTICAL, Judged
from bench.check.wording import percent
from bench.report import text as foreign

METRIC_NAMES = {
    "latency": "latency",
    "load": "load time",
    "rss_peak": "peak memory",
    "size": "size",
    "agreement": "agreement",
}
_METRIC = max(map(len, METRIC_NAMES.values())) + 2  # columns of a metric's name
UNTOLD = "INCONCLUSIVE"


def case_lines(case: GatedCase, width: int) -> Iterator[str]:
    """Its name, then every metric, none of the lines wider than ``width`` columns."""
    yield wrap(case.name, width)
    if len(case.judged) > len({(one.answer, one.reason) for one in case.judged}) == 1:
        yield wrap(f"  {case.answer}  ", width, "    ", rest=case.judged[0].reason)  # of every metric alike
        return
    for one in case.judged:
        for number, line in enumerate(_metric_lines(one, case)):
            name = METRIC_NAMES[one.metric] if number == 0 else ""
            yield wrap(f"  {name:{_METRIC}}", width, " " * (_METRIC + 2), rest=line)


def _metric_lines(one: Judged, case: GatedCase) -> Iterator[str]:
    bound = bound_text(one)
    yield f"{one.answer:<10} {sentence(one)}" + (f" ({bound})" if bound and one.answer != "PASS" else "")
    if one.baseline_value is not None or one.head_value is not None:
        show = units.duration if one.metric in STATISTICAL else units.size
        yield f"base {show(one.baseline_value)}, head {show(one.head_value)}; budget {percent(one.delta, sign=False)}"
    if one.metric in STATISTICAL and one.pairs:
        yield _evidence(one, case)
    yield from one.notes


def sentence(one: Judged) -> str:
    """The reason of a verdict, with the numbers that a pass rests on."""
    if one.answer != "PASS" or one.metric not in STATISTICAL:
        return one.reason
    bound = bound_text(one)
    numbers = "" if one.change is None else f"{percent(one.change)}{f' ({bound})' if bound else ''}; "
    return f"{numbers}{one.reason}"


def bound_text(one: Judged) -> str:
    """``"one-sided 99.6% bound > +3.9%"``: the side that the answer rests on."""
    if one.answer in ("REGRESSED", UNTOLD) and one.change_low is not None and one.low_level is not None:
        return f"one-sided {_level(one.low_level)} bound > {percent(one.change_low)}"
    if one.change_high is not None and one.high_level is not None:
        return f"one-sided {_level(one.high_level)} bound < {percent(one.change_high)}"
    return ""


def _level(level: float) -> str:
    """A confidence never rounded up to certainty: ``0.99609`` -> ``"99.6%"``."""
    return f"{int(level * 1000) / 10:g}%"


def _evidence(one: Judged, case: GatedCase) -> str:
    pairs = case.pairs[: one.pairs] if len(case.pairs) >= one.pairs else case.pairs
    rounds = max((pair.rounds for pair in pairs), default=0)
    facts = [f"{one.pairs} pair{'s' * (one.pairs != 1)}" + (f" x {rounds} rounds" if rounds else "")]
    if one.sd is not None:
        facts.append(f"pair sd {percent(one.sd, sign=False)}")
        caught = "none" if one.smallest_detectable is None else percent(one.smallest_detectable, sign=False)
        facts.append(f"smallest slowdown caught in this noise ({POWER:.0%} power) {caught}")
    preempted, load = mean_preempted(pairs), mean_load(pairs)
    facts += [f"preempted calls {preempted:.0%}"] if preempted is not None else []
    facts += [f"load {load:.1f}"] if load is not None else []
    return ", ".join(facts)


def wrap(line: str, width: int, indent: str = "", *, rest: str = "") -> str:
    """A paragraph of foreign text, made safe; of a line with ``rest`` that alone is foreign and the line kept."""
    return textwrap.fill(
        line + foreign.visible(rest) if rest else foreign.visible(line),
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    )
