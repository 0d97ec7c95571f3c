"""``bench gate calibrate``."""

from __future__ import annotations

from bench.commands.console import Console
from bench.progress import Progress

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
) -> int:
    """Baseline against itself; prints what this machine can gate; returns 0.

    Flags: optional MODEL argument, ``-e/--runtime NAME``, ``-x/--threads 1,2`` (text, thread counts; default 1 to the
    CPUs), ``--pairs N`` a thread count, ``--delta 5%``, ``--seed/-S``, ``--json``. UsageError on misuse.
    """
    raise NotImplementedError
