"""Which layers' work a kernel does, by the names of nodes and tensors that its runtime tells. In the child.

All runtimes run what one trace of the model became. They keep its operations' names, within scopes and with endings of
their own: TensorFlow calls the trace as a function, LiteRT joins several names by ";", OpenVINO adds parts at the end.
What has lost its name is found by what lies around it, or it has no owner: never one that is only likely.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from bench.prepare.child.layer_calls import LayerCall, earlier_calls, record_calls
from bench.prepare.child.layer_steps import has_weights
from bench.prepare.child.marked_run import MarkedFile, reads
from bench.prepare.child.named import NamedModel, trace
from bench.prepare.child.node_owners import Owners, Resolve, best_resolver, by_operations
from bench.records import LayerCost

Origins = Sequence[Sequence[str]]


def layers_of_kernels(
    named: NamedModel, costs: Sequence[LayerCost], origins: Origins, path: Path | None
) -> tuple[tuple[int, ...], ...]:
    """For each kernel's origins the places in ``costs`` of the layers whose work it does; () where nothing tells.

    ``path``: the ONNX file, where there is one. The model is traced once more, its axes free as in ``named``: as it was
    converted, so that names are the same.
    """
    recording = record_calls(named)
    trace(recording.named).get_concrete_function()
    by_name = {cost.name: place for place, cost in enumerate(costs)}
    places = [by_name.get(call.of) for call in recording.calls]
    summing = {p for p, place in enumerate(places) if place is not None and costs[place].multiply_adds != 0}
    owners = KernelOwners(recording.calls, summing, origins, MarkedFile(path) if path else None)
    found = [owners.of(names) for names in origins]
    return tuple(tuple(sorted({place for call in own if (place := places[call]) is not None})) for own in found)


class KernelOwners:
    """Places among ``calls``; ``summing`` are those of layers that sum products, ``origins`` all names of all kernels.

    A layer that sums products owns a kernel only by its name or by its weights, never by where it stands.
    """

    def __init__(
        self, calls: Sequence[LayerCall], summing: Collection[int], origins: Origins, file: MarkedFile | None
    ) -> None:
        self._calls, self._summing = calls, set(summing)
        self._before = earlier_calls(list(calls))
        self._resolve = _resolver(calls, {part for kernel in origins for name in kernel for part in _parts(name)})
        self._file = _File(calls, file) if file else None

    def of(self, names: Sequence[str]) -> set[int]:
        """The calls whose work a kernel does."""
        named = {call for name in names for part in _parts(name) if (call := self._call(part)) is not None}
        if self._file is None:
            return self._filled(named)
        nodes = self._file.nodes(names)
        if not named:
            before, after = self._file.around(nodes)
            named = before & after if len(before | after) == 1 else set()
            return self._filled(named or self._by_weights(nodes, after))
        return self._filled(named | self._by_weights(nodes, named))

    def _call(self, name: str) -> int | None:
        return None if self._file and self._file.is_put_in(name) else self._resolve(name)

    def _filled(self, own: set[int]) -> set[int]:
        """With what lies between two of them: a batch norm whose name is lost between convolution and activation."""
        return own | (self._between(own) - self._summing)

    def _between(self, own: Collection[int]) -> set[int]:
        after = set(own)
        for place in range(min(own, default=0), max(own, default=-1) + 1):
            if any(earlier in after for earlier in self._before[place]):
                after.add(place)
        return self._back(own, after)

    def _by_weights(self, nodes: Collection[int], anchors: Collection[int]) -> set[int]:
        """Layers whose weights the nodes hold, by that call of each that leads to an anchor with no sum in between."""
        assert self._file is not None
        starts = set(anchors) - self._summing
        near = starts | self._back(starts, set(range(len(self._calls))) - self._summing)
        near |= {earlier for place in near for earlier in self._before[place]}
        found = self._file.by_weights(nodes) & near
        layers = [id(self._calls[place].layer) for place in found]
        return {place for place in found if layers.count(id(self._calls[place].layer)) == 1}

    def _back(self, starts: Collection[int], among: Collection[int]) -> set[int]:
        """Calls that some are computed from, by ways that lie within ``among``."""
        found, waiting = set[int](), list(starts)
        while waiting:
            earlier = [place for place in self._before[waiting.pop()] if place in among and place not in found]
            found.update(earlier)
            waiting += earlier
        return found


class _File:
    """What the ONNX file tells beside names."""

    def __init__(self, calls: Sequence[LayerCall], file: MarkedFile) -> None:
        self._file, self._owners = file, Owners(calls, file)
        self._weighted = {place for place, call in enumerate(calls) if has_weights(call.layer)}
        operations = calls[0].tensor.graph.get_operations() if calls else []
        self._own = {op.name for op in operations if op.type == "Transpose"}
        self._by_name: dict[str, list[int]] = defaultdict(list)
        for place, node in enumerate(file.nodes):
            for name in {node.name, *node.output} - {""}:
                self._by_name[name].append(place)
        self._users: dict[str, list[int]] = defaultdict(list)
        for place, node in enumerate(file.nodes):
            for name in reads(node):
                self._users[name].append(place)

    def nodes(self, names: Sequence[str]) -> set[int]:
        """Places of nodes by their names or outputs."""
        return {place for name in names for place in self._by_name.get(name, ())}

    def is_put_in(self, name: str) -> bool:
        """Whether a name is of a change of layout that the converter put in: it is called after a neighbour."""
        places = self._by_name.get(name, ())
        return bool(places) and all(self._changes_layout(place) for place in places)

    def by_weights(self, nodes: Collection[int]) -> set[int]:
        """Calls of the layers whose weights the nodes hold."""
        return self._weighted.intersection(*[set().union(*(self._owners.by_weight[node] for node in nodes))])

    def around(self, nodes: Collection[int]) -> tuple[set[int], set[int]]:
        """Calls of the nearest named nodes that some nodes are computed from, and of those that read from them."""
        return self._nearest(nodes, self._makers), self._nearest(nodes, self._readers)

    def _changes_layout(self, place: int) -> bool:
        node = self._file.nodes[place]
        return node.op_type == "Transpose" and node.name not in self._own

    def _nearest(self, nodes: Collection[int], beside: Callable[[int], Iterable[int]]) -> set[int]:
        found, seen, waiting = set[int](), set(nodes), list(nodes)
        while waiting:
            for place in set(beside(waiting.pop())) - seen:
                seen.add(place)
                named = set() if self._changes_layout(place) else self._owners.by_name[place]
                found |= named
                waiting += [] if named else [place]
        return found

    def _makers(self, place: int) -> Iterator[int]:
        maker = self._file.maker
        return (maker[name] for name in reads(self._file.nodes[place]) if name in maker)

    def _readers(self, place: int) -> Iterator[int]:
        return (user for name in self._file.nodes[place].output for user in self._users.get(name, ()))


def _resolver(calls: Sequence[LayerCall], names: Collection[str]) -> Resolve:
    """By the trace's own names; what they say nothing of, by the reading that finds most: another file has its own."""
    exact = by_operations(calls)
    foreign = sorted(name for name in names if "/" in name and exact(name) is None)
    other = best_resolver(calls, foreign)

    def resolve(name: str) -> int | None:
        place = exact(name)
        return other(name) if place is None and "/" in name else place

    return resolve


def _parts(name: str) -> Iterator[str]:
    """The names that LiteRT made one of."""
    yield from name.split(";")
