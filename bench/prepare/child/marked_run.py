"""An ONNX file run once with all its tensors marked as outputs, and its graph to walk on. In the child.

Marking breaks what an optimiser would fuse, so it is done here alone: on the CPU, with optimisations off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from bench.errors import UnsupportedError
from bench.prepare.child import reference
from bench.prepare.child.onnx_graph import inner_graphs
from bench.prepare.child.onnx_run import load_error, open_unoptimised
from bench.prepare.child.reference import Array
from bench.records import Tensor

_LIMIT_BYTES = 2**31 - 2**24


class MarkedFile:
    """The main graph of a file: nodes in their order, and who makes and reads a tensor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.proto = onnx.load(path)
        self.nodes = list(self.proto.graph.node)
        self.initializers = {tensor.name for tensor in self.proto.graph.initializer}

    @cached_property
    def maker(self) -> dict[str, int]:
        """Tensor -> place of the node that makes it."""
        return {name: place for place, node in enumerate(self.nodes) for name in node.output if name}

    def parents(self, tensor: str) -> Iterator[str]:
        """The tensors that a tensor is computed from at once, weights and inputs included."""
        place = self.maker.get(tensor)
        return iter(()) if place is None else (name for name in reads(self.nodes[place]) if name)

    def back_to(self, tensor: str, stops: Iterable[str]) -> tuple[set[str], set[str]]:
        """Walking backwards from a tensor: those of ``stops`` that it meets first, and the tensors on the way."""
        goal, found, seen, waiting = set(stops), set[str](), {tensor}, list(self.parents(tensor))
        while waiting:
            name = waiting.pop()
            if name in goal:
                found.add(name)
            elif name not in seen:
                seen.add(name)
                waiting += self.parents(name)
        return found, seen

    def run(self, inputs: tuple[Tensor, ...], feed: Mapping[str, Array], folder: Path) -> dict[str, Array]:
        """Tensor -> array [runs, ...] for each tensor of numbers whose shape is the same in each run.

        A run is one item, or as many as the batch is fixed to. ``feed`` is by the file's own names. Raises
        UnsupportedError where the file does not load like this.
        """
        path = self._marked(folder)
        try:
            run = open_unoptimised(path)
        except Exception as error:
            raise UnsupportedError(
                f"{self.path.name} does not load with all its tensors as outputs: {load_error(error)}"
            ) from error
        runs = [run(batch) for batch in reference.batches(inputs, feed)]
        return {name: np.stack(arrays) for name in runs[0] if (arrays := _alike([one[name] for one in runs]))}

    def _marked(self, folder: Path) -> Path:
        marked = onnx.ModelProto()
        marked.CopyFrom(self.proto)
        outputs = {value.name for value in marked.graph.output}
        marked.graph.output.extend(onnx.ValueInfoProto(name=name) for name in self.maker if name not in outputs)
        path = folder / "marked.onnx"
        onnx.save(marked, path, save_as_external_data=marked.ByteSize() > _LIMIT_BYTES)
        return path


def reads(node: Any) -> list[str]:
    """What a node reads, its inner graphs included."""
    return [*node.input, *(name for inner in inner_graphs(node) for one in inner.node for name in reads(one))]


def _alike(arrays: list[Any]) -> list[Array] | None:
    numbers = all(isinstance(array, np.ndarray) and reference.is_number(array.dtype) for array in arrays)
    return arrays if numbers and len({array.shape for array in arrays}) == 1 else None
