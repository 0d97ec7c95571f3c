"""Nodes of an ONNX file and the tensors between them, read without the onnx package, which a worker does not have.

Field numbers: onnx.proto3 of the ONNX project. Weights are skipped by their length.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench import protobuf
from bench.errors import UnsupportedError

_GRAPH, _NODE, _INITIALIZER, _TENSOR_NAME, _GRAPH_INPUT, _GRAPH_INPUT_NAME = 7, 1, 5, 8, 11, 1
_INPUT, _OUTPUT, _NAME, _OPERATOR, _ATTRIBUTE = 1, 2, 3, 4, 5
_SUBGRAPHS = (6, 11)  # of an attribute: g, graphs
_ATTRIBUTE_NAME, _ATTRIBUTE_WHOLE = 1, 3


class Node(NamedTuple):
    """One node. A loop or a branch also takes what its body takes from outside."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    body: tuple[Node, ...] = ()
    is_channels_last: bool = False  # of ONNX Runtime's changes of layout: on the side that is not blocked


class Graph(NamedTuple):
    """The graph of a file, its nodes in the order in which they stand there: each after those that it needs."""

    nodes: tuple[Node, ...]
    initializers: frozenset[str]

    def all_nodes(self) -> Iterator[Node]:
        """Those of bodies, too, each after the node whose body it is in."""
        waiting = list(reversed(self.nodes))
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.body))


def read_graph(path: Path) -> Graph:
    """Raises UnsupportedError where the file is no ONNX model or is cut off before its end."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            [span] = protobuf.children(data, 0, len(data), _GRAPH)
            names = protobuf.descend(data, span, (_INITIALIZER, _TENSOR_NAME))
            return Graph(tuple(_nodes(data, span)), frozenset(protobuf.text(data, name) for name in names))
        except ValueError as error:
            raise UnsupportedError(f"reading {path.name}: not an ONNX model, or cut off ({error})") from error


def _nodes(data: protobuf.Buffer, span: protobuf.Span) -> Iterator[Node]:
    for start, end in protobuf.children(data, *span, _NODE):
        parts: dict[int, list[protobuf.Span]] = {}
        for number, kind, value in protobuf.fields(data, start, end):
            if kind == protobuf.BYTES:
                parts.setdefault(number, []).append(value)
        attributes = parts.get(_ATTRIBUTE, ())
        graphs = [span for one in attributes for number in _SUBGRAPHS for span in protobuf.children(data, *one, number)]
        body = [node for graph in graphs for node in _nodes(data, graph)]
        texts = {number: [protobuf.text(data, span) for span in parts.get(number, ())] for number in range(1, 5)}
        yield Node(
            name="".join(texts[_NAME]),
            operator="".join(texts[_OPERATOR]),
            inputs=(*texts[_INPUT], *_taken_from_outside(data, graphs, body)),
            outputs=tuple(texts[_OUTPUT]),
            body=tuple(body),
            is_channels_last=any(_is_set(data, one, "channels_last") for one in attributes),
        )


def _is_set(data: protobuf.Buffer, attribute: protobuf.Span, name: str) -> bool:
    """Whether it is that attribute, with a whole number that is not 0."""
    if not any(protobuf.text(data, span) == name for span in protobuf.children(data, *attribute, _ATTRIBUTE_NAME)):
        return False
    return any(number == _ATTRIBUTE_WHOLE and value[0] != 0 for number, _, value in protobuf.fields(data, *attribute))


def _taken_from_outside(data: protobuf.Buffer, graphs: list[protobuf.Span], body: list[Node]) -> list[str]:
    """What bodies take that is neither made in them nor given to them by name."""
    own = {output for node in body for output in node.outputs}
    for graph in graphs:
        for path in ((_GRAPH_INPUT, _GRAPH_INPUT_NAME), (_INITIALIZER, _TENSOR_NAME)):
            own.update(protobuf.text(data, span) for span in protobuf.descend(data, graph, path))
    return list(dict.fromkeys(name for node in body for name in node.inputs if name and name not in own))
