"""Parts of an ONNX file on a runtime, each run once: what a bisection asks. Joins prepare and measure.

A part has the tensors in question as outputs and nothing else: the runtime optimises it as it does the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from bench.analysis.agreement import merge_checks
from bench.analysis.distance import Array
from bench.cases import Group, make_arm, make_case
from bench.errors import BenchError, UnavailableError, UnsupportedError
from bench.measure import plan
from bench.measure.launch import ProcessLauncher
from bench.measure.rounds import Repetition
from bench.pinning import Pinner
from bench.prepare.arrays import load_arrays
from bench.prepare.dissection import extract
from bench.records import (
    ArrayFile,
    Artifact,
    CaseRepetition,
    ModelSpec,
    OutputCheck,
    Prepared,
    RuntimeSpec,
    Status,
    Suite,
)

_ERRORS: dict[Status, type[BenchError]] = {"unavailable": UnavailableError, "unsupported": UnsupportedError}
Values = Mapping[str, Array]  # tensor of the file -> rows, items first


class Cutter:
    """Parts of one file that compute given tensors from its inputs, each cut once, in folders below ``folder``."""

    def __init__(self, source: Artifact, folder: Path) -> None:
        self.source = source
        self._folder = folder
        self._parts: dict[tuple[str, ...], Artifact] = {}

    def part(self, tensors: Sequence[str]) -> Artifact:
        """Raises UnsupportedError where it can't be cut."""
        key = tuple(tensors)
        if key not in self._parts:
            self._parts[key] = extract(self.source, key, self._folder / f"part-{len(self._parts)}")
        return self._parts[key]

    def between(self, inputs: Sequence[str], tensor: str) -> Artifact:
        """The part that computes one tensor from others. Raises UnsupportedError where it can't be cut."""
        return extract(self.source, (tensor,), self._folder / "between", inputs=tuple(inputs))


class Runner:
    """One runtime; ``runs`` counts what it was given, ``version`` is what it said it is."""

    def __init__(
        self,
        spec: ModelSpec,
        runtime: RuntimeSpec,
        suite: Suite,
        prepared: Prepared,
        launcher: ProcessLauncher,
        pinner: Pinner,
        on_turn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.runtime = runtime
        self.runs = 0
        self.version: str | None = None
        self._spec, self._suite, self._prepared = spec, suite, prepared
        self._launcher, self._pinner, self._on_turn = launcher, pinner, on_turn

    def run(self, part: Artifact, pool: ArrayFile) -> Values:
        """Every output of a part over a pool, rows under the names of its tensors.

        Raises BenchError with the runtime's reason where it can't.
        """
        self.runs += 1
        done, values = self._repetition(part, pool)
        if done.opened is not None:
            self.version = done.opened.info.runtime_version
        if done.status != "ok":
            raise _ERRORS.get(done.status, BenchError)(done.reason)
        return {tensor.name: values[part.names.get(tensor.name, tensor.name)] for tensor in part.outputs}

    def _repetition(self, part: Artifact, pool: ArrayFile) -> tuple[CaseRepetition, Values]:
        prepared = msgspec.structs.replace(self._prepared, artifacts={"onnx": part}, pool=pool)
        batch_size = plan.fixed_batch(part) or 1
        case = make_case(self._spec, self.runtime, batch_size, self._suite.threads)
        shapes = {name: array.shape for name, array in load_arrays(pool).items()}
        arm = make_arm(case, prepared, {case.model: shapes}, self._suite.plugins)
        if isinstance(arm, CaseRepetition):
            return arm, {}
        placed = self._pinner.place([Group(number=0, model=case.model, cases=(case,), arms=(arm,))])[0]
        if placed.refused:
            return placed.refused[0], {}
        seen: dict[str, Array] = {}

        def keep(_case_id: str, file: ArrayFile) -> list[OutputCheck]:
            seen.update({name: rows[: pool.items] for name, rows in load_arrays(file).items()})
            return []

        driver = Repetition(
            placed.arms, self._launcher, self._suite.measure, self._launcher.folder, keep, merge_checks, self._on_turn
        )
        return driver.verify(0).cases[0], seen
