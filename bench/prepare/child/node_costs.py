"""What every node of an ONNX file has to do, by the shapes that ONNX infers, and whose work kernels are. In the child.

Nothing is run. Constants are no nodes here, and what is computed from them alone costs nothing: it is done once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from math import prod
from typing import Any

import onnx

from bench.prepare.child import onnx_source
from bench.prepare.child.items import batch_of
from bench.prepare.child.marked_run import reads
from bench.prepare.child.node_products import products_of_node, window_of_node
from bench.records import LayerCost, Tensor

_BITS = {"FLOAT": 32, "DOUBLE": 64, "BOOL": 8}  # the names of all other types say it
_CALLED = re.compile(r"^((Stateful)?PartitionedCall(_\d+)?/)+")  # scopes of a function that TensorFlow calls


class NodeCosts:
    """Nodes of the main graph in their order, of one item; ``inputs`` are by the file's names, their shapes fixed."""

    def __init__(self, proto: Any, inputs: Sequence[Tensor]) -> None:
        graph = _inferred(onnx_source.fixed(proto, inputs)).graph
        self.nodes = [(place, node) for place, node in enumerate(graph.node) if node.op_type != "Constant"]
        self._batch = batch_of(inputs)
        self._weights = {name: _bytes(tensor.dims, tensor.data_type) for name, tensor in _constants(graph)}
        self._behind = _behind(graph, self._weights)
        self._shapes, self._bytes = _tensors(graph)
        self._read = {name for node in graph.node for name in reads(node)} | {value.name for value in graph.output}
        self._by_name: dict[str, set[int]] = defaultdict(set)
        for number, (_, node) in enumerate(self.nodes):
            for name in (node.name, *node.output):
                self._by_name[_CALLED.sub("", name)].add(number)

    def each(self) -> Iterator[LayerCost]:
        """A node without a name is called by its operator and place; no parameters: a file does not tell which are."""
        for place, node in self.nodes:
            is_constant = all(name in self._behind for name in node.output if name)
            inputs = [] if is_constant else list(dict.fromkeys(name for name in reads(node) if name))
            weights = set().union(*(self._behind.get(name, ()) for name in inputs))
            yield LayerCost(
                name=node.name or f"{node.op_type} {place}",
                kind=node.op_type,
                window=window_of_node(node, self._shapes),
                multiply_adds=0 if is_constant else self._of_item(products_of_node(node, self._shapes)),
                input_bytes=self._all([name for name in inputs if name not in self._behind]),
                output_bytes=0 if is_constant else self._all([name for name in node.output if name in self._read]),
                weight_bytes=sum(self._weights[name] for name in weights),
            )

    def owners(self, names: Sequence[str]) -> tuple[int, ...]:
        """Places among ``each`` of nodes by their names, where one has it alone, or by their outputs."""
        return tuple(sorted({place for name in names if (place := self._place(name)) is not None}))

    def _place(self, name: str) -> int | None:
        found = self._by_name.get(_CALLED.sub("", name), ())
        return next(iter(found)) if len(found) == 1 else None

    def _of_item(self, count: int | None) -> int | None:
        return None if count is None else count // self._batch

    def _all(self, names: Collection[str]) -> int | None:
        """Bytes of some activations; None where one's shape or type is not known."""
        sizes = [self._bytes.get(name) for name in names]
        known = [size for size in sizes if size is not None]
        return sum(known) // self._batch if len(known) == len(sizes) else None


def _inferred(proto: Any) -> Any:
    try:
        return onnx.shape_inference.infer_shapes(proto, data_prop=True)
    except Exception:  # over 2 GiB, or shapes that contradict one another
        return proto


def _constants(graph: Any) -> Iterator[tuple[str, Any]]:
    """Initialisers, and Constant nodes that hold a tensor; of other constants the size does not matter."""
    yield from ((tensor.name, tensor) for tensor in graph.initializer)
    for node in graph.node:
        if node.op_type == "Constant":
            held = next((one.t for one in node.attribute if one.name == "value"), onnx.TensorProto())
            yield node.output[0], held


def _behind(graph: Any, weights: Collection[str]) -> dict[str, frozenset[str]]:
    """Tensors that no input has a part in, with the weights that they are computed from."""
    behind = {name: frozenset([name]) for name in weights}
    for node in graph.node:
        taken = [name for name in reads(node) if name]
        if taken and all(name in behind for name in taken) and node.output[0] not in behind:
            behind |= dict.fromkeys(node.output, frozenset[str]().union(*(behind[name] for name in taken)))
    return behind


def _tensors(graph: Any) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    """Shapes of all tensors that have a known one, and the bytes of activations among them."""
    shapes = {name: tuple(tensor.dims) for name, tensor in _constants(graph)}
    sizes: dict[str, int] = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        kind = value.type.tensor_type
        if kind.HasField("shape") and all(axis.HasField("dim_value") for axis in kind.shape.dim):
            shapes[value.name] = tuple(axis.dim_value for axis in kind.shape.dim)
            sizes[value.name] = _bytes(shapes[value.name], kind.elem_type)
    return shapes, sizes


def _bytes(shape: Sequence[int], data_type: int) -> int:
    """Strings and what has no type take none."""
    name = onnx.TensorProto.DataType.Name(data_type)
    stated = re.search(r"\d+", name)
    bits = int(stated[0]) if stated else _BITS.get(name, 0)
    return -(-prod(shape) * bits // 8)
