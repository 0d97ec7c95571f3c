"""What is in the tensors of an ONNX file: its weights, and what each of its nodes makes of a few items. In the child.

The file is run on ONNX Runtime's CPU provider as it is written, every tensor an output. Counting looks at the bits: a
thread that flushes denormal numbers would not see them as numbers.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper

from bench.errors import UnsupportedError
from bench.prepare.child.marked_run import MarkedFile
from bench.prepare.child.onnx_graph import with_shapes
from bench.prepare.child.reference import Array, Arrays, batches, is_float
from bench.prepare.hazard_rules import Seen
from bench.records import Record, Tensor

FEEDS = 2  # single items, or batches where the file fixes one
LIMIT_BYTES = 2**30  # of all tensors of one feed together
_PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
PASSING = ("Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose")  # values stay what they are
_LEAST_NORMAL = float(np.finfo(np.float32).tiny)
_BITS = {  # type -> unsigned of its width, the least normal number and infinity as such
    "float16": (np.uint16, 0x0400, 0x7C00),
    "bfloat16": (np.uint16, 0x0080, 0x7F80),
    "float32": (np.uint32, 0x0080_0000, 0x7F80_0000),
    "float64": (np.uint64, 0x0010_0000_0000_0000, 0x7FF0_0000_0000_0000),
}
_SLOW = ("float32", "float64")  # whose denormal numbers processors handle apart
PlaceOf = Callable[[Any], str]


class Counted(Record, frozen=True):
    """What was seen in one array."""

    values: int = 0
    denormal: int = 0
    nan: int = 0
    infinite: int = 0

    def __add__(self, other: Counted) -> Counted:
        return Counted(
            values=self.values + other.values,
            denormal=self.denormal + other.denormal,
            nan=self.nan + other.nan,
            infinite=self.infinite + other.infinite,
        )


class Made(NamedTuple):
    """The float tensors that a few items become, by name."""

    feed: Arrays  # [items, ...]
    values: Arrays  # [runs, ...], one run an item or a batch that the file fixes


def count(values: Array) -> Counted:
    """Denormal numbers, NaN and infinities of an array; nothing of one without floats."""
    if values.dtype.name not in _BITS:
        return Counted()
    unsigned, least_normal, infinity = _BITS[values.dtype.name]
    bits = np.ascontiguousarray(values).view(unsigned) & unsigned((1 << (values.itemsize * 8 - 1)) - 1)
    denormal = np.count_nonzero((bits > 0) & (bits < least_normal)) if values.dtype.name in _SLOW else 0
    return Counted(
        values=values.size,
        denormal=int(denormal),
        nan=int(np.count_nonzero(bits > infinity)),
        infinite=int(np.count_nonzero(bits == infinity)),
    )


def seen(place: str, counted: Counted, *, makes: bool = False, underflowing: float = 0.0) -> Seen:
    """Counts, with the place that they are of."""
    return Seen(
        place=place,
        values=counted.values,
        denormal=counted.denormal,
        nan=counted.nan,
        infinite=counted.infinite,
        makes=makes,
        underflowing=underflowing,
    )


def weights_of(proto: Any) -> dict[str, Array]:
    """Every float constant of the file by its tensor's name."""
    constants = [(tensor.name, tensor) for tensor in proto.graph.initializer]
    for node in proto.graph.node:
        constants += [(node.output[0], a.t) for a in node.attribute if node.op_type == "Constant" and a.name == "value"]
    arrays = ((name, numpy_helper.to_array(tensor)) for name, tensor in constants)
    return {name: array for name, array in arrays if is_float(array.dtype)}


def scan_weights(proto: Any, weights: Arrays, place_of: PlaceOf) -> tuple[Seen, ...]:
    """What is in the weights, each by the place of the first node that uses it."""
    users = {name: node for node in reversed(proto.graph.node) for name in node.input}
    return tuple(seen(place_of(users[name]), count(array)) for name, array in weights.items() if name in users)


