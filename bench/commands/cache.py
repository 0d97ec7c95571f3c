"""``bench cache list`` and ``bench cache clear``."""

from __future__ import annotations

from bench import units
from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.errors import EXIT_OK
from bench.progress import spell_seconds

_HEADER = ("entry", "model", "size", "age")
_KEY_LENGTH = 12


def list_cache(*, console: Console) -> int:
    """Print where the cache is and what it holds, newest first."""
    from bench.prepare.cache import cache_folder, entries

    found = entries()
    rows = [
        (entry.key[:_KEY_LENGTH], entry.model, units.size(entry.size_bytes), spell_seconds(entry.age_s))
        for entry in found
    ]
    if rows:
        console.say(draw_table(_HEADER, rows, numeric=(2, 3)))
    console.say(f"{len(found)} in {cache_folder()}, {units.size(sum(entry.size_bytes for entry in found))}")
    return EXIT_OK


def clear_cache(*, console: Console) -> int:
    """Delete everything that is kept and say how much that was; a run that measures is waited for."""
    from bench.measure.lock import machine_lock
    from bench.prepare.cache import cache_folder, clear

    with machine_lock(console.warn):
        console.say(f"freed {units.size(clear())} in {cache_folder()}")
    return EXIT_OK
