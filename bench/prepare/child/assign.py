"""Which tensor of the file is which call's result: by value where one is equal, by name where none is. In the child.

In a file with one faulty layer all before it is found by value. The faulty layer and what follows is found by the names
that the converter kept, unless something that is computed from it is right: then it was fused away and is right too.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.prepare import steps
from bench.prepare.child.layer_calls import LayerCall
from bench.prepare.child.marked_run import MarkedFile
from bench.prepare.child.named_nodes import ARRANGING
from bench.prepare.child.node_owners import Owners
from bench.prepare.child.tensor_match import Match, Sought, Tensors

_EQUAL = 1e-3  # of the spread: a tensor so near is the layer's, whether or not it is near enough to be right
_NEAR = 0.3  # of the spread: so far a tensor may be off and still be known by its values


class Assignment:
    """The tensor of each call, ``found``; and how each was found."""

    def __init__(
        self,
        calls: Sequence[LayerCall],
        earlier: Sequence[tuple[int, ...]],
        sought: Sequence[Sought],
        yardsticks: Sequence[float | None],
        tensors: Tensors,
        file: MarkedFile,
    ) -> None:
        self.calls, self.earlier, self.sought = calls, earlier, sought
        self.tensors, self.file = tensors, file
        self.owners = Owners(calls, file)
        self.owned = [self.owners.tensors_of(place) for place in range(len(calls))]
        self.found: list[Match | None] = [None] * len(calls)
        self._by_name: dict[str, int] = {}  # tensor -> the call that has it by its name alone
        self._tolerances = [max(steps.tolerance(yardstick), _EQUAL) for yardstick in yardsticks]
        self._by_value()
        self._by_names()

    def _by_value(self) -> None:
        for place, sought in enumerate(self.sought):
            if self._passes_on(place):
                self.found[place] = self.found[self.earlier[place][0]]
                continue
            within = self._within(place)
            equal = [one for one in self.tensors.equal(sought, self._tolerances[place]) if one.tensor not in within]
            own = set(self.owned[place])
            self.found[place] = next((match for match in equal if match.tensor in own), equal[0] if equal else None)

    def _by_names(self) -> None:
        """Calls without an equal tensor, in their order; what right calls are computed from is vouched for."""
        taken = {match.tensor for match in self.found if match}
        vouched = self._vouched()
        for place in range(len(self.calls)):
            if self.found[place] is not None:
                continue
            if self._passes_on(place):
                self.found[place] = self.found[self.earlier[place][0]]
                continue
            match = self._named(place, taken, is_vouched=place in vouched)
            if match is None:
                continue
            if match.tensor in self._by_name:  # folded: the later call's result is what the tensor holds
                self.found[self._by_name[match.tensor]] = None
            self._by_name[match.tensor] = place
            self.found[place] = match

    def _named(self, place: int, taken: set[str], *, is_vouched: bool) -> Match | None:
        others = {tensor for tensor, by in self._by_name.items() if by not in self.earlier[place]}
        sized = set(self.tensors.sized(self.sought[place])) - taken - others - self._within(place)
        names = self.owners.named(place) if is_vouched else self.owned[place]
        own = [self.tensors.best(name, self.sought[place]) for name in self._computed(place, names) if name in sized]
        if own:
            nearest = min(own, key=lambda match: match.error)
            if nearest.error < _NEAR:
                return nearest
            return None if is_vouched or _is_backwards(self.calls[place]) else self._last_of_first(place, own)
        if is_vouched or self.owned[place]:
            return None
        return self._folded(place, sized) or self._reached(place, sized) or self._nameless(place, sized)

    def _within(self, place: int) -> set[str]:
        """Tensors that stay within the call's own nodes, where another of its result's size leaves them.

        What a faulty layer still computes rightly on its way is not what it gives.
        """
        within = self.owners.kept_within(place)
        leaving = set(self.owners.named(place)) - within
        return within if leaving.intersection(self.tensors.sized(self.sought[place])) else set()

    def _last_of_first(self, place: int, own: Sequence[Match]) -> Match:
        """The last tensor of a call's nodes; of the nodes of several calls of a layer, of those that come first."""
        first = next((match for match in own if len(self.owners.weights_of(match.tensor)) > 1), None)
        if first is None:
            return own[-1]
        call = self._one_call(place, first.tensor)
        return [match for match in own if match.tensor in call][-1]

    def _one_call(self, place: int, first: str) -> set[str]:
        """Tensors of a layer from one on, up to where another layer reads them or its weights are read once more."""
        call, read = {first}, self._weights_read(first)
        owned = self.owned[place]
        for tensor in owned[owned.index(first) + 1 :]:
            weights = self._weights_read(tensor)
            if not weights & read and call.intersection(self.file.parents(tensor)):
                call.add(tensor)
                read |= weights
        return call

    def _weights_read(self, tensor: str) -> set[str]:
        """Weights of a layer that the node reads which makes a tensor."""
        return self.file.initializers.intersection(self.file.parents(tensor) if self.owners.weights_of(tensor) else ())

    def _computed(self, place: int, names: Sequence[str]) -> Sequence[str]:
        """Those tensors that are computed from what the calls before gave, where some are: not another call's."""
        after = self._after(self._starts(place))
        return [name for name in names if name in after] or names

    def _starts(self, place: int) -> set[str]:
        """Tensors of the nearest calls before that are known by more than their names."""
        starts, seen, waiting = set[str](), set[int](), list(self.earlier[place])
        while waiting:
            before = waiting.pop()
            match = self.found[before]
            if match is not None and match.tensor not in self._by_name:
                starts.add(match.tensor)
            elif before not in seen:
                seen.add(before)
                waiting += self.earlier[before]
        return starts

    def _folded(self, place: int, sized: set[str]) -> Match | None:
        """The tensor of the one call before, known by name, for a call that has no node: a folded batch norm."""
        before = self.earlier[place]
        tensor = next((name for name, by in self._by_name.items() if (by,) == before), None)
        return self.tensors.best(tensor, self.sought[place]) if tensor in sized and tensor is not None else None

    def _reached(self, place: int, sized: set[str]) -> Match | None:
        """The nearest tensor that is computed from what the calls before gave."""
        reached = self._after(self._starts(place))
        matches = [self.tensors.best(name, self.sought[place]) for name in sized if name in reached]
        nearest = min(matches, key=lambda match: match.error, default=None)
        return nearest if nearest and nearest.error < _NEAR else None

    def _nameless(self, place: int, sized: set[str]) -> Match | None:
        """The first tensor that is computed from what the calls before gave by a node that no layer's name is on.

        TensorFlow's own optimiser renames some nodes: a Resizing whose result is far off is then known by nothing else.
        """
        named = {name for call in range(len(self.calls)) for name in self.owners.named(call)}
        reached = self._after(self._starts(place))
        nodes = (node for node in self.file.nodes if node.op_type not in ARRANGING)
        free = (name for node in nodes for name in node.output if name in sized and name in reached - named)
        first = next(free, None)
        return self.tensors.best(first, self.sought[place]) if first else None

    def _after(self, starts: set[str]) -> set[str]:
        """All tensors that are computed from some; all of the graph where there are none."""
        after = set(starts)
        for node in self.file.nodes:
            if not starts or any(name in after for name in node.input):
                after.update(node.output)
        return after - starts

    def _vouched(self) -> set[int]:
        """Calls that a call with an equal tensor is computed from."""
        seen: set[int] = set()
        waiting = [place for place, match in enumerate(self.found) if match]
        while waiting:
            for before in self.earlier[waiting.pop()]:
                if before not in seen:
                    seen.add(before)
                    waiting.append(before)
        return seen

    def _passes_on(self, place: int) -> bool:
        """Whether a call gives an earlier call's own tensor: dropout, the outer layer of a nested model."""
        before = self.earlier[place]
        return len(before) == 1 and self.calls[before[0]].tensor is self.calls[place].tensor


def _is_backwards(call: LayerCall) -> bool:
    """Whether a layer gives its steps of time in the other order than the file, where they are turned at once."""
    return bool(getattr(call.layer, "go_backwards", False))
