"""A Keras model's steps: what each layer gives in float64, and the tensor of a file that holds it. In the child.

In memory, for ``dissect`` which stores it and for ``export`` which names the layer that a wrong file is wrong in.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import msgspec
import numpy as np

from bench.analysis import distance as far
from bench.prepare.child import reference
from bench.prepare.child.assign import Assignment
from bench.prepare.child.folded_norm import is_norm_wrong
from bench.prepare.child.items import batch_of, chosen_items, one_by_one
from bench.prepare.child.layer_calls import LayerCall, Recording, earlier_calls, record_calls
from bench.prepare.child.layer_products import has_weights
from bench.prepare.child.marked_run import MarkedFile
from bench.prepare.child.named import NamedModel, trace
from bench.prepare.child.reference import Array, Arrays
from bench.prepare.child.tensor_match import Sought, Tensors, in_order
from bench.prepare.child.truth import Truth, as_run, tensorflow_truth
from bench.prepare.dissection import Step
from bench.prepare.steps import first_wrong, to_blame, tolerance, with_rounding
from bench.records import Tensor

_DIAGNOSIS_BYTES = 2**27  # for all layers' results, where the export has to name one


@dataclass(frozen=True)
class Layers:
    """A model's calls with their truths."""

    calls: list[LayerCall]
    earlier: list[tuple[int, ...]]
    truths: list[Array]  # [items, ...] of each call
    yardsticks: list[float | None]
    kind: str  # as ``Prepared.truth``
    outputs: dict[str, int]


class TracedCalls:
    """A model traced with the result of each call as an output; ``inputs`` are its fixed inputs."""

    def __init__(self, named: NamedModel, inputs: Sequence[Tensor]) -> None:
        self._recording = record_calls(named)
        self._function = trace(self._recording.named)
        self._function.get_concrete_function()  # fills the recording
        self._inputs = one_by_one(inputs)

    def bytes_per_item(self, pool: Arrays) -> int:
        """What the results of all calls take in float64, of one item: seen in a run."""
        rows = as_run(self._recording.named, self._function)(next(reference.batches(self._inputs, pool)))
        size = sum(array.size for array in rows.values())
        return size * np.dtype(np.float64).itemsize // batch_of(self._inputs)

    def truths(self, pool: Arrays, seed: int) -> Layers:
        """Every call over the pool, in float64 where the whole model can be."""
        truth = tensorflow_truth(
            self._recording.named,
            self._function,
            self._inputs,
            pool,
            seed,
            as_named=lambda twin: record_calls(twin).named,
        )
        return _layers(self._recording, truth)


def first_wrong_layer(named: NamedModel, inputs: Sequence[Tensor], pool: Arrays, path: Path) -> str | None:
    """The first layer of which the converted file at ``path`` holds something else, in words; None where none is.

    ``inputs`` and ``pool`` are the model's and the file's alike.
    """
    if named.keras_model is None:
        return None
    try:
        traced = TracedCalls(named, inputs)
        pool, _ = chosen_items(inputs, pool, traced.bytes_per_item(pool), _DIAGNOSIS_BYTES)
        with tempfile.TemporaryDirectory() as folder:
            steps = layer_steps(traced.truths(pool, seed=0), path, inputs, pool, Path(folder))
    except Exception:  # a diagnosis may fail, the failure that it is about is already known
        return None
    place = first_wrong(steps, [step.file_error for step in steps])
    return None if place is None else to_blame(steps, place)


def layer_steps(layers: Layers, path: Path, inputs: Sequence[Tensor], feed: Arrays, folder: Path) -> list[Step]:
    """Each call as a step of the file at ``path``; truths are left to the caller.

    ``inputs`` and ``feed`` are by the file's names; ``folder`` takes a copy of the file.
    """
    file = MarkedFile(path)
    tensors = Tensors(file.run(one_by_one(inputs), feed, folder))
    sought = [Sought(truth) for truth in layers.truths]
    found = Assignment(layers.calls, layers.earlier, sought, layers.yardsticks, tensors, file)
    steps = [_step(layers, found, place) for place in range(len(layers.calls))]
    return [msgspec.structs.replace(step, **_place_in_file(steps, p, layers, found)) for p, step in enumerate(steps)]


def _layers(recording: Recording, truth: Truth) -> Layers:
    truths = list(truth.outputs.values())
    return Layers(
        calls=recording.calls,
        earlier=earlier_calls(recording.calls),
        truths=truths,
        yardsticks=[with_rounding(one, rows) for one, rows in zip(truth.yardstick.values(), truths, strict=True)],
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
        yardstick=layers.yardsticks[place],
        spread=far.spread(np.nan_to_num(truth, posinf=0, neginf=0)) if is_float else None,
        file_error=match.error if match else None,
    )


def _place_in_file(steps: Sequence[Step], place: int, layers: Layers, found: Assignment) -> Mapping[str, object]:
    """``before``, ``fused`` and ``blame`` of a step."""
    tensor = steps[place].tensor
    if tensor is None:
        return {}
    fused = _fused(steps, place, layers.earlier)
    return {
        "before": _before(steps, place, tensor, found.file),
        "fused": tuple(layers.calls[one].name for one in fused),
        "blame": _blame(layers, found, place, tensor, fused),
    }


def _blame(layers: Layers, found: Assignment, place: int, tensor: str, fused: Sequence[int]) -> str | None:
    """The layer among the fused ones whose weights decide what the tensor holds."""
    holds = found.owners.weights_of(tensor)
    held = [one for one in fused if one in holds]
    if held:
        return None if _is_norm_wrong(layers, found, place, held[-1]) else layers.calls[held[-1]].name
    weighted = [one for one in fused if has_weights(layers.calls[one].layer)]
    if len(weighted) == 1 and not has_weights(layers.calls[place].layer):
        return layers.calls[weighted[0]].name
    return None


def _is_norm_wrong(layers: Layers, found: Assignment, place: int, convolution: int) -> bool:
    """Whether a step that is a folded batch norm is off as only its own weights can make it."""
    norm, match = layers.calls[place].layer, found.found[place]
    is_norm = isinstance(norm, keras.layers.BatchNormalization) and norm.axis in (-1, layers.truths[place].ndim - 1)
    if match is None or not is_norm or match.error <= tolerance(layers.yardsticks[place]):
        return False
    truth = layers.truths[place]
    value = in_order(found.tensors.values[match.tensor], match.axes, truth.shape)
    return is_norm_wrong(truth, value, norm, has_bias=getattr(layers.calls[convolution].layer, "use_bias", True))


def _before(steps: Sequence[Step], place: int, tensor: str, file: MarkedFile) -> tuple[int, ...]:
    latest: dict[str, int] = {step.tensor: earlier for earlier, step in enumerate(steps[:place]) if step.tensor}
    if tensor in latest:
        return (latest[tensor],)
    found, _ = file.back_to(tensor, latest)
    return tuple(sorted(latest[name] for name in found))


def _fused(steps: Sequence[Step], place: int, earlier: Sequence[tuple[int, ...]]) -> list[int]:
    """Steps without a tensor that this one is computed from with none that has one in between."""
    seen: set[int] = set()
    waiting = list(earlier[place])
    while waiting:
        before = waiting.pop()
        if before not in seen and steps[before].tensor is None:
            seen.add(before)
            waiting += earlier[before]
    return sorted(seen)
