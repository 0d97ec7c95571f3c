"""The environments that are kept: listed, and freed again. The caller sees that nobody uses what is freed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from bench.environments.facts import LOCK_FILE, pins_in, read_facts
from bench.environments.store import RESOLVED, environments_folder, held, key_of, scratch
from bench.places import size_below, usable_cache
from bench.records import EnvironmentFacts, Record


class KeptEnvironment(Record, frozen=True):
    """One environment in the cache."""

    key: str
    pins: dict[str, str]  # empty where it is damaged
    path: str
    size_bytes: int
    age_s: float  # since it was made
    facts: EnvironmentFacts


def kept_environments() -> list[KeptEnvironment]:
    """Every environment that is kept, newest first."""
    with usable_cache():
        found = [_describe(folder) for folder in _folders()]
    return sorted(found, key=lambda one: one.age_s)


def remove_environments(keys: Sequence[str]) -> int:
    """The bytes that were freed: those environments are gone, each in one step, and what was resolved to them."""
    freed = 0
    with held(lambda _: None), scratch() as folder, usable_cache():
        for key in keys:
            place = environments_folder() / key
            freed += size_below(place)
            place.rename(folder / key)
        for file in environments_folder().glob(f"{RESOLVED}*.txt"):
            if key_of(file.read_text(encoding="utf-8", errors="replace")) in keys:
                file.unlink()
    return freed


def clear_environments() -> int:
    """The bytes that were freed: every environment and resolution is gone."""
    root = environments_folder()
    with usable_cache():
        freed = size_below(root) if root.is_dir() else 0
        if root.exists():
            shutil.rmtree(root)
    return freed


def _folders() -> list[Path]:
    root = environments_folder()
    return [one for one in root.iterdir() if (one / LOCK_FILE).is_file()] if root.is_dir() else []


def _describe(folder: Path) -> KeptEnvironment:
    return KeptEnvironment(
        key=folder.name,
        pins=pins_in(folder) or {},
        path=str(folder),
        size_bytes=size_below(folder),
        age_s=max(0.0, time.time() - (folder / LOCK_FILE).stat().st_mtime),
        facts=read_facts(folder, folder.name),
    )
