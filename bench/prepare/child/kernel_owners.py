"""Which layers' work a kernel does, by the names of nodes and tensors that its runtime tells. In the child.

All runtimes run what one trace of the model became. They keep its operations' names, within scopes and with endings of
their own: TensorFlow calls the trace as a function, LiteRT joins several names by ";", OpenVINO adds parts at the end.
What has lost its name is found by what lies around it, or it has no owner: never one that is only likely.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from bench.prepare.child.layer_calls import LayerCall, earlier_calls, record_calls
from bench.prepare.child.marked_run import MarkedFile
from bench.prepare.child.named import NamedModel, trace
from bench.prepare.child.named_nodes import NamedNodes
from bench.prepare.child.node_owners import Resolve, by_operations, one_reading
from bench.records import LayerCost

Origins = Sequence[Sequence[str]]
_OUTPUT = re.compile(r"(?:Stateful)?PartitionedCall(?:_\d+)?:(\d+)")  # of the traced function, by their sorted names
_FUSED = ("Relu", "Relu6", "Tanh", "Minimum", "Maximum", "AddV2", "Add", "Sub", "Mul", "BiasAdd")  # into what is before


def layers_of_kernels(
    named: NamedModel, costs: Sequence[LayerCost], origins: Origins, path: Path | None
) -> tuple[tuple[int, ...], ...]:
    """For each kernel's origins the places in ``costs`` of the layers whose work it does; () where nothing tells.

    ``path``: the ONNX file, where there is one. The model is traced once more, its axes free as in ``named``: as it was
    converted, so that names are the same.
    """
    recording = record_calls(named)
    trace(recording.named).get_concrete_function()
    model = named.keras_model
    by_name = {cost.name: place for place, cost in enumerate(costs)}
    places = [by_name.get(getattr(model, "name", "") if call.layer is model else call.of) for call in recording.calls]
    summing = {p for p, place in enumerate(places) if place is not None and costs[place].multiply_adds != 0}
    outputs = [recording.outputs.get(name) for name in sorted(named.output_paths)]
    owners = KernelOwners(recording.calls, summing, outputs, origins, MarkedFile(path) if path else None)
    found = [owners.of(names) for names in origins]
    return tuple(tuple(sorted({place for call in own if (place := places[call]) is not None})) for own in found)


class KernelOwners:
    """Places among ``calls``; ``summing`` are those of layers that sum products, ``outputs`` those of the outputs.

    ``origins``: all names of all kernels. A layer that sums products owns a kernel that does more only
    by its name or by its weights, never by where it stands.
    """

    def __init__(
        self,
        calls: Sequence[LayerCall],
        summing: Collection[int],
        outputs: Sequence[int | None],
        origins: Origins,
        file: MarkedFile | None,
    ) -> None:
        self._calls, self._summing, self._outputs = calls, set(summing), outputs
        self._before = earlier_calls(list(calls))
        self._resolve = _resolver(calls, {part for kernel in origins for name in kernel for part in _parts(name)})
        self._file = NamedNodes(calls, file) if file else None

    def of(self, names: Sequence[str]) -> set[int]:
        """The calls whose work a kernel does.

        What only moves numbers is nobody's work where it is one with what computes: it is done in passing.
        """
        if self._file is None:
            return self._filled(self._named(names))
        computing, nodes = [name for name in names if not self._file.arranges(name)], self._file.of(names)
        named = self._named(computing) or self._named(names)
        held = self._by_weights(nodes, named or self._file.readers(nodes))
        return self._filled(named | held or self._file.by_place(nodes))

    def _named(self, names: Sequence[str]) -> set[int]:
        put_in = self._file.is_put_in if self._file else lambda _: False
        return set().union(*(self._joined(name) for name in names if not put_in(name)))

    def _joined(self, name: str) -> set[int]:
        """The calls of one name; of one that LiteRT joined of several, those that can be one kernel.

        Equal constants are one in its file, under the name of one of the layers that hold them: maybe another's.
        """
        if (output := _OUTPUT.fullmatch(name)) is not None:
            return self._of_output(int(output[1]))
        own = dict.fromkeys(call for part in _parts(name) if (call := self._resolve(part)) is not None)
        return max((self._ending(call, set(own)) for call in own), key=len, default=set())

    def _of_output(self, number: int) -> set[int]:
        """The call that gives an output; none where another call's kernel may end with it."""
        call = self._outputs[number] if number < len(self._outputs) else None
        if call is None or (call not in self._summing and self._calls[call].tensor.op.type in _FUSED):
            return set()
        return {call}

    def _ending(self, end: int, own: Collection[int]) -> set[int]:
        """Those of ``own`` that lead to one of them: with lost names in between up to a sum, before it only at once."""
        found, waiting = {end}, [(end, end in self._summing)]
        while waiting:
            place, is_summed = waiting.pop()
            for earlier in set(self._before[place]) - found:
                is_sum = earlier in self._summing
                if earlier in own or not (is_summed or is_sum):
                    found.add(earlier)
                    waiting.append((earlier, is_summed or is_sum))
        return found.intersection(own)

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


def _resolver(calls: Sequence[LayerCall], names: Collection[str]) -> Resolve:
    """By the trace's own names; what they say nothing of, by layers' names: a file of another trace has its own."""
    exact = by_operations(calls)
    foreign = sorted(name for name in names if "/" in name and exact(name) is None)
    other = one_reading(calls, foreign)

    def resolve(name: str) -> int | None:
        place = exact(name)
        return other(name) if place is None and "/" in name else place

    return resolve


def _parts(name: str) -> Iterator[str]:
    """The names that LiteRT made one of."""
    yield from name.split(";")
