"""What prepare made, put together as one record, with arrays written beside it. Runs in the child."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import msgspec

from bench.errors import UnsupportedError
from bench.prepare.arrays import save_arrays
from bench.prepare.child.reference import Arrays, is_number
from bench.prepare.child.truth import Truth
from bench.records import ArrayFile, Artifact, Failure, ModelSpec, Prepared, Tensor

_PACKAGES = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "numpy")


def make_record(
    spec: ModelSpec,
    inputs: tuple[Tensor, ...],
    outputs: tuple[Tensor, ...],
    pool: Arrays,
    truth: Truth,
    made: Mapping[str, Artifact | Failure],
    folder: Path,
) -> Prepared:
    """The record without what only a Keras model has; inputs and truth are written into ``folder``.

    Raises UnsupportedError for outputs that are no numbers.
    """
    artifacts = {kind: thing for kind, thing in made.items() if isinstance(thing, Artifact)}
    return Prepared(
        model=spec.display,
        model_digest="",
        inputs=inputs,
        outputs=outputs,
        output_paths={},
        artifacts=artifacts,
        failures={kind: thing for kind, thing in made.items() if isinstance(thing, Failure)},
        pool=save_arrays(folder / "inputs.npz", pool),
        truth_file=_save_truth(folder / "truth.npz", truth.outputs),
        truth=truth.kind,
        yardstick=truth.yardstick,
        parameters=None,
        multiply_adds=None,
        versions={name: metadata.version(name) for name in _PACKAGES},
        cautions=truth.cautions,
    )


def with_relative_paths(prepared: Prepared, folder: Path) -> Prepared:
    """The same record with paths relative to the folder, which is going to move."""
    replace = msgspec.structs.replace

    def relative(artifacts: Mapping[str, Artifact]) -> dict[str, Artifact]:
        return {kind: replace(a, path=os.path.relpath(a.path, folder)) for kind, a in artifacts.items()}

    return replace(
        prepared,
        artifacts=relative(prepared.artifacts),
        rejected=relative(prepared.rejected),
        pool=replace(prepared.pool, path=os.path.relpath(prepared.pool.path, folder)),
        truth_file=replace(prepared.truth_file, path=os.path.relpath(prepared.truth_file.path, folder)),
    )


def _save_truth(path: Path, outputs: Arrays) -> ArrayFile:
    texts = [name for name, rows in outputs.items() if not is_number(rows.dtype)]
    if texts:
        raise UnsupportedError(
            f"output {', '.join(texts)} holds text, not numbers: export the part of the model before it makes text"
        )
    return save_arrays(path, outputs)
