"""Two bundles -> a gate's result: opened, environments found or made, measured, judged, stored.

Joins environments, measure, analysis, report and check, as ``pipeline.py`` does for a run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from bench import __version__
from bench.analysis.sequential import Design
from bench.check import gate, gate_store
from bench.check.bundle import open_bundle
from bench.check.hygiene import hygiene
from bench.check.pairing import PairedCase, Pairing, pair_cases
from bench.check.records import (
    GATE_SCHEMA,
    SIDES,
    STATISTICAL,
    Bundle,
    GateResult,
    GateSettings,
    Judged,
    Pair,
    Side,
    SideFacts,
)
from bench.check.wording import percent
from bench.gate_environments import differences_of, environments_of
from bench.measure import launch
from bench.measure.lock import machine_lock
from bench.measure.machine import describe_machine
from bench.pairs import PairDriver, SideToRun, choose_cpus
from bench.progress import Progress
from bench.records import GroupRepetition


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

    It is there after every pair, so that a killed gate leaves what it measured, undecided. UsageError for folders that
    are no bundles and for settings under which no verdict is possible. A baseline that can't be run here is NOT
    COMPARABLE, a head that can't is FAILED: both are in the result.
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
    with machine_lock(progress.note), launch.run_folder() as folder:
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
        notes = differences_of(pairing.cases, prefixes)

        def save(outcome: gate.Outcome) -> GateResult:
            result = _result(
                bundles,
                pairing,
                settings,
                designs,
                outcome,
                command=command,
                started=started,
                seconds=time.monotonic() - begin,
                cpus=cpus,
                notes=notes,
            )
            if out is not None:
                gate_store.save_gate(out, result, raw)
            return result

        told = watcher or _Told(progress)
        keep = save if out is not None else None
        outcome = gate.run_gate(pairing, settings, designs, measure, time.monotonic, told, keep)
        progress.done()
    return save(outcome)


def _result(
    bundles: Mapping[Side, Bundle],
    pairing: Pairing,
    settings: GateSettings,
    designs: Mapping[str, Design],
    outcome: gate.Outcome,
    *,
    command: str,
    started: datetime,
    seconds: float,
    cpus: tuple[int, ...],
    notes: Sequence[str],
) -> GateResult:
    return GateResult(
        schema_version=GATE_SCHEMA,
        settings=settings,
        design=next(iter(designs.values()), None) if set(settings.metrics) & set(STATISTICAL) else None,
        command=command,
        bench_version=__version__,
        started=started.isoformat(timespec="seconds"),
        seconds=seconds,
        threads=max((case.baseline.case.threads for case in pairing.cases), default=1),
        cpus=cpus,
        machine=describe_machine(),
        baseline=_facts(bundles["baseline"]),
        head=_facts(bundles["head"]),
        judged=outcome.judged,
        pairs=outcome.pairs,
        family_bound=gate.family_bound(designs, settings),
        notes=(*hygiene(bundles["baseline"].made, started, outcome.judged), *notes),
        new_cases=pairing.new,
        exit_code=outcome.interrupt or gate.exit_code_of(outcome.judged, settings),
    )


class _Told:
    """Tells progress of every pair."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def pair_done(self, pair: Pair, judged: Sequence[Judged]) -> None:
        """See ``gate.Watcher``."""
        change = "no value" if pair.latency is None else percent(math.expm1(pair.latency))
        verdicts = ", ".join(f"{one.metric} {one.answer}" for one in judged)
        self._progress.advance(1, f"{pair.case}: pair {pair.number + 1} {change}{f' ({verdicts})' if verdicts else ''}")


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
