"""What a bisection came to: the record that is printed, stored and told as JSON."""

from __future__ import annotations

from typing import Literal

from bench.records import Record

BisectVerdict = Literal["found", "the file as a whole", "nothing differs", "cannot tell", "failed"]
DepthVerdict = Literal["within", "beyond", "not judged", "not run"]


class Depth(Record, frozen=True):
    """One step of the model: errors relative to the spread of what it should give."""

    place: int  # from 1, in order of computation
    layer: str
    kind: str
    tensor: str | None
    yardstick: float | None  # TensorFlow's float32 error (bare file: shift by one unit in the last place)
    file_error: float | None  # of the file run unoptimised on the CPU
    error: float | None  # of the runtime; None where no run of it has this tensor
    budget: float | None
    verdict: DepthVerdict
    reason: str = ""  # why it was not judged or not run


class Nearby(Record, frozen=True):
    """A tensor that was seen within its budget, or an output that is not."""

    name: str  # of a layer or an output
    error: float | None
    tolerance: float | None


class PartFacts(Record, frozen=True):
    """The part that is wrong alone."""

    folder: str | None  # where it is kept
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    error: float | None  # of its first wrong tensor, as the runtime computed it in this part alone
    tolerance: float | None
    from_inputs: bool  # it begins at the model's own inputs
    note: str = ""  # why it is longer than the layer


class Bisected(Record, frozen=True):
    """The first layer whose tensor leaves its budget, or why none is named."""

    verdict: BisectVerdict
    model: str
    runtime: str
    runtime_version: str | None = None
    reference: str | None = None  # runtime that it was compared with; None: the truth
    truth: str = ""  # as ``Prepared.truth``
    layer: str | None = None
    kind: str | None = None
    tensor: str | None = None
    error: float | None = None  # None where it has no number: NaN, another shape
    tolerance: float | None = None  # None where the tensor could not be looked at
    file_error: float | None = None  # of the file run unoptimised on the CPU
    fused: tuple[str, ...] = ()  # layers whose work is in the same tensor
    candidates: tuple[str, ...] = ()  # layers between the last right and the first wrong tensor, where not one alone
    outputs: tuple[Nearby, ...] = ()  # of the model that are wrong
    before: tuple[Nearby, ...] = ()  # last right tensors
    runs: int = 0  # of the runtime: the whole, the search, the part
    most_runs: int = 0
    layers_judged: int = 0
    layer_runs: int = 0  # more of them, for the table
    reason: str = ""
    cautions: tuple[str, ...] = ()
    part: PartFacts | None = None
    layers: tuple[Depth, ...] = ()
