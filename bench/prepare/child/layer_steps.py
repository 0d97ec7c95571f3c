"""A Keras model's steps: what each layer gives in float64, and the tensor of a file that holds it. In the child.

In memory, for ``dissect`` which stores it and for ``export`` which names the layer that a wrong file is wrong in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from bench.analysis import distance as far
from bench.prepare.child.assign import Assignment
from bench.prepare.child.layer_calls import LayerCall, Recording, earlier_calls, record_calls
from bench.prepare.child.marked_run import MarkedFile
from bench.prepare.child.named import NamedModel, trace
from bench.prepare.child.reference import Array, Arrays
from bench.prepare.child.tensor_match import Sought, Tensors
from bench.prepare.child.truth import Truth, as_run, tensorflow_truth
from bench.prepare.dissection import Step
from bench.records import Artifact, Tensor


@dataclass(frozen=True)
class Layers:
    """A model's calls with their truths."""

    calls: list[LayerCall]
    earlier: list[tuple[int, ...]]
    truths: list[Array]  # [items, ...] of each call
    yardsticks: list[float | None]
    kind: str  # as ``Prepared.truth``
    outputs: dict[str, int]


def one_by_one(inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The inputs with a free batch set to 1: results without the batch in front are then those of one item."""
    return tuple(
        msgspec.structs.replace(tensor, shape=(1, *tensor.shape[1:])) if tensor.shape[:1] == (None,) else tensor
        for tensor in inputs
    )


def layer_truths(named: NamedModel, inputs: Sequence[Tensor], pool: Arrays, seed: int) -> Layers:
    """Every call of the model over the pool; ``inputs`` are its fixed inputs."""
    recording = record_calls(named)
    function = trace(recording.named)
    function.get_concrete_function()
    truth = tensorflow_truth(
        recording.named,
        function,
        one_by_one(inputs),
        pool,
        seed,
        as_named=lambda twin: record_calls(twin).named,
    )
    return _layers(recording, truth)


def bytes_per_item(named: NamedModel, inputs: Sequence[Tensor], pool: Arrays) -> int:
    """What the results of all calls take in float64, of one item: seen in a run."""
    recording = record_calls(named)
    function = trace(recording.named)
    function.get_concrete_function()
    rows = as_run(recording.named, function)(first_run(one_by_one(inputs), pool))
    batch = next((tensor.shape[0] for tensor in inputs if tensor.batched and tensor.shape[0]), 1)
    return sum(array.size for array in rows.values()) * np.dtype(np.float64).itemsize // batch


def first_run(inputs: Sequence[Tensor], pool: Arrays) -> dict[str, Array]:
    """The feed of the first run."""
    from bench.prepare.child.reference import batches

    return next(batches(inputs, pool))


def layer_steps(layers: Layers, artifact: Artifact, pool: Arrays, folder: Path) -> list[Step]:
    """Each call as a step of the file; truths are left to the caller. ``pool`` is by the model's names."""
    file = MarkedFile(Path(artifact.path))
    feed = {t.name: pool[artifact.names.get(t.name, t.name)].astype(t.dtype, copy=False) for t in artifact.inputs}
    tensors = Tensors(file.run(one_by_one(artifact.inputs), feed, folder))
    sought = [Sought(truth) for truth in layers.truths]
    found = Assignment(layers.calls, layers.earlier, sought, layers.yardsticks, tensors, file)
    steps = [_step(layers, found, place) for place in range(len(layers.calls))]
    return [msgspec.structs.replace(step, **_place_in_file(steps, p, layers, found)) for p, step in enumerate(steps)]


def _layers(recording: Recording, truth: Truth) -> Layers:
    return Layers(
        calls=recording.calls,
        earlier=earlier_calls(recording.calls),
        truths=list(truth.outputs.values()),
        yardsticks=list(truth.yardstick.values()),
        kind=truth.kind,
        outputs=recording.outputs,
    )


def _step(layers: Layers, found: Assignment, place: int) -> Step:
    call, truth, match = layers.calls[place], layers.truths[place], found.found[place]
    is_float = far.dtype_class(truth) in ("float", "complex")
    return Step(
        name=call.name,
        kind=call.kind,
        tensor=match.tensor if match else None,
        axes=match.axes if match else None,
        shape=tuple(truth.shape),
        yardstick=layers.yardsticks[place] if is_float else None,
        spread=far.spread(np.nan_to_num(truth, posinf=0, neginf=0)) if is_float else None,
        file_error=match.error if match else None,
    )


def _place_in_file(steps: Sequence[Step], place: int, layers: Layers, found: Assignment) -> Mapping[str, object]:
    """``before``, ``fused`` and ``blame`` of a step."""
    tensor = steps[place].tensor
    if tensor is None:
        return {}
    fused = _fused(steps, place, layers.earlier)
    holds = {layers.calls[one].name for one in found.owners.weights_of(tensor)}
    return {
        "before": _before(steps, place, tensor, found.file),
        "fused": fused,
        "blame": next((name for name in reversed(fused) if name in holds), None),
    }


def _before(steps: Sequence[Step], place: int, tensor: str, file: MarkedFile) -> tuple[int, ...]:
    latest: dict[str, int] = {step.tensor: earlier for earlier, step in enumerate(steps[:place]) if step.tensor}
    if tensor in latest:
        return (latest[tensor],)
    found, _ = file.back_to(tensor, latest)
    return tuple(sorted(latest[name] for name in found))


def _fused(steps: Sequence[Step], place: int, earlier: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
    """Steps without a tensor that this one is computed from with none that has one in between."""
    seen: set[int] = set()
    waiting = list(earlier[place])
    while waiting:
        before = waiting.pop()
        if before not in seen and steps[before].tensor is None:
            seen.add(before)
            waiting += earlier[before]
    return tuple(steps[before].name for before in sorted(seen))
