"""Where the sides of a gate run: the environment of bench for both, or one made for each; and how these differ."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.check.pairing import PairedCase
from bench.check.records import SIDES, BundledCase, GateAnswer, GateSettings, Judged, Side
from bench.environments.facts import pins_in
from bench.environments.locks import normalised, pin_line
from bench.environments.pinned import PinnedEnvironment, locked_environment, own_pins, pinned_environment
from bench.errors import BenchError, UnavailableError, UsageError
from bench.progress import Progress
from bench.runtimes.homes import distributions_of
from bench.runtimes.table import RUNTIMES


def environments_of(
    cases: Sequence[PairedCase], folders: Mapping[Side, Path], settings: GateSettings, progress: Progress
) -> tuple[dict[Side, dict[str, Path]], list[Judged]]:
    """The environment of each side of each case, and a verdict for every case that has none here.

    Both sides live in the environment of bench, or both in made ones: where a file lies must not differ.
    """
    prefixes: dict[Side, dict[str, Path]] = {"baseline": {}, "head": {}}
    refused: list[Judged] = []
    answers: dict[Side, GateAnswer] = {"baseline": "NOT COMPARABLE", "head": "FAILED"}
    for case in cases:
        both: dict[Side, BundledCase] = {"baseline": case.baseline, "head": case.head}
        if all(_is_installed(one) for one in both.values()):
            for side in SIDES:
                prefixes[side][case.name] = Path(sys.prefix)
            continue
        for side, one in both.items():
            try:
                prefixes[side][case.name] = Path(_environment(folders[side], one, progress).prefix)
            except UsageError:
                raise
            except BenchError as error:
                refused += [
                    Judged(
                        case=case.name,
                        metric=metric,
                        answer=answers[side],
                        reason=f"{side} has no environment here: {error}",
                        delta=case.delta,
                    )
                    for metric in settings.metrics
                ]
                break
    return prefixes, refused


def _is_installed(one: BundledCase) -> bool:
    return one.lock is None and own_pins(*distributions_of(one.case.runtime.name)) == one.pins


def _environment(folder: Path, one: BundledCase, progress: Progress) -> PinnedEnvironment:
    if one.lock is None:
        named = distributions_of(one.case.runtime.name)
        if unsaid := [name for name in named if name not in one.pins]:
            raise UnavailableError(
                f"the bundle does not say which {unsaid[0]} it ran on; make it with {one.case.runtime.name}@VERSION"
            )
        requirements = [pin_line(name, one.pins[name]) for name in named]
        return pinned_environment(requirements, like=one.pins, on_stage=progress.stage)
    environment = locked_environment((folder / one.lock).read_text(encoding="utf-8"), on_stage=progress.stage)
    if environment.pins != one.pins:
        raise BenchError(f"{one.lock} does not hold what the bundle says that it ran on; make the bundle again")
    return environment


def differences_of(cases: Sequence[PairedCase], prefixes: Mapping[Side, Mapping[str, Path]]) -> list[str]:
    """What else than the runtime's version differs between the environments: the verdict is about all of it."""
    notes = []
    for case in cases:
        runtime = normalised(RUNTIMES[case.baseline.case.runtime.name].package)
        bundled: dict[Side, dict[str, str]] = {"baseline": case.baseline.pins, "head": case.head.pins}
        ran = {side: pins_in(prefixes[side][case.name]) or bundled[side] for side in SIDES}
        for side in SIDES:
            moved = [f"{name} {was} was bundled, {now} ran" for name, was, now in _unlike(bundled[side], ran[side])]
            if moved:
                notes.append(f"{case.name}: {side} is not as bundled: {', '.join(moved)}")
        rest = [
            f"{name} {one} against {other}"
            for name, one, other in _unlike(ran["baseline"], ran["head"])
            if name != runtime
        ]
        if rest:
            notes.append(f"{case.name}: the environments differ in more than {runtime}: {', '.join(rest)}")
    return notes


def _unlike(one: Mapping[str, str], other: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Name and both versions of every distribution that is not the same in both."""
    return [
        (name, one.get(name, "none"), other.get(name, "none"))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]
