"""ONNX's own layout of test data: ``model.onnx`` beside ``test_data_set_N/input_K.pb`` and ``output_K.pb``.

Runs in the parent. K is the place in the file's own order. ``input_files.py`` and ``expected.py`` read the same layout.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import UnsupportedError, UsageError
from bench.prepare.arrays import load_arrays
from bench.prepare.launch import CHILD
from bench.prepare.layout import numpy_dtype
from bench.prepare.prepare import copy_with_data, exported_artifact, prepare_model
from bench.prepare.tensor_proto import tensor_bytes
from bench.records import Artifact, ModelSpec, Prepared, PrepareSettings, Record, Tensor

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]


class ExportedData(Record, frozen=True):
    """A folder that was written."""

    artifact: Artifact  # the file in it
    sets: int
    truth: str  # where the outputs are from, as ``Prepared.truth``


def export_with_data(
    spec: ModelSpec,
    settings: PrepareSettings,
    folder: Path,
    *,
    on_stage: Callable[[str], None] = lambda _: None,
    command: tuple[str, ...] = CHILD,
) -> ExportedData:
    """The model's ONNX file in a new folder with a data set for every different input and what it should give.

    The folder is there whole or not at all. Raises what ``export_onnx`` does, and UsageError where something is there.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"-o {folder}: something is there already; name another folder")
    prepared = prepare_model(spec, settings, on_stage=on_stage, command=command)
    artifact = exported_artifact(spec, prepared)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True)
        sets = _write_model(prepared, artifact, unfinished)
        unfinished.replace(folder)
    except OSError as error:
        raise UsageError(f"writing {folder}: {error.strerror or error}; name another folder with -o") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return ExportedData(artifact=artifact, sets=sets, truth=prepared.truth)


def write_data_set(folder: Path, tensors: Mapping[str, Sequence[Tensor]], rows: Arrays, items: Sequence[int]) -> None:
    """One new set: ``tensors`` by "input" and "output" in the file's order, and of their rows those of ``items``."""
    folder.mkdir()
    for what, ordered in tensors.items():
        for place, tensor in enumerate(ordered):
            array = rows[tensor.name][items] if tensor.batched else rows[tensor.name][items[0]]
            (folder / f"{what}_{place}.pb").write_bytes(tensor_bytes(tensor.name, np.asarray(array)))


def _write_model(prepared: Prepared, artifact: Artifact, folder: Path) -> int:
    copy_with_data(Path(artifact.path), folder / "model.onnx")
    tensors = {"input": artifact.inputs, "output": artifact.outputs}
    pool, truth = load_arrays(prepared.pool), load_arrays(prepared.truth_file)
    rows = {one.name: pool[artifact.names.get(one.name, one.name)] for one in artifact.inputs}
    calls = list(_calls(artifact, _different(rows)))
    for one in artifact.outputs:
        rows[one.name] = truth[artifact.names.get(one.name, one.name)].astype(numpy_dtype(one))
    for number, items in enumerate(calls):
        write_data_set(folder / f"test_data_set_{number}", tensors, rows, items)
    return len(calls)


def _different(inputs: Arrays) -> list[int]:
    """The items whose inputs no earlier item has."""
    count = min(len(array) for array in inputs.values())
    first: dict[bytes, int] = {}
    for item in range(count):
        first.setdefault(b"".join(array[item].tobytes() for array in inputs.values()), item)
    return list(first.values())


def _calls(artifact: Artifact, items: Sequence[int]) -> Iterator[list[int]]:
    """The items of each call: one, or as many as the file takes; the last is filled up from the first."""
    together = max((one.shape[0] or 1 for one in artifact.inputs if one.batched and one.shape), default=1)
    if together > 1 and not all(one.batched for one in (*artifact.inputs, *artifact.outputs)):
        raise UnsupportedError("writing test data: the batch is fixed in the file, and not every tensor has one")
    for start in range(0, len(items), together):
        yield [items[(start + place) % len(items)] for place in range(together)]
