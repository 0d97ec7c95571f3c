"""Two bundles -> a gate's result: opened, environments found or made, measured, judged, stored.

Joins environments, measure, analysis, report and check, as ``pipeline.py`` does for a run.
"""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bench import __version__
from bench.check import gate, gate_store
from bench.check.bundle import open_bundle
from bench.check.pairing import PairedCase, Pairing, pair_cases
from bench.check.records import (
    GATE_SCHEMA,
    SIDES,
    STATISTICAL,
    Bundle,
    BundledCase,
    GateAnswer,
    GateResult,
    GateSettings,
    Judged,
    Pair,
    Side,
    SideFacts,
)
from bench.check.wording import percent
from bench.environments.pinned import PinnedEnvironment, locked_environment, own_pins, pinned_environment, pins_in
from bench.errors import BenchError, UnavailableError, UsageError
from bench.measure import launch
from bench.measure.lock import machine_lock
from bench.measure.machine import describe_machine
from bench.pairs import PairDriver, SideToRun, choose_cpus
from bench.progress import Progress
from bench.records import GroupRepetition
from bench.runtimes.table import RUNTIMES


def gate_bundles(
    baseline: Path,
    head: Path,
    settings: GateSettings,
    *,
    out: Path | None,
    command: str,
    progress: Progress,
    watcher: gate.Watcher | None = None,
) -> GateResult:
    """Run the gate over two bundles; the result is in ``out`` as well, with its raw samples, where that is given.

    UsageError for folders that are no bundles and for settings under which no verdict is possible. A baseline that
    can't be run here is NOT COMPARABLE, a head that can't is FAILED: both are in the result.
    """
    settings = gate.with_coins(settings)
    bundles: dict[Side, Bundle] = {"baseline": open_bundle(baseline), "head": open_bundle(head)}
    started, begin = gate.utc_now(), time.monotonic()
    pairing = pair_cases(
        bundles["baseline"],
        bundles["head"],
        metrics=settings.metrics,
        delta=settings.delta,
        budgets=settings.budgets,
    )
    designs = gate.make_designs(pairing, settings)
    threads = max((case.baseline.case.threads for case in pairing.cases), default=1)
    cpus = choose_cpus(threads)
    raw: dict[str, list[GroupRepetition]] = {case.name: [] for case in pairing.cases}
    folder = launch.make_folder()
    with machine_lock(progress.note):
        try:
            prefixes, refused = environments_of(pairing.cases, {"baseline": baseline, "head": head}, settings, progress)
            sides = {side: SideToRun(bundle=bundles[side], prefixes=prefixes[side]) for side in SIDES}
            pairing = _without(pairing, refused)
            driver = PairDriver(
                sides,
                launch.ProcessLauncher(folder),
                folder,
                settings,
                cpus,
                on_turn=lambda detail: progress.advance(0, detail),
            )

            def measure(case: PairedCase, number: int) -> Pair:
                pair, repetition = driver.measure(case, number)
                raw[case.name].append(repetition)
                return pair

            progress.stage("gating")
            progress.start(settings.max_pairs * max(1, len(pairing.cases)))
            outcome = gate.run_gate(pairing, settings, designs, measure, time.monotonic, watcher or _Told(progress))
            progress.done()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    result = GateResult(
        schema_version=GATE_SCHEMA,
        settings=settings,
        design=next(iter(designs.values()), None) if set(settings.metrics) & set(STATISTICAL) else None,
        command=command,
        bench_version=__version__,
        started=started.isoformat(timespec="seconds"),
        seconds=time.monotonic() - begin,
        threads=threads,
        cpus=cpus,
        machine=describe_machine(),
        baseline=_facts(bundles["baseline"]),
        head=_facts(bundles["head"]),
        judged=outcome.judged,
        pairs=outcome.pairs,
        family_bound=gate.family_bound(designs, settings),
        notes=(
            *gate.hygiene(bundles["baseline"].made, started, outcome.judged),
            *_differences(pairing.cases, prefixes),
        ),
        new_cases=pairing.new,
        exit_code=outcome.interrupt or gate.exit_code_of(outcome.judged, settings),
    )
    if out is not None:
        gate_store.save_gate(out, result, raw)
    return result


class _Told:
    """Tells progress of every pair."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def pair_done(self, pair: Pair, judged: Sequence[Judged]) -> None:
        """See ``gate.Watcher``."""
        change = "no value" if pair.latency is None else percent(math.expm1(pair.latency))
        verdicts = ", ".join(f"{one.metric} {one.answer}" for one in judged)
        self._progress.advance(1, f"{pair.case}: pair {pair.number + 1} {change}{f' ({verdicts})' if verdicts else ''}")


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
    return one.lock is None and own_pins(RUNTIMES[one.case.runtime.name].package) == one.pins


def _environment(folder: Path, one: BundledCase, progress: Progress) -> PinnedEnvironment:
    distribution = RUNTIMES[one.case.runtime.name].package
    if one.lock is None:
        if distribution not in one.pins:
            raise UnavailableError(
                f"the bundle does not say which {distribution} it ran on; make it with {one.case.runtime.name}@VERSION"
            )
        return pinned_environment(distribution, one.pins[distribution], like=one.pins, on_stage=progress.stage)
    environment = locked_environment((folder / one.lock).read_text(encoding="utf-8"), on_stage=progress.stage)
    if environment.pins != one.pins:
        raise BenchError(f"{one.lock} does not hold what the bundle says that it ran on; make the bundle again")
    return environment


def _without(pairing: Pairing, refused: Sequence[Judged]) -> Pairing:
    names = {one.case for one in refused}
    return msgspec.structs.replace(
        pairing,
        cases=tuple(case for case in pairing.cases if case.name not in names),
        refused=(*pairing.refused, *refused),
    )


def _facts(bundle: Bundle) -> SideFacts:
    return SideFacts(
        origin=bundle.origin,
        made=bundle.made,
        bench_version=bundle.bench_version,
        machine=bundle.machine,
        versions={case.name: case.info.runtime_version for case in bundle.cases},
    )


def _differences(cases: Sequence[PairedCase], prefixes: Mapping[Side, Mapping[str, Path]]) -> list[str]:
    """What else than the runtime's version differs between the environments: the verdict is about all of it."""
    notes = []
    for case in cases:
        runtime = RUNTIMES[case.baseline.case.runtime.name].package
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
