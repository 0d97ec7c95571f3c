"""What a profiled session tells of its operators, what a model's layers cost, and how fast this machine can be."""

from __future__ import annotations

from bench.records.base import Record


class Operator(Record, frozen=True):
    """One kernel of a profiled session: what the runtime calls one step of its own graph."""

    name: str  # the runtime's own, unique in the session
    operator: str  # its kind in the runtime's words: "Conv", "CONV_2D"
    provider: str  # where it ran
    # names of nodes and tensors of the artifact whose work it does, the one that it ends with first; a fused kernel
    # has all that are told; empty where nothing tells (a change of layout that the runtime put in)
    origins: tuple[str, ...] = ()
    # origins of the nearest kernels before and after it that have some, where the runtime's graph tells
    between: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    time_ns: tuple[int, ...] = ()  # own time in each profiled call, without that of kernels within it
    output_bytes: int | None = None  # that one call writes, where it is told


class LayerCost(Record, frozen=True):
    """One call of a Keras layer, or one node of a bare file: what it has to do, whoever runs it. Of one item."""

    name: str  # as in ``Step``: "encoder/dense_1"; a node's name
    kind: str  # class of the layer, or operator
    window: str = ""  # of a convolution, or of pooling: "3x3" (its kind in a table: "Conv2D 1x1"); "" elsewhere
    multiply_adds: int | None = None  # None where its kind can't be counted
    parameters: int = 0  # that are trained, at a layer's first call; of a node 0: a file does not tell
    input_bytes: int | None = None  # activations that it reads; None where a shape is free
    output_bytes: int | None = None  # that it writes
    weight_bytes: int = 0  # read once a call, whatever the batch


class Roofs(Record, frozen=True, tag="roofs_done"):
    """What this machine can do at most with so many threads: measured by a matrix product and by a copy."""

    threads: int
    flops_per_s: tuple[float, ...]  # two a multiply-add, float32, one number a trial
    bytes_per_s: tuple[float, ...]  # read and written by a copy much larger than the caches, one number a trial
