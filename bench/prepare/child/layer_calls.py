"""Every call of a Keras layer while a model is traced, in order of computation, with the tensor it gave. In the child.

A call is found by standing in for ``Layer.__call__`` (and ``Operation.__call__``, for the nodes of ``keras.ops`` in a
functional model): that holds for any kind of model. What is computed within the body of a loop or a branch cannot be
given out of it and is no call, and neither is what no output depends on. Inner layers come before the layer that holds
them. A layer with several outputs is one call for each.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import tensorflow as tf

from bench.prepare.child.named import NamedModel


@dataclass(frozen=True)
class LayerCall:
    """One output of one call of a layer."""

    name: str  # way through nested models; "(call 2)" and "(output 2)" where there are several
    kind: str  # class
    layer: Any
    tensor: Any  # of the traced graph
    operations: tuple[int, int]  # those that the call made: first, and one past the last, in the graph's order
    of: str = ""  # the call's name, the same for all its outputs
    arguments: tuple[Any, ...] = ()  # tensors of the graph that it was given


@dataclass(frozen=True)
class Recording:
    """A model whose outputs are the results of all its calls; the rest is filled by its trace."""

    named: NamedModel
    calls: list[LayerCall] = field(default_factory=list)
    outputs: dict[str, int] = field(default_factory=dict)  # output of the model -> place of the call that gave it
    # calls with others that have weights in a body of a loop or branch, out of sight; "" for the model itself
    veiled: set[str] = field(default_factory=set)


def record_calls(named: NamedModel) -> Recording:
    """The model with the result of each call as an output, named by its place: ``"00007"``."""
    paths: dict[str, str] = {}
    calls: list[LayerCall] = []
    outputs: dict[str, int] = {}
    veiled: set[str] = set()

    def call(feed: Mapping[str, Any]) -> dict[str, Any]:
        watch = _Watch(named.keras_model)
        with watch.watching():
            results = named.call(feed)
        found, places = _with_outputs(watch, results)
        calls[:], kept = found, {f"{place:05d}": call.tensor for place, call in enumerate(found)}
        outputs.clear()
        outputs.update(places)
        veiled.clear()
        veiled.update(watch.veiled)
        paths.clear()
        paths.update(dict.fromkeys(kept, ""))
        return {name: tf.identity(tensor) for name, tensor in kept.items()}

    return Recording(replace(named, call=call, output_paths=paths), calls, outputs, veiled)


class _Watch:
    """Notes calls of layers as they happen in the graph that is being traced."""

    def __init__(self, root: keras.Model | None) -> None:
        self.root = root
        self.graph = tf.compat.v1.get_default_graph()
        self.calls: list[LayerCall] = []
        self.veiled: set[str] = set()
        self._path: list[str] = []
        self._counts: Counter[str] = Counter()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Stand in for the calls of layers and operations until the block ends."""
        of_layer, of_operation = keras.layers.Layer.__call__, keras.Operation.__call__

        def call_layer(layer: Any, *args: Any, **kwargs: Any) -> Any:
            return self._noted(of_layer, layer, args, kwargs)

        def call_operation(operation: Any, *args: Any, **kwargs: Any) -> Any:
            is_node = bool(operation._inbound_nodes)  # of a functional model; others are a layer's own affair
            if isinstance(operation, keras.layers.Layer) or not is_node:
                return of_operation(operation, *args, **kwargs)
            return self._noted(of_operation, operation, args, kwargs)

        keras.layers.Layer.__call__, keras.Operation.__call__ = call_layer, call_operation
        try:
            yield
        finally:
            keras.layers.Layer.__call__, keras.Operation.__call__ = of_layer, of_operation

    def _noted(self, call: Any, layer: Any, args: Any, kwargs: Any) -> Any:
        if tf.compat.v1.get_default_graph() is not self.graph:
            self.veiled.update(["/".join(self._path)] if getattr(layer, "weights", ()) else [])
            return call(layer, *args, **kwargs)
        if layer is self.root:
            return call(layer, *args, **kwargs)
        outer, first = "/".join(self._path), self.operations()
        self._counts[f"{outer}/{layer.name}"] += 1
        times = self._counts[f"{outer}/{layer.name}"]
        self._path.append(layer.name if times == 1 else f"{layer.name} (call {times})")
        name = "/".join(self._path)
        try:
            result = call(layer, *args, **kwargs)
        finally:
            self._path.pop()
        span, kind = (first, self.operations()), type(layer).__name__
        for place, tensor in enumerate(self._held(result)):
            output = name if place == 0 else f"{name} (output {place + 1})"
            self.calls.append(LayerCall(output, kind, layer, tensor, span, name, self._held((args, kwargs))))
        return result

    def operations(self) -> int:
        """How many there are so far."""
        return len(self.graph.get_operations())

    def _held(self, structure: Any) -> tuple[Any, ...]:
        return tuple(tensor for tensor in keras.tree.flatten(structure) if self.holds(tensor))

    def holds(self, value: Any) -> bool:
        """Whether a value is an array of numbers of the graph in hand."""
        is_tensor = tf.is_tensor(value) and getattr(value, "graph", None) is self.graph
        return is_tensor and value.dtype.is_numpy_compatible and value.dtype != tf.string


