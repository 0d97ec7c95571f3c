"""Which operations of a traced graph are a layer's call's own, and what passes into and out of them. In the child."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from bench.prepare.child.layer_calls import LayerCall, owners_of_operations, upstream

_PRODUCT = re.compile(r"(Batch)?MatMul|Sparse\w*MatMul|Einsum|XlaEinsum|XlaDot|XlaConv|Conv[23]D|DepthwiseConv")
_IDLE = ("Identity", "Placeholder")  # of the model itself: around its inputs and outputs
_GIVEN = ("Const", "ReadVariableOp")  # not computed
_NOTHING = (*_GIVEN, *_IDLE, "NoOp")

MODEL = ""  # the name of what is no layer's


class OwnOperations:
    """Operations by the name of the innermost call that made them, as far as an output depends on them."""

    def __init__(self, calls: Sequence[LayerCall], model: Any) -> None:
        graph = calls[0].tensor.graph if calls else None
        self._operations = graph.get_operations() if graph else []
        self._captured = {inner.name for _, inner in graph.captures} if graph else set()
        self._live = upstream(call.tensor for call in calls)
        self._name = {
            op.name: MODEL if place is None or calls[place].layer is model else calls[place].of
            for op, place in zip(self._operations, owners_of_operations(calls), strict=True)
        }

    @cached_property
    def _by_name(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = defaultdict(list)
        for op in self._operations:
            if any(tensor.name in self._live for tensor in op.outputs) and (name := self._owner(op)) is not None:
                found[name].append(op)
        return found

    def _owner(self, op: Any) -> str | None:
        name = self._name[op.name]
        return None if name == MODEL and op.type in _IDLE else name

    def computes(self, name: str) -> bool:
        """Whether a call does anything itself, beside what the calls within it do."""
        return any(op.type not in _NOTHING for op in self._by_name[name])

    def has_products(self, name: str) -> bool:
        """Whether a call itself sums products, in bodies of loops and branches too."""
        return any(_PRODUCT.match(kind) for op in self._by_name[name] for kind in self._kinds(op.node_def, set()))

    def reads(self, name: str) -> list[Any]:
        """Activations that a call's own operations take from others, each once."""
        inputs = {
            tensor.name: tensor
            for op in self._by_name[name]
            for tensor in op.inputs
            if self._owner(tensor.op) != name and tensor.name not in self._captured and _is_activation(tensor)
        }
        return list(inputs.values())

    def writes(self, name: str) -> list[Any]:
        """Activations that a call's own operations give to others."""
        return [
            tensor
            for op in self._by_name[name]
            for tensor in op.outputs
            if _is_activation(tensor) and any(self._owner(user) != name for user in tensor.consumers())
        ]

    def _kinds(self, node: Any, seen: set[str]) -> Iterator[str]:
        """The operation's type and those of all within the functions that it calls."""
        yield node.op
        for attribute in node.attr.values():
            for function in (attribute.func, *attribute.list.func):
                if function.name in self._functions and function.name not in seen:
                    seen.add(function.name)
                    for inner in self._functions[function.name].node_def:
                        yield from self._kinds(inner, seen)

    @cached_property
    def _functions(self) -> dict[str, Any]:
        library = self._operations[0].graph.as_graph_def().library.function if self._operations else ()
        return {function.signature.name: function for function in library}


def _is_activation(tensor: Any) -> bool:
    return bool(tensor.dtype.is_numpy_compatible and tensor.dtype != "string" and tensor.op.type not in _GIVEN)
