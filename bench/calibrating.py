"""Pairs of two bundles without a gate: as many as asked for, none left out. What calibration and self-test rest on.

Joins environments, measure and check, as ``gating.py`` does for a gate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from bench.bundling import make_bundle
from bench.check.bundle import locks_of, open_bundle, write_bundle
from bench.check.calibration import Calibration, Noise, noise_of
from bench.check.pairing import pair_cases
from bench.check.records import SIDES, Bundle, BundledCase, GateSettings, Pair, Side
from bench.check.wording import percent
from bench.errors import BenchError
from bench.gate_environments import environments_of
from bench.measure import launch
from bench.measure.lock import machine_lock
from bench.measure.machine import describe_machine
from bench.pairs import PairDriver, SideToRun, choose_cpus
from bench.progress import Progress
from bench.records import MeasureSettings, ModelSpec, PrepareSettings, RuntimeSpec, Suite

_replace = msgspec.structs.replace


def measure_pairs(baseline: Path, head: Path, settings: GateSettings, count: int, progress: Progress) -> list[Pair]:
    """``count`` pairs of the only case of two bundles, every one with a latency.

    BenchError where the two can't be compared, or a worker died or had no value: pairs are told one by one.
    """
    bundles: dict[Side, Bundle] = {"baseline": open_bundle(baseline), "head": open_bundle(head)}
    pairing = pair_cases(*bundles.values(), metrics=("latency",), delta=settings.delta, budgets={})
    pairs: list[Pair] = []
    with machine_lock(progress.note), launch.run_folder() as folder:
        prefixes, refused = environments_of(pairing.cases, {"baseline": baseline, "head": head}, settings, progress)
        for one in (*pairing.refused, *refused):
            raise BenchError(f"measuring pairs of {one.case}: {one.reason}")
        case = pairing.cases[0]
        driver = PairDriver(
            {side: SideToRun(bundle=bundles[side], prefixes=prefixes[side]) for side in SIDES},
            launch.ProcessLauncher(folder),
            folder,
            settings,
            choose_cpus(case.baseline.case.threads),
            on_turn=lambda detail: progress.advance(0, detail),
        )
        for number in range(count):
            pair, _ = driver.measure(case, number)
            if pair.latency is None:
                reason = pair.head.reason or pair.baseline.reason or "a pair has no latency"
                raise BenchError(f"measuring pairs of {case.name}: {reason}")
            pairs.append(pair)
            progress.advance(1, f"pair {number + 1} {percent(math.expm1(pair.latency))}")
    return pairs


def bundle_one(
    model: ModelSpec, runtime: RuntimeSpec, threads: int, folder: Path, progress: Progress, *, seed: int = 0
) -> Bundle:
    """A bundle in ``folder`` of one model on one runtime, batch 1."""
    suite = Suite(
        models=(model,),
        runtimes=(runtime,),
        batch_sizes={model.display: (1,)},
        threads=threads,
        prepare=PrepareSettings(seed=seed),
        measure=MeasureSettings(),
    )
    return make_bundle(suite, folder, origin=model.display, replacing=False, progress=progress)


def write_variant(source: Path, folder: Path, change: Callable[[Bundle], Bundle] = lambda bundle: bundle) -> None:
    """A copy of a bundle in ``folder``, byte for byte but for what ``change`` makes of the opened one."""
    bundle = open_bundle(source)
    write_bundle(folder, change(bundle), locks_of(source, bundle))


def with_case(change: Callable[[BundledCase], BundledCase]) -> Callable[[Bundle], Bundle]:
    """``change`` done to every case of a bundle."""
    return lambda bundle: _replace(bundle, cases=tuple(change(case) for case in bundle.cases))


def calibrate_machine(
    model: ModelSpec,
    runtime: RuntimeSpec,
    threads: Sequence[int],
    settings: GateSettings,
    pairs: int,
    progress: Progress,
) -> Calibration:
    """The model against itself, ``pairs`` times for each thread count."""
    with launch.run_folder() as folder:
        bundle = bundle_one(model, runtime, threads[0], folder / "bundle", progress)
        found: list[Noise] = []
        progress.start(pairs * len(threads))
        for count in threads:
            progress.stage(f"calibrating {count} thread{'s' * (count > 1)}")
            one = folder / f"threads-{count}"
            write_variant(folder / "bundle", one, with_case(partial(_with_threads, threads=count)))
            measured = measure_pairs(one, one, settings, pairs, progress)
            found.append(noise_of(count, measured, settings))
        progress.done()
    case = bundle.cases[0]
    return Calibration(
        model=model.display,
        runtime=runtime.name,
        runtime_version=case.info.runtime_version,
        machine=describe_machine(),
        settings=settings,
        threads=tuple(found),
    )


def _with_threads(case: BundledCase, *, threads: int) -> BundledCase:
    return _replace(case, case=_replace(case.case, threads=threads))