def _with_outputs(watch: _Watch, results: Mapping[str, Any]) -> tuple[list[LayerCall], dict[str, int]]:
    """The calls, and for each output the place of the last that gave it.

    What the model itself computes after its last layer is a call of the model, named as the output.
    """
    leaves = {name: result.op.inputs[0] for name, result in results.items()}  # the named call puts an Identity on each
    used = upstream(leaves.values())
    calls, places = [call for call in watch.calls if call.tensor.name in used], {}
    for name, leaf in leaves.items():
        place = max((place for place, call in enumerate(calls) if call.tensor is leaf), default=None)
        if place is None:
            if leaf.op.type == "Placeholder" or not watch.holds(leaf):
                continue
            place = len(calls)
            calls.append(LayerCall(name, type(watch.root).__name__, watch.root, leaf, (0, watch.operations()), name))
        places[name] = place
    return calls, places


def upstream(tensors: Iterable[Any]) -> set[str]:
    """Names of all tensors that some are computed from, themselves included."""
    seen: set[str] = set()
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        if tensor.name not in seen:
            seen.add(tensor.name)
            waiting += tensor.op.inputs
    return seen


def owners_of_operations(calls: Sequence[LayerCall]) -> list[int | None]:
    """For each operation of the traced graph the place of the innermost call that made it."""
    owner: list[int | None] = [None] * len(calls[0].tensor.graph.get_operations()) if calls else []
    for place in reversed(range(len(calls))):  # inner calls last, over the outer ones
        first, end = calls[place].operations
        owner[first:end] = [place] * (end - first)
    return owner


def earlier_calls(calls: list[LayerCall]) -> list[tuple[int, ...]]:
    """For each call the places of the nearest earlier ones that it is computed from, or whose tensor it passes on."""
    places: dict[str, list[int]] = {}
    for place, call in enumerate(calls):
        places.setdefault(call.tensor.name, []).append(place)

    def latest(tensor: Any, before: int) -> int | None:
        return max((p for p in places.get(tensor.name, ()) if p < before), default=None)

    def nearest(place: int) -> tuple[int, ...]:
        tensor = calls[place].tensor
        if (same := latest(tensor, place)) is not None:
            return (same,)
        found, seen, waiting = set(), set(), list(tensor.op.inputs)
        while waiting:
            tensor = waiting.pop()
            if tensor.name in seen:
                continue
            seen.add(tensor.name)
            if (earlier := latest(tensor, place)) is not None:
                found.add(earlier)
            else:
                waiting += tensor.op.inputs
        return tuple(sorted(found))

    return [nearest(place) for place in range(len(calls))]
