"""Which layer's call a node of a converted file belongs to, by the names that the converter kept. In the child.

Names of nodes are those of TensorFlow's operations, so a trace of the model tells exactly whose they are; weights are
called after the operation that reads them first. A file that somebody else exported has other scopes: there the
layers' own names are looked for in them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence

from bench.prepare.child.layer_calls import LayerCall, owners_of_operations
from bench.prepare.child.marked_run import MarkedFile, reads

_COUNTER = re.compile(r"(?:__\d+)+$")
_NUMBER = re.compile(r"_\d+$")
_SUFFIXES = ("", "_1", "_2", "_3")  # TensorFlow numbers a layer's name again in each trace
Resolve = Callable[[str], int | None]


class Owners:
    """Calls by node and tensor of the file; places are those of ``calls``."""

    def __init__(self, calls: Sequence[LayerCall], file: MarkedFile) -> None:
        self._calls, self._file = calls, file
        named = [name for node in file.nodes for name in (node.name, *node.output)]
        resolve = best_resolver(calls, named + sorted(file.initializers))
        self.by_name = [_owners(resolve, (node.name, *node.output)) for node in file.nodes]
        weights = {name: resolve(name) for name in file.initializers}
        self.by_weight = self._of_weights({name: place for name, place in weights.items() if place is not None})
        named = [names | weights for names, weights in zip(self.by_name, self.by_weight, strict=True)]
        self._named = self._tensors(named)
        self._within = self._kept_within(named)
        self._all = self._tensors(self._inherited(named))

    def named(self, place: int) -> list[str]:
        """Tensors of nodes that bear a call's name or hold its weights, in the graph's order."""
        return self._named[place]

    def tensors_of(self, place: int) -> list[str]:
        """Those and the tensors of nodes without a name that go on with them."""
        return self._all[place]

    def kept_within(self, place: int) -> set[str]:
        """Tensors of a call's own nodes that nobody else's node reads and no output is: none of them is its result."""
        return self._within[place]

    def _kept_within(self, named: Sequence[set[int]]) -> list[set[str]]:
        """Nothing for a layer of several calls: the names of its nodes do not tell which call is whose."""
        counts = Counter(id(call.layer) for call in self._calls)
        leaving = {value.name for value in self._file.proto.graph.output}
        maker = self._file.maker
        for node, places in zip(self._file.nodes, named, strict=True):
            leaving.update(
                name for name in reads(node) if name in maker and (named[maker[name]] != places or not places)
            )
        found: list[set[str]] = [set() for _ in self._calls]
        for node, places in zip(self._file.nodes, named, strict=True):
            for place in places if len(places) == 1 else ():
                if counts[id(self._calls[place].layer)] == 1:
                    found[place].update(name for name in node.output if name and name not in leaving)
        return found

    def _tensors(self, owners: Sequence[set[int]]) -> list[list[str]]:
        found: list[list[str]] = [[] for _ in self._calls]
        for node, places in zip(self._file.nodes, owners, strict=True):
            for place in places:
                found[place] += [name for name in node.output if name]
        return found

    def weights_of(self, tensor: str) -> set[int]:
        """Calls whose weights the node reads that makes a tensor."""
        return self.by_weight[self._file.maker[tensor]]

    def _of_weights(self, owner: dict[str, int]) -> list[set[int]]:
        """For each node the calls of the layers whose weights it reads: all of a layer that is called again."""
        by_layer: dict[int, set[int]] = defaultdict(set)
        for place, call in enumerate(self._calls):
            by_layer[id(call.layer)].add(place)
        return [
            set().union(*(by_layer[id(self._calls[owner[name]].layer)] for name in node.input if name in owner))
            for node in self._file.nodes
        ]

    def _inherited(self, named: Sequence[set[int]]) -> list[set[int]]:
        """A node without a layer's name goes on with what those did that it reads from."""
        owners: list[set[int]] = []
        for node, own in zip(self._file.nodes, named, strict=True):
            makers = [maker for name in node.input if (maker := self._file.maker.get(name, len(owners))) < len(owners)]
            owners.append(own or set().union(*(owners[maker] for maker in makers)))
        return owners


