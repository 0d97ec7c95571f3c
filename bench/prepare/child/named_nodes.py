"""Nodes of a converted file beside the operations of the trace that it was made from. In the child.

A converter names some nodes anew: what they do is an operation between those that the nodes around them are named
after. Changes of layout that it put in bear the name of a neighbour and do the work of no operation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from bench.prepare.child.layer_calls import LayerCall, owners_of_operations
from bench.prepare.child.layer_products import has_weights
from bench.prepare.child.marked_run import MarkedFile, reads
from bench.prepare.child.node_owners import Owners

_LAYOUT = ("Transpose", "Reshape")  # alike in ONNX and in TensorFlow
_TURNING = ("Transpose", "Einsum")  # operations that a change of layout may be a part of
ARRANGING = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Cast", "Identity")  # compute nothing of a layer's own


class NamedNodes:
    """Places are those of ``calls``; a node is its place in the file."""

    def __init__(self, calls: Sequence[LayerCall], file: MarkedFile) -> None:
        self._file, self._by_weight = file, Owners(calls, file).by_weight
        self._weighted = {place for place, call in enumerate(calls) if has_weights(call.layer)}
        self._operations = _Operations(calls)
        self._nodes: dict[str, list[int]] = defaultdict(list)  # by name, and by output
        self._users: dict[str, list[int]] = defaultdict(list)
        for place, node in enumerate(file.nodes):
            for name in {node.name, *node.output} - {""}:
                self._nodes[name].append(place)
            for name in reads(node):
                self._users[name].append(place)

    def of(self, names: Sequence[str]) -> set[int]:
        """Nodes that some names are of."""
        return {place for name in names for place in self._nodes.get(name, ())}

    def is_put_in(self, name: str) -> bool:
        """Whether a name is of a change of layout that the converter put in."""
        nodes = self.of([name])
        return bool(nodes) and all(self._is_put_in(self._file.nodes[place]) for place in nodes)

    def arranges(self, name: str) -> bool:
        """Whether a name is of a node that only moves numbers, or changes their type."""
        nodes = self.of([name])
        return bool(nodes) and all(self._file.nodes[place].op_type in ARRANGING for place in nodes)

    def by_weights(self, nodes: Collection[int]) -> set[int]:
        """Calls of the layers whose weights some nodes hold."""
        return self._weighted.intersection(set().union(*(self._by_weight[node] for node in nodes)))

    def readers(self, nodes: Collection[int]) -> set[int]:
        """Calls whose operations the nearest nodes with a name are that read from some nodes."""
        return self._operations.owners(self._nearest(nodes, self._after))

    def by_place(self, nodes: Collection[int]) -> set[int]:
        """The one call that makes all operations between those that the nearest nodes with a name are; none of several.

        They come after all that the nodes are computed from, and before all that is computed from these.
        """
        before, after = self._nearest(nodes, self._before), self._nearest(nodes, self._after)
        between = self._operations.between(before, after)
        is_layout = all(self._file.nodes[node].op_type in _LAYOUT for node in nodes)
        if is_layout and not self._operations.has_any(between, _TURNING):
            return set()
        owners = self._operations.owners(between)
        return owners if len(owners) == 1 else set()

    def _is_put_in(self, node: Any) -> bool:
        return node.op_type in _LAYOUT and self._operations.type(node.name) != node.op_type

    def _nearest(self, nodes: Collection[int], beside: Callable[[int], Iterable[int]]) -> set[int]:
        """Operations that the nearest nodes beside some are named after."""
        found, seen, waiting = set[int](), set(nodes), list(nodes)
        while waiting:
            for place in set(beside(waiting.pop())) - seen:
                seen.add(place)
                node = self._file.nodes[place]
                named = set() if self._is_put_in(node) else self._operations.named([node.name, *node.output])
                found |= named
                waiting += [] if named else [place]
        return found

    def _before(self, node: int) -> Iterator[int]:
        maker = self._file.maker
        return (maker[name] for name in reads(self._file.nodes[node]) if name in maker)

    def _after(self, node: int) -> Iterator[int]:
        return (user for name in self._file.nodes[node].output for user in self._users.get(name, ()))


class _Operations:
    """The operations of a trace, by their places; an operation comes after those that it takes from."""

    def __init__(self, calls: Sequence[LayerCall]) -> None:
        self._all = calls[0].tensor.graph.get_operations() if calls else []
        self._place = {op.name: place for place, op in enumerate(self._all)}
        self._owner = owners_of_operations(calls)

    def named(self, names: Iterable[str]) -> set[int]:
        plain = (name.partition(":")[0] for name in names)
        return {self._place[name] for name in plain if name in self._place}

    def type(self, name: str) -> str | None:
        return self._all[self._place[name]].type if name in self._place else None

    def owners(self, operations: Iterable[int]) -> set[int]:
        return {owner for place in operations if (owner := self._owner[place]) is not None}

    def has_any(self, operations: Iterable[int], types: Collection[str]) -> bool:
        return any(self._all[place].type in types for place in operations)

    def between(self, before: Collection[int], after: Collection[int]) -> set[int]:
        """Those that take from all of ``before`` and give to all of ``after``; none without both."""
        if not before or not after:
            return set()
        takes = set.intersection(*(self._taking({one}) - {one} for one in before))
        gives = set.intersection(*(self._giving({one}) - {one} for one in after))
        return takes & gives

    def _taking(self, found: set[int]) -> set[int]:
        for place in range(min(found), len(self._all)):
            if any(self._place[tensor.op.name] in found for tensor in self._all[place].inputs):
                found.add(place)
        return found

    def _giving(self, found: set[int]) -> set[int]:
        waiting = list(found)
        while waiting:
            inputs = {self._place[tensor.op.name] for tensor in self._all[waiting.pop()].inputs} - found
            found |= inputs
            waiting += inputs
        return found
