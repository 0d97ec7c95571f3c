"""What the numbers of a report mean, said once for all of its sections. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench import units
from bench.analysis.pareto import SAME_MEMORY
from bench.analysis.ranking import is_only_a_range, ranks
from bench.report import verdict
from bench.rows import Row, groups_of

_AGREEMENT = "agreement: verdict and relative error, the distance from the truth in units of its spread over inputs."


def legend(rows: Sequence[Row]) -> list[str]:
    """A line a column, of those that the rows fill."""
    if all(row.latency_ns_best is None for row in rows):
        return [_AGREEMENT]
    return [*_of_rank(rows), *_of_speed(rows), _AGREEMENT, *_of_place(rows), *_of_cost(rows), *_of_pareto(rows)]


def own_interval(row: Row) -> tuple[float, int] | None:
    """Level and processes of the row's ratio; 0 processes where they are fewer than the row's. None without one."""
    if verdict.is_reference(row) or row.ratio_low is None or row.interval_level is None:
        return None
    rests_on_fewer = "few pairs: " in row.cautions  # which says on how many
    return (row.interval_level, 0 if rests_on_fewer else row.processes)


def usual_interval(rows: Sequence[Row]) -> tuple[float, int] | None:
    """Level and processes of most rows' intervals, the higher level where two are as frequent."""
    counts = Counter(own for row in rows if (own := own_interval(row)) is not None)
    return max(counts, key=lambda own: (counts[own], own), default=None)


def interval_text(own: tuple[float, int]) -> str:
    """``93.75 % interval over 5 processes``."""
    level, processes = own
    said = f"{units.percent(level)} {verdict.interval_word(level)}"
    return f"{said} over {processes} processes" if processes else said


def _of_rank(rows: Sequence[Row]) -> Iterator[str]:
    if any(ranks(verdict.able(group)) for group in groups_of(rows) if not verdict.is_split(group)):
        yield (
            "rank: 1 plus how many rows are told to be faster, their bounds wholly below; equal ranks are not told "
            "apart. Nothing is corrected for many rows: of tables of 4 like rows, 17 % rank one lower by chance."
            f"{_of_ranges(rows)}"
        )


def _of_speed(rows: Sequence[Row]) -> Iterator[str]:
    usual = usual_interval(rows)
    if usual is not None:
        yield f"speed: latency against the reference in the same round; in brackets the {interval_text(usual)}."
        yield "Below 1 in the brackets points the other way: an interval that covers 1 decides nothing."
    yield "best: median over rounds of a turn's fastest call. p50, p90: of all timed calls. All per call."
    if any("p90" in (row.percentile_block or "") for row in rows):
        yield "p90 is of the uninterrupted block (--tail) where the other timed calls are too few for it."
    if any(row.streams > 1 for row in rows):
        yield "With several streams latencies are those that a caller sees, items/s is of all callers together."


def _of_place(rows: Sequence[Row]) -> Iterator[str]:
    if any(row.time_share is not None or row.node_share is not None for row in rows if verdict.is_elsewhere(row)):
        yield "placement: share of kernel time, or of nodes where it says so, on the provider asked for."


def _of_cost(rows: Sequence[Row]) -> Iterator[str]:
    caches = sorted({row.page_cache for row in rows if row.page_cache})
    cold = f" (page cache: {' and '.join(caches)})" if caches else ""
    built = any(row.build_ns is not None or row.build_cache is not None for row in rows)
    build = "; in brackets what of it was building or compiling, and whether a cache had it" * built
    yield f"memory: peak over what the import took. cold start: import, load and first call{cold}{build}."
    if any(row.soak_verdict for row in rows):
        yield "soak: memory over minutes of calls, its slope with the interval where it is not a plateau."


def _of_pareto(rows: Sequence[Row]) -> Iterator[str]:
    if any(row.pareto is not None for row in rows):
        memory = units.percent(SAME_MEMORY - 1)
        yield (
            "Pareto: * where no other row is as good in latency, whole peak memory and error, and better "
            f"in one. No difference are bounds that overlap, {memory} of memory, errors within the float32 tolerance."
        )


def _of_ranges(rows: Sequence[Row]) -> str:
    groups = (verdict.able(group) for group in groups_of(rows))
    return " ~: by ranges, which decide nothing." if any(is_only_a_range(group) for group in groups) else ""