def _owners(resolve: Resolve, names: Sequence[str]) -> set[int]:
    return {place for name in names if (place := resolve(name)) is not None}


def best_resolver(calls: Sequence[LayerCall], names: Sequence[str]) -> Resolve:
    """The reading of a file's names that finds most calls; the exact one where it does as well as any."""
    readings = [by_operations(calls), *(_by_layer_names(calls, suffix) for suffix in _SUFFIXES)]
    return max(readings, key=lambda resolve: len(_owners(resolve, names)))


def by_operations(calls: Sequence[LayerCall]) -> Resolve:
    """By the operations of the trace: exact for what was made from one like it, under scopes of others too."""
    operations = [op.name for op in calls[0].tensor.graph.get_operations()] if calls else []
    exact: dict[str, int | None] = dict(zip(operations, owners_of_operations(calls), strict=True))
    spans = _spans(operations)

    outermost = {name.partition("/")[0] for name in operations if "/" in name}

    def resolve(name: str) -> int | None:
        for scope in _scopes(_within(name, outermost)):
            if scope in exact:
                return exact[scope]
            if scope in spans:
                return _smallest(calls, *spans[scope])
        return None

    return resolve


def _within(name: str, outermost: Collection[str]) -> str:
    """``StatefulPartitionedCall/net/dense/MatMul`` -> net/dense/MatMul, where net is an outermost scope."""
    parts = name.split("/")
    first = next((place for place, part in enumerate(parts[:-1]) if part in outermost), 0)
    return "/".join(parts[first:])


def _spans(operations: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Scope -> its first and last operation."""
    spans: dict[str, tuple[int, int]] = {}
    for index, name in enumerate(operations):
        parts = name.split("/")[:-1]
        for length in range(1, len(parts) + 1):
            scope = "/".join(parts[:length])
            spans[scope] = (spans.get(scope, (index, index))[0], index)
    return spans


def _smallest(calls: Sequence[LayerCall], first: int, last: int) -> int | None:
    """The innermost call that made all of a span of operations."""
    return next((p for p, c in enumerate(calls) if c.operations[0] <= first and last < c.operations[1]), None)


def _scopes(name: str) -> Iterator[str]:
    """``a/b/c__3:0`` -> a/b/c__3, a/b/c, a/b, a."""
    plain = name.partition(":")[0]
    if _COUNTER.search(plain):
        yield plain
        plain = _COUNTER.sub("", plain)
    parts = plain.split("/")
    for length in range(len(parts), 0, -1):
        yield "/".join(parts[:length])


def one_reading(calls: Sequence[LayerCall], names: Sequence[str]) -> Resolve:
    """The reading of names of another trace, by layers' names alone, that finds most calls; nothing where two do."""
    readings = [_by_layer_names(calls, suffix, has_any_number=False) for suffix in _SUFFIXES]
    found = [len(_owners(resolve, names)) for resolve in readings]
    return readings[found.index(max(found))] if found.count(max(found)) == 1 else lambda _: None


def _by_layer_names(calls: Sequence[LayerCall], suffix: str, *, has_any_number: bool = True) -> Resolve:
    """By layers' own names with a suffix, or with any number where none has it; innermost first."""
    known: dict[str, list[int]] = defaultdict(list)
    plain: dict[str, list[int]] = defaultdict(list)
    for place, call in enumerate(calls):
        known[f"{call.layer.name}{suffix}"].append(place)
        plain[call.layer.name].append(place)

    def resolve(name: str) -> int | None:
        parts = _COUNTER.sub("", name.partition(":")[0]).split("/")
        for depth in range(len(parts) - 1, -1, -1):
            places = known.get(parts[depth])
            if not places and has_any_number:
                places = plain.get(_NUMBER.sub("", parts[depth]))
            if places:
                return _most_alike(calls, places, parts[:depth])
        return None

    return resolve


def _most_alike(calls: Sequence[LayerCall], places: Sequence[int], outer: Sequence[str]) -> int:
    """Of calls of one name the one whose outer layers are in the scope."""
    scope = "/".join(outer)
    return max(places, key=lambda place: (sum(p in scope for p in calls[place].name.split("/")[:-1]), -place))
