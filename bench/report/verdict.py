"""Rows of one group -> which runtime is the fastest, by how much, or why that is not known: in plain words.

Pure. A row can win only if it ran whole and its outputs agree with the truth. "Fastest" is said only of a row whose
interval excludes 1 and overlaps no other's; bounds of a level below ``INTERVAL_LEVEL`` (a range) decide nothing. For
identical code, that names a runtime in at most 3.2 % of groups, however many labels: a test holds it by simulation.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench import units
from bench.analysis.doubts import INTERVAL_LEVEL
from bench.analysis.summary import barred_rows
from bench.rows import Row

LEAST_PROCESSES = 5  # of an interval of at least INTERVAL_LEVEL: 5 give 93.75 %, 4 only 87.5 %


def sentence(rows: Sequence[Row]) -> str:
    """The verdict on one group, in one or two sentences."""
    if is_agreement_alone(rows):
        return _agreement_alone(rows)
    if is_split(rows) and any(row.latency_ns_best is not None for row in rows):
        return _split(rows)
    winners = able(rows)
    if not winners:
        ran = any(row.latency_ns_best is not None for row in rows)
        return "No runtime can win: none that ran was verified." if ran else "Nothing was measured."
    reference = next(iter(_references(rows)), None)
    if reference is None:
        return _without_reference(winners, rows)
    rivals = [row for row in winners if row is not reference]
    others = [row for row in rivals if row.ratio_to_reference is not None]
    apart = [row for row in rivals if row.ratio_to_reference is None]
    said = " ".join(
        [_against(reference, others, rows)] * bool(others or not apart) + [_apart(apart, reference, rows)] * bool(apart)
    )
    doubt = why_not(reference)
    return f"{said} {name(reference, rows)} itself cannot win: {doubt}." if doubt else said


def why_not(row: Row) -> str | None:
    """Why this row cannot win, or None where it can."""
    return next((reason for _, reason in barred_rows([row])), None)


def able(rows: Sequence[Row]) -> list[Row]:
    """The rows that can win."""
    return [row for row in rows if why_not(row) is None]


def is_elsewhere(row: Row) -> bool:
    """Whether something of the row is known to have run on another provider than the one asked for."""
    return any(share is not None and share < 1 for share in (row.time_share, row.node_share))


def is_agreement_alone(rows: Sequence[Row]) -> bool:
    """Whether outputs were checked and nothing was timed, as ``bench verify`` does."""
    return all(row.latency_ns_best is None for row in rows) and any(row.agreement != "unchecked" for row in rows)


def is_split(rows: Sequence[Row]) -> bool:
    """Whether these rows were measured in separate parts, each with a reference of its own."""
    return len(_references(rows)) > 1 or any("split: " in row.cautions for row in rows)


def name(row: Row, rows: Sequence[Row]) -> str:
    """A row's runtime, with its label, and as much more as tells it from the group's others."""
    plain = [_plain_name(other) for other in rows]
    own = _plain_name(row)
    if plain.count(own) < 2:
        return own
    return f"{own} {row.runtime_options or row.runtime_version or row.case_id}"


def is_reference(row: Row) -> bool:
    """Whether this is the row that the group's ratios are taken to."""
    return row.ratio_to_reference == 1 and row.reference_runtime == (row.runtime_spec or row.runtime)


def comparison(row: Row) -> str:
    """A row's speed relative to the reference, with its interval."""
    return units.comparison(row.ratio_to_reference, row.ratio_low, row.ratio_high)


def interval_word(level: float | None) -> str:
    """What an interval of this level is called."""
    return "range" if level is not None and level < INTERVAL_LEVEL else "interval"


def _plain_name(row: Row) -> str:
    if row.runtime_spec:
        return row.runtime_spec
    return f"{row.runtime} ({row.label})" if row.label and not row.runtime.endswith(f"#{row.label}") else row.runtime


def _agreement_alone(rows: Sequence[Row]) -> str:
    groups: dict[str, list[str]] = {"agrees": [], "disagrees": [], "cannot tell": [], "did not run": []}
    for row in rows:
        verdict = row.agreement if row.agreement in groups else "cannot tell"
        groups[verdict if row.status in ("ok", "partial") else "did not run"].append(name(row, rows))
    return "; ".join(f"{said}: {', '.join(named)}" for said, named in groups.items() if named) + "."


