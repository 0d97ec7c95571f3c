"""``bench gate selftest``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bench.commands.console import Console
from bench.commands.shares import parse_share
from bench.errors import UsageError
from bench.progress import Progress

if TYPE_CHECKING:
    from bench.check.selftest import Load
    from bench.check.selftest_file import Trials
    from bench.records import RuntimeSpec

DEFAULT_MODEL = "mobilenet_v1:alpha=0.5,resolution=128"
DEFAULT_RUNTIME = "onnxruntime-cpu"
DEFAULT_AA = 20
DEFAULT_PLANT = ("5%", 10)
DEFAULT_FILE = "reports/selftest.jsonl"
LOADS = ("quiet", "burst")


def selftest(
    *,
    model: str = DEFAULT_MODEL,
    runtime: str = DEFAULT_RUNTIME,
    threads: int = 1,
    aa: int = DEFAULT_AA,
    plant: tuple[str, int] = DEFAULT_PLANT,
    delta: str | None = None,
    load: str = "quiet",
    file: Path | None = None,
    seed: int = 0,
    console: Console,
    progress: Progress,
    platform: str = sys.platform,
) -> int:
    """Run the whole gate on bundles that differ in nothing and on planted faults; returns 0 or 4, 5 for no trial.

    Flags: MODEL (``--model SPEC``), ``-e/--runtime``, ``-x/--threads``, ``--aa N``, ``--plant SHARE M`` (two values),
    ``--delta`` (of the gate; default the planted share), ``--load quiet|burst``, ``--file FILE.jsonl`` (trials are
    appended, a rerun goes on), ``--seed/-S``. 130 or 143 where it was interrupted, after the summary of what is there.
    """
    if not platform.startswith("linux"):
        raise UsageError(f"bench gate measures on Linux only, this is {platform}")
    share, plants = parse_share("--plant", plant[0]), plant[1]
    budget = parse_share("--delta", delta) if delta is not None else share
    _check(aa, plants, share, budget, load, threads)

    from functools import partial

    from bench.check.records import GateSettings
    from bench.check.selftest_file import open_trials
    from bench.gating import gate_bundles
    from bench.measure.launch import run_folder
    from bench.selftest_bundles import Workshop
    from bench.selftesting import Asked, identify, run_trials
    from bench.specs import parse_model

    settings = GateSettings(delta=budget)
    asked = Asked(aa=aa, plants=plants, share=share, load=cast("Load", load), seed=seed)
    quiet = Inner(progress)
    with run_folder() as folder:
        bundles = Workshop(folder, parse_model(model), one_runtime(runtime), settings, progress)
        trials = open_trials(file or Path(DEFAULT_FILE), identify(bundles.open(threads), settings))
        gate = partial(gate_bundles, out=None, command="bench gate selftest", progress=quiet)
        interrupt = run_trials(asked, settings, bundles, gate, trials, progress)
    progress.done()
    code = summarise(trials, console)
    return code if interrupt is None else interrupt


def summarise(trials: Trials, console: Console) -> int:
    """Print the table of everything in the file and what it shows; returns the exit code of the self-test."""
    from bench.check.selftest_counts import count_rows, exit_code_of, problems
    from bench.check.selftest_text import HEADER, NUMERIC, cells, conclusion, demonstrated, plant_text, subject
    from bench.commands.tables import draw_table

    alpha, beta = trials.identity.alpha, trials.identity.beta
    rows = count_rows(trials.trials)
    found = problems(rows, trials.plants, alpha=alpha, beta=beta)
    code = exit_code_of(rows, found)
    lines = [
        subject(trials.identity),
        draw_table(HEADER, [cells(row) for row in rows], numeric=NUMERIC),
        *map(plant_text, trials.plants),
        *demonstrated(rows, alpha=alpha, beta=beta),
        *conclusion(found, code),
    ]
    console.say("\n".join(lines))
    console.warn(f"trials: {trials.name}")
    return code


def one_runtime(text: str) -> RuntimeSpec:
    """The only runtime that a text names; UsageError for several."""
    from bench.specs import parse_runtimes

    runtimes = parse_runtimes([text])
    if len(runtimes) != 1:
        raise UsageError(f"-e {text}: expected one runtime, seen {len(runtimes)}")
    return runtimes[0]


class Inner:
    """Progress of a gate within a trial: its details, and none of its own bar."""

    def __init__(self, outer: Progress) -> None:
        self._outer = outer

    def stage(self, name: str) -> None:
        """Nothing: the trial is the stage."""

    def start(self, total: float) -> None:
        """Nothing: trials are what is counted."""

    def advance(self, n: float = 1, detail: str = "") -> None:  # noqa: ARG002 - pairs are not trials
        """Tell the detail."""
        self._outer.advance(0, detail)

    def note(self, text: str) -> None:
        """A line that stays."""
        self._outer.note(text)

    def done(self) -> None:
        """Nothing."""


def _check(aa: int, plants: int, share: float, delta: float, load: str, threads: int) -> None:
    wrong = []
    if aa < 0:
        wrong.append(f"--aa {aa}: expected a number of trials, 0 for none")
    if plants < 0:
        wrong.append(f"--plant ... {plants}: expected a number of trials, 0 for none")
    if share < delta:
        wrong.append(f"--plant {share:.1%}: the gate promises nothing below its budget, --delta {delta:.1%}")
    if load not in LOADS:
        wrong.append(f"--load {load}: expected {' or '.join(LOADS)}")
    if threads < 1:
        wrong.append(f"-x {threads}: expected at least 1 thread")
    if wrong:
        raise UsageError("\n".join(wrong))
