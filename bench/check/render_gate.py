"""A gate's result -> one line, text for a terminal or a log, and Markdown for a pull request. Pure.

The answer comes first, then what it rests on; what could not be told says why; nothing of the baseline is left out.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import units
from bench.analysis.power import POWER
from bench.check.gate_summary import (
    WORST_FIRST,
    GatedCase,
    gated_cases,
    is_interrupted,
    is_statistical,
    mean_load,
    mean_preempted,
    worst,
)
from bench.check.judging import MEMORY_FALSE_ALARM, MEMORY_FALSE_ALARM_BOUND, MEMORY_PAIRS
from bench.check.records import STATISTICAL, GateResult, Judged, SideFacts
from bench.check.wording import percent
from bench.report import text as foreign

_LEAST_WIDTH = 60
_MARKDOWN_WIDTH = 100
_NAMES = {
    "latency": "latency",
    "load": "load time",
    "rss_peak": "peak memory",
    "size": "size",
    "agreement": "agreement",
}
_METRIC = max(map(len, _NAMES.values())) + 2  # columns of a metric's name
_UNTOLD = "INCONCLUSIVE"


def verdict_line(result: GateResult) -> str:
    """The answer of the whole gate in one line: ``"REGRESSED: net | onnxruntime-cpu: latency +4.8% ..."``."""
    return foreign.visible(_verdict(result))


def text(result: GateResult, width: int = 100, *, folder: Path | None = None) -> str:
    """The whole result, ``width`` columns wide; ``folder`` is where its raw samples are, where somebody kept them."""
    width = max(width, _LEAST_WIDTH)
    parts = [_wrap(_verdict(result), width), "\n".join(_wrap(line, width, "  ") for line in _heading(result))]
    parts += ["\n".join(_case_lines(case, width)) for case in gated_cases(result)]
    parts.append("\n".join(_wrap(line, width, "  ") for line in _closing(result, folder)))
    return "\n\n".join(parts) + "\n"


def markdown(result: GateResult) -> str:
    """The answer, the cases that did not pass with their reasons, and all evidence folded below them."""
    cases = gated_cases(result)
    parts = [f"**{foreign.markdown(_verdict(result))}**"]
    bad = [f"- {foreign.markdown(case.name)}: {_bad_metrics(case)}" for case in cases if case.answer != "PASS"]
    notes = [f"- {foreign.markdown(note)}" for note in (*result.notes, *_new(result))]
    parts += ["\n".join(lines) for lines in (bad, notes) if lines]
    parts.append(_folded(f"{_count(cases)}", _table(cases)))
    parts.append(_folded("Evidence, noise and the rule", _fenced(text(result, _MARKDOWN_WIDTH))))
    return "\n\n".join(parts) + "\n"


# --- the answer -------------------------------------------------------------------------------------------------------


def _verdict(result: GateResult) -> str:
    cases = gated_cases(result)
    answer = worst(result.judged)
    head = f"INTERRUPTED, so far {answer}" if is_interrupted(result) else answer
    if answer in (_UNTOLD, "NOT COMPARABLE") and result.settings.inconclusive != "exit 5":
        head += f" (taken as a {result.settings.inconclusive})"
    if not cases:
        return f"{head}: no case was gated"
    if answer == "PASS":
        return f"{head}: {_passed(cases)}"
    bad = [case for case in cases if case.answer == answer]
    first = next(one for one in bad[0].judged if one.answer == answer)
    metric = f"{_NAMES[first.metric]}: " if any(one.reason != first.reason for one in bad[0].judged) else ""
    what = f"{first.case}: {metric}{first.reason}"
    return f"{head}: {what}" if len(cases) == 1 else f"{head}: {_count(cases)}; {what}"


def _passed(cases: Sequence[GatedCase]) -> str:
    if len(cases) > 1:
        highs = [one.change_high for case in cases for one in case.judged if one.change_high is not None]
        most = f"; the greatest upper bound is {percent(max(highs))}" if highs else ""
        return f"all {len(cases)} cases{most}"
    first, *others = cases[0].judged
    rest = f"; {', '.join(_NAMES[one.metric] for one in others)} pass" if others else ""
    return f"{cases[0].name}: {_NAMES[first.metric]}: {_sentence(first)}{rest}"


def _count(cases: Sequence[GatedCase]) -> str:
    """``"3 cases in all: 1 REGRESSED, 2 PASS"``."""
    count = Counter(case.answer for case in cases)
    told = ", ".join(f"{count[answer]} {answer}" for answer in WORST_FIRST if count[answer])
    return f"{len(cases)} case{'s' * (len(cases) != 1)} in all: {told or 'nothing was judged'}"


# --- around the cases -------------------------------------------------------------------------------------------------


def _heading(result: GateResult) -> list[str]:
    threads = f"{result.threads} thread{'s' * (result.threads != 1)}"
    return [
        f"baseline  {_side(result.baseline)}",
        f"head      {_side(result.head)}",
        f"{result.machine.cpu}, {threads} on CPU {', '.join(map(str, result.cpus))}; {len(result.pairs)} pairs, "
        f"{result.seconds:.1f} s",
    ]


def _side(side: SideFacts) -> str:
    versions = ", ".join(dict.fromkeys(side.versions.values()))
    return f"{side.origin}{f' (runtime {versions})' if versions else ''}, made {side.made}, bench {side.bench_version}"


def _closing(result: GateResult, folder: Path | None) -> Iterator[str]:
    yield _count(gated_cases(result))
    yield from _new(result)
    yield from (f"note: {note}" for note in result.notes)
    yield from (f"rule: {line}" for line in _rules(result))
    yield f"slots and orders by seed {result.settings.seed}" + (
        f"; raw samples and gate.json in {folder}" if folder else ""
    )


def _new(result: GateResult) -> list[str]:
    if not result.new_cases:
        return []
    return [f"new in head, not gated: {', '.join(result.new_cases)}"]


def _rules(result: GateResult) -> Iterator[str]:
    """What was decided by which rule, with its chance of error."""
    settings = result.settings
    if is_statistical(result) and result.family_bound:
        deltas = sorted({one.delta for one in result.judged if one.metric in STATISTICAL})
        must = " or ".join(percent(delta, sign=False) for delta in deltas)
        least = " or ".join(percent(delta / 2, sign=False) for delta in deltas)
        yield (
            f"alarm where a slowdown is certain (alpha {percent(settings.alpha, sign=False)}; any false alarm here: "
            f"at most {percent(result.family_bound, sign=False)}) and the estimate is at least {least}; "
            f"a slowdown of {must} must be caught (beta {percent(settings.beta, sign=False)})"
        )
    if "rss_peak" in settings.metrics:
        yield (
            f"peak memory, {MEMORY_PAIRS} pairs: alarm where the least of head's peaks exceeds the baseline's greatest "
            f"by more than the budget; false in {percent(MEMORY_FALSE_ALARM_BOUND, sign=False)} at most, in "
            f"{percent(MEMORY_FALSE_ALARM, sign=False)} where neither slot nor order matters to memory"
        )
    if "size" in settings.metrics:
        yield "size: alarm where head's files are larger by more than the budget; exact"
    if "agreement" in settings.metrics:
        yield "agreement: head's outputs must agree with the truth, its own and the baseline's, in every pair"


# --- a case -----------------------------------------------------------------------------------------------------------


def _case_lines(case: GatedCase, width: int) -> Iterator[str]:
    yield _wrap(case.name, width)
    if len(case.judged) > len({(one.answer, one.reason) for one in case.judged}) == 1:
        yield _wrap(f"  {case.answer}  ", width, "    ", rest=case.judged[0].reason)  # of every metric alike
        return
    for one in case.judged:
        for number, line in enumerate(_metric_lines(one, case)):
            name = _NAMES[one.metric] if number == 0 else ""
            yield _wrap(f"  {name:{_METRIC}}", width, " " * (_METRIC + 2), rest=line)


def _metric_lines(one: Judged, case: GatedCase) -> Iterator[str]:
    bound = _bound(one)
    yield f"{one.answer:<10} {_sentence(one)}" + (f" ({bound})" if bound and one.answer != "PASS" else "")
    if one.baseline_value is not None or one.head_value is not None:
        show = units.duration if one.metric in STATISTICAL else units.size
        yield f"base {show(one.baseline_value)}, head {show(one.head_value)}; budget {percent(one.delta, sign=False)}"
    if one.metric in STATISTICAL and one.pairs:
        yield _evidence(one, case)
    yield from one.notes


def _sentence(one: Judged) -> str:
    """The reason, with the numbers that a pass rests on."""
    if one.answer != "PASS" or one.metric not in STATISTICAL:
        return one.reason
    bound = _bound(one)
    numbers = "" if one.change is None else f"{percent(one.change)}{f' ({bound})' if bound else ''}; "
    return f"{numbers}{one.reason}"


def _bound(one: Judged) -> str:
    """``"one-sided 99.6% bound > +3.9%"``: the side that the answer rests on."""
    if one.answer in ("REGRESSED", _UNTOLD) and one.change_low is not None and one.low_level is not None:
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


# --- Markdown ---------------------------------------------------------------------------------------------------------


def _bad_metrics(case: GatedCase) -> str:
    bad = [one for one in case.judged if one.answer != "PASS"]
    return "; ".join(f"{_NAMES[one.metric]} **{one.answer}**: {foreign.markdown(one.reason)}" for one in bad)


def _table(cases: Sequence[GatedCase]) -> str:
    lines = ["| case | metric | verdict | change | bound | baseline | head | budget | pairs |"]
    lines.append("|---|---|---|--:|---|--:|--:|--:|--:|")
    lines += [f"| {' | '.join(_cells(one))} |" for case in cases for one in case.judged]
    return "\n".join(lines)


def _cells(one: Judged) -> list[str]:
    show = units.duration if one.metric in STATISTICAL else units.size
    cells = [
        one.case,
        _NAMES[one.metric],
        one.answer,
        units.UNKNOWN if one.change is None else percent(one.change),
        _bound(one).removeprefix("one-sided "),
        show(one.baseline_value),
        show(one.head_value),
        percent(one.delta, sign=False) if one.metric != "agreement" else units.UNKNOWN,
        str(one.pairs),
    ]
    return [foreign.markdown(cell) for cell in cells]


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{foreign.markdown(title)}</summary>\n\n{body}\n\n</details>"


def _fenced(body: str) -> str:
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{body.rstrip()}\n{fence}"


def _wrap(line: str, width: int, indent: str = "", *, rest: str = "") -> str:
    return textwrap.fill(
        line + foreign.visible(rest) if rest else foreign.visible(line),
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    )