def run_few(file: MarkedFile, inputs: Sequence[Tensor], pool: Arrays) -> Made:
    """What the nodes make of a few items of the pool, which has the file's names.

    Raises UnsupportedError where that would take more than 1 GiB, or the file does not load like this.
    """
    feeds = list(itertools.islice(batches(inputs, pool), FEEDS))
    _check_size(file.proto, feeds[0])
    items = sum(_items(inputs, feed) for feed in feeds)
    feed = {name: rows[:items] for name, rows in pool.items()}
    with tempfile.TemporaryDirectory() as folder:
        made = file.run(tuple(inputs), feed, Path(folder))
    return Made(feed, {name: rows for name, rows in made.items() if is_float(rows.dtype)})


def scan_nodes(file: MarkedFile, weights: Arrays, made: Made, place_of: PlaceOf) -> Iterator[Seen]:
    """What is in what each node made; denormal outputs of the model are told of where outputs are judged."""
    values = {**weights, **made.feed, **made.values}
    counts = {name: count(array) for name, array in values.items()}
    bad = {name for name, counted in counts.items() if counted.nan or counted.infinite}
    ends = {id(producer_of(file, value.name)) for value in file.proto.graph.output}
    for node in file.nodes:
        counted = sum((counts[name] for name in node.output if name in counts), Counted())
        makes = bool(counted.nan or counted.infinite) and not bad & set(node.input)
        if id(node) in ends or node.op_type in (*PASSING, "Constant"):
            counted = Counted(values=counted.values, nan=counted.nan, infinite=counted.infinite)
        yield seen(place_of(node), counted, makes=makes, underflowing=_underflowing(node, values))


def producer_of(file: MarkedFile, output: str) -> Any:
    """The node that computes an output, those that only pass it on left aside; None where it is an input."""
    place = file.maker.get(output)
    while place is not None and file.nodes[place].op_type in PASSING:
        place = file.maker.get(file.nodes[place].input[0])
    return None if place is None else file.nodes[place]


def _underflowing(node: Any, values: Arrays) -> float:
    """Share of one operand's numbers that times a typical one of the other fall below the least normal number.

    Only normal numbers count: denormal ones are told of by themselves.
    """
    if node.op_type not in _PRODUCTS or not all(name in values for name in node.input[:2]):
        return 0.0
    ours, theirs = (_normal(values[name]) for name in node.input[:2])
    if not ours.size or not theirs.size or float(ours.min()) * float(theirs.min()) >= _LEAST_NORMAL:
        return 0.0
    return max(_share_below(ours, theirs), _share_below(theirs, ours))


def _normal(values: Array) -> Array:
    """Magnitudes of the numbers that are neither zero, denormal nor infinite, in float64."""
    magnitudes = np.abs(values[np.isfinite(values)]).astype(np.float64)
    return magnitudes[magnitudes >= _LEAST_NORMAL]


def _share_below(ours: Array, theirs: Array) -> float:
    return float(np.mean(ours * np.median(theirs) < _LEAST_NORMAL))


def _items(inputs: Sequence[Tensor], feed: Mapping[str, Array]) -> int:
    return next((len(feed[tensor.name]) for tensor in inputs if tensor.batched), 1)


def _check_size(proto: Any, feed: Arrays) -> None:
    """UnsupportedError where all tensors of a feed are too large together, as far as shapes can be told."""
    fixed = with_shapes(proto, {name: rows.shape for name, rows in feed.items()})
    del fixed.graph.output[:], fixed.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(fixed, data_prop=True)
    sizes = {value.name: _bytes_of(value) for value in inferred.graph.value_info}
    largest = max(sizes.values(), default=0)  # of those that can be told, stands for one that can't
    total = sum(sizes.get(name) or largest for node in proto.graph.node for name in node.output)
    if total > LIMIT_BYTES:
        raise UnsupportedError(f"they take {total / 2**30:.1f} GiB an item, {LIMIT_BYTES / 2**30:g} at most")


def _bytes_of(value: Any) -> int:
    tensor = value.type.tensor_type
    sizes = [axis.dim_value for axis in tensor.shape.dim]
    if not tensor.elem_type or not all(sizes):
        return 0
    width = (
        8
        if tensor.elem_type == onnx.TensorProto.STRING
        else onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).itemsize
    )
    return int(np.prod(sizes, dtype=np.int64)) * width
