"""The gate's self-test: bundles with and without a planted fault -> whole gates -> lines of a file that can go on.

Joins check, measure and prepare by way of ``selftest_bundles`` and ``gating``. The gate and the bundles are seams.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol

import msgspec

import bench
from bench import __version__
from bench.burst import burst_load
from bench.check.private import scrub_gate
from bench.check.records import Bundle, GateResult, GateSettings
from bench.check.selftest import (
    Identity,
    Key,
    Load,
    Plant,
    PlantKind,
    make_trial,
    missing,
    outcome,
    plan_trials,
)
from bench.check.selftest_file import Trials
from bench.errors import EXIT_INTERRUPTED, EXIT_TERMINATED, Terminated
from bench.progress import Progress
from bench.records import Record
from bench.runtimes.table import RUNTIMES, artifact_needed

Gate = Callable[[Path, Path, GateSettings], GateResult]
_MATTERS = (
    "analysis/agreement.py", "analysis/checker.py", "analysis/sequential.py", "analysis/statistics.py",
    "cases.py", "check/gate.py", "check/judging.py", "check/pair_values.py", "check/pairing.py",
    "check/ratio_verdict.py", "gate_environments.py", "gating.py", "measure/feeds.py", "measure/launch.py",
    "measure/loop.py", "measure/plan.py", "measure/process.py", "measure/rounds.py", "measure/streams.py",
    "measure/worker.py", "output_judge.py", "pairs.py", "slots.py",
)  # fmt: skip


class Bundles(Protocol):
    """See ``selftest_bundles.Workshop``."""

    def slow_kinds(self) -> tuple[PlantKind, ...]:
        """How the runtime can be slowed down."""
        ...

    def faults(self) -> list[Key]:
        """What must fire each time."""
        ...

    def plant(self, kind: PlantKind, share: float) -> Plant:
        """A slowdown, chosen by measuring."""
        ...

    def reuse(self, plant: Plant) -> None:
        """A slowdown that was chosen before."""
        ...

    def sides(self, key: Key) -> tuple[Path, Path]:
        """Baseline and head of a trial."""
        ...


class Asked(Record, frozen=True):
    """How much is to be tried."""

    aa: int
    plants: int
    share: float
    load: Load
    seed: int


def run_trials(
    asked: Asked, settings: GateSettings, bundles: Bundles, gate: Gate, trials: Trials, progress: Progress
) -> int | None:
    """Make every trial that is asked for and not in ``trials`` yet; each is kept as soon as it is over.

    Returns None, or the exit code of what interrupted it; the trial in hand is then made anew by the next run.
    """
    planned = plan_trials(
        aa=asked.aa,
        plants=asked.plants,
        share=asked.share,
        load=asked.load,
        seed=asked.seed,
        slow=bundles.slow_kinds() if asked.plants else (),
        faults=bundles.faults(),
    )
    waiting = missing(planned, trials.trials)
    try:
        for kind in dict.fromkeys(key.kind for key in waiting):
            if kind == "nodes" or kind == "busy":
                _have_plant(kind, asked.share, bundles, trials, progress)
        for key in waiting:  # everything is made before a load begins, and before the clock of the time left runs
            progress.stage("making bundles")
            bundles.sides(key)
        return _try_all(waiting, len(planned), asked, settings, bundles, gate, trials, progress)
    except KeyboardInterrupt as interruption:
        return EXIT_TERMINATED if isinstance(interruption, Terminated) else EXIT_INTERRUPTED


def _try_all(
    waiting: Sequence[Key],
    planned: int,
    asked: Asked,
    settings: GateSettings,
    bundles: Bundles,
    gate: Gate,
    trials: Trials,
    progress: Progress,
) -> int | None:
    done = planned - len(waiting)
    if done:
        progress.note(f"{done} of {planned} trials are in {trials.name} already")
    with burst_load(asked.seed) if asked.load == "burst" and waiting else nullcontext("") as load:
        if load:
            progress.note(load)
        progress.start(len(waiting))
        for key in waiting:
            progress.stage(f"self-test, {key.kind} {key.variant}".strip())
            result = gate(*bundles.sides(key), msgspec.structs.replace(settings, seed=key.seed))
            if result.exit_code in (EXIT_INTERRUPTED, EXIT_TERMINATED):
                return result.exit_code
            trial = make_trial(key, scrub_gate(result))  # the file is one to show
            trials.add(trial)
            progress.advance(1, f"{key.kind} {key.number + 1}: {outcome(trial)}")
    progress.done()
    return None


def _have_plant(kind: PlantKind, share: float, bundles: Bundles, trials: Trials, progress: Progress) -> None:
    found = next((plant for plant in trials.plants if (plant.kind, plant.share) == (kind, share)), None)
    if found is None:
        progress.stage(f"planting {kind}")
        trials.add(bundles.plant(kind, share))
    else:
        bundles.reuse(found)


def identify(bundle: Bundle, settings: GateSettings) -> Identity:
    """What the trials of a bundle with one case are trials of."""
    (case,) = bundle.cases
    kind = artifact_needed(case.case.runtime.name, case.case.runtime.options)
    options = ",".join(f"{key}={value}" for key, value in sorted(case.case.runtime.options.items()))
    return Identity(
        bench_version=__version__,
        sources=sources_digest(
            [*_MATTERS, f"{RUNTIMES[case.case.runtime.name].module.removeprefix('bench.').replace('.', '/')}.py"]
        ),
        model=case.case.model,
        model_digest=bundle.models[case.case.model].artifacts[kind].digest,
        runtime=f"{case.case.runtime.name}:{options}" if options else case.case.runtime.name,
        runtime_version=case.info.runtime_version,
        threads=case.case.threads,
        delta=settings.delta,
        alpha=settings.alpha,
        beta=settings.beta,
        max_pairs=settings.max_pairs,
        cpu=bundle.machine.cpu,
        cpus=bundle.machine.effective_cpus,
    )


def sources_digest(names: Sequence[str]) -> str:
    """sha256 of what these files of ours do: comments and docstrings do not count."""
    digest = hashlib.sha256()
    for name in names:
        tree = ast.parse((Path(bench.__file__).parent / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
                del node.body[0]
        digest.update(f"{name}\n{ast.dump(tree)}\n".encode())
    return digest.hexdigest()
