"""One virtual environment per pinned runtime: resolved and hashed by uv, built once under a lock, kept by its contents.

An environment's key is the sha256 of its resolved, hashed set and of the interpreter. It holds what a worker needs
(numpy, msgspec, psutil) and the runtime, nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bench.records import Record

WORKER_NEEDS = ("numpy", "msgspec", "psutil")


class PinnedEnvironment(Record, frozen=True):
    """A virtual environment that is there and was probed."""

    key: str
    prefix: str  # bin/python below it is its interpreter
    pins: dict[str, str]  # distribution -> version of everything in it
    lock: str  # the text of its requirements with hashes, no host in it


def own_pins(distribution: str) -> dict[str, str]:
    """What ``distribution`` and a worker bring in this environment: names (normalised) and versions, dependencies too.

    Empty where ``distribution`` is not installed.
    """
    pins: dict[str, str] = {}
    waiting = [distribution, *WORKER_NEEDS]
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return pins
    while waiting:
        name = normalised(waiting.pop())
        if name in pins:
            continue
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # of another system, or an extra that was not asked for
            continue
        pins[name] = found.version
        requirements = [Requirement(text) for text in found.requires or ()]
        waiting += [one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    return dict(sorted(pins.items()))


def normalised(name: str) -> str:
    """A distribution's name as all of its spellings share it."""
    return canonicalize_name(name)


def pinned_environment(
    distribution: str, version: str, *, like: Mapping[str, str], on_stage: Callable[[str], None]
) -> PinnedEnvironment:
    """An environment with ``distribution`` at ``version`` and every other pin as in ``like`` where that is possible."""
    raise NotImplementedError


def locked_environment(lock: str, *, on_stage: Callable[[str], None]) -> PinnedEnvironment:
    """The environment of a lock's text, made where it is not there yet."""
    raise NotImplementedError
