"""The difference of two profiles in words: the sentence first, then a table of what explains the change. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench import units
from bench.analysis.operators import OUTSIDE
from bench.analysis.profile_diff import LEFT_OVER, NAMED_FROM, Change, ProfileDiff, dearest, is_range
from bench.analysis.statistics import Interval
from bench.analysis.two_runs import FACTOR
from bench.report.profile_cells import percent

DIFF_HEADER = ("operator", "A", "B", "change", "explains")
DIFF_NUMBERS = (1, 2, 3, 4)
_NOT_TOLD = "not told apart"
_LEAST_NS = 0.5  # below it there is nothing but rounding
_PAIRED = "of B less A in each pair of repetitions the median of the averages of any two, one with itself included"
_APART = "the median of B less A of every repetition of B with every one of A"
_MOST = 0.5  # a share of the change that is most of it
_MORE_THAN_ALL = 1.2  # a share of the change from which it is no share


def diff_sentence(diff: ProfileDiff) -> str:
    """What explains the change, in one sentence: ``Transpose to_nchw (only in B) explains 83 % of +1.21 ms``."""
    if not diff.is_told:
        return f"{change_text(diff.total)} from A to B: {diff.doubt}"
    first = dearest(diff)
    if first is not None and (first.explains or 0.0) > _MORE_THAN_ALL:
        own = signed(first.change.estimate)
        return f"{_named(first)} explains more than all of {signed(diff.total.estimate)}: {own}, others went against it"
    hidden = _largest_hidden(diff)
    if first is not None:
        said = f"{_named(first)} explains {percent(first.explains)} of {signed(diff.total.estimate)}"
        if hidden is None or (hidden.explains or 0.0) <= (first.explains or 0.0):
            return said
        return f"{said}; {_named(hidden)} ({signed(hidden.change.estimate)}) is more, and not told apart from noise"
    return _unnamed(diff, hidden)


def _unnamed(diff: ProfileDiff, hidden: Change | None) -> str:
    """Why no line is named: the change is spread, or what makes up most of it is not told apart."""
    change, least = signed(diff.total.estimate), percent(NAMED_FROM)
    told = [line.explains for line in diff.changes if line.is_told and line.explains is not None and line.explains > 0]
    if not told:
        return f"no operator explains {change}: none that went with it is told apart from noise"
    if sum(told) > _MOST:
        return f"no operator explains {least} of {change}: it is spread over {len(told)} lines"
    said = f"no operator that is told apart from noise explains {least} of {change}: together they explain "
    said += percent(sum(told))
    return f"{said}; {_named(hidden)} ({signed(hidden.change.estimate)}) is not told apart" if hidden else said


def _largest_hidden(diff: ProfileDiff) -> Change | None:
    """The line that is not told apart and would explain most; None where none would be named."""
    lines = [line for line in diff.changes if not line.is_told and line.name != LEFT_OVER]
    most = max(lines, key=lambda line: line.explains or 0.0, default=None)
    return most if most is not None and (most.explains or 0.0) >= NAMED_FROM else None


def diff_sentences(diff: ProfileDiff) -> list[str]:
    """Both sides, the plain latency, and how sure it is."""
    said = [
        f"A: {diff.a}, {units.duration(diff.a_ns)} a profiled call",
        f"B: {diff.b}, {units.duration(diff.b_ns)} a profiled call",
        f"Profiled time from A to B: {change_text(diff.total)}.",
    ]
    said.append(
        f"Latency without profile: {change_text(diff.plain)}."
        if diff.plain is not None
        else "Latency without profile: not known of both."
    )
    left = next(line.change.estimate for line in diff.changes if line.name == LEFT_OVER)
    if abs(left) >= NAMED_FROM * abs(diff.total.estimate) and abs(left) >= _LEAST_NS:
        said.append(f"Medians of the lines do not add up to the change: {signed(left)} is left over.")
    if not diff.is_paired:
        said.append(
            "A and B are two runs: what the machine did between them is not in the intervals, so told is only work "
            f"that one side alone has, or a change beyond a factor of {FACTOR:.0f} while a core was free. One command "
            "measures them in turns: bench profile MODEL -e A,B --diff"
        )
    return said


def diff_cells(diff: ProfileDiff, most: int | None = None) -> list[tuple[str, ...]]:
    """One row a line, what explains most first; those of no time on either side are left out."""
    lines = [line for line in diff.changes if _is_shown(line)]
    shown = lines if most is None else lines[:most]
    rows = [_cells(line) for line in shown]
    if rest := lines[len(shown) :]:
        summed = sum(line.change.estimate for line in rest)
        rows.append((f"{len(rest)} more", *_sides(rest), signed(summed), ""))
    return rows


def diff_legend(diff: ProfileDiff) -> list[str]:
    """How the table is to be read."""
    said = [
        "All lines add up to the change of the profiled time; outside kernels is what no kernel explains of it, "
        f"repetition by repetition; {LEFT_OVER}: a median of sums is no sum of medians.",
        "Columns A and B are each the median of that side's repetitions. Change is not their difference: it is the "
        f"Hodges-Lehmann estimate, {_PAIRED if diff.is_paired else _APART}. Where repetitions scatter, change and B "
        "less A of a row can differ, even in sign. Explains is change over that of the profiled time.",
        "Between, before, after or within layers, or of (no layer): what the runtime put in, as a change of layout, or "
        "what no layer is known of; where it stands is told by the runtime's own graph.",
    ]
    if diff.rounding_ns:
        said.append(
            f"Outside kernels is told apart beyond {units.duration(diff.rounding_ns)} only: up to that it may be time "
            "of kernels, which their runtime cuts to whole microseconds."
        )
    if is_range(diff.total):
        said.append(
            f"In brackets: ranges, {units.percent(round(diff.total.level or 0.0, 4))} over {diff.total.n} "
            f"{'pairs of ' if diff.is_paired else ''}repetitions: they tell nothing apart from noise."
        )
    elif diff.total.level is not None:
        chance = f"about {percent(1 - diff.total.level)} of lines that did not change would be told apart by chance."
        said.append(
            f"In brackets: intervals of {units.percent(round(diff.total.level, 4))} over {diff.total.n} "
            + (f"pairs of repetitions; {chance}" if diff.is_paired else "repetitions, within each run only.")
        )
    return said


def change_text(change: Interval) -> str:
    """``"+1.21 ms (+1.1 ms to +1.3 ms)"``."""
    if change.low is None or change.high is None:
        return signed(change.estimate)
    return f"{signed(change.estimate)} ({signed(change.low)} to {signed(change.high)})"


def signed(ns: float) -> str:
    """``"+1.21 ms"``."""
    return f"{'-' if ns < 0 else '+'}{units.duration(abs(ns))}"


def _named(line: Change) -> str:
    if line.name == OUTSIDE:
        return "what runs outside kernels (Python, dispatch, waiting)"
    return line.name if line.presence == "both" else f"{line.name} ({line.presence})"


def _cells(line: Change) -> tuple[str, ...]:
    name = line.name if line.presence == "both" else f"{line.name} ({line.presence})"
    explains = percent(line.explains) if line.is_told else "" if line.name == LEFT_OVER else _NOT_TOLD
    return name, _side(line, "A"), _side(line, "B"), change_text(line.change), explains


def _is_shown(line: Change) -> bool:
    return any(abs(ns) >= _LEAST_NS for ns in (line.a_ns, line.b_ns, line.change.estimate))


def _side(line: Change, letter: str) -> str:
    is_absent = line.presence == ("only in B" if letter == "A" else "only in A")
    return units.UNKNOWN if is_absent else units.duration(line.a_ns if letter == "A" else line.b_ns)


def _sides(lines: Sequence[Change]) -> tuple[str, str]:
    return units.duration(sum(line.a_ns for line in lines)), units.duration(sum(line.b_ns for line in lines))