def _against(reference: Row, others: Sequence[Row], rows: Sequence[Row]) -> str:
    base = name(reference, rows)
    if not others:
        return f"No verified runtime besides {base} was measured: nothing to compare."
    faster = [row for row in others if row.ratio_high is not None and row.ratio_high < 1]
    if faster:
        return _fastest(min(faster, key=lambda row: (not _can_decide(row), _ratio(row))), others, base, rows)
    unsure = sorted((row for row in others if row.ratio_low is None or row.ratio_low <= 1), key=_ratio)
    if unsure:
        listed = "; ".join(f"{name(row, rows)}, {comparison(row)}, {_doubt(row)}" for row in unsure)
        return f"Cannot say whether a verified runtime is faster than {base}: {listed}."
    best = min(others, key=_ratio)
    weak = min((row for row in others if not _can_decide(row)), key=_ratio, default=None)
    if weak is not None:
        return f"Points to {base}; next is {name(best, rows)}, {comparison(best)}: {_only_a_range(weak)}."
    return f"No verified runtime is faster than {base}; next is {name(best, rows)}, {comparison(best)}."


def _apart(apart: Sequence[Row], reference: Row, rows: Sequence[Row]) -> str:
    listed = ", ".join(name(row, rows) for row in apart)
    return f"{listed}: measured, but in no round together with {name(reference, rows)}: not compared."


def _fastest(best: Row, others: Sequence[Row], base: str, rows: Sequence[Row]) -> str:
    """What is said where the bounds of ``best`` are below 1."""
    close = sorted((row for row in others if row is not best and not _is_told_apart(best, row)), key=_ratio)
    if not _can_decide(best):
        near = [row for row in close if row.ratio_low is None or row.ratio_low <= (best.ratio_high or 1)]
        listed = " or ".join(
            [f"{name(best, rows)}, {_versus(best, base)}", *(f"{name(row, rows)}, {comparison(row)}" for row in near)]
        )
        return f"Points to {listed}: {_only_a_range(best)}."
    if not close:
        return f"{name(best, rows)} is the fastest verified runtime: {_versus(best, base)}."
    listed = "; ".join([f"{name(best, rows)}, {_versus(best, base)}", *(_listed(row, rows) for row in close)])
    return f"Cannot say which verified runtime is the fastest. Not told apart: {listed}."


def _is_told_apart(best: Row, row: Row) -> bool:
    """Whether both have intervals that decide, and the row's lies wholly above."""
    assert best.ratio_high is not None
    decided = _can_decide(best) and _can_decide(row)
    return decided and row.ratio_low is not None and row.ratio_low > best.ratio_high


def _can_decide(row: Row) -> bool:
    whole = row.ratio_low is not None and row.ratio_high is not None
    return whole and row.interval_level is not None and row.interval_level >= INTERVAL_LEVEL


def _only_a_range(row: Row) -> str:
    """Why bounds of this level decide nothing, and what would."""
    if row.processes < LEAST_PROCESSES and "few pairs: " not in row.cautions:  # else the ratio rests on still fewer
        return f"a range over {row.processes} processes decides nothing, run without --quick"
    level = units.percent(row.interval_level) if row.interval_level is not None else "unknown level"
    return f"a range ({level}) decides nothing, run it again for {LEAST_PROCESSES} whole repetitions"


def _listed(row: Row, rows: Sequence[Row]) -> str:
    """A row beside the best: with its bounds, and what they lack where they can't tell the two apart."""
    said = f"{name(row, rows)}, {comparison(row)}"
    if row.ratio_low is None or row.ratio_high is None:
        return f"{said}, no interval"
    return said if _can_decide(row) else f"{said}, only a range"


def _references(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if is_reference(row)]


def _split(rows: Sequence[Row]) -> str:
    parts = len(_references(rows))
    counted = f"{parts} separate parts" if parts > 1 else "separate parts"
    return f"Measured in {counted} (memory): not compared with each other."


def _versus(row: Row, base: str) -> str:
    """``2.1x faster than tensorflow (2.0 to 2.3)``."""
    word, bracket, rest = comparison(row).partition(" (")
    return f"{word} than {base}{bracket}{rest}"


def _doubt(row: Row) -> str:
    word = interval_word(row.interval_level)
    return f"no {word}" if row.ratio_low is None or row.ratio_high is None else f"the {word} covers 1"


def _without_reference(winners: Sequence[Row], rows: Sequence[Row]) -> str:
    best = min(winners, key=lambda row: row.latency_ns_best or 0)
    return (
        f"Cannot say how runtimes compare: no reference was measured. Of the verified ones {name(best, rows)} has the "
        f"lowest latency, {units.duration(best.latency_ns_best)}, without an interval."
    )


def _ratio(row: Row) -> float:
    return row.ratio_to_reference or float("inf")
