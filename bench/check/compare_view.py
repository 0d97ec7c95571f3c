"""A comparison as blocks of words and tables, the same for text and Markdown. Pure; knows no output format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bench import units
from bench.check.comparability import spell_difference
from bench.check.compare_cells import cells_between, cells_within, latency_cell
from bench.check.compare_records import METRICS, NOT_A_VERDICT, Answer, Compared, Comparison, ReportFacts, RunPair
from bench.check.false_alarms import FAIL_ON_FALSE_ALARMS
from bench.check.standing import EXITS
from bench.check.wording import percent
from bench.errors import EXIT_CANNOT_TELL, EXIT_CASE_FAILED, EXIT_DISAGREE, EXIT_OK, EXIT_OVER_BUDGET
from bench.report import verdict

ENDS = {
    EXIT_OK: "compared",
    EXIT_DISAGREE: "outputs disagree",
    EXIT_OVER_BUDGET: "over a budget of --fail-on",
    EXIT_CANNOT_TELL: "cannot tell: see what is not comparable, gone, unverified or not measured",
    EXIT_CASE_FAILED: "a case failed or could not run",
}
_TOLD = {"same", "reference", "disagrees"}  # by the table, or before it
_MEANING = (
    "Percentages: change of the number itself, + is more latency, memory or items. Two runs of the same code differ "
    "too: `bench gate` interleaves both on one machine and gives a verdict."
)
ANSWERS: tuple[Answer, ...] = ("over", "suspicious", "cannot tell", "within")  # of --fail-on, the worst first
_NAMED = 3  # cases in a line before "and n more"


class Line(NamedTuple):
    """A line of a table: its cells, or a heading alone."""

    cells: tuple[str, ...]
    is_heading: bool = False


class Block(NamedTuple):
    """A part of the page: title, sentences, then a table whose least important columns are the last."""

    title: str
    said: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    least: int = 1  # columns beside the name that are never left out
    remarks: tuple[str, ...] = ()  # beneath the table


def blocks_of(comparison: Comparison) -> list[Block]:
    """The page from its top: what is worst comes first."""
    found = [_reports(comparison)]
    found += _alarms(comparison)
    found += [_overview(comparison)] if len(comparison.reports) > 2 else []
    found += [_pair(comparison, run) for run in comparison.runs]
    found += [_budgets(comparison)] if comparison.budgets else []
    return [*found, _end(comparison)]


def _reports(comparison: Comparison) -> Block:
    return Block("Reports", tuple(_report(facts) for facts in comparison.reports))


def _report(facts: ReportFacts) -> str:
    machine = facts.machine
    cpus, cases = units.counted(machine.effective_cpus, "CPU"), units.counted(facts.cases, "case")
    said = f"{machine.cpu}, {cpus}, bench {facts.bench_version}, {facts.started}, {cases}"
    return f"{facts.letter}: {facts.path}: {said}{'' if facts.finished else ', not finished'}"


def _alarms(comparison: Comparison) -> list[Block]:
    said = tuple(f"{one.report}: {one.case}: {one.reason}" for one in comparison.cases if one.standing == "disagrees")
    more = ": outputs agreed in the reference and no longer do" if len(comparison.reports) > 1 else ""
    return [Block(f"DISAGREES{more}", said)] if said else []


def _overview(comparison: Comparison) -> Block:
    """The latency of every case in every report."""
    letters = [facts.letter for facts in comparison.reports]
    by_case: dict[tuple[str, str], dict[str, Compared]] = {}
    for one in comparison.cases:
        by_case.setdefault((one.group, one.runtime), {})[one.report] = one
    lines = []
    for (group, runtime), by_report in by_case.items():
        some = next(iter(by_report.values()))
        cells = [latency_cell(some.reference)]
        others = [by_report.get(letter) for letter in letters[1:]]
        cells += [latency_cell(one.other, gone="gone") if one else units.UNKNOWN for one in others]
        lines.append((group, Line((runtime, *cells))))
    return Block(
        f"Latency side by side ({NOT_A_VERDICT})",
        header=("runtime", *letters),
        lines=tuple(with_headings(lines)),
        least=len(letters),
    )


def _pair(comparison: Comparison, run: RunPair) -> Block:
    cases = [one for one in comparison.cases if one.report == run.report]
    first = comparison.reports[0].letter
    is_alone = len(comparison.reports) == 1
    lines = [(one.group, Line(cells_within(one) if is_alone else cells_between(one))) for one in cases]
    title = f"{first} by itself: ratios from shared rounds of one run" if is_alone else f"{run.report} against {first}"
    if not is_alone:
        title += ": the same run" if run.is_one_run else f" ({NOT_A_VERDICT})"
    columns = ("latency", "speed") if is_alone else (first, run.report, "latency")
    own = () if is_alone else (f"{first} in its run", f"{run.report} in its run")
    return Block(
        title=title,
        said=(counted_cases(cases), *_comparability(cases, run), *_levels(cases)),
        header=("runtime", *columns, *(metric.heading for metric in METRICS[1:]), *own),
        lines=tuple(with_headings(lines)),
        least=len(columns),
        remarks=tuple(f"{one.standing}: {one.case}: {one.reason}" for one in cases if one.standing not in _TOLD),
    )


def counted_cases(cases: Sequence[Compared]) -> str:
    """How many cases have each standing: together they are all."""
    counts = [(word, sum(one.standing == word for one in cases)) for word in EXITS]
    listed = ", ".join(f"{count} {word}" for word, count in counts if count)
    return f"{units.counted(len(cases), 'case')}: {listed}." if cases else "No cases: nothing was compared."


def _comparability(cases: Sequence[Compared], run: RunPair) -> Iterator[str]:
    """The fields that differ with both values, those of the run first; equal ones of several cases are one line."""
    found: dict[str, list[str]] = {spell_difference(one): [] for one in run.differences}
    for one in cases:
        for difference in one.differences:
            found.setdefault(spell_difference(difference), []).append(one.case)
    hindered = any(not one.is_allowed for one in run.differences) or any(
        one.standing == "same" and not one.is_comparable for one in cases
    )
    both = sum(one.reference is not None and one.other is not None and one.standing != "failed" for one in cases)
    if found:
        yield "Not comparable, for these differ:" if hindered else "These differ:"
    for text, named in found.items():
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        if not named:
            yield f"- {text}"
        elif len(named) > 1 and len(named) == both:
            yield f"- {text} (every case on both sides)"
        else:
            yield f"- {text} ({'; '.join(named[:_NAMED])}{more})"


def _levels(cases: Sequence[Compared]) -> Iterator[str]:
    """What stands in the brackets of a speed, where it does."""
    levels = {change.level for one in cases for change in one.changes if change.low is not None}
    known = sorted(level for level in levels if level is not None)
    if known:
        listed = " or ".join(f"{units.percent(level)} {verdict.interval_word(level)}" for level in known)
        yield f"Speed: against the reference in the same rounds; in brackets the {listed} over processes."


def with_headings(lines: Sequence[tuple[str, Line]]) -> Iterator[Line]:
    """Groups in the order in which they first come, each under its heading."""
    for group in dict.fromkeys(group for group, _ in lines):
        yield Line((group,), is_heading=True)
        yield from (line for other, line in lines if other == group)


def _budgets(comparison: Comparison) -> Block:
    said = [
        f"{one.answer}: {one.report}: {one.case}: {one.metric}: {one.reason}"
        for answer in ANSWERS
        for one in comparison.judged
        if one.answer == answer
    ]
    asked = ", ".join(f"{name}:{percent(share, sign=False)}" for name, share in comparison.budgets.items())
    nothing = [] if said else ["cannot tell: there was no case to judge"]
    return Block(f"--fail-on {asked}", (FAIL_ON_FALSE_ALARMS + ".", *said, *nothing))


def _end(comparison: Comparison) -> Block:
    said = [f"Exit code {comparison.exit_code}: {ENDS[comparison.exit_code]}."]
    if len(comparison.reports) > 1:
        said.insert(0, _MEANING)
    return Block("", tuple(said))
