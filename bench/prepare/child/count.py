"""What a model has to do, call by call of its layers, and what it holds. Runs in a child process.

One trace tells all of it, with one item (or as many as the batch is fixed to): nothing is run, no weight changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from bench.prepare.child.call_products import Call, counted_weights, products_of_call
from bench.prepare.child.items import batch_of, one_by_one
from bench.prepare.child.layer_calls import LayerCall, Recording, record_calls
from bench.prepare.child.layer_products import own_weights, window_of
from bench.prepare.child.named import NamedModel, from_keras, trace
from bench.prepare.child.own_operations import MODEL, OwnOperations
from bench.records import LayerCost


def trainable_parameters(model: keras.Model) -> int:
    """Elements of all trainable weights."""
    return _elements(model.trainable_variables)


def multiply_adds(model: keras.Model) -> int | None:
    """Multiply-adds of one item in all layers; a layer called twice counts twice.

    The sum of ``layer_costs``: None where one of them is. What no output depends on is left out.
    """
    counts = [cost.multiply_adds for cost in layer_costs(from_keras(model, {}))]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def layer_costs(named: NamedModel) -> list[LayerCost]:
    """Every call of every layer in order of computation, at the shapes of ``named.inputs``; layers within come first.

    A layer that does nothing but call others is left out. What the model itself computes or holds beside its layers is
    a call of the model, the last one. Parameters of a layer that is called again are those of its first call.
    """
    recording = record_calls(replace(named, inputs=one_by_one(named.inputs)))
    trace(recording.named).get_concrete_function()
    return list(_Costs(named, recording).each())


class _Call(NamedTuple):
    """One call with all its outputs; the model's own has none here."""

    name: str
    layer: Any
    arguments: tuple[Any, ...] = ()  # all tensors that it is given
    leaving: Any = None  # the first that it gives


class _Costs:
    """The costs of a recording's calls."""

    def __init__(self, named: NamedModel, recording: Recording) -> None:
        self._model, self._batch, self._veiled = named.keras_model, batch_of(named.inputs), recording.veiled
        self._own = OwnOperations(recording.calls, self._model)
        self._calls = [*_calls(recording.calls, self._model), _Call(MODEL, self._model)]
        self._weights = _weights([call.layer for call in self._calls])
        self._within: dict[str, list[_Call]] = defaultdict(list)
        for call in self._calls[:-1]:
            self._within[call.name.rpartition("/")[0]].append(call)

    def each(self) -> Iterator[LayerCost]:
        """Those that there is something to tell of; the model's own under its name."""
        paths = {call.name.rpartition("/")[0] for call in self._calls}
        seen: set[int] = set()
        for call in self._calls:
            cost = self._cost(call, is_first=id(call.layer) not in seen)
            seen.add(id(call.layer))
            is_full = cost.multiply_adds != 0 or cost.parameters or self._own.computes(call.name)
            if is_full or not (call.name == MODEL or call.name in paths):
                yield cost

    def _cost(self, call: _Call, *, is_first: bool) -> LayerCost:
        weights = self._weights[id(call.layer)]
        return LayerCost(
            name=call.name or call.layer.name,
            kind=type(call.layer).__name__,
            window=window_of(call.layer),
            multiply_adds=self._multiply_adds(call, weights),
            parameters=_elements(weight for weight in weights if weight.trainable) if is_first else 0,
            input_bytes=self._bytes(self._own.reads(call.name)),
            output_bytes=self._bytes(self._own.writes(call.name)),
            weight_bytes=sum(prod(weight.shape) * tf.as_dtype(weight.dtype).size for weight in weights),
        )

    def _multiply_adds(self, call: _Call, weights: Sequence[Any]) -> int | None:
        """Of one item; None too where products are out of sight, or are there and the layer's kind should have none."""
        within = {id(one.layer): one.leaving for one in self._within.get(call.name, ())}
        count = products_of_call(Call(call.layer, call.arguments, call.leaving, within))
        counted = counted_weights(call.layer)
        has_more = len(weights) > len(counted) and self._own.computes(call.name)
        is_veiled = call.name in self._veiled and len(counted) == len(own_weights(call.layer))
        if count is None or has_more or is_veiled:
            return None
        return None if count == 0 and self._own.has_products(call.name) else count // self._batch

    def _bytes(self, tensors: Sequence[Any]) -> int | None:
        """Of one item; of a tensor without items a part, where the batch is fixed to several."""
        if not all(tensor.shape.is_fully_defined() for tensor in tensors):
            return None
        return int(sum(prod(tensor.shape.as_list()) * tensor.dtype.size for tensor in tensors)) // self._batch


def _calls(outputs: Sequence[LayerCall], model: Any) -> list[_Call]:
    """One for all outputs of a call; the model's own left out."""
    first = {call.of: call for call in reversed(outputs) if call.layer is not model}
    return [_Call(name, call.layer, call.arguments, call.tensor) for name, call in reversed(first.items())]


def _weights(layers: Sequence[Any]) -> dict[int, list[Any]]:
    """By id of a layer, in their order: its own weights, and those of layers within it that are never called in sight.

    The innermost of several that hold such a one has it.
    """
    taken = {id(weight) for layer in layers for weight in own_weights(layer)}
    found: dict[int, list[Any]] = {}
    for layer in layers:
        if id(layer) not in found:
            veiled = [weight for weight in getattr(layer, "weights", ()) if id(weight) not in taken]
            taken.update(map(id, veiled))
            found[id(layer)] = [*own_weights(layer), *veiled]
    return found


def _elements(weights: Iterable[Any]) -> int:
    return sum(prod(weight.shape) for weight in weights)
