"""The text of a lock: ``name==version`` and the hashes of its files, one requirement after another. Pure.

A lock may come from a bundle that somebody else made: whatever is not a pinned, hashed requirement is refused, so that
no option, path or address in it reaches the installer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from bench.errors import BenchError

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[A-Za-z0-9,._-]*\])?"
    r"==(?P<version>[0-9A-Za-z.!+_-]+)(?: *; *(?P<marker>.+))?"
)
_HASH = re.compile(r"--hash=sha(?:256|384|512):[0-9a-f]{64,128}")
_RUNTIMES = ("onnxruntime", "tensorflow", "openvino", "ai-edge-litert")


def pins_of(lock: str) -> dict[str, str]:
    """What the lock installs here: names (normalised) and versions.

    BenchError for a lock with anything in it that is not a pin with a hash, or with nothing in it.
    """
    pins: dict[str, str] = {}
    for requirement in lock.replace("\\\n", " ").splitlines():
        head, *hashes = requirement.split(" --hash=")
        found = _PIN.fullmatch(head.strip())
        if not requirement.strip():
            continue
        if found is None or not hashes or not all(_HASH.fullmatch(f"--hash={one.strip()}") for one in hashes):
            raise BenchError(
                f"reading a lock: expected name==version with hashes, found {requirement.strip()[:80]!r}; "
                "make the bundle again"
            )
        if _holds_here(found["marker"]):
            pins[normalised(found["name"])] = found["version"]
    if not pins:
        raise BenchError("reading a lock: there is no requirement in it; make the bundle again")
    return dict(sorted(pins.items()))


def pin_line(name: str, version: str) -> str:
    """``name==version``; BenchError for what is neither: both may come from a file of somebody else's."""
    line = f"{normalised(name)}=={version}"
    try:
        Version(version)
    except InvalidVersion as error:
        raise BenchError(f"pinning {name}: {version!r} is no version; expected one such as 1.32.0") from error
    if not _PIN.fullmatch(line):
        raise BenchError(f"pinning {name!r}: that is no name of a distribution")
    return line


def normalised(name: str) -> str:
    """A distribution's name as all of its spellings share it."""
    return canonicalize_name(name)


def required_name(requirement: str) -> str:
    """The distribution that a requirement is about, normalised; BenchError for an address or what is no requirement."""
    try:
        found = Requirement(requirement)
    except InvalidRequirement as error:
        raise BenchError(f"making an environment: {requirement!r} is no requirement such as name==1.2") from error
    if found.url is not None:
        raise BenchError(f"making an environment: {requirement!r} names an address; give name==version")
    return canonicalize_name(found.name)


def title_of_requirements(requirements: Sequence[str]) -> str:
    """``"onnxruntime 1.32.0, onnxruntime-ep-webgpu 0.4.0"``."""
    found = [(required_name(one), str(Requirement(one).specifier).removeprefix("==")) for one in requirements]
    return ", ".join(" ".join(filter(None, one)) for one in found)


def title_of(pins: Mapping[str, str]) -> str:
    """``"onnxruntime 1.30.0"``: the runtimes among the pins, else how many there are."""
    runtimes = [f"{name} {version}" for name, version in pins.items() if name.startswith(_RUNTIMES)]
    return ", ".join(runtimes) or f"{len(pins)} packages"


def moved_pins(pins: Mapping[str, str], like: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What both have in different versions: name -> (that of ``like``, that of ``pins``)."""
    return {name: (like[name], pins[name]) for name in sorted(pins.keys() & like.keys()) if pins[name] != like[name]}


def _holds_here(marker: str | None) -> bool:
    if marker is None:
        return True
    try:
        return Marker(marker).evaluate({"extra": ""})
    except InvalidMarker as error:
        raise BenchError(f"reading a lock: {marker!r} is no condition; make the bundle again") from error
