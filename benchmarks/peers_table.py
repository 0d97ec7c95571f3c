"""How often do the rules of other tools accuse identical code, and what do they catch? On the same recorded calls.

``python benchmarks/peers_table.py [TRACE.npz ...] [--no-combinations]`` prints Markdown for each trace (default: all of
``benchmarks/traces``): false alarms, power and cost of every rule in its own design, and of the gate. Deterministic.
``record_traces.py`` records the traces.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: it must not hide an installed bench

from bench.analysis import sequential
from bench.analysis.shares import exact_interval
from benchmarks import peer_trials as trials
from benchmarks.peer_rules import PAIR_RULES, RULES, Rule
from benchmarks.peer_trials import Count, Fits
from benchmarks.trace_file import FOLDER, SERIES, Trace, load_trace

COLUMNS = (
    ("base", "quiet"),
    ("base", "burst"),
    ("base", "mixed"),
    ("+5 %", "quiet"),
    ("+5 %", "mixed"),
    ("+5 % nodes", "quiet"),
    ("+5 % nodes", "mixed"),
    ("+10 %", "mixed"),
)
DESIGNS: tuple[tuple[str, Fits], ...] = (("stored", trials.is_stored), ("same job", trials.is_same_job))
HEADER = ["rule", "design", *(f"{'A/A' if s == 'base' else s} {load}" for s, load in COLUMNS), "seconds"]
Row = list[str]
Show = Callable[[Count], str]


def main() -> None:
    """Print the tables of every trace."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces", nargs="*", type=Path, metavar="TRACE.npz")
    parser.add_argument("--no-combinations", action="store_true", help="leave out the second table")
    arguments = parser.parse_args()
    paths = arguments.traces or sorted(FOLDER.glob("*.npz"))
    if not paths:
        raise SystemExit(f"no traces in {FOLDER.name}/; record some: python benchmarks/record_traces.py")
    print("\n\n".join(report(load_trace(path), combinations=not arguments.no_combinations) for path in paths))


def report(trace: Trace, *, combinations: bool = True) -> str:
    """Title, table and notes of one trace; with ``combinations`` also the table over all combinations."""
    parts = [title(trace), "Trials that share no process: alarms / trials, %, exact 95 % interval."]
    parts.append(markdown(table(trace)))
    if combinations:
        parts.append("All combinations, or 200 drawn from them: not independent, so shares alone.")
        parts.append(markdown(combinations_table(trace)))
    return "\n\n".join([*parts, "\n".join(f"- {note}" for note in notes(trace))])


def table(trace: Trace) -> list[Row]:
    """One row for each rule and design: trials that share no process."""
    rows = [_rule_row(rule, name, fits, trace, with_interval, every=False) for rule, name, fits in _all_rules()]
    rows += [
        [name, "interleaved, one pair", *(with_interval(c) for c in _pair_counts(trace, alarm)), _seconds(trace, 1)]
        for name, alarm in PAIR_RULES
    ]
    return [*rows, _gate_row(trace)]


def combinations_table(trace: Trace) -> list[Row]:
    """The same over all combinations of processes; the gate over 4000 draws of its pairs."""
    rows = [_rule_row(rule, name, fits, trace, as_share, every=True) for rule, name, fits in _all_rules()]
    design = sequential.make_design()
    cells = []
    for series, load in COLUMNS:
        values = [trials.pair_value(one) for one in trials.pairs_of(trace, series, load)]
        cells.append(as_share(trials.resampled_gates(design, values, flipped=series == "base").count))
    return [*rows, ["**bench gate**, resampled", "interleaved pairs", *cells, ""]]


def notes(trace: Trace) -> list[str]:
    """What the numbers rest on, and what was approximated."""
    loads = {load: sum(one.load == load for one in trace.solos) for load in ("quiet", "burst")}
    effects = ", ".join(f"{series} is {_effect(trace, series)}" for series in SERIES[1:])
    return [
        f"{len(trace.solos)} processes of {_calls(trace)} warm calls ({loads['quiet']} quiet, {loads['burst']} beside "
        f"bursts), not pinned, as these tools run them; {len(trace.pairs)} pairs, pinned as the gate pins them.",
        "Slowdowns are planted: a busy wait after each call, or nodes that run again; by the medians of the quiet "
        f"processes {effects}. A rule whose threshold is at the effect finds it every other time.",
        "Stored: head at least a minute after the baseline, mixed with any load on either side. Same job: head within "
        "ten seconds of the baseline, mixed is quiet and burst together.",
        "Processes recorded close together met the same noise, so even trials that share none are not quite "
        "independent; trials of Bencher share histories: its intervals are too narrow.",
        "The resampled gate draws 16 pairs again and again from one pool (with putting back where that is smaller), "
        "A/A with labels exchanged by coins.",
        "Seconds: both sides (a stored baseline was paid for earlier), quiet, estimated from the recorded start and "
        "warm-up and from what the tool times by default; of the gate the pairs that its A/A trials took.",
        *_approximations(),
        _gate_note(trace),
    ]


