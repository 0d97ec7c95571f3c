"""``bench gate selftest``."""

from __future__ import annotations

from pathlib import Path

from bench.commands.console import Console
from bench.progress import Progress

DEFAULT_MODEL = "mobilenet_v1:alpha=0.5,resolution=128"
DEFAULT_RUNTIME = "onnxruntime-cpu"
DEFAULT_AA = 20
DEFAULT_PLANT = ("5%", 10)
DEFAULT_FILE = "reports/selftest.jsonl"


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
) -> int:
    """Run the whole gate on bundles that differ in nothing and on planted faults; returns 0 or 4, 5 for no trial.

    Flags: MODEL (``--model SPEC``), ``-e/--runtime``, ``-x/--threads``, ``--aa N``, ``--plant SHARE M`` (two values),
    ``--delta`` (of the gate; default the planted share), ``--load quiet|burst``, ``--file FILE.jsonl`` (trials are
    appended, a rerun goes on), ``--seed/-S``. 130 or 143 where it was interrupted, after the summary of what is there.
    """
    raise NotImplementedError
