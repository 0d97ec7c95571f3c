"""What prepare makes of a model."""

from __future__ import annotations

from bench.records.base import ArtifactKind, Caution, Precision, Record, Status, Verdict


class Tensor(Record, frozen=True):
    """An input or output of a model."""

    name: str
    shape: tuple[int | None, ...]  # None where free; element 0 is the batch where ``batched``
    dtype: str  # numpy's name, or "bfloat16", "string"
    batched: bool = True


class Artifact(Record, frozen=True):
    """A model file or folder that a runtime can load."""

    kind: ArtifactKind
    path: str
    digest: str  # sha256 over the graph and every external file
    size_bytes: int
    inputs: tuple[Tensor, ...]  # names as in this artifact
    outputs: tuple[Tensor, ...]
    names: dict[str, str] = {}  # name in this artifact -> name in the model, where they differ
    opset: int | None = None
    ir_version: int | None = None
    precision: Precision = "float32"
    has_integer_products: bool = False  # quantised, whoever did it
    # how far the file itself is from the truth when it is run exactly, by output of the model; empty for float32
    conversion_error: dict[str, float | None] = {}
    cautions: tuple[Caution, ...] = ()


class ArrayFile(Record, frozen=True):
    """Arrays in an ``.npz``, written by us."""

    path: str
    digest: str  # sha256 over names, dtypes, shapes and bytes
    items: int  # leading axis of every array


class Failure(Record, frozen=True):
    """Why something is not there, and how to go on."""

    status: Status
    reason: str  # one line
    verdict: Verdict = "unchecked"  # "disagrees" where the numbers themselves were wrong
    relative_error: float | None = None


def artifact_key(kind: ArtifactKind, precision: Precision) -> str:
    """What ``Prepared.artifacts`` and ``failures`` know an artifact by: ``"onnx"``, ``"onnx int8"``."""
    return kind if precision == "float32" else f"{kind} {precision}"


class Prepared(Record, frozen=True):
    """One model, ready for every runtime: the answer of the export child, kept in the cache."""

    model: str  # ModelSpec.display
    model_digest: str
    inputs: tuple[Tensor, ...]  # as in the model: the names that arrays and reports use
    outputs: tuple[Tensor, ...]
    output_paths: dict[str, str]  # output name -> where it came from in the model's own structure
    artifacts: dict[str, Artifact]  # by ``artifact_key``
    failures: dict[str, Failure]  # by ``artifact_key``, where there is no artifact
    pool: ArrayFile  # inputs: name -> array [items, ...]
    truth_file: ArrayFile  # outputs: name -> array [items, ...], float64 where the truth is
    # "float64", "float32 (Conv2D, ...)", "tensorflow float32", "onnxruntime-cpu unoptimised", "stored outputs"
    truth: str
    yardstick: dict[str, float | None]  # by output name, relative error
    parameters: int | None  # trainable
    multiply_adds: int | None  # of one item
    versions: dict[str, str]
    cautions: tuple[Caution, ...] = ()
    # by ``artifact_key``: files that load but compute something else; no runtime is given one, they are to be explained
    rejected: dict[str, Artifact] = {}
    stages_ns: dict[str, int] = {}  # time per stage of this preparation; empty when it came from the cache


class ModelFacts(Record, frozen=True):
    """What a model is, before anything is exported: a line of ``bench models``."""

    model: str  # ModelSpec.display
    inputs: tuple[Tensor, ...] = ()
    parameters: int | None = None  # trainable
    multiply_adds: int | None = None  # of one item
    reason: str | None = None  # why it could not be built