def title(trace: Trace) -> str:
    """Model, runtime and machine."""
    facts, machine = trace.facts, trace.facts.get("machine", {})
    where = f"{machine.get('cpu', 'unknown CPU')}, {machine.get('effective_cpus', '?')} CPUs"
    threads = f"{facts['threads']} thread{'s' if facts['threads'] > 1 else ''}"
    runtime = " ".join(filter(None, (facts["runtime"], facts.get("runtime_version"))))
    return f"## {facts['model']} on {runtime}, {threads} ({where})"


def markdown(rows: Sequence[Row]) -> str:
    """The rows under the header."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [HEADER, ["---"] * len(HEADER), *rows])


def with_interval(count: Count) -> str:
    """``3/32 = 9.4 [2.0, 25.0]``; ``-`` where there is no trial."""
    if not count.trials:
        return "-"
    low, high = exact_interval(count.alarms, count.trials)
    share = 100 * count.alarms / count.trials
    return f"{count.alarms}/{count.trials} = {share:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def as_share(count: Count) -> str:
    """``9.4 % of 200``."""
    return f"{100 * count.alarms / count.trials:.1f} % of {count.trials}" if count.trials else "-"


def rule_seconds(rule: Rule, trace: Trace) -> float | None:
    """What a verdict costs: start and warm-up as recorded, timed calls as the tool's defaults have them."""
    quiet = [one for one in trace.solos if one.series == "base" and one.load == "quiet"]
    if not quiet:
        return None
    ready = statistics.median(one.ready_s for one in quiet)
    call_s = statistics.median(float(np.median(one.calls)) for one in quiet) / 1e9
    return rule.processes * (ready + rule.timed_s(call_s))


def _all_rules() -> Iterator[tuple[Rule, str, Fits]]:
    for rule in RULES:
        for name, fits in DESIGNS:
            if name == "stored" or not rule.is_history:
                yield rule, name, fits


def _rule_row(rule: Rule, name: str, fits: Fits, trace: Trace, show: Show, *, every: bool) -> Row:
    counts = [_count(rule, trace, series, load, fits, every=every) for series, load in COLUMNS]
    seconds = rule_seconds(rule, trace)
    return [rule.name, name, *map(show, counts), "-" if seconds is None else f"{seconds:.1f}"]


def _count(rule: Rule, trace: Trace, series: str, load: str, fits: Fits, *, every: bool) -> Count:
    return trials.count_alarms(rule, trace, series, load, fits, every=every)


def _pair_counts(trace: Trace, alarm: trials.PairAlarm) -> list[Count]:
    return [trials.count_pair_alarms(alarm, trials.pairs_of(trace, *column)) for column in COLUMNS]


def _gate_row(trace: Trace) -> Row:
    gates = _gates(trace)
    done = [one for (series, _), one in gates.items() if series == "base"]
    trials_done = sum(one.trials for one in done)
    mean_pairs = sum(one.pairs for one in done) / trials_done if trials_done else None
    seconds = _seconds(trace, mean_pairs) if mean_pairs else "-"
    return [
        "**bench gate**, delta 5 %",
        "interleaved pairs",
        *(with_interval(g.count) for g in gates.values()),
        seconds,
    ]


def _gates(trace: Trace) -> dict[tuple[str, str], trials.Gates]:
    design = sequential.make_design()
    return {
        column: trials.disjoint_gates(design, [trials.pair_value(one) for one in trials.pairs_of(trace, *column)])
        for column in COLUMNS
    }


def _approximations() -> list[str]:
    by_text: dict[str, list[str]] = {}
    for rule in RULES:
        by_text.setdefault(rule.approximated, []).append(rule.name)
    return [f"{'; '.join(names)}: {text}." for text, names in by_text.items() if text]


def _gate_note(trace: Trace) -> str:
    said = [
        f"{'A/A' if series == 'base' else series} {load} {one.regressed} / {one.passed} / "
        f"{one.trials - one.regressed - one.passed}, {one.pairs / one.trials:.1f} pairs"
        for (series, load), one in _gates(trace).items()
        if one.trials
    ]
    return f"bench gate, regressed / passed / inconclusive and mean pairs: {'; '.join(said) or 'too few pairs'}."


def _seconds(trace: Trace, pairs: float) -> str:
    walls = [one.wall_s for one in trace.pairs if one.load == "quiet"]
    return f"{pairs * statistics.median(walls):.1f}" if walls else "-"


def _effect(trace: Trace, series: str) -> str:
    medians = {
        name: [float(np.median(one.calls)) for one in trace.solos if one.series == name and one.load == "quiet"]
        for name in ("base", series)
    }
    if not all(medians.values()):
        return "not recorded"
    return f"{100 * (statistics.median(medians[series]) / statistics.median(medians['base']) - 1):+.1f} %"


def _calls(trace: Trace) -> int:
    return max((len(one.calls) for one in trace.solos), default=0)


if __name__ == "__main__":
    main()
