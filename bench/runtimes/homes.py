"""Where a runtime lives: in the environment of bench, or in one made from its own requirements. Imports no runtime.

A wheel that brings a package folder of the name ``onnxruntime`` overwrites that of another one, so each lives alone.
"""

from __future__ import annotations

import glob
import sys
from collections.abc import Mapping, Sequence

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from bench.environments.locks import normalised, pin_line, required_name
from bench.environments.pinned import PinnedEnvironment, made_environment, own_pins
from bench.errors import UnavailableError
from bench.runtimes.entry import DEVICE_MAKERS, LINUX, SYSTEM_NAMES
from bench.runtimes.table import RUNTIMES


def distributions_of(name: str) -> tuple[str, ...]:
    """What the runtime consists of, names normalised; ``@VERSION`` is about one of them."""
    entry = RUNTIMES[name]
    return tuple(normalised(Requirement(one).name) for one in entry.requirements or (entry.package,))


def requirements_of(name: str, version: str | None = None) -> tuple[str, ...]:
    """What an environment of its own is made from, ``version`` in the place of that of its package.

    BenchError for what is no version.
    """
    entry = RUNTIMES[name]
    wanted = entry.requirements or (entry.package,)
    if version is None:
        return wanted
    moving = {normalised(one): pin_line(one, version) for one in (entry.package, *entry.moves_with)}
    return tuple(_repinned(one, moving.get(normalised(Requirement(one).name))) for one in wanted)


def reported_package(name: str) -> str:
    """The distribution whose version a session of the runtime reports."""
    entry = RUNTIMES[name]
    return normalised(entry.reports or entry.package)


def own_pins_of(name: str) -> dict[str, str]:
    """What the runtime and a worker bring in this environment; empty where a part of the runtime is not installed."""
    found = [own_pins(one) for one in distributions_of(name)]
    return {key: pins[key] for pins in found for key in pins} if all(found) else {}


def pins_beside(name: str) -> dict[str, str]:
    """The pins of this environment that one of its own should share."""
    return own_pins(*distributions_of(name))


def made_for(name: str, version: str | None = None) -> PinnedEnvironment | None:
    """The environment of its own, where it is made already."""
    return made_environment(requirements_of(name, version), like=pins_beside(name))


def lives_here(name: str, version: str | None = None) -> bool:
    """Whether it runs in the environment of bench: there, in that version, and beside no wheel that overwrites it."""
    if has_rivals(name):
        return False
    pins = own_pins_of(name)
    if version is None:
        return bool(pins) or not RUNTIMES[name].requirements
    return same_version(pins.get(normalised(RUNTIMES[name].package)), version)


def has_rivals(name: str) -> bool:
    """Whether it comes in a wheel that overwrites that of ``onnxruntime``; a plugin lies beside it."""
    entry = RUNTIMES[name]
    return entry.provider is not None and entry.plugin is None and bool(entry.requirements)


def same_version(one: str | None, other: str) -> bool:
    """Whether both are the same version as ``==`` of a requirement reads it: 2026.2 is 2026.2.0."""
    try:
        return one is not None and Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def why_not_here(name: str, platform: str = sys.platform) -> str | None:
    """Why no environment of it would help on this machine: of another system, or without its device; else None."""
    entry = RUNTIMES[name]
    if platform not in entry.systems:
        return other_system(entry.systems, platform)
    if not entry.device_files or platform != LINUX or any(glob.glob(one) for one in entry.device_files):
        return None
    return f"no {DEVICE_MAKERS[entry.device_files]} device here: there is no {' and no '.join(entry.device_files)}"


def other_system(systems: Sequence[str], platform: str) -> str:
    """``"not on Linux, only on macOS"``."""
    where = ", ".join(SYSTEM_NAMES[system] for system in systems)
    return f"not on {SYSTEM_NAMES.get(platform, platform)}, only on {where}"


def refuse_other_system(name: str) -> None:
    """UnavailableError where the runtime does not exist on this system."""
    if sys.platform not in RUNTIMES[name].systems:
        raise UnavailableError(other_system(RUNTIMES[name].systems, sys.platform))


def runtimes_of(requirements: Sequence[str], pins: Mapping[str, str]) -> list[str]:
    """Runtimes that an environment made from ``requirements`` is of, with ``@VERSION`` where that is not the table's.

    Without requirements (made before they were kept) by what it holds. Of providers that share a wheel the first.
    """
    asked = {required_name(one) for one in requirements}
    found: dict[tuple[str, ...], str] = {}
    for name in RUNTIMES:
        parts = distributions_of(name)
        if asked == set(parts) or (not asked and RUNTIMES[name].package in pins and set(parts) <= pins.keys()):
            found.setdefault(parts, _with_version(name, pins))
    return list(found.values())


def _with_version(name: str, pins: Mapping[str, str]) -> str:
    version = pins.get(normalised(RUNTIMES[name].package))
    pinned = [one.partition("==")[2] for one in RUNTIMES[name].requirements if _is_of(one, RUNTIMES[name].package)]
    return name if version is None or same_version(version, (pinned or [""])[0]) else f"{name}@{version}"


def _is_of(requirement: str, package: str) -> bool:
    return normalised(Requirement(requirement).name) == normalised(package)


def _repinned(one: str, pin: str | None) -> str:
    if pin is None:
        return one
    extras = ",".join(sorted(Requirement(one).extras))
    name, _, version = pin.partition("==")
    return f"{name}[{extras}]=={version}" if extras else pin
