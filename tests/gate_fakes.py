"""Bundles of a few bytes and pairs by hand for the tests of the gate: exact numbers, no process."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bench.check.pairing import PairedCase
from bench.check.records import BUNDLE_SCHEMA, Bundle, BundledCase, Pair, SideOfPair
from bench.prepare.arrays import save_arrays
from bench.prepare.digests import artifact_digest
from bench.records import ArrayFile, Artifact, Case, Prepared, RuntimeSpec, SessionInfo, Tensor
from report_fakes import MACHINE as MACHINE

replace = msgspec.structs.replace
NET = "net | onnxruntime-cpu | batch 1 | threads 1"
MADE = "2026-11-01T00:00:00+00:00"
INFO = SessionInfo(
    runtime_version="1.32.0",
    runtime_file="__init__.py",
    provider="CPUExecutionProvider",
    call_path="session.run",
    effective_options={},
    node_share=1.0,
)
NOWHERE = ArrayFile(path="nowhere/inputs.npz", digest="digest of inputs", items=8)


def bundled(name: str = NET, **changes: Any) -> BundledCase:
    """A case of model "net"."""
    runtime = RuntimeSpec(text="cpu", name="onnxruntime-cpu", display="onnxruntime-cpu", version="1.32.0")
    fields: dict[str, Any] = {
        "name": name,
        "case": Case(case_id=name, model="net", runtime=runtime, batch_size=1, threads=1),
        "info": INFO,
        "verdict": "agrees",
        "artifact_bytes": 1000,
        "pins": {"onnxruntime": "1.32.0", "numpy": "2.4.0"},
    }
    return BundledCase(**(fields | changes))


def prepared(**changes: Any) -> Prepared:
    """Model "net" with files that are nowhere."""
    fields: dict[str, Any] = {
        "model": "net",
        "model_digest": "digest of net",
        "inputs": (Tensor(name="x", shape=(None, 4), dtype="float32"),),
        "outputs": (Tensor(name="y", shape=(None, 2), dtype="float32"),),
        "output_paths": {},
        "artifacts": {"onnx": artifact("nowhere/model.onnx")},
        "failures": {},
        "pool": NOWHERE,
        "truth_file": replace(NOWHERE, path="nowhere/truth.npz", digest="digest of truth"),
        "truth": "float64",
        "yardstick": {"y": 1e-6},
        "parameters": 10,
        "multiply_adds": 8,
        "versions": {},
    }
    return Prepared(**(fields | changes))


def artifact(path: str, digest: str = "digest of the file", size_bytes: int = 1000) -> Artifact:
    return Artifact(
        kind="onnx",
        path=path,
        digest=digest,
        size_bytes=size_bytes,
        inputs=(Tensor(name="x", shape=(None, 4), dtype="float32"),),
        outputs=(Tensor(name="y", shape=(None, 2), dtype="float32"),),
    )


def bundle(*cases: BundledCase, **changes: Any) -> Bundle:
    """Of ``cases``, NET alone by default."""
    fields: dict[str, Any] = {
        "schema_version": BUNDLE_SCHEMA,
        "bench_version": "0.1.0",
        "made": MADE,
        "machine": MACHINE,
        "origin": "net.onnx",
        "seed": 0,
        "models": {"net": prepared()},
        "cases": cases or (bundled(),),
    }
    return Bundle(**(fields | changes))


def files_of_net(folder: Path, content: bytes = b"a model", data: bytes | None = None) -> Prepared:
    """Model "net" with a real file of ``content`` (and external data beside it), inputs and truth in ``folder``."""
    place = folder / "onnx"
    place.mkdir(parents=True)
    path = place / "model.onnx"
    path.write_bytes(content)
    if data is not None:
        (place / "model.data").write_bytes(data)
    random = np.random.default_rng(0)
    return prepared(
        artifacts={"onnx": artifact(str(path), artifact_digest(path), len(content))},
        pool=save_arrays(folder / "inputs.npz", {"x": random.random((8, 4), np.float32)}),
        truth_file=save_arrays(folder / "truth.npz", {"y": random.random((8, 2))}),
    )


def paired(name: str = NET, delta: float = 0.05, **changes: Any) -> PairedCase:
    """A case that is the same on both sides."""
    fields: dict[str, Any] = {"baseline": bundled(name), "head": bundled(name)}
    return PairedCase(name=name, delta=delta, **(fields | changes))


def side(**changes: Any) -> SideOfPair:
    """A process that went well: 10 ms a call, 100 MiB, right outputs."""
    fields: dict[str, Any] = {
        "status": "ok",
        "best_ns": 10e6,
        "p95_ns": 11e6,
        "load_ns": 50_000_000,
        "rss_peak_bytes": 100 << 20,
        "cpu_ns_per_call": 10e6,
        "cpu_per_wall": 1.0,
        "preempted": 0.0,
        "steady": True,
        "verdict": "agrees",
        "against_baseline": "agrees",
    }
    return SideOfPair(**(fields | changes))


def dead(status: str = "crashed", reason: str = "the worker died of SIGKILL") -> SideOfPair:
    """A process that brought nothing."""
    return SideOfPair(status=status, reason=reason)


def pair(number: int = 0, change: float = 0.0, /, **changes: Any) -> Pair:
    """A pair in which head took ``change`` more; every statistic of it agrees. Without values where a side is dead."""
    value: float | None = math.log1p(change)
    sides = {"baseline": side(), "head": side(best_ns=10e6 * (1 + change))} | {
        name: changes.pop(name) for name in ("baseline", "head") if name in changes
    }
    if any(one.status != "ok" for one in sides.values()):
        value = None
    fields: dict[str, Any] = {
        "case": NET,
        "number": number,
        "started": MADE,
        "first": "baseline",
        "slot_of_baseline": 0,
        "rounds": 10,
        "calls": 3,
        "load_1min": 0.5,
        "steal_share": 0.0,
        "foreign_cpus": 0.0,
        **dict.fromkeys(("latency", "median", "p95", "load", "cpu"), value),
        **sides,
    }
    return Pair(**(fields | changes))


def pairs(changes: Sequence[float], **others: Any) -> list[Pair]:
    """One pair a change."""
    return [pair(number, change, **others) for number, change in enumerate(changes)]


class SteppingClock:
    """Seconds that go on by ``step`` each time they are asked for."""

    def __init__(self, step: float = 1.0) -> None:
        self.now = 0.0
        self._step = step

    def __call__(self) -> float:
        self.now += self._step
        return self.now


class Script:
    """A ``gate.Measure`` that gives what ``pair_of`` makes of a case's name and the pair's number."""

    def __init__(self, pair_of: Callable[[str, int], Pair]) -> None:
        self.asked: list[tuple[str, int]] = []
        self._pair_of = pair_of

    def __call__(self, case: PairedCase, number: int) -> Pair:
        self.asked.append((case.name, number))
        return replace(self._pair_of(case.name, number), case=case.name, number=number)


class Listener:
    """A ``gate.Watcher`` that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, list[str]]] = []

    def pair_done(self, pair: Pair, judged: Sequence[Any]) -> None:
        self.told.append((pair.case, pair.number, [f"{one.metric} {one.answer}" for one in judged]))
