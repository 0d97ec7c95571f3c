"""The files of ``bisect_faults.py``: each model as ``model.keras``, ``good.onnx`` and ``faulty.onnx``.

``python benchmarks/bisect_make.py FOLDER SEED NAME...`` in a process of its own: it imports Keras and tf2onnx.
"""

from __future__ import annotations

import os
import sys
import zlib
from pathlib import Path
from typing import Any

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: it must not hide an installed bench

import keras
import msgspec
import numpy as np

from bench.analysis.distance import relative_error
from bench.prepare.child.export import convert
from bench.prepare.child.named import from_keras, trace
from bench.prepare.child.onnx_run import open_as_deployed
from bench.prepare.child.pipeline import reset_keras
from bench.prepare.child.ranges import input_ranges
from bench.prepare.child.reference import describe_outputs, run_pool
from bench.prepare.child.truth import as_run
from bench.prepare.inputs import make_pool
from bench.records import Failure
from benchmarks.bisect_models import build_net
from benchmarks.bisect_nets import NETS
from benchmarks.bisect_planting import copy_of, faults_of, leaf_layers

_LEAST_EFFECT = 5e-3  # on the worst output, five times what is allowed: a fault that no output shows is no fault
_MOST_DRAWS = 40
_ITEMS = 8
Arrays = dict[str, Any]


class Planted(msgspec.Struct):
    """One model and its fault."""

    name: str
    layers: int
    layer: str  # that the fault is in, by its way through nested models
    fault: str
    effect: float  # on the worst output, relative


def make_files(folder: Path, name: str, seed: int) -> Planted:
    """The model's files in ``folder``, and what was planted."""
    reset_keras()
    model = copy_of(build_net(name, seed))
    folder.mkdir(parents=True, exist_ok=True)  # a run that was cut short may have left one
    model.save(folder / "model.keras")
    pool = _pool(model, seed)
    right = _write(model, pool, folder / "good.onnx")
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    found = list(leaf_layers(model))
    for _ in range(_MOST_DRAWS):
        way, layer = found[int(rng.integers(len(found)))]
        faults = faults_of(layer, rng)
        if not faults:
            continue
        fault = sorted(faults)[int(rng.integers(len(faults)))]
        faulty = faults[fault](model, layer.name)
        effect = _apart(right, _outputs(faulty, pool))
        if effect < _LEAST_EFFECT:
            continue
        _write(faulty, pool, folder / "faulty.onnx")
        planted = Planted(name=name, layers=len(found), layer=way, fault=fault, effect=effect)
        (folder / "planted.json").write_bytes(msgspec.json.encode(planted))
        return planted
    raise SystemExit(f"{name}: no fault of {_MOST_DRAWS} drawn changes an output")


def _write(model: keras.Model, pool: Arrays, path: Path) -> Arrays:
    """The model's ONNX file, which must compute what the model does; returns the model's outputs."""
    named = from_keras(model, {})
    function = trace(named)
    run = as_run(named, function)
    expected = run_pool(run, named.inputs, pool)
    proto = convert(named, function, describe_outputs(run, named.inputs, pool, expected), 18)
    if isinstance(proto, Failure):
        raise SystemExit(f"{path}: {proto.reason}")
    path.write_bytes(proto.SerializeToString())
    error = _apart(expected, run_pool(open_as_deployed(path), named.inputs, pool))
    if error > 1e-3:
        raise SystemExit(f"{path}: the export itself is off by {error:.2g}")
    return expected


def _outputs(model: keras.Model, pool: Arrays) -> Arrays:
    named = from_keras(model, {})
    return run_pool(as_run(named, trace(named)), named.inputs, pool)


def _pool(model: keras.Model, seed: int) -> Arrays:
    inputs = from_keras(model, {}).inputs
    ranges, _ = input_ranges(inputs, {}, None, model)  # those that a leading Rescaling tells
    return make_pool(inputs, ranges, seed, _ITEMS)


def _apart(truth: Arrays, outputs: Arrays) -> float:
    """The worst output's relative error."""
    return max(relative_error(truth[name], outputs[name]) or 0.0 for name in truth)


if __name__ == "__main__":
    root, draw, *names = sys.argv[1:]
    for place, name in enumerate(NETS):
        if name in names:
            print(make_files(Path(root) / name.replace(" ", "-"), name, seed=1000 * int(draw) + place), flush=True)
