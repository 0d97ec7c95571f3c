"""``bench cache list`` and ``bench cache clear``."""

from __future__ import annotations

from bench import units
from bench.commands.console import Console
from bench.errors import EXIT_OK

_HEADER = ("entry", "size", "last used", "model")


def list_cache(*, console: Console) -> int:
    """Print where the cache is and what it holds."""
    from bench.prepare.cache import cache_folder, entries

    found = entries()
    console.say(f"{cache_folder()}: {len(found)} entries, {units.size(sum(entry.size_bytes for entry in found))}")
    return EXIT_OK


def clear_cache(*, console: Console) -> int:
    """Delete everything that is kept and say how much that was."""
    from bench.prepare.cache import cache_folder, clear

    clear()
    console.say(f"{cache_folder()}: empty")
    return EXIT_OK
