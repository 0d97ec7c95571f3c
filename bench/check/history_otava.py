"""Series of numbers -> change points by Apache Otava, which pins another numpy and so has an environment of its own.

That environment is made once by uv and kept in the cache, as those of runtimes are.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.children import child_environment
from bench.environments import uv
from bench.environments.pinned import pinned_environment
from bench.errors import UnavailableError
from bench.records import Record

REQUIREMENTS = ("apache-otava==0.8.0",)
MAX_P = 1e-4  # ten times stricter than Otava's own: benchmarks/history_change_points.md
LEAST_REPORTS = 7  # of fewer hardly any step is found with that
LIMIT_S = 300.0
_CHILD = Path(__file__).with_name("history_child.py")


class ChangePoint(Record, frozen=True):
    """A change of level, in the units of what was asked about: logarithms."""

    index: int  # of the first number of the new level
    before: float  # mean of the level before
    after: float
    p: float


class Otava(NamedTuple):
    """Where it is."""

    prefix: str

    def change_points(self, series: Sequence[Sequence[float]], *, limit_s: float = LIMIT_S) -> list[list[ChangePoint]]:
        """Those of each series of numbers above 0, on their logarithms. UnavailableError where the child fails."""
        logs = [[math.log(value) for value in one] for one in series]
        with tempfile.TemporaryDirectory(prefix="onnx-crossbench-") as folder:
            asked, answered = Path(folder, "asked.json"), Path(folder, "answered.json")
            asked.write_text(json.dumps({"series": logs, "max_p": MAX_P}), encoding="utf-8")
            self._run(asked, answered, limit_s)
            return msgspec.json.decode(answered.read_bytes(), type=list[list[ChangePoint]])

    def _run(self, asked: Path, answered: Path, limit_s: float) -> None:
        command = [str(Path(self.prefix, "bin", "python")), "-I", str(_CHILD), str(asked), str(answered)]
        environment = child_environment(os.environ)
        try:
            finished = uv.run_child(command, folder=asked.parent, limit_s=limit_s, environment=environment)
        except OSError as error:
            raise UnavailableError(f"{REQUIREMENTS[0]} can't be started: {error.strerror}") from error
        if finished.exit_code != 0:
            raise UnavailableError(f"{REQUIREMENTS[0]} failed: {uv.last_words(finished, limit_s)}")


def provide_otava(on_stage: Callable[[str], None]) -> Otava:
    """Otava, its environment made where it is not there yet. UnavailableError where it can't be had here."""
    return Otava(pinned_environment(REQUIREMENTS, like={}, on_stage=on_stage).prefix)
