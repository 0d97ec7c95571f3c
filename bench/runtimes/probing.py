"""Which runtimes can be used on this machine: the parent's view, found in child processes and bounded in time.

The parent imports no runtime. Each of our runtime modules gets a child of its own in every environment that it is
looked for in: that of bench, or the one made for the runtime, by the interpreter there.
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.environments.pinned import PinnedEnvironment
from bench.records import Probe
from bench.runtimes import probe_children
from bench.runtimes.homes import lives_here, made_for, other_system, requirements_of, why_not_here
from bench.runtimes.probe_children import Finished, ProbeChildren
from bench.runtimes.table import RUNTIMES, canonical_name

_AT_ONCE = 4  # children; more take turns on the cores and run into their time limit
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LAST_LINES = 5  # of standard error, as evidence

Start = Callable[[str | None, Sequence[str]], Finished]  # prefix of the interpreter's environment, names


class _Place(NamedTuple):
    """A child's interpreter and the module of ours that it probes."""

    environment: PinnedEnvironment | None
    module: str
    version: str | None = None  # as asked for


def probe_all(names: Sequence[str] | None = None, *, start: Start | None = None) -> list[Probe]:
    """State of each runtime (all of the table by default), in the order asked for.

    A probe that crashes or hangs is state ``broken`` with its reason; it never hides the others.
    """
    wanted = list(RUNTIMES) if names is None else [canonical_name(name) for name in names]
    groups: dict[str, tuple[_Place, list[str]]] = {}
    found: dict[str, Probe] = {}
    for name in dict.fromkeys(wanted):
        place = _place_of(name)
        if isinstance(place, Probe):
            found[name] = place
        else:
            key = f"{place.environment.key if place.environment else ''} {place.module}"
            groups.setdefault(key, (place, []))[1].append(name)
    found |= {probe.name: probe for probe in _probe_groups(list(groups.values()), start)}
    return [found[name] for name in wanted]


def probe_one(name: str, version: str | None, *, start: Start | None = None) -> Probe:
    """State of one runtime of the table, in this version where one is asked for."""
    place = _place_of(name, version)
    return place if isinstance(place, Probe) else _probe_groups([(place, [name])], start)[0]


def usable_runtimes() -> tuple[str, ...]:
    """What ``-e all`` stands for: every runtime whose probe says usable, in the table's order."""
    return tuple(
        probe.name
        for probe in probe_all([name for name, entry in RUNTIMES.items() if not entry.on_request])
        if probe.state == "usable"
    )


def _called(name: str, version: str | None) -> str:
    return name if version is None else f"{name}@{version}"


def _place_of(name: str, version: str | None = None) -> _Place | Probe:
    """Where the runtime is looked for; its state where it need not be."""
    entry = RUNTIMES[name]
    if sys.platform not in entry.systems:
        return Probe(name=name, state="other system", detail=other_system(entry.systems, sys.platform))
    if lives_here(name, version) or (version is None and not entry.requirements):
        return _Place(None, entry.module, version)
    made, wanted, why = made_for(name, version), requirements_of(name, version), why_not_here(name)
    if why is not None:
        return Probe(name=name, state="no device", detail=why, requirements=wanted)
    if made is None:
        return Probe(
            name=name,
            state="not installed",
            detail="its environment is not made yet",
            install=f"bench env build {_called(name, version)}",
            requirements=wanted,
        )
    return _Place(made, entry.module, version)


def _probe_groups(groups: Sequence[tuple[_Place, list[str]]], start: Start | None) -> list[Probe]:
    """Answers of every group, side by side; on every way out no child is left, and none is waited for."""
    children = ProbeChildren()
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
    try:
        answers = pool.map(lambda one: _probe_group(one[0], one[1], start or children.start), groups)
        return [probe for probes in answers for probe in probes]
    finally:
        children.close()
        pool.shutdown(cancel_futures=True)


def _probe_group(place: _Place, names: Sequence[str], start: Start) -> list[Probe]:
    """Answers of one child; after a crash the next child goes on with the names behind the one that crashed."""
    answers: list[Probe] = []
    prefix = place.environment.prefix if place.environment else None
    while len(answers) < len(names):
        exit_code, out, err = start(prefix, names[len(answers) :])
        told = [msgspec.json.decode(line, type=Probe) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
        if len(answers) + len(told) < len(names):
            told.append(_broken(names[len(answers) + len(told)], exit_code, err))
        answers += [_with_end(probe, place, exit_code, err) for probe in told]
    return answers


def _with_end(probe: Probe, place: _Place, exit_code: int | None, err: bytes) -> Probe:
    """The probe, with whose interpreter answered and how that ended."""
    made = place.environment
    lines = [_public(line, made) for line in _lines(err)[-_LAST_LINES:]]
    evidence = {
        "interpreter": f"environment {made.key[:12]}: bin/python" if made else "that of bench",
        **probe.evidence,
        "end of its probe": _end(exit_code),
        "last lines of its standard error": "\n".join(lines) or "none",
    }
    called = _called(probe.name, place.version)
    build = f"bench env build {called}"
    mended = build if probe.state == "not installed" and RUNTIMES[probe.name].requirements else None
    if probe.state == "broken" and made is not None:
        mended = f"bench env remove {called}; {build}"
    return msgspec.structs.replace(
        probe,
        detail=_public(probe.detail, made),
        install=mended or probe.install,
        environment=made.key if made else None,
        requirements=made.facts.requirements if made else (),
        evidence=evidence,
    )


def _broken(name: str, exit_code: int | None, err: bytes) -> Probe:
    return Probe(name=name, state="broken", detail=_why(exit_code, err), install=RUNTIMES[name].install)


def _why(exit_code: int | None, err: bytes) -> str:
    last = next(reversed(_lines(err)), "")
    return f"its probe {_end(exit_code)}{f': {last}' if last else ''}"


def _end(exit_code: int | None) -> str:
    if exit_code is None:
        return f"did not end within {probe_children.TIME_LIMIT_S:g} s"
    return f"was ended by {_signal_name(-exit_code)}" if exit_code < 0 else f"ended with exit code {exit_code}"


def _lines(err: bytes) -> list[str]:
    plain = _COLOUR.sub("", err.decode(errors="replace"))
    return [line.strip() for line in plain.splitlines() if line.strip()]


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in signal.valid_signals() else f"signal {number}"


def _public(text: str, made: PinnedEnvironment | None) -> str:
    """Without the folders of this machine's user: a report of a bug may quote it."""
    for folder, word in ((made.prefix if made else "", "ENVIRONMENT"), (sys.prefix, "BENCH"), (str(Path.home()), "~")):
        text = text.replace(folder, word) if folder.strip("/") else text
    return text
