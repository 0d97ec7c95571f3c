"""A model taken apart: what every layer should give, which tensor of the ONNX file holds it, and files cut in between.

The parent's side of the tasks ``dissect`` and ``extract``; the records are what both sides speak. A *step* is one call
of a Keras layer, or one node of a bare ONNX file, in order of computation.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.prepare.tasks import run_task
from bench.records import ArrayFile, Artifact, ModelSpec, Prepared, PrepareSettings, Record


class Step(Record, frozen=True):
    """One call of a layer (or one node), and the tensor of the file that holds its result."""

    name: str  # way through nested models: "encoder/dense_1"; "dense_1 (call 2)" where it is called again; node's name
    kind: str  # class of the layer, or operator
    tensor: str | None  # of the file; None where the file has none: fused away, or not to be found
    fused: tuple[str, ...] = ()  # names of earlier steps without a tensor whose work this tensor includes
    before: tuple[int, ...] = ()  # places of the nearest earlier steps with a tensor that this one is computed from
    # the layer to name where this is the first step that is wrong: the one of ``fused`` whose weights the tensor's node
    # holds (a convolution's, where its batch norm is folded into it); None: this step's own name
    blame: str | None = None
    # how a tensor of one run becomes the layer's result, ``steps.in_layout``: axes in the layer's order where they
    # differ (NCHW for NHWC), then the shape
    axes: tuple[int, ...] | None = None
    shape: tuple[int, ...] = ()  # of the layer's result, items first
    truth: ArrayFile | None = None  # one array, named "value", [items, ...], in the layer's layout
    # relative error of float32 TensorFlow (bare file: shift when every weight moves by one unit in the last place), and
    # no less than one rounding of the largest value; None for integers
    yardstick: float | None = None
    spread: float | None = None  # of the truth over items; 0 where it is the same for all
    # relative error of the file run unoptimised on the CPU with all tensors marked, by ``steps.step_error``
    file_error: float | None = None


class Dissection(Record, frozen=True):
    """Every step of a model."""

    model: str
    steps: tuple[Step, ...]
    pool: ArrayFile  # the inputs that truths are of: the first items of the model's pool
    truth: str  # as ``Prepared.truth``
    outputs: dict[str, int]  # output of the model -> place of the step that gives it


class DissectRequest(Record, frozen=True):
    """Take a model apart; ``artifact`` is the file whose tensors are looked for."""

    prepared: Prepared
    spec: ModelSpec
    settings: PrepareSettings
    artifact: Artifact
    budget_bytes: int  # all truths together: fewer items of the pool (at least 2), less precision, where it is more


class ExtractRequest(Record, frozen=True):
    """Cut the part of a file that computes ``outputs`` from ``inputs`` (empty: the file's own)."""

    source: Artifact
    target: str  # file to write
    outputs: tuple[str, ...]
    inputs: tuple[str, ...] = ()


class Extracted(Record, frozen=True):
    """The part, as a file of its own: its outputs are the tensors by their names in the file."""

    artifact: Artifact


def dissect(
    prepared: Prepared,
    spec: ModelSpec,
    settings: PrepareSettings,
    artifact: Artifact,
    folder: Path,
    *,
    budget_bytes: int = 2**28,  # in memory it is ten times as much
    on_stage: Callable[[str], None] = lambda _: None,
) -> Dissection:
    """Every step of the model with its truth in ``folder``, and the tensors of ``artifact`` that hold them."""
    request = DissectRequest(
        prepared=prepared, spec=spec, settings=settings, artifact=artifact, budget_bytes=budget_bytes
    )
    folder.mkdir(parents=True, exist_ok=True)
    return run_task("dissect", request, Dissection, folder, doing=f"taking {prepared.model} apart", on_stage=on_stage)


def extract(source: Artifact, outputs: tuple[str, ...], folder: Path, *, inputs: tuple[str, ...] = ()) -> Artifact:
    """The part of a file that computes ``outputs``, as ``folder/onnx/model.onnx``: alone there, but for its data."""
    target = folder / "onnx" / "model.onnx"
    target.parent.mkdir(parents=True, exist_ok=True)
    request = ExtractRequest(source=source, target=str(target), outputs=outputs, inputs=inputs)
    return run_task("extract", request, Extracted, folder, doing="cutting a part of the file").artifact
