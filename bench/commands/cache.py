"""``bench cache list`` and ``bench cache clear``."""

from __future__ import annotations

from bench import units
from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.errors import EXIT_OK
from bench.progress import spell_seconds

_HEADER = ("entry", "what", "size", "age")
_KEY_LENGTH = 12


def list_cache(*, console: Console) -> int:
    """Print where the cache is and what it holds: models and environments, newest first."""
    from bench.environments.kept import kept_environments
    from bench.environments.locks import title_of
    from bench.places import cache_folder
    from bench.prepare.cache import entries

    found = [(one.age_s, one.key, one.model, one.size_bytes) for one in entries()]
    found += [
        (one.age_s, one.key, f"environment with {title_of(one.pins)}" if one.pins else "(damaged)", one.size_bytes)
        for one in kept_environments()
    ]
    rows = [(key[:_KEY_LENGTH], what, units.size(size), spell_seconds(age)) for age, key, what, size in sorted(found)]
    if rows:
        console.say(draw_table(_HEADER, rows, numeric=(2, 3)))
    console.say(f"{len(found)} in {cache_folder()}, {units.size(sum(size for *_, size in found))}")
    return EXIT_OK


def clear_cache(*, console: Console) -> int:
    """Delete everything that is kept and say how much that was; a run that measures is waited for."""
    from bench.environments.kept import clear_environments
    from bench.measure.lock import machine_lock
    from bench.places import cache_folder
    from bench.prepare.cache import clear

    with machine_lock(console.warn):
        console.say(f"freed {units.size(clear() + clear_environments())} in {cache_folder()}")
    return EXIT_OK
