"""A gate's result -> one line, text for a terminal or a log, and Markdown for a pull request. Pure.

The answer comes first, then what it rests on; what could not be told says why; nothing of the baseline is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import units
from bench.check.gate_lines import METRIC_NAMES, UNTOLD, bound_text, case_lines, sentence, wrap
from bench.check.gate_summary import (
    WORST_FIRST,
    GatedCase,
    gated_cases,
    is_interrupted,
    is_statistical,
    worst,
)
from bench.check.judging import MEMORY_FALSE_ALARM, MEMORY_FALSE_ALARM_BOUND, MEMORY_PAIRS
from bench.check.records import STATISTICAL, GateResult, Judged, SideFacts
from bench.check.wording import percent
from bench.report import text as foreign

_LEAST_WIDTH = 60
_MARKDOWN_WIDTH = 100


def verdict_line(result: GateResult) -> str:
    """The answer of the whole gate in one line: ``"REGRESSED: net | onnxruntime-cpu: latency +4.8% ..."``."""
    return foreign.visible(_verdict(result))


def text(result: GateResult, width: int = 100, *, folder: Path | None = None) -> str:
    """The whole result, ``width`` columns wide; ``folder`` is where its raw samples are, where somebody kept them."""
    width = max(width, _LEAST_WIDTH)
    parts = [wrap(verdict_line(result), width), "\n".join(wrap(line, width, "  ") for line in _heading(result))]
    parts += ["\n".join(case_lines(case, width)) for case in gated_cases(result)]
    parts.append("\n".join(wrap(line, width, "  ") for line in _closing(result, folder)))
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
    if answer in (UNTOLD, "NOT COMPARABLE") and result.settings.inconclusive != "exit 5":
        head += f" (taken as a {result.settings.inconclusive})"
    if not cases:
        return f"{head}: no case was gated"
    if answer == "PASS":
        return f"{head}: {_passed(cases)}"
    bad = [case for case in cases if case.answer == answer]
    first = next(one for one in bad[0].judged if one.answer == answer)
    metric = f"{METRIC_NAMES[first.metric]}: " if any(one.reason != first.reason for one in bad[0].judged) else ""
    what = f"{first.case}: {metric}{first.reason}"
    return f"{head}: {what}" if len(cases) == 1 else f"{head}: {_count(cases)}; {what}"


def _passed(cases: Sequence[GatedCase]) -> str:
    if len(cases) > 1:
        highs = [one.change_high for case in cases for one in case.judged if one.change_high is not None]
        most = f"; the greatest upper bound is {percent(max(highs))}" if highs else ""
        return f"all {len(cases)} cases{most}"
    first, *others = cases[0].judged
    rest = f"; {', '.join(METRIC_NAMES[one.metric] for one in others)} pass" if others else ""
    return f"{cases[0].name}: {METRIC_NAMES[first.metric]}: {sentence(first)}{rest}"


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


# --- Markdown ---------------------------------------------------------------------------------------------------------


def _bad_metrics(case: GatedCase) -> str:
    bad = [one for one in case.judged if one.answer != "PASS"]
    return "; ".join(f"{METRIC_NAMES[one.metric]} **{one.answer}**: {foreign.markdown(one.reason)}" for one in bad)


def _table(cases: Sequence[GatedCase]) -> str:
    lines = ["| case | metric | verdict | change | bound | baseline | head | budget | pairs |"]
    lines.append("|---|---|---|--:|---|--:|--:|--:|--:|")
    lines += [f"| {' | '.join(_cells(one))} |" for case in cases for one in case.judged]
    return "\n".join(lines)


def _cells(one: Judged) -> list[str]:
    show = units.duration if one.metric in STATISTICAL else units.size
    cells = [
        one.case,
        METRIC_NAMES[one.metric],
        one.answer,
        units.UNKNOWN if one.change is None else percent(one.change),
        bound_text(one).removeprefix("one-sided "),
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
