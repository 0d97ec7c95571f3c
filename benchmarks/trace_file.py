"""Recorded calls of one model and thread count: ``NAME.npz`` has the durations, ``NAME.json`` the facts.

Durations are kept as int32 in units of 100 ns (up to 214 s) and read as int64 nanoseconds. Reads and writes, measures
nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

FOLDER = Path(__file__).resolve().parent / "traces"
SCHEMA = 1
SERIES = ("base", "+5 %", "+5 % nodes", "+10 %")  # what ran; of a pair, what head ran
LOADS = ("quiet", "burst")  # what else ran on the machine
_UNIT_NS = 100


@dataclass(frozen=True)
class Solo:
    """One process alone: the warm calls that it made without a pause."""

    series: str
    load: str
    stretch: int  # processes recorded in one go, under one load
    at_s: float  # Unix time when it was started
    ready_s: float  # from its start to the end of its warm-up
    wall_s: float  # from its start to its end
    calls: Array  # int64 nanoseconds, in order


@dataclass(frozen=True)
class PairTrace:
    """One pair of a gate: every round of either side."""

    series: str  # of head
    load: str
    stretch: int
    at_s: float
    wall_s: float
    baseline: Array  # int64 nanoseconds [rounds, 1 + calls]: the switch call, then the timed ones
    head: Array
    head_first: Array  # bool [rounds]


@dataclass(frozen=True)
class Trace:
    """Everything recorded of one model and thread count, in the order of recording."""

    facts: dict[str, Any]
    solos: tuple[Solo, ...] = ()
    pairs: tuple[PairTrace, ...] = ()


def save_trace(path: Path, trace: Trace) -> None:
    """Write ``path`` (.npz) and the .json beside it; each appears whole or not at all."""
    arrays: dict[str, Any] = {**_solo_arrays(trace.solos), **_pair_arrays(trace.pairs)}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, **arrays)
    facts = path.with_name(f".{path.stem}.json")
    facts.write_text(json.dumps({"schema": SCHEMA, "unit_ns": _UNIT_NS, **trace.facts}, indent=1) + "\n")
    os.replace(facts, path.with_suffix(".json"))
    os.replace(unfinished, path)


def load_trace(path: Path) -> Trace:
    """What ``save_trace`` wrote. Raises SystemExit for a file of another schema."""
    facts = json.loads(path.with_suffix(".json").read_text())
    if facts.pop("schema") != SCHEMA or facts.pop("unit_ns") != _UNIT_NS:
        raise SystemExit(f"reading {path}: it has another schema than {SCHEMA}; record it again")
    with np.load(path) as file:
        arrays = dict(file)
    return Trace(facts=facts, solos=_solos(arrays), pairs=_pairs(arrays))


def _solo_arrays(solos: Sequence[Solo]) -> dict[str, Array]:
    return {
        **_heads("solo", solos),
        "solo_ready_s": np.array([one.ready_s for one in solos], np.float32),
        "solo_counts": np.array([len(one.calls) for one in solos], np.int32),
        "solo_calls": _packed([one.calls for one in solos]),
    }


def _pair_arrays(pairs: Sequence[PairTrace]) -> dict[str, Array]:
    return {
        **_heads("pair", pairs),
        "pair_shapes": np.array([one.baseline.shape for one in pairs], np.int32).reshape(-1, 2),
        "pair_calls": _packed([side.ravel() for one in pairs for side in (one.baseline, one.head)]),
        "pair_head_first": _joined([one.head_first for one in pairs], np.bool_),
    }


def _heads(kind: str, ones: Sequence[Solo] | Sequence[PairTrace]) -> dict[str, Array]:
    return {
        f"{kind}_series": np.array([SERIES.index(one.series) for one in ones], np.uint8),
        f"{kind}_load": np.array([LOADS.index(one.load) for one in ones], np.uint8),
        f"{kind}_stretch": np.array([one.stretch for one in ones], np.int32),
        f"{kind}_at_s": np.array([one.at_s for one in ones], np.float64),
        f"{kind}_wall_s": np.array([one.wall_s for one in ones], np.float32),
    }


def _fields(kind: str, arrays: dict[str, Array], i: int) -> dict[str, Any]:
    return {
        "series": SERIES[int(arrays[f"{kind}_series"][i])],
        "load": LOADS[int(arrays[f"{kind}_load"][i])],
        "stretch": int(arrays[f"{kind}_stretch"][i]),
        "at_s": float(arrays[f"{kind}_at_s"][i]),
        "wall_s": float(arrays[f"{kind}_wall_s"][i]),
    }


def _solos(arrays: dict[str, Array]) -> tuple[Solo, ...]:
    parts = _parts(arrays["solo_calls"].astype(np.int64) * _UNIT_NS, arrays["solo_counts"])
    ready = arrays["solo_ready_s"]
    return tuple(
        Solo(**_fields("solo", arrays, i), ready_s=float(ready[i]), calls=part) for i, part in enumerate(parts)
    )


def _pairs(arrays: dict[str, Array]) -> tuple[PairTrace, ...]:
    shapes = arrays["pair_shapes"]
    sizes = np.repeat(shapes.prod(axis=1), 2)
    sides = _parts(arrays["pair_calls"].astype(np.int64) * _UNIT_NS, sizes)
    firsts = _parts(arrays["pair_head_first"], shapes[:, 0])
    return tuple(
        PairTrace(
            **_fields("pair", arrays, i),
            baseline=sides[2 * i].reshape(shape),
            head=sides[2 * i + 1].reshape(shape),
            head_first=firsts[i],
        )
        for i, shape in enumerate(shapes)
    )


def _packed(parts: Sequence[Array]) -> Array:
    return np.rint(_joined(parts, np.float64) / _UNIT_NS).astype(np.int32)


def _joined(parts: Sequence[Array], dtype: Any) -> Array:
    return np.concatenate([np.asarray(part, dtype) for part in parts]) if parts else np.zeros(0, dtype)


def _parts(flat: Array, sizes: Array) -> list[Array]:
    return np.split(flat, np.cumsum(sizes)[:-1]) if len(sizes) else []
