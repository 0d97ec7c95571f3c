"""Whose work the nodes of an optimised graph do: names of nodes and tensors of the file that it was made from. Pure.

ONNX Runtime names fused nodes anew, but the tensor that a node ends with keeps its name, or the node is named after
it. So a node does the work of all nodes of the file that lie between the tensors that it takes and those it gives.
A Transpose that a change of layout has taken in is that change's work; where nothing tells whose work a node does, its
neighbours say where it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from bench.runtimes.onnx_fused import constants
from bench.runtimes.onnx_graph import Graph, Node

# What an optimiser puts in by itself; a file may have some of them, too.
_PUT_IN = {"ReorderInput", "ReorderOutput", "MemcpyFromHost", "MemcpyToHost", "Cast", "Transpose"}
_COPY = re.compile(r"_token_\d+$")  # what makes the name of a node's copy, as in another layout, one of its own
_BLOCKED = re.compile(r"(.+)_nchwc")  # a node of a blocked layout, after the tensor that it ends with
_CAST = "InsertedPrecisionFreeCast_"
Between = tuple[tuple[str, ...], tuple[str, ...]]


class Origins:
    """By node of ``optimised``, the names of what it does in ``file``; none for what was put in.

    ``of`` is in the order of the graph's own ``nodes``; ``by_name`` has those of bodies too, where a name is of one.
    ``between``: as ``of``, those of the nearest nodes of some before and after each.
    """

    def __init__(self, file: Graph, optimised: Graph) -> None:
        nodes = list(file.all_nodes())
        self._nodes = {node.name: node for node in nodes if node.name}
        self._producers = {output: node for node in nodes for output in node.outputs if output}
        self._constant = constants(file)
        self._users = Counter(name for node in nodes for name in node.inputs)
        self._absorbed = _absorbed(file, optimised)
        self._file_of = {name: name for name in self._tensors(nodes)}  # a tensor of either graph -> that of the file
        self.nodes = optimised.nodes
        told = [(node, self._of(node)) for node in optimised.all_nodes()]
        in_order = {id(node): names for node, names in told}
        self.of = [in_order[id(node)] for node in optimised.nodes]
        self.by_name = _once((node.name, names) for node, names in told)
        self.between = _neighbours(self.nodes, self.of)

    def _tensors(self, nodes: Sequence[Node]) -> Iterator[str]:
        for node in nodes:
            yield from (name for name in (*node.inputs, *node.outputs) if name)

    def _of(self, node: Node) -> tuple[str, ...]:
        if taken_in := self._absorbed.get(node.outputs):
            self._file_of |= dict.fromkeys(node.outputs, taken_in[-1].outputs[0])
            return tuple(dict.fromkeys(name for one in taken_in for name in (*one.outputs, one.name) if name))
        if self._is_put_in(node):
            taken = [self._file_of[name] for name in node.inputs[:1] if name in self._file_of]
            self._file_of |= {name: taken[0] for name in node.outputs[:1] if taken and name not in self._file_of}
            return ()
        ends = list(self._ends(node))
        named = self._nodes.get(_COPY.sub("", node.name))
        work = [named] if named else []
        if ends:
            work += self._between(ends, {self._file_of[name] for name in node.inputs if name in self._file_of})
        names = [name for one in work for name in (one.name, *one.outputs, *self._own_constants(one)) if name]
        return tuple(dict.fromkeys([*ends, *names]))

    def _is_put_in(self, node: Node) -> bool:
        """A change of layout, place or type that no node of the file asks for."""
        if node.operator not in _PUT_IN or node.name in self._nodes:
            return False
        made = [self._producers[name].operator for name in node.outputs if name in self._producers]
        return node.operator not in made

    def _ends(self, node: Node) -> Iterator[str]:
        """The file's names of what the node gives; learnt for those that take it."""
        same = self._nodes.get(_COPY.sub("", node.name))  # in another layout a node keeps its name, not its tensors'
        for i, output in enumerate(node.outputs):
            blocked = _BLOCKED.fullmatch(_COPY.sub("", node.name)) if i == 0 else None
            named = [blocked[1]] if blocked else []
            if same is not None and same.operator == node.operator and i < len(same.outputs):
                named.append(same.outputs[i])
            for name in (output, *named, output.removeprefix(_CAST)):
                if name in self._producers:
                    self._file_of[output] = name
                    yield name
                    break

    def _own_constants(self, node: Node) -> list[str]:
        """Weights that no other node takes: a converter that merges nodes may leave the layer's name only there."""
        return [name for name in node.inputs if name in self._constant and self._users[name] == 1]

    def _between(self, ends: Sequence[str], begins: set[str]) -> list[Node]:
        """From the ends back to the begins; the last node alone where some way leads past them."""
        found: dict[tuple[str, ...], Node] = {}
        waiting, seen = list(reversed(ends)), set(begins) - set(ends)
        while waiting:
            name = waiting.pop()
            if name in seen or name in self._constant or not name:
                continue
            seen.add(name)
            if name not in self._producers:
                return [self._producers[ends[0]]]
            node = self._producers[name]
            found[node.outputs] = node
            waiting.extend(reversed(node.inputs))
        return list(found.values())


def _absorbed(file: Graph, optimised: Graph) -> dict[tuple[str, ...], list[Node]]:
    """By outputs of a change of layout, the Transposes of the file that it does besides."""
    turns = [node for node in file.nodes if node.operator == "Transpose" and node.inputs and node.outputs]
    there = {name for node in optimised.nodes for name in node.outputs}
    found = {}
    for node in (node for node in optimised.nodes if node.is_channels_last and node.outputs):
        if node.operator == "ReorderOutput":
            found[node.outputs] = [one for one in turns if one.outputs[0] == node.outputs[0]]
        elif node.operator == "ReorderInput":
            mine = [one for one in turns if one.inputs[0] == node.inputs[0] and one.outputs[0] not in there]
            found[node.outputs] = mine
    return found


def _neighbours(nodes: Sequence[Node], of: Sequence[tuple[str, ...]]) -> list[Between]:
    """Of each node the nearest of some before it and after it; () where the graph begins or ends."""
    made = {name: place for place, node in enumerate(nodes) for name in node.outputs}
    taken: dict[str, list[int]] = {}
    for place, node in enumerate(nodes):
        for name in node.inputs:
            taken.setdefault(name, []).append(place)

    def nearest(place: int, near: Callable[[Node], list[int]]) -> tuple[str, ...]:
        waiting, seen = near(nodes[place]), {place}
        while waiting:
            one = waiting.pop(0)
            if of[one]:
                return of[one]
            if one not in seen:
                seen.add(one)
                waiting += near(nodes[one])
        return ()

    def before(node: Node) -> list[int]:
        return [made[name] for name in node.inputs if name in made]

    def after(node: Node) -> list[int]:
        return [place for name in node.outputs for place in taken.get(name, ())]

    return [(nearest(place, before), nearest(place, after)) for place in range(len(nodes))]


def _once(pairs: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Only the names that stand for one node."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for name, names in pairs:
        found.setdefault(name, []).append(names)
    return {name: names[0] for name, names in found.items() if name and len(names) == 1}
