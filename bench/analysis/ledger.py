"""The repetitions of one case -> what its sessions said of themselves, cold start and memory. Pure.

The fields of ``Ledger`` are those of a row. Sizes and times are lower medians over processes: observed values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median_low

from bench.analysis.placement import node_share, placement_of, providers_that_ran, time_share
from bench.analysis.timing import calls_of
from bench.records import CaseRepetition, GroupRepetition, Record


class Ledger(Record, frozen=True):
    """One case's session, cold start and memory; ``report/columns.py`` describes each field."""

    runtime_version: str
    provider: str
    call_path: str
    runtime_options: str
    node_share: float | None
    time_share: float | None
    build_ns: int | None
    build_cache: str | None
    thread_count: int
    page_cache: str | None
    warmup_calls: int | None
    import_ns: int | None
    load_ns: int | None
    first_call_ns: int | None
    rss_start_bytes: int | None
    rss_import_bytes: int | None
    rss_load_bytes: int | None
    rss_first_bytes: int | None
    rss_peak_bytes: int | None
    private_load_bytes: int | None


def summarise_ledger(tries: Sequence[CaseRepetition], repetitions: Sequence[GroupRepetition]) -> Ledger | None:
    """The ledger over every repetition in which the case opened; None where it never did.

    The peak is the greatest of complete repetitions: it is what must be there, an allocator may take one of two ways by
    chance (ONNX Runtime's differ by 6 % on MobileNetV1), and a worker that died early has not shown its peak.
    """
    opened = [one.opened for one in tries if one.opened]
    if not opened:
        return None
    info, first = opened[0].info, [one.first for one in tries if one.first]
    placement = placement_of(tries)
    shares = [node_share(one.info, placement) for one in opened]
    ends = [one.memory_peak for one in tries if one.complete and one.memory_peak]
    peaks = [end.peak_rss_bytes for end in ends if end.peak_rss_bytes is not None]
    caches = dict.fromkeys(group.page_cache for group in repetitions)
    threads = [turn.thread_count for one in tries for turn in one.turns]
    return Ledger(
        runtime_version=info.runtime_version,
        provider=providers_that_ran(info, placement),
        call_path=info.call_path,
        runtime_options=option_text(info.effective_options),
        node_share=min((share for share in shares if share is not None), default=None),
        time_share=time_share(placement, info.provider),
        build_ns=_middle(one.info.build_ns for one in opened),
        build_cache=", then ".join(dict.fromkeys(one.info.build_cache for one in opened if one.info.build_cache))
        or None,
        thread_count=max([*threads, *(one.thread_count for one in opened)]),
        page_cache=", then ".join(caches) or None,
        warmup_calls=_middle(len(calls_of(one, "warmup")) or None for one in tries),
        import_ns=_middle(one.import_ns for one in opened),
        load_ns=_middle(one.load_ns for one in opened),
        first_call_ns=_middle(one.first_call_ns for one in first),
        rss_start_bytes=_middle(one.memory_start.rss_bytes for one in opened),
        rss_import_bytes=_middle(one.memory_import.rss_bytes for one in opened),
        rss_load_bytes=_middle(one.memory_load.rss_bytes for one in opened),
        rss_first_bytes=_middle(one.memory.rss_bytes for one in first),
        rss_peak_bytes=max(peaks, default=None),
        private_load_bytes=_middle(one.memory_load.private_bytes for one in opened),
    )


def option_text(options: Mapping[str, str]) -> str:
    """Options as a spec writes them, sorted by key: ``"arena=off,optimization=all"``."""
    return ",".join(f"{key}={options[key]}" for key in sorted(options))


def _middle(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return median_low(known) if known else None
