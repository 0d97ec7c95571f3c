"""How a kind of fault is made of a place and a change: the makers that the table is written with.

A maker gives a function of a correct model that answers a new one, or None where the model has no such place or the
fault would change nothing there; the given model is not touched.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import ModelProto, NodeProto, numpy_helper

from bench.prepare.child.mutants import layers, places
from bench.prepare.child.mutants import surgery as graph
from bench.prepare.child.mutants.places import Find
from bench.prepare.child.mutants.surgery import Array

Mutant = Callable[[ModelProto], ModelProto | None]


def in_model(change: Callable[[ModelProto], bool | None]) -> Mutant:
    """A kind from a change in place; one that answers False found nothing to change."""

    def mutant(model: ModelProto) -> ModelProto | None:
        copy = ModelProto()
        copy.CopyFrom(model)
        if change(copy) is False:
            return None
        del copy.graph.value_info[:]  # shapes of inner tensors, which may hold no longer
        return copy

    return mutant


def in_node(find: Find, change: Callable[[ModelProto, NodeProto], bool | None]) -> Mutant:
    """A kind from a change of one node."""

    def edit(model: ModelProto) -> bool | None:
        node = find(model)
        return False if node is None else change(model, node)

    return in_model(edit)


def in_weight(find: Find, change: Callable[[Array], Array], place: int = 1) -> Mutant:
    """A kind from another value of one constant input of a node."""
    return in_node(find, lambda model, node: _changed(model, node, place, change))


def in_recurrence(what: str, change: Callable[[int, int], Callable[[Array], Array]]) -> Mutant:
    """A kind from another value of a recurrence's "kernel", "recurrent" or "bias"; ``change`` of gates' axis, units."""

    def edit(model: ModelProto, node: NodeProto) -> bool:
        found = layers.recurrent_weights(model, node).get(what)
        return found is not None and _changed(model, node, found[0], change(*found[1:]))

    return in_node(layers.recurrent, edit)


def in_every_weight(change: Callable[[Array], Array]) -> Mutant:
    """A kind from another value of every float weight."""

    def edit(model: ModelProto) -> bool:
        moved = False
        for tensor in graph.float_weights(model):
            value = numpy_helper.to_array(tensor)
            changed = np.asarray(change(value), value.dtype)
            moved |= not np.array_equal(changed, value, equal_nan=True)
            tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))
        return moved

    return in_model(edit)


def in_every_kernel(change: Callable[[Array], Array]) -> Mutant:
    """A kind from another value of every kernel of a convolution or matrix product."""

    def edit(model: ModelProto) -> bool:
        changed = [_changed(model, node, 1, change) for node in places.kernels(model)]
        return any(changed)

    return in_model(edit)


def _changed(model: ModelProto, node: NodeProto, place: int, change: Callable[[Array], Array]) -> bool:
    value = graph.constant(model, node, place)
    if value is None or not value.size:
        return False
    changed = np.asarray(change(value), value.dtype)
    same_form = changed.shape == value.shape  # a kernel that is not square can't be turned
    if not same_form or np.array_equal(changed, value, equal_nan=value.dtype.kind == "f"):
        return False
    graph.set_constant(model, node, place, changed)
    return True
