"""Runs a correct ONNX file and its mutants over a model's inputs. The child's side of ``prepare/power.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx

from bench.errors import UnsupportedError
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.child import reference
from bench.prepare.child.mutants.table import MUTANTS
from bench.prepare.child.onnx_file import with_names
from bench.prepare.child.onnx_run import load_error, open_as_deployed, open_unoptimised
from bench.prepare.child.reference import Arrays, Run
from bench.prepare.child.serving import OnStage, serve
from bench.prepare.power import FileRun, Origin, PowerAnswer, PowerRequest
from bench.records import Artifact

CORRECT: dict[str, Callable[[Any], Run]] = {"unoptimised": open_unoptimised, "as deployed": open_as_deployed}
_LIMIT_BYTES = 2**31 - 2**24  # of a protobuf message

Opened = tuple[str, Origin, Run | Exception]


def run_files(request: PowerRequest, folder: Path, on_stage: OnStage) -> PowerAnswer:
    """Every file from the ``start``-th on that fits the bound of bytes; at least one."""
    pool = load_arrays(request.pool)
    runs: list[FileRun] = []
    n_bytes = 0
    for place, opened in enumerate(_open_files(request.artifact, request.start, on_stage), request.start):
        if n_bytes > request.most_bytes:
            return PowerAnswer(runs=tuple(runs), following=place)
        if opened is not None:
            runs.append(_run(request.artifact, pool, *opened, folder / f"{place}.npz"))
            n_bytes += _size(runs[-1])
    return PowerAnswer(runs=tuple(runs))


def _open_files(artifact: Artifact, start: int, on_stage: OnStage) -> Iterator[Opened | None]:
    """Correct ones first; None for a kind without a place in the file. A file is made when it is its turn."""
    model = _load(Path(artifact.path))
    for kind, open_file in list(CORRECT.items())[start:]:
        on_stage(f"running the correct file, {kind}")
        yield kind, "correct", _tried(open_file, Path(artifact.path))
    kinds = list(MUTANTS.items())[max(start - len(CORRECT), 0) :]
    for number, (kind, make) in enumerate(kinds, 1):
        on_stage(f"planting fault {number} of {len(kinds)}: {kind}")
        mutant = make(model)
        yield (kind, "wrong", _tried(open_as_deployed, mutant.SerializeToString())) if mutant is not None else None


def _load(path: Path) -> onnx.ModelProto:
    model = onnx.load(path)
    if model.ByteSize() > _LIMIT_BYTES:
        raise UnsupportedError("its weights take more than 2 GiB, and mutants are made in memory, of at most as much")
    return model


def _tried(open_file: Callable[[Any], Run], file: Path | bytes) -> Run | Exception:
    try:
        return open_file(file)
    except Exception as error:  # a fault may well make a file that nothing loads
        return error


def _run(artifact: Artifact, pool: Arrays, kind: str, origin: Origin, run: Run | Exception, target: Path) -> FileRun:
    if isinstance(run, Exception):
        return FileRun(kind=kind, origin=origin, problem=f"does not load: {load_error(run)}")
    try:
        outputs = reference.run_pool(_renamed(run, artifact.names), with_names(artifact.inputs, artifact.names), pool)
        file = save_arrays(target, outputs) if outputs else None
    except Exception as error:
        return FileRun(kind=kind, origin=origin, problem=f"does not run: {load_error(error)}")
    return FileRun(kind=kind, origin=origin, outputs=file)


def _renamed(run: Run, names: Mapping[str, str]) -> Run:
    """The file's function under the model's names."""
    theirs = {ours: theirs for theirs, ours in names.items()}

    def renamed(feed: Arrays) -> dict[str, reference.Array]:
        answers = run({theirs.get(name, name): array for name, array in feed.items()})
        return {names.get(name, name): array for name, array in answers.items()}

    return renamed


def _size(run: FileRun) -> int:
    return Path(run.outputs.path).stat().st_size if run.outputs else 0


if __name__ == "__main__":
    serve(PowerRequest, run_files)
