"""A model of steps with made-up truths, and a runtime that is wrong from a step on: a bisection in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bench.analysis.bisection import Link, make_chain
from bench.bisect_hunt import Hunt
from bench.bisect_probes import Prober, links_of
from bench.bisect_runs import Values
from bench.bisected import Bisected
from bench.errors import UnsupportedError
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.dissection import Dissection, Step
from bench.progress import Silent
from bench.records import ArrayFile, Artifact, Prepared, RuntimeSpec, Tensor
from fakes import runtime

ITEMS = 8


def steps_of(reads: Sequence[tuple[int, ...]], **changes: dict[int, Any]) -> list[Step]:
    """Steps s0, s1, ... with tensors t0, t1, ...; ``changes`` are other values of a field, by place."""
    steps = [
        Step(name=f"s{i}", kind="Dense", tensor=f"t{i}", before=one, shape=(ITEMS, 4), yardstick=1e-6, spread=1.0)
        for i, one in enumerate(reads)
    ]
    for name, values in changes.items():
        for place, value in values.items():
            steps[place] = msgspec.structs.replace(steps[place], **{name: value})
    return steps


def chain_of(n: int) -> list[tuple[int, ...]]:
    return [(i - 1,) if i else () for i in range(n)]


def tensor(name: str, *, batched: bool = True) -> Tensor:
    return Tensor(name=name, shape=(None, 4) if batched else (4, None), dtype="float32", batched=batched)


@dataclass
class FakeCutter:
    """Parts are artifacts whose path says where they begin."""

    source: Artifact
    unbatched: set[str] = field(default_factory=set)

    def part(self, tensors: Sequence[str]) -> Artifact:
        return self._cut(tensors, self.source.inputs, "")

    def between(self, inputs: Sequence[str], tensor: str) -> Artifact:
        return self._cut([tensor], [self._tensor(name) for name in inputs], ",".join(inputs))

    def _cut(self, outputs: Sequence[str], inputs: Sequence[Tensor], path: str) -> Artifact:
        made = tuple(self._tensor(name) for name in outputs)
        return msgspec.structs.replace(self.source, path=path, inputs=tuple(inputs), outputs=made, names={})

    def _tensor(self, name: str) -> Tensor:
        return tensor(name, batched=name not in self.unbatched)


@dataclass
class FakeRunner:
    """Gives the truth, but for what a fault makes wrong: everything that is computed from ``faulty``."""

    steps: list[Step]
    truths: dict[str, Any]
    faulty: int | None
    runtime: RuntimeSpec = field(default_factory=runtime)
    refused: set[frozenset[str]] = field(default_factory=set)  # sets of outputs that it can't load
    only_from_inputs: bool = False  # the fault does not show in a part that begins later
    only_whole: bool = False  # nor in any part
    runs: int = 0
    version: str | None = "1.0"
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, part: Artifact, pool: ArrayFile) -> Values:
        self.runs += 1
        names = tuple(one.name for one in part.outputs)
        self.asked.append(names)
        if frozenset(names) in self.refused:
            raise UnsupportedError("no kernel for this")
        stops = {name for name in part.path.split(",") if name and part.path != "whole"}
        dirty = self._dirty(stops)
        if stops and self.only_from_inputs:
            dirty = set()
        if self.only_whole:
            dirty = set(names) if part.path == "whole" else set()
        rows = {name: self.truths[name][: pool.items] for name in names}
        return {name: values + np.float32(0.5) * (name in dirty) for name, values in rows.items()}

    def _dirty(self, stops: set[str]) -> set[str]:
        dirty: set[int] = set()
        for place, step in enumerate(self.steps):
            if step.tensor in stops:
                continue
            if place == self.faulty or dirty & set(step.before):
                dirty.add(place)
        return {str(self.steps[place].tensor) for place in dirty}


@dataclass
class FakeBisection:
    """All that a bisection of made-up steps needs; the model's output is what the last step gives."""

    steps: list[Step]
    folder: Path
    runner: FakeRunner
    prober: Prober
    links: list[Link]

    def run(self, *, every_layer: bool = False, keep: Path | None = None) -> Bisected:
        return Hunt(self.prober, self.links, Silent()).run(every_layer=every_layer, keep=keep)


def bisection(
    folder: Path,
    steps: list[Step],
    faulty: int | None,
    *,
    reference: bool = False,
    unbatched: Sequence[str] = (),
    truth_spread: float = 1.0,
    file_is_wrong: bool = False,
    **how: Any,
) -> FakeBisection:
    """``how`` goes to the runner; ``truth_spread`` 0 makes the model's output the same for every input.

    With ``file_is_wrong`` the file unoptimised is wrong as a whole.
    """
    random = np.random.default_rng(0)
    truths = {f"t{i}": random.normal(size=(ITEMS, 4)).astype(np.float32) for i in range(len(steps))}
    stored = [
        msgspec.structs.replace(step, truth=save_arrays(folder / f"{i}.npz", {"value": truths[f"t{i}"]}))
        for i, step in enumerate(steps)
    ]
    last = f"t{len(steps) - 1}"
    source = Artifact(
        kind="onnx",
        path="whole",
        digest="d",
        size_bytes=1,
        inputs=(tensor("x"),),
        outputs=(tensor(last),),
        names={last: "y"},
    )
    pool = save_arrays(folder / "pool.npz", {"x": random.normal(size=(ITEMS, 4)).astype(np.float32)})
    prepared = _prepared(
        source, pool, save_arrays(folder / "truth.npz", {"y": truths[last] * np.float32(truth_spread)})
    )
    taken = Dissection(model="net", steps=tuple(stored), pool=pool, truth="float64", outputs={"y": len(steps) - 1})
    links = links_of(taken, source)
    runner = FakeRunner(steps, truths, faulty, **how)
    other = FakeRunner(steps, truths, None, runtime("openvino")) if reference else None
    cutter = FakeCutter(source, set(unbatched))
    plain = FakeRunner(steps, truths, faulty if file_is_wrong else None, only_whole=file_is_wrong)
    prober = Prober(prepared, taken, make_chain(links), cutter, runner, other, folder, plain=plain, is_users_file=True)
    return FakeBisection(stored, folder, runner, prober, links)


def _prepared(source: Artifact, pool: ArrayFile, truth: ArrayFile) -> Prepared:
    assert load_arrays(pool)
    return Prepared(
        model="net",
        model_digest="m",
        inputs=source.inputs,
        outputs=(tensor("y"),),
        output_paths={},
        artifacts={"onnx": source},
        failures={},
        pool=pool,
        truth_file=truth,
        truth="float64",
        yardstick={"y": 1e-6},
        parameters=None,
        multiply_adds=None,
        versions={},
    )
