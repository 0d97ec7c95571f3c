"""Prefixes of a model judged against the truth of its layers, or against another runtime: what the search asks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.analysis import bisection
from bench.analysis.agreement import check_outputs
from bench.analysis.bisection import Answer, Chain, Link
from bench.analysis.distance import GREATEST_TOLERANCE, Array, distinct_items
from bench.analysis.tensor_layout import as_layer
from bench.bisect_runs import Values
from bench.errors import BenchError
from bench.prepare.arrays import load_arrays
from bench.prepare.dissection import Dissection, Step
from bench.prepare.steps import tolerance
from bench.records import ArrayFile, Artifact, OutputCheck, Prepared, RuntimeSpec


def links_of(dissection: Dissection, source: Artifact) -> list[Link]:
    """The steps as the search sees them; what comes in with the inputs is no step."""
    given, outputs = {tensor.name for tensor in source.inputs}, set(dissection.outputs.values())
    read = {place for step in dissection.steps for place in step.before}
    links = []
    for place, step in enumerate(dissection.steps):
        before = step.before
        if place in outputs and step.tensor is None:  # its tensor is unknown: whatever nobody else reads leads to it
            before = tuple(earlier for earlier in range(place) if earlier not in read)
        tensor = step.tensor if _is_judged(step, given) else None
        links.append(Link(tensor=tensor, before=before, is_output=place in outputs))
    return links


def _is_judged(step: Step, given: set[str]) -> bool:
    if step.tensor is None or step.tensor in given or step.truth is None:
        return False
    return bisection.can_be_judged(step.spread, step.yardstick)


class Cuts(Protocol):
    """Who cuts a file: ``bisect_runs.Cutter``."""

    source: Artifact

    def part(self, tensors: Sequence[str]) -> Artifact:
        """From the file's inputs on."""
        ...

    def between(self, inputs: Sequence[str], tensor: str) -> Artifact:
        """From other tensors on."""
        ...


class Runs(Protocol):
    """Who runs parts: ``bisect_runs.Runner``."""

    runtime: RuntimeSpec
    runs: int
    version: str | None

    def run(self, part: Artifact, pool: ArrayFile) -> Values:
        """Rows by the part's tensors; BenchError where it can't be run."""
        ...


@dataclass(frozen=True)
class Rows:
    """What a part gave, by its tensors; ``reference`` is the other runtime's, where there is one."""

    got: Values
    reference: Values | None


@dataclass
class Prober:
    """Runs prefixes and judges their frontiers; ``seen`` and ``rows`` keep what came of each.

    With ``reference`` the truth is what that runtime computes in the same part.
    """

    prepared: Prepared
    dissection: Dissection
    chain: Chain
    cutter: Cuts
    runner: Runs
    reference: Runs | None
    folder: Path  # takes inputs of parts
    plain: Runs | None = None  # onnxruntime-cpu, unoptimised
    is_users_file: bool = False  # whose outputs the user can say the names of
    seen: dict[int, dict[str, OutputCheck]] = field(default_factory=dict)
    rows: dict[int, Rows] = field(default_factory=dict)
    _whole: Rows | None = None  # of the items that the dissection is of

    def whole(self) -> list[OutputCheck]:
        """The model's own outputs, from the file as it is. Raises BenchError where it can't be run."""
        source, pool = self.cutter.source, self.prepared.pool
        got = self.runner.run(source, pool)
        reference = self.reference.run(source, pool) if self.reference else None
        self._whole = Rows(self._shortened(got), self._shortened(reference) if reference else None)
        truth = load_arrays(self.prepared.truth_file) if reference is None else self._named(reference)
        return self._checked(truth, got)

    def unoptimised(self) -> tuple[list[OutputCheck], Values]:
        """The whole file on ``plain`` against the model's truth, and what it gave. Raises BenchError as ``whole``."""
        assert self.plain is not None
        got = self.plain.run(self.cutter.source, self.prepared.pool)
        return self._checked(load_arrays(self.prepared.truth_file), got), got

    def __call__(self, length: int) -> Answer:
        """What a prefix came to; its reason where it can't be cut or run."""
        tensors = [self.chain.tensors[place] for place in self.chain.frontier(length)]
        before = self.runner.runs
        try:
            rows = self._run(tensors)
        except BenchError as error:
            return Answer(bad=False, reason=str(error), runs=self.runner.runs - before)
        checks = {tensor: self.judge(tensor, rows) for tensor in tensors}
        self.rows[length], self.seen[length] = rows, checks
        return Answer(
            bad=any(check.verdict == "disagrees" for check in checks.values()),
            worst=max(map(badness, checks.values()), default=0.0),
            runs=self.runner.runs - before,
        )

    def run_part(self, part: Artifact, pool: ArrayFile) -> Rows:
        """A part on the runtime, and on the reference where there is one. Raises BenchError where it can't be."""
        got = self.runner.run(part, pool)
        return Rows(got, self.reference.run(part, pool) if self.reference else None)

    def judge(self, tensor: str, rows: Rows) -> OutputCheck:
        """One tensor by the contract's rule, in the layer's layout."""
        step = self.step_of(tensor)
        truth = self.truth_of(step) if rows.reference is None else as_layer(rows.reference[tensor], step)
        got = as_layer(rows.got[tensor], step)
        return check_outputs({tensor: truth}, {tensor: got}, {tensor: step.yardstick})[0]

    def step_of(self, tensor: str) -> Step:
        """The first step that has this tensor."""
        return self.dissection.steps[self.chain.steps[self.chain.tensors.index(tensor)]]

    def truth_of(self, step: Step) -> Array:
        """What the layer should give, items first, in its own layout."""
        assert step.truth is not None
        return load_arrays(step.truth)["value"]

    def _run(self, tensors: Sequence[str]) -> Rows:
        """From the whole's run where it has them all, else from a part that has them alone as outputs.

        A batch that is fixed to more items than the pool has is run over items that come again: the whole was not.
        """
        has_all = self.prepared.pool.items >= self.dissection.pool.items
        if has_all and self._whole is not None and set(tensors) <= set(self._whole.got):
            return self._whole
        return self.run_part(self.cutter.part(tensors), self.dissection.pool)

    def _shortened(self, values: Values) -> Values:
        return {name: rows[: self.dissection.pool.items] for name, rows in values.items()}

    def _checked(self, truth: Mapping[str, Array], got: Values) -> list[OutputCheck]:
        distinct = distinct_items(load_arrays(self.prepared.pool))
        return check_outputs(truth, self._named(got), self.prepared.yardstick, distinct_inputs=distinct)

    def _named(self, values: Values) -> Mapping[str, Array]:
        """By the model's names of its outputs."""
        return {self.cutter.source.names.get(name, name): rows for name, rows in values.items()}


def badness(check: OutputCheck) -> float:
    """The error in units of what is allowed; infinite for a difference that has no number.

    0 where no error could be too large. One over too few items for a verdict counts: of a large net there are no more.
    """
    if check.verdict == "disagrees" and check.relative_error is None:
        return math.inf
    allowed = check.tolerance or tolerance(None)
    is_blind = check.verdict == "vacuous" and (check.tolerance is None or allowed > GREATEST_TOLERANCE)
    if check.relative_error is None or is_blind:
        return 0.0
    return check.relative_error / allowed
