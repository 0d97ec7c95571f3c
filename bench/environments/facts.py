"""What an environment took to make, kept beside its lock: what was asked for, its size, its time."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.environments.locks import pins_of
from bench.errors import BenchError
from bench.places import size_below, usable_cache
from bench.records import EnvironmentFacts

FACTS_FILE = "facts.json"
LOCK_FILE = "lock.txt"


def write_facts(folder: Path, key: str, requirements: Sequence[str], build_s: float) -> EnvironmentFacts:
    """Facts of the environment that was just made in ``folder``, kept there."""
    facts = _measured(folder, key, requirements, build_s)
    with usable_cache():
        (folder / FACTS_FILE).write_bytes(msgspec.json.encode(facts))
    return facts


def read_facts(folder: Path, key: str) -> EnvironmentFacts:
    """Facts of the environment at ``folder``; without requirements and time where it was made before they were kept."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((folder / FACTS_FILE).read_bytes(), type=EnvironmentFacts)
    return _measured(folder, key, (), None)


def pins_in(prefix: Path) -> dict[str, str] | None:
    """What the made environment at ``prefix`` holds; None where it is none of ours."""
    try:
        return pins_of((prefix / LOCK_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, BenchError):
        return None


def _measured(folder: Path, key: str, requirements: Sequence[str], build_s: float | None) -> EnvironmentFacts:
    return EnvironmentFacts(
        key=key,
        requirements=tuple(requirements),
        packages=len(pins_in(folder) or {}),
        size_bytes=size_below(folder),
        build_s=build_s,
    )
