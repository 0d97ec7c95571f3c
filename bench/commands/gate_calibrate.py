"""``bench gate calibrate``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.commands.console import Console
from bench.commands.gate_selftest import DEFAULT_MODEL, DEFAULT_RUNTIME, one_runtime
from bench.commands.shares import parse_share
from bench.commands.tables import draw_table
from bench.errors import EXIT_OK, UsageError
from bench.progress import Progress

if TYPE_CHECKING:
    from bench.check.calibration import Calibration

DEFAULT_PAIRS = 24


def calibrate(
    *,
    model: str | None = None,
    runtime: str | None = None,
    threads: str | None = None,
    pairs: int = DEFAULT_PAIRS,
    delta: str = "5%",
    seed: int = 0,
    as_json: bool = False,
    console: Console,
    progress: Progress,
    platform: str = sys.platform,
) -> int:
    """Baseline against itself; prints what this machine can gate; returns 0.

    Flags: optional MODEL argument, ``-e/--runtime NAME``, ``-x/--threads 1,2`` (text, thread counts; default 1 to the
    CPUs), ``--pairs N`` a thread count, ``--delta 5%``, ``--seed/-S``, ``--json``. UsageError on misuse.
    """
    if not platform.startswith("linux"):
        raise UsageError(f"bench gate measures on Linux only, this is {platform}")

    import msgspec

    from bench.calibrating import calibrate_machine
    from bench.check.records import GateSettings
    from bench.specs import parse_model

    settings = GateSettings(delta=parse_share("--delta", delta), seed=seed)
    if pairs < settings.max_pairs:
        raise UsageError(f"--pairs {pairs}: the gate may take {settings.max_pairs}; give at least as many")
    counts = thread_counts(threads)
    found = calibrate_machine(
        parse_model(model or DEFAULT_MODEL), one_runtime(runtime or DEFAULT_RUNTIME), counts, settings, pairs, progress
    )
    progress.done()
    if as_json:
        console.say(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        console.say(calibration_text(found))
    return EXIT_OK


def thread_counts(text: str | None) -> tuple[int, ...]:
    """``"1,2"`` -> ``(1, 2)``; 1 to the CPUs that we may use where nothing was said."""
    from bench.measure.machine import effective_cpus

    cpus = effective_cpus()
    if text is None:
        return tuple(range(1, cpus + 1))
    pieces = [piece.strip() for piece in text.split(",")]
    if not all(piece.isascii() and piece.isdigit() and int(piece) for piece in pieces):
        raise UsageError(f"-x {text}: expected whole numbers of at least 1, such as 1,2")
    counts = tuple(dict.fromkeys(int(piece) for piece in pieces))
    if max(counts) > cpus:
        raise UsageError(f"-x {text}: this process may use {cpus} CPU(s); threads would wait for one another")
    return counts


def calibration_text(found: Calibration) -> str:
    """A line per thread count, then what this machine can gate."""
    from bench.check.calibration_text import HEADER, NUMERIC, cells, notes

    table = draw_table(HEADER, [cells(one) for one in found.threads], numeric=NUMERIC)
    return "\n".join([table, *notes(found)])
